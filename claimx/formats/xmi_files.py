"""The files of an XMI export: a zip or a folder of ``.xmi`` files and a type system."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from claimx.errors import FormatError
from claimx.formats.codec import Reading
from claimx.formats.native import replacing
from claimx.formats.sources import MAX_BYTES, decode, open_file, read_bytes, replacing_folder

TYPES = "TypeSystem.xml"
MAX_DECOMPRESSED = 512 * 2**20
_ENCODING = re.compile(r"""\A\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)""")


def write_bundle(path: Path, files: Mapping[str, bytes]) -> None:
    """Write the files as a zip or a folder, whole or not at all.

    Args:
        path: with the suffix ``.zip`` a zip file, else a new or empty folder.
        files: name -> bytes.

    Raises:
        FormatError: if the folder is there already.
    """
    if path.suffix.lower() == ".zip":
        with (
            replacing(path) as stream,
            zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for name, data in files.items():
                # Without a time of its own, so that the bytes depend on the articles alone.
                entry = zipfile.ZipInfo(name)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, data)
        return
    with replacing_folder(path) as folder:
        for name, data in files.items():
            (folder / name).write_bytes(data)


def read_bundle(path: Path, reading: Reading) -> Iterator[tuple[str, str, bytes, bytes]]:
    """Yield where, name, type system and document of each text.

    Args:
        path: a ``.zip`` file, a folder, or an ``.xmi`` file with its type system beside it.
        reading: counts nested zip files, which are not opened.

    Raises:
        FormatError: if a file is missing, too large, or no plain XML.
    """
    if path.is_dir():
        files = _folder(path, sorted(path.rglob("*.xmi")))
    elif _starts_like_zip(path):
        files = _zip(path, reading)
    else:
        files = _folder(path.parent, [path])
    documents = [name for name in files if name.lower().endswith(".xmi")]
    if not documents:
        raise FormatError(f"{path}: there is no .xmi file in it")
    for name in documents:
        where = f"{path}: {name}" if path.is_dir() or path.suffix.lower() == ".zip" else str(path)
        types = next(
            (
                files[str(folder / TYPES)]
                for folder in PurePosixPath(name).parents
                if str(folder / TYPES) in files
            ),
            None,
        )
        if types is None:
            raise FormatError(f"{where}: there is no {TYPES} beside it; export it with the text")
        for owner, data in ((name, files[name]), (TYPES, types)):
            refuse_entities(data, f"{path}: {owner}")
        yield where, PurePosixPath(name).stem, types, files[name]


def refuse_entities(data: bytes, where: str) -> None:
    """Raise `FormatError` for XML that is not UTF-8 or declares a document type or entities.

    Such declarations can unfold into gigabytes or read other files; UIMA writes none.

    Args:
        data: the XML.
        where: for the message.
    """
    source = decode(data.removeprefix(b"\xef\xbb\xbf"), where)
    declared = _ENCODING.match(source)
    if declared and declared[1].lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
        raise FormatError(f"{where}: says that it is {declared[1]}; save it as UTF-8")
    if "<!DOCTYPE" in source or "<!ENTITY" in source:
        raise FormatError(f"{where}: declares a document type or entities, which is not allowed")
    if not source.lstrip().startswith("<"):
        raise FormatError(f"{where}: not XML")


def _folder(root: Path, documents: list[Path]) -> dict[str, bytes]:
    files = {file.relative_to(root).as_posix(): read_bytes(file) for file in documents}
    for file in {root / TYPES, *root.rglob(TYPES)} if documents else ():
        if file.is_file():
            files[file.relative_to(root).as_posix()] = read_bytes(file)
    return files


def _starts_like_zip(path: Path) -> bool:
    with open_file(path) as stream:
        return stream.read(2) == b"PK"


def _zip(path: Path, reading: Reading) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    size = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                suffix = PurePosixPath(entry.filename).suffix.lower()
                if suffix == ".zip":
                    reading.left_out.add("zip files inside the zip file", entry.filename)
                if suffix not in (".xmi", ".xml"):
                    continue
                with archive.open(entry) as stream:
                    data = stream.read(MAX_BYTES + 1)
                size += len(data)
                if len(data) > MAX_BYTES or size > MAX_DECOMPRESSED:
                    raise FormatError(f"{path}: {entry.filename} unpacks to too much; split it")
                files[entry.filename] = data
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise FormatError(f"{path}: no sound zip file: {error}") from error
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error
    return files
