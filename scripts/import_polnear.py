"""Make the corpora `polnear.train` and `polnear.dev` from PolNeAR as published.

    git clone https://github.com/networkdynamics/PolNeAR
    python scripts/import_polnear.py PolNeAR polnear

writes `polnear/polnear.train.jsonl.gz`, `polnear/polnear.dev.jsonl.gz` and
`polnear/polnear.texts.jsonl.gz`; with the last, `attach_text.py` makes `news_annotated_polnear`.
The split is the publishers' own. Of an article with several annotators the first that
`metadata.tsv` names is taken (seen so in the one dev article that was compared). The corpora that
the shipped model was trained on lack 9 of the 840 articles of train, as near-duplicates; which
texts are left is read from `import_polnear.texts`, unless --all is given. Not reproduced: the
attributes `is_speech` and `no_source` of quotes, which nothing is trained on.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from claimx.errors import AnnotationError, FormatError
from claimx.formats.polnear import read_pair
from claimx.types import AnnotatedArticle
from scripts.importing import (
    Gathering,
    Source,
    guarded,
    inside,
    parser_of,
    text_of,
    verified,
    write_texts,
)
from training.data import text_fingerprint

SOURCE = Source(
    "PolNeAR 1.0.0 (Newell, Margolin, Ruths, LREC 2018)",
    "https://github.com/networkdynamics/PolNeAR",
    "data of commit 9b85973d1610e219cb1280819816edcaa0587371",
    "no licence stated, published for research; article text (c) its publishers",
)
SPLITS = ("train", "dev")
TEXTS = Path(__file__).with_suffix(".texts")
_COLUMNS = ("compartment", "filename", "annotators", "publisher", "publication_date", "title")


def read_metadata(data: Path) -> list[dict[str, str]]:
    """Return the rows of `metadata.tsv`.

    Args:
        data: the folder `data` of PolNeAR.

    Raises:
        FormatError: if it is missing or has other columns.
    """
    path = data / "metadata.tsv"
    # Titles hold quotation marks that open and never close, so marks mean nothing here.
    table = io.StringIO(text_of(verified(path, SOURCE), str(path)), newline="")
    reader = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
    missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise FormatError(f"{path}: has no column {', '.join(missing)}; is it PolNeAR's?")
    rows = []
    for row in reader:
        if any(row[name] is None for name in _COLUMNS):
            raise FormatError(f"{path}:{reader.line_num}: a column is missing")
        rows.append(row)
    return rows


def articles_of(
    data: Path, split: str, rows: Sequence[Mapping[str, str]], gathering: Gathering
) -> Iterator[AnnotatedArticle]:
    """Yield the articles of one split; what is wrong with others is gathered.

    Args:
        data: the folder `data` of PolNeAR.
        split: its compartment.
        rows: its metadata.
        gathering: takes problems and counts what is left out.
    """
    folder = data / split
    for row in rows:
        if row["compartment"] != split:
            continue
        name = row["filename"]
        annotator = row["annotators"].partition("|")[0]
        try:
            article = read_pair(
                inside(folder, f"text/{name}.txt"),
                inside(folder, f"attributions/{name}_{annotator}.ann"),
                gathering.reading,
            )
        except (AnnotationError, FormatError) as error:
            gathering.problems.append(f"{split}/{name}: {error}")
            continue
        meta = {
            "corpus": "polnear",
            "publisher": row["publisher"],
            "date": row["publication_date"],
            "title": row["title"],
        }
        yield replace(article, meta=meta)


def read_list(path: Path = TEXTS) -> dict[str, str]:
    """Return start of the SHA-256 of a text -> split, of the texts that are trained on."""
    lines = [line.split() for line in path.read_text("utf-8").splitlines() if line[:1] != "#"]
    return {start: split for split, start in lines}


def run(path: Path, output: Path, listed: Mapping[str, str] | None) -> int:
    """Read PolNeAR and write its splits and texts.

    Args:
        path: the repository, or its folder `data`.
        output: a folder; it is made if need be.
        listed: the texts to keep, as `read_list` gives them; None keeps all.

    Returns:
        The exit code: 1 if a listed text was not found.
    """
    data = path / "data" if (path / "data").is_dir() else path
    gathering = Gathering()
    rows = read_metadata(data)
    splits = {split: list(articles_of(data, split, rows, gathering)) for split in SPLITS}
    found: dict[str, str] = {}
    for split, articles in splits.items():
        kept = []
        for article in articles:
            start = text_fingerprint(article.text)[:16]
            if listed is None or listed.get(start) == split:
                found[start] = article.id
                kept.append(article)
        splits[split] = kept
    output.mkdir(parents=True, exist_ok=True)
    for split, articles in splits.items():
        gathering.write(output / f"polnear.{split}.jsonl.gz", articles)
    texts = {one.id: one.text for articles in splits.values() for one in articles}
    write_texts(output / "polnear.texts.jsonl.gz", texts)
    missing = len(set(listed or ()) - set(found))
    if missing:
        print(f"{missing} texts that are trained on were not found as they were", file=sys.stderr)
    return 1 if missing else 0


def main(arguments: list[str] | None = None) -> int:
    """Import PolNeAR."""
    parser = parser_of(__doc__, SOURCE, "polnear", "output")
    parser.add_argument("--all", action="store_true", help="keep near-duplicates")
    options = parser.parse_args(arguments)
    listed = None if options.all else read_list()
    return guarded(lambda: run(options.polnear, options.output, listed))


if __name__ == "__main__":
    sys.exit(main())
