"""Sentences of the Groningen Meaning Bank are put together again as they were annotated."""

from __future__ import annotations

import csv
import io

import pytest

from scripts.import_voa import detokenised, main
from tests.scripts.standoff_files import texts_of, write_standoff

SENTENCES = (
    "Ada Berg leads the yard .",
    '" We ca n\'t wait , " she said .',
    "It cost $ 1,20,000 ( half the workers ' pay ) .",
)
TEXT = "\"We can't wait,\" she said. It cost $1,20,000 (half the workers ' pay)."


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ('a " dream team " won', 'a "dream team" won'),
        ("Britain 's Labor Party .", "Britain's Labor Party."),
        ("rights - HIV / AIDS - grew 5 %", "rights - HIV / AIDS - grew 5%"),
    ],
)
def test_marks_stand_at_their_words(tokens, text):
    assert detokenised(tokens.split()) == text


def dataset(path):
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["Sentence #", "Word", "POS", "Tag"])
    for number, sentence in enumerate(SENTENCES, start=1):
        for index, word in enumerate(sentence.split()):
            writer.writerow([f"Sentence: {number}" if index == 0 else "", word, "X", "O"])
    path.write_bytes(table.getvalue().encode("latin-1"))
    return path


def test_a_run_of_sentences_is_known_by_its_hash(tmp_path):
    standoff = write_standoff(tmp_path / "s", "news_annotated", [("a", TEXT)], "Voice of America x")
    output = tmp_path / "voa.jsonl"
    given = [str(dataset(tmp_path / "ner_dataset.csv")), str(output), "--standoff", str(standoff)]
    assert main(given) == 0
    assert texts_of(output) == {"a": TEXT}


def test_another_table_is_refused(tmp_path, capsys):
    standoff = write_standoff(tmp_path / "s", "news_annotated", [("a", TEXT)], "Voice of America")
    (tmp_path / "x.csv").write_text("Word,Tag\nA,O\n")
    output = tmp_path / "voa.jsonl"
    assert main([str(tmp_path / "x.csv"), str(output), "--standoff", str(standoff)]) == 2
    assert "`Sentence #`" in capsys.readouterr().err
    assert not output.exists()
