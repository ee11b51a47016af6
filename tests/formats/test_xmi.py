"""UIMA CAS XMI: UTF-16 offsets, foreign layers, zip files, entity bombs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from claimx.errors import AnnotationError, FormatError
from claimx.formats.xmi import write_xmi
from claimx.types import AnnotatedArticle
from tests.formats.reading import arrows, read_all, surfaces
from tests.formats.samples import harbour

pytest.importorskip("cassis")

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<xmi:XMI xmlns:xmi="http://www.omg.org/XMI" xmlns:cas="http:///uima/cas.ecore"
 xmlns:custom="http:///webanno/custom.ecore"
 xmlns:ner="http:///de/tudarmstadt/ukp/dkpro/core/api/ner/type.ecore" xmi:version="2.0">"""
SPEECH = """
<cas:NULL xmi:id="0"/>
<custom:Speech xmi:id="2" sofa="1" begin="3" end="6" value="SPEAKER" tone="calm"/>
<custom:Speech xmi:id="3" sofa="1" begin="12" end="25" value="QUOTE" loud="true"/>
<ner:NamedEntity xmi:id="4" sofa="1" begin="3" end="6" value="PER"/>
<custom:Says xmi:id="5" sofa="1" begin="3" end="6" Governor="3" Dependent="2" label="said_by"/>
<cas:Sofa xmi:id="1" sofaNum="1" sofaID="_InitialView" mimeType="text/plain"
 sofaString="🚢 Ann said costs rose 5%.&#13;&#10;"/>
<cas:View sofa="1" members="2 3 4 5"/></xmi:XMI>"""


def feature(name: str, kind: str = "uima.cas.String") -> str:
    return (
        f"<featureDescription><name>{name}</name><rangeTypeName>{kind}</rangeTypeName>"
        "</featureDescription>"
    )


def described(name: str, *features: str) -> str:
    return (
        f"<typeDescription><name>{name}</name><supertypeName>uima.tcas.Annotation</supertypeName>"
        f"<features>{''.join(features)}</features></typeDescription>"
    )


TYPES = (
    '<typeSystemDescription xmlns="http://uima.apache.org/resourceSpecifier"><types>'
    + described(
        "webanno.custom.Speech", feature("value"), feature("tone"),
        feature("loud", "uima.cas.Boolean"),
    )
    + described(
        "webanno.custom.Says", feature("label"), feature("Governor", "webanno.custom.Speech"),
        feature("Dependent", "webanno.custom.Speech"),
    )
    + described("de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity", feature("value"))
    + "</types></typeSystemDescription>"
)  # fmt: skip


def export(folder: Path, document: str = HEAD + SPEECH, types: str | None = TYPES) -> Path:
    (folder / "ann.xmi").write_text(document, encoding="utf-8")
    if types is not None:
        (folder / "TypeSystem.xml").write_text(types, encoding="utf-8")
    return folder


def test_layers_of_others_become_spans_and_links(tmp_path):
    [article], problems, left_out = read_all(export(tmp_path), "xmi")
    assert surfaces(article) == {
        "a1": "attribution/SPEAKER=Ann", "a2": "attribution/QUOTE=costs rose 5%",
        "a3": "NamedEntity/PER=Ann",
    }  # fmt: skip
    assert arrows(article) == ["said_by a2>a1"]
    assert [dict(span.attrs) for span in article.spans] == [{"tone": "calm"}, {"loud": True}, {}]
    assert (article.id, article.text[-2:], problems, left_out) == ("ann", "\r\n", [], {})


def test_one_document_is_read_with_the_type_system_beside_it(tmp_path):
    [article], _, _ = read_all(export(tmp_path) / "ann.xmi", "xmi")
    assert len(article.spans) == 3


def test_offsets_are_written_as_utf16_units(tmp_path):
    write_xmi(tmp_path / "out", [harbour()])
    written = (tmp_path / "out" / "own_harbour.xmi").read_text(encoding="utf-8")
    start = harbour().text.encode("utf-16-le").index("Ines".encode("utf-16-le")) // 2
    assert f'begin="{start}" end="{start + 11}" layer="identity"' in written


def test_the_same_articles_give_the_same_zip(tmp_path):
    for name in ("a.zip", "b.zip"):
        write_xmi(tmp_path / name, [harbour()])
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_feature_that_was_changed_in_the_tool_wins(tmp_path):
    write_xmi(tmp_path / "out", [harbour()])
    file = tmp_path / "out" / "own_harbour.xmi"
    source = file.read_text(encoding="utf-8")
    assert ' value="40" unit="percent"' in source
    file.write_text(source.replace(' value="40" unit="percent"', ' value="41"'), encoding="utf-8")
    [article], _, _ = read_all(tmp_path / "out", "xmi")
    [attrs] = [span.attrs for span in article.spans if span.id == "v1"]
    assert (attrs["value"], attrs["unit"], attrs["kind"]) == (41, None, "percent")


