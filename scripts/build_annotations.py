"""Build the corpus of data/annotations from its hand-written inline files, or check such files.

    python scripts/build_annotations.py                    # check all, write {train,dev,test}.jsonl
                                                           # and the counts in the README
    python scripts/build_annotations.py --check FILE...    # only check these
    python scripts/build_annotations.py --stats            # print the counts

Exit code 0 if all is well, 1 if there are problems (nothing is written then).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from claimx.checking.phenomena import (  # noqa: E402
    BY_WORDS,
    PHENOMENA,
    lift_words,
    phenomenon_problems,
    word_problems,
)
from claimx.checking.similarity import SHINGLE, similar_texts  # noqa: E402
from claimx.errors import FormatError  # noqa: E402
from claimx.formats import Problem, write_articles  # noqa: E402
from claimx.formats.checks import duplicate_ids  # noqa: E402
from claimx.formats.inline import parse_inline_report, read_source  # noqa: E402
from claimx.formats.inline_tags import LINKS, TAGS  # noqa: E402
from claimx.types import AnnotatedArticle  # noqa: E402

CORPUS = ROOT / "data" / "annotations"
SPLITS = ("train", "dev", "test")
GENRES = ("wire", "feature", "interview", "press_release", "british", "blog", "markets")
TOPICS = (
    *("business", "politics", "science", "courts", "sport", "health", "disasters", "markets"),
    *("technology", "mining and energy"),
)
REQUIRED = ("genre", "topic", "date", "phenomena")
MIN_WORDS = 120
WANTED = 15
BEGIN_COUNTS, END_COUNTS = "<!-- counts -->", "<!-- end of counts -->"


@dataclass(frozen=True, slots=True)
class Loaded:
    """One inline file: its article, as far as it can be read, and what is wrong with it."""

    path: Path
    article: AnnotatedArticle | None
    problems: tuple[Problem, ...]


def load(path: Path) -> Loaded:
    """Read and check one inline file.

    Args:
        path: an inline file.
    """
    try:
        source = read_source(path)
    except FormatError as error:
        return Loaded(path, None, (Problem("", (), str(error)),))
    parsed = parse_inline_report(source, str(path))
    problems = list(parsed.problems)
    article = parsed.article
    if article is not None:
        article = replace(article, meta=lift_words(article.meta))
        problems += _check_head(path, source, article)
    return Loaded(path, article, tuple(sorted(problems, key=_place)))


def _place(problem: Problem) -> list[int]:
    numbers = re.search(r":(\d+)(?::(\d+))?$", problem.where)
    return [int(number or 0) for number in numbers.groups()] if numbers else []


def _check_head(path: Path, source: str, article: AnnotatedArticle) -> list[Problem]:
    """Check what this corpus asks of the front matter and of the length."""

    def at(key: str, message: str) -> Problem:
        """Place a problem at the key's own line, else at that of `phenomena`, else on top."""
        places = (
            re.search(rf"^[ \t]*{re.escape(name)}[ \t]*:", source, re.MULTILINE)
            for name in (key, "phenomena")
        )
        found = next((place for place in places if place), None)
        line = source.count("\n", 0, found.start()) + 1 if found else 1
        return Problem(article.id, (), message, f"{path}:{line}")

    meta = article.meta
    problems = [at(key, f"`{key}` is missing") for key in REQUIRED if meta.get(key) is None]
    if article.id and article.id != f"own/{path.stem}":
        problems.append(at("id", f"id {article.id!r} should be 'own/{path.stem}', as the file"))
    if meta.get("genre") is not None and meta["genre"] not in GENRES:
        problems.append(at("genre", f"genre {meta['genre']!r}; use one of {', '.join(GENRES)}"))
    if unknown := [topic for topic in _topics(article) if topic not in TOPICS]:
        told = ", ".join(map(repr, unknown))
        problems.append(at("topic", f"topic {told}; use one or more of {', '.join(TOPICS)}"))
    phenomena = meta.get("phenomena")
    if isinstance(phenomena, Mapping):
        span_ids = {span.id for span in article.spans}
        for name, ids in phenomena.items():
            words = meta.get(f"{name}_text")
            problems += [at(name, bad) for bad in phenomenon_problems(name, ids, words, span_ids)]
    elif phenomena is not None:
        problems.append(at("phenomena", "`phenomena` maps each phenomenon to a list of span ids"))
    for name in BY_WORDS:
        problems += [at(f"{name}_text", bad) for bad in word_problems(name, meta, article.text)]
    words = len(article.text.split())
    if words < MIN_WORDS:
        problems.append(at("id", f"{words} words; an article has at least {MIN_WORDS}"))
    return problems


def _topics(article: AnnotatedArticle) -> list[str]:
    """Return the topics of an article: `topic` names one, or a list with the main one first."""
    topic = article.meta.get("topic") or []
    return [str(name) for name in (topic if isinstance(topic, list) else [topic])]


# ---- near-duplicates ----------------------------------------------------------------------


def near_duplicates(checked: Sequence[Loaded], others: Sequence[Loaded]) -> list[Problem]:
    """Return a problem for each pair of articles that share too many runs of words.

    Args:
        checked: files to report on, compared with one another and with the others.
        others: files to compare with only.
    """
    readable = [loaded for loaded in (*checked, *others) if loaded.article is not None]
    texts = [loaded.article.text for loaded in readable if loaded.article is not None]
    count = sum(loaded.article is not None for loaded in checked)
    return [
        Problem(
            "",
            (),
            f"near-duplicate of {readable[pair.second].path}: {pair.shared} runs of {SHINGLE} "
            f"words are the same, such as {pair.example!r}; rewrite one of the two",
            f"{readable[pair.first].path}:1",
        )
        for pair in similar_texts(texts, count)
    ]


