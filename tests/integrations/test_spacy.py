"""The spaCy component: groups of spans, tokens that do not fit, what is stored and what is not."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import claimx
from claimx.errors import ConfigError, InputError
from claimx.extractor import Extractor
from claimx.types import Extraction
from tests.tiny import lexicon_engine

spacy = pytest.importorskip("spacy")

from claimx.formats.codec import Reading  # noqa: E402
from claimx.formats.docbin import read_docbin  # noqa: E402
from claimx.integrations.processes import OwnExtractor  # noqa: E402
from claimx.integrations.spacy import ClaimxComponent  # noqa: E402

ROOT = Path(claimx.__file__).parents[1]
STORY = (
    "“The harbour will be shut,” said Okafor, the minister of Norvale. "
    "She told Ruiz about 40 percent of boats."
)
OTHER = "Ruiz said “no”. \n\n  The 12 boats were about the pier."


@pytest.fixture(autouse=True)
def lexicon(monkeypatch):
    """Every model is the one with known answers."""
    monkeypatch.setattr("claimx.extractor.open_engine", lexicon_engine)


def pipeline(**config: object):
    nlp = spacy.blank("en")
    nlp.add_pipe("claimx", config={"device": "cpu", **config})
    return nlp


def spans(doc) -> dict[str, list[tuple[str, str, str]]]:
    return {
        name: [(span.label_, span.text, span.id_) for span in group]
        for name, group in doc.spans.items()
    }


def test_a_blank_pipeline_gets_one_group_a_layer_and_the_extraction():
    doc = pipeline()(STORY)
    assert spans(doc) == {
        "attribution": [
            ("QUOTE", "“The harbour will be shut,”", "q0"), ("CUE", "said", "q0"),
            ("SPEAKER", "Okafor", "q0"),
        ],
        "identity": [
            ("PERSON", "Okafor", "p0"), ("ROLE", "minister", "p0"),
            ("AFFILIATION", "Norvale", "p0"), ("PERSON", "Ruiz", "p1"),
        ],
        "quantity": [
            ("MODIFIER", "about", "c0"), ("QUANTITY", "40 percent", "c0"),
            ("MEASURED", "boats", "c0"),
        ],
    }  # fmt: skip
    found = doc._.claimx
    assert found.quotes[0].speaker.name == "Okafor"
    assert found.text == STORY
    assert found.to_dict() == Extractor.from_pretrained(device="cpu")(STORY).to_dict()
    assert doc.spans["attribution"].attrs["scores"][0] == round(found.quotes[0].score, 4)


def test_a_document_that_was_not_read_has_no_extraction():
    assert spacy.blank("en")(STORY)._.claimx is None


def test_documents_in_a_batch_get_what_they_get_alone_in_their_order():
    nlp = pipeline()
    texts = [STORY, "", OTHER, " ", STORY]
    together = list(nlp.pipe(texts, batch_size=2))
    assert [doc.text for doc in together] == texts
    assert [doc._.claimx.id for doc in together] == ["0", "1", "2", "3", "4"]
    for doc, text in zip(together, texts, strict=True):
        alone = nlp(text)
        assert spans(doc) == spans(alone)
        assert doc._.claimx.to_dict() | {"id": "0"} == alone._.claimx.to_dict()


def test_the_id_in_the_user_data_names_the_record():
    nlp = pipeline()
    doc = nlp.make_doc(STORY)
    doc.user_data["id"] = "own/7"
    assert nlp(doc)._.claimx.id == "own/7"


def test_the_broad_scope_has_a_group_of_its_own():
    assert list(pipeline(attribution="broad")(STORY).spans) == [
        "attribution_broad", "identity", "quantity",
    ]  # fmt: skip


def test_what_does_not_fall_on_tokens_is_widened_and_said():
    nlp = pipeline()
    doc = spacy.tokens.Doc(
        nlp.vocab, words=["She", "told-Ruiz-that", "40", "percent"], spaces=[True] * 3 + [False]
    )
    doc = nlp.get_pipe("claimx")(doc)
    identity = doc.spans["identity"]
    assert [span.text for span in identity] == ["told-Ruiz-that"]
    assert identity.attrs["widened"] == [0]
    assert doc.spans["quantity"].attrs["widened"] == []
    (person,) = doc._.claimx.people  # the record keeps the exact place
    assert person.mentions[0].text == doc.text[person.mentions[0].start : person.mentions[0].end]
    assert person.mentions[0].text == "Ruiz"


@pytest.mark.parametrize("language", ["en", "de", "xx"])
@pytest.mark.parametrize(
    "text", ["😀 Ruiz said “é🇫🇷” .", "Ruiz\u200bsaid\t“no\r\n”", "told Ruiz\xa012 boats"]
)
def test_places_hold_with_any_tokeniser(language, text):
    nlp = spacy.blank(language)
    nlp.add_pipe("claimx", config={"device": "cpu"})
    doc = nlp(text)
    exact = {(s.start, s.end) for person in doc._.claimx.people for s in person.mentions}
    group = doc.spans["identity"]
    for number, span in enumerate(group):
        if number not in group.attrs["widened"]:
            assert (span.start_char, span.end_char) in exact
    assert len(group) >= 1


def test_everything_survives_docbin_with_user_data_and_the_spans_alone_without():
    doc = pipeline()(STORY)
    box = spacy.tokens.DocBin(docs=[doc], store_user_data=True)
    (again,) = spacy.tokens.DocBin().from_bytes(box.to_bytes()).get_docs(spacy.vocab.Vocab())
    assert spans(again) == spans(doc)
    assert again.spans["identity"].attrs == doc.spans["identity"].attrs
    assert again._.claimx == doc._.claimx
    box = spacy.tokens.DocBin(docs=[doc])
    (again,) = spacy.tokens.DocBin().from_bytes(box.to_bytes()).get_docs(spacy.vocab.Vocab())
    assert spans(again) == spans(doc)
    assert again._.claimx is None


def test_claimx_reads_the_spans_of_a_docbin_as_annotations(tmp_path):
    spacy.tokens.DocBin(docs=[pipeline()(STORY)], store_user_data=True).to_disk(
        tmp_path / "a.spacy"
    )
    problems: list[object] = []
    (article,) = read_docbin(tmp_path / "a.spacy", Reading(problems.append))
    assert ("attribution", "SPEAKER", "Okafor") in {
        (span.layer, span.label, span.text) for span in article.spans
    }
    assert len(article.spans) == 10 and problems == []


def test_a_stored_pipeline_keeps_the_settings_and_no_model(tmp_path):
    nlp = pipeline(model="claimx-en-small", min_score=0.25)
    nlp.to_disk(tmp_path / "pipeline")
    again = spacy.load(tmp_path / "pipeline")
    assert again.get_pipe("claimx").extractor.min_score == 0.25
    assert again.get_pipe_config("claimx")["model"] == "claimx-en-small"
    assert again(STORY)._.claimx == nlp(STORY)._.claimx
    assert not (tmp_path / "pipeline" / "claimx").exists()


def test_a_document_that_cannot_be_read_is_an_error_alone_and_a_record_among_others():
    component = ClaimxComponent(OwnExtractor(None, {"max_chars": 60}))
    nlp = spacy.blank("en")
    with pytest.raises(InputError, match="more than max_chars"):
        component(nlp(STORY))
    long, short = component.pipe([nlp(STORY), nlp(OTHER)])
    assert long._.claimx.error.kind == "too_large"
    assert not any(long.spans.values())
    assert isinstance(short._.claimx, Extraction) and short.spans["quantity"]


def test_a_wrong_setting_is_refused_when_the_component_is_added():
    with pytest.raises(ConfigError, match="'reported' or 'broad'"):
        pipeline(attribution="wide")


def test_without_spacy_the_import_names_the_extra():
    program = (
        "import sys\n"
        "sys.modules['spacy'] = None\n"
        "try:\n"
        "    import claimx.integrations.spacy\n"
        "except ImportError as error:\n"
        "    print(type(error).__mro__, error)\n"
    )
    said = subprocess.check_output([sys.executable, "-c", program], text=True, cwd=ROOT)
    assert "claimx[spacy]" in said
    assert "ClaimxError" in said


def test_spacy_finds_the_component_by_the_entry_point_and_loads_no_model_for_it(tmp_path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = tmp_path / "claimx_spacy-0.dist-info"  # what an installer makes of pyproject.toml
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: claimx-spacy\nVersion: 0\n")
    [(name, place)] = project["entry-points"]["spacy_factories"].items()
    (installed / "entry_points.txt").write_text(f"[spacy_factories]\n{name} = {place}\n")
    program = (
        "import sys, spacy\n"
        "nlp = spacy.blank('en')\n"
        "assert nlp.has_factory('claimx')\n"
        "assert 'claimx.integrations.spacy' in sys.modules\n"
        "assert not {'claimx.extractor', 'claimx.modeling', 'transformers'} & set(sys.modules)\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    subprocess.run(
        [sys.executable, "-c", program], check=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