def test_features_that_a_type_system_lacks_are_as_good_as_empty(tmp_path):
    write_xmi(tmp_path / "out", [harbour()])
    file = tmp_path / "out" / "TypeSystem.xml"
    source = file.read_text(encoding="utf-8")
    file.write_text(source.replace("<name>kept</name>", "<name>other</name>"), encoding="utf-8")
    document = tmp_path / "out" / "own_harbour.xmi"
    source = document.read_text(encoding="utf-8")
    document.write_text(source.replace(' kept="', ' other="'), encoding="utf-8")
    [article], problems, _ = read_all(tmp_path / "out", "xmi")
    assert len(article.spans) == len(harbour().spans)
    assert (len(article.links), problems) == (len(harbour().links), [])


def test_a_span_that_was_copied_in_the_tool_gets_an_id_of_its_own(tmp_path):
    write_xmi(tmp_path / "out", [harbour()])
    file = tmp_path / "out" / "own_harbour.xmi"
    source = file.read_text(encoding="utf-8")
    file.write_text(source.replace('identifier="c1"', 'identifier="q1"'), encoding="utf-8")
    [article], problems, _ = read_all(tmp_path / "out", "xmi")
    assert len({span.id for span in article.spans}) == len(harbour().spans)
    assert problems == []


@pytest.mark.parametrize("control", ["\x0c", "\x00", "\ufffe", "\ud800"])
def test_a_text_that_xml_cannot_hold_is_refused(tmp_path, control):
    article = AnnotatedArticle("a", f"Ann{control}")
    with pytest.raises(AnnotationError, match=r"XML cannot hold U\+"):
        write_xmi(tmp_path / "out.zip", [article])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("offsets", ['begin="1" end="6"', 'begin="3" end="99"'])
def test_wrong_offsets_are_a_problem(tmp_path, offsets):
    document = (HEAD + SPEECH).replace('begin="3" end="6" value="SPEAKER"', f"{offsets} value=''")
    articles, [problem], _ = read_all(export(tmp_path, document), "xmi")
    assert articles == []
    assert "ann.xmi" in problem
    assert "offset" in problem


BOMB = """<?xml version="1.0"?>
<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>"""


@pytest.mark.parametrize("which", ["document", "types"])
def test_an_entity_bomb_is_refused_in_one_sentence(tmp_path, which):
    document, types = HEAD + SPEECH, TYPES
    if which == "document":
        document = BOMB + document.partition("?>")[2].replace("Ann", "&b;")
    else:
        types = BOMB + types
    with pytest.raises(FormatError, match="entities") as caught:
        read_all(export(tmp_path, document, types), "xmi")
    assert "\n" not in str(caught.value)


def test_entities_that_hide_in_another_encoding_are_refused(tmp_path):
    export(tmp_path)
    (tmp_path / "ann.xmi").write_bytes((BOMB + SPEECH).encode("utf-16"))
    with pytest.raises(FormatError, match="UTF-8"):
        read_all(tmp_path, "xmi")
    (tmp_path / "ann.xmi").write_bytes(b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-')
    with pytest.raises(FormatError, match="UTF-7"):
        read_all(tmp_path, "xmi")


def test_a_missing_type_system_is_said(tmp_path):
    with pytest.raises(FormatError, match=r"no TypeSystem\.xml"):
        read_all(export(tmp_path, types=None), "xmi")


def test_an_unknown_type_is_a_problem(tmp_path):
    types = TYPES.replace("webanno.custom.Says", "webanno.custom.Other")
    articles, [problem], _ = read_all(export(tmp_path, types=types), "xmi")
    assert articles == []
    assert "Says" in problem


def test_a_truncated_document_is_a_problem(tmp_path):
    articles, [problem], _ = read_all(export(tmp_path, (HEAD + SPEECH)[:-60]), "xmi")
    assert (articles, "no sound XMI" in problem) == ([], True)


def test_a_zip_that_unpacks_to_too_much_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("TypeSystem.xml", TYPES)
        with archive.open("a.xmi", "w") as stream:
            for _ in range(65):
                stream.write(b" " * 2**20)
    with pytest.raises(FormatError, match="too much"):
        read_all(tmp_path / "a.zip", "xmi")


def test_a_zip_without_documents_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("admin.zip", b"")
    with pytest.raises(FormatError, match=r"no \.xmi"):
        read_all(tmp_path / "a.zip", "xmi")


def test_xmi_alone_is_no_target(tmp_path):
    with pytest.raises(FormatError, match="type system"):
        write_xmi(tmp_path / "a.xmi", [harbour()])