# ---- commands -----------------------------------------------------------------------------


def inline_files(corpus: Path) -> dict[str, list[Path]]:
    """Return the inline files of each split, sorted."""
    return {split: sorted((corpus / "inline" / split).glob("*.txt")) for split in SPLITS}


def check(files: Sequence[Path], corpus: Path) -> list[Problem]:
    """Return what is wrong with these files, alone and beside the rest of the corpus.

    Args:
        files: inline files.
        corpus: the folder that holds ``inline/``.
    """
    loaded = [load(path) for path in dict.fromkeys(files)]
    given = {path.resolve() for path in files}
    rest = [
        load(path)
        for paths in inline_files(corpus).values()
        for path in paths
        if path.resolve() not in given
    ]
    problems = [problem for entry in loaded for problem in entry.problems]
    problems += near_duplicates(loaded, rest)
    ids = {entry.article.id for entry in loaded if entry.article}
    articles = [entry.article for entry in (*loaded, *rest) if entry.article]
    return problems + [twice for twice in duplicate_ids(articles) if twice.article_id in ids]


def build(corpus: Path) -> list[Problem]:
    """Check every inline file and write the three native files, unless there are problems.

    Args:
        corpus: the folder that holds ``inline/``.

    Returns:
        The problems; empty if the files were written.
    """
    files = inline_files(corpus)
    problems = check([path for paths in files.values() for path in paths], corpus)
    if problems:
        return problems
    for split, paths in files.items():
        articles = [entry.article for entry in map(load, paths) if entry.article]
        articles.sort(key=lambda article: article.id)
        write_articles(corpus / f"{split}.jsonl", articles)
    refresh_counts(corpus)
    return []


def stats(corpus: Path) -> str:
    """Return the counts of the corpus as Markdown tables.

    Args:
        corpus: the folder that holds ``inline/``.
    """
    by_split = {
        split: [entry.article for entry in map(load, paths) if entry.article]
        for split, paths in inline_files(corpus).items()
    }
    rows: dict[str, dict[str, Counter[str]]] = {}
    for split, articles in by_split.items():
        rows[split] = _counts(articles)
    names = {
        "articles": ("articles", "words", "shortest (words)", "median (words)"),
        "spans": tuple(tag.label for tag in TAGS.values()),
        "links": tuple(dict.fromkeys(link.name for link in LINKS.values())),
        "genre": GENRES,
        "topic": TOPICS,
        "phenomenon": PHENOMENA,
    }
    tables = [
        _table(title, listed, {split: rows[split][title] for split in rows})
        for title, listed in names.items()
    ]
    return "\n".join(tables)


def refresh_counts(corpus: Path) -> None:
    """Put today's counts between the two marks in the corpus README, if it has them.

    Args:
        corpus: the folder that holds ``inline/`` and ``README.md``.
    """
    readme = corpus / "README.md"
    if not readme.is_file():
        return
    before, begin, rest = readme.read_text(encoding="utf-8").partition(BEGIN_COUNTS)
    _, end, after = rest.partition(END_COUNTS)
    if begin and end:
        counted = f"{before}{begin}\n\n{stats(corpus)}\n{end}{after}"
        readme.write_text(counted, encoding="utf-8")


def _counts(articles: Sequence[AnnotatedArticle]) -> dict[str, Counter[str]]:
    lengths = sorted(len(article.text.split()) for article in articles)
    size = Counter({"articles": len(articles), "words": sum(lengths)})
    size["shortest (words)"] = lengths[0] if lengths else 0
    size["median (words)"] = lengths[len(lengths) // 2] if lengths else 0
    return {
        "articles": size,
        "spans": Counter(span.label for article in articles for span in article.spans),
        "links": Counter(link.type for article in articles for link in article.links),
        "genre": Counter(str(article.meta.get("genre")) for article in articles),
        "topic": Counter(topic for article in articles for topic in set(_topics(article))),
        "phenomenon": Counter(
            {name: sum(_times(article, name) for article in articles) for name in PHENOMENA}
        ),
    }


def _times(article: AnnotatedArticle, name: str) -> int:
    """Return how often an article shows a phenomenon: its spans, or words where it has none."""
    phenomena = article.meta.get("phenomena")
    if not isinstance(phenomena, Mapping) or name not in phenomena:
        return 0
    words = article.meta.get(f"{name}_text")
    if name in BY_WORDS and words:
        return len(words) if isinstance(words, list) else 1
    return len(phenomena[name]) if isinstance(phenomena[name], list) else 0


def _table(title: str, names: Sequence[str], columns: Mapping[str, Counter[str]]) -> str:
    totals = title != "articles"
    head = [title, *columns, *(["all"] if totals else [])]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for name in names:
        cells = [columns[split][name] for split in columns]
        cells += [sum(cells)] if totals else []
        few = title in ("genre", "topic", "phenomenon") and cells[-1] < WANTED
        mark = f" (fewer than {WANTED})" if few else ""
        lines.append(f"| {name}{mark} | {' | '.join(f'{cell:,}' for cell in cells)} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; see the module's text.

    Args:
        arguments: the command line without the program's name.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, help="inline files, with --check")
    parser.add_argument("--check", action="store_true", help="only check the files (default: all)")
    parser.add_argument("--stats", action="store_true", help="only print the counts")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder that holds inline/")
    options = parser.parse_args(arguments)
    if options.files and not options.check:
        parser.error("files are only taken with --check")
    if options.stats:
        print(stats(options.corpus))
        return 0
    every = [path for paths in inline_files(options.corpus).values() for path in paths]
    files = options.files or every
    problems = check(files, options.corpus) if options.check else build(options.corpus)
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(problems)} problems", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
