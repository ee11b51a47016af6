"""Files damaged at random are read or refused with one of our errors, never with another."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claimx.errors import ClaimxError
from claimx.formats.convert import convert
from claimx.formats.native import write_native
from claimx.formats.registry import CODECS
from tests.formats.samples import harbour
from tests.formats.test_exchange import EXTRAS, needs

# format -> the target to write, and the file in it to damage
FILES = {
    "label-studio": ("out.json", ""), "brat": ("out", "own_harbour.ann"),
    "xmi": ("out", "own_harbour.xmi"), "doccano": ("out.jsonl", ""),
    "prodigy": ("out.jsonl", ""), "conll": ("out.conll", ""), "docbin": ("out.spacy", ""),
    "polnear": ("out", "own_harbour.ann"),
}  # fmt: skip
_BITS = st.sampled_from(
    [b"", b"0", b"9", b"-", b'"', b"{", b"}", b"[", b"null", b"\t", b"\n", b" ", b"\xff", b"\x00",
     b"true", b"<", b"&x;", b'"a"', b"1e9", b"_", b"T9", b"1.5"]
)  # fmt: skip
_DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), _BITS), min_size=1, max_size=3)


@cache
def sound(name: str) -> tuple[tuple[str, bytes], ...]:
    """The files of the harbour in a format."""
    with tempfile.TemporaryDirectory() as folder:
        write_native(Path(folder) / "in.jsonl", [harbour()])
        target = Path(folder) / FILES[name][0]
        convert(Path(folder) / "in.jsonl", target, "native", name)
        files = [target] if target.is_file() else sorted(target.iterdir())
        return tuple((file.name, file.read_bytes()) for file in files)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damage=_DAMAGE)
def test_damage_never_ends_in_another_error(name, damage):
    needs(name)
    target, wanted = FILES[name]
    with tempfile.TemporaryDirectory() as folder:
        for file, content in sound(name):
            if file == (wanted or target):
                for place, cut, bits in damage:
                    at = int(place * len(content))
                    content = content[:at] + bits + content[at + cut :]  # noqa: PLW2901
            (Path(folder) / file).write_bytes(content)
        source = Path(folder) if wanted else Path(folder) / target
        try:
            convert(source, Path(folder) / "back.native", name, "native")
        except ClaimxError as error:
            assert str(error)  # noqa: PT017
            assert not (Path(folder) / "back.native").exists()


def test_every_foreign_format_is_damaged_here():
    assert set(FILES) == {codec.name for codec in CODECS} - {"native", "inline"}
    assert set(EXTRAS) <= set(FILES)
