"""``claimx labels``: the configuration speaks the very names that the codec writes and reads."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from claimx.cli import main
from claimx.formats.assembly import NUMBERS, WORDS
from claimx.formats.checks import CHANGES, KINDS, MODIFIERS
from claimx.formats.label_config import COLOURS, TOOLS, label_configuration
from claimx.formats.label_studio import ATTRIBUTE_CONTROLS, label_studio_task
from claimx.labels import DEFAULT_SCHEMA, LabelSchema, Layer
from tests.formats.samples import harbour


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"schema": DEFAULT_SCHEMA.to_dict()}))
    return folder


@pytest.fixture
def run(model, capsys):
    def run(*words: object) -> tuple[int, str, str]:
        code = main(["labels", "--model", str(model), *map(str, words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def parse(xml: str) -> ElementTree.Element:
    return ElementTree.fromstring(xml)


def controls(xml: str) -> dict[str, list[str]]:
    return {
        control.attrib["name"]: [label.attrib["value"] for label in control]
        for control in parse(xml).iter("Labels")
    }


def test_each_layer_is_a_control_with_its_labels(run):
    code, xml, err = run()
    assert (code, err) == (0, "")
    assert controls(xml) == {
        "attribution": ["QUOTE", "CUE", "SPEAKER"],
        "identity": ["PERSON", "ROLE", "AFFILIATION"],
        "quantity": ["QUANTITY", "MODIFIER", "MEASURED"],
    }


def test_layers_may_be_chosen_and_added(run):
    _, xml, _ = run("--layers", "time, quantity", "--add", "time=DATE,YEAR", "--add", "quantity=NO")
    assert controls(xml) == {
        "time": ["DATE", "YEAR"], "quantity": ["QUANTITY", "MODIFIER", "MEASURED", "NO"],
    }  # fmt: skip
    assert [one.attrib["value"] for one in parse(xml).iter("Relation")] == [
        "modified_by", "measures",
    ]  # fmt: skip


def test_every_name_that_the_codec_writes_is_in_the_configuration():
    [xml] = label_configuration(DEFAULT_SCHEMA, "label-studio").values()
    root = parse(xml)
    tags = {"labels": "Labels", "number": "Number", "textarea": "TextArea", "choices": "Choices"}
    [text] = root.iter("Text")
    relations = {one.attrib["value"] for one in root.iter("Relation")}
    task = label_studio_task(harbour(), 1)
    assert text.attrib["value"] == "$text"
    assert isinstance(task["data"]["text"], str)
    written = set()
    for item in task["annotations"][0]["result"]:
        if item["type"] == "relation":
            assert set(item["labels"]) <= relations
            continue
        name = item["from_name"]
        [control] = [one for one in root.iter(tags[item["type"]]) if one.get("name") == name]
        assert control.attrib["toName"] == item["to_name"] == text.attrib["name"]
        for value in item["value"].get("labels", item["value"].get("choices", [])):
            assert value in [child.attrib["value"] for child in control]
        written.add(name)
    assert written == {
        "attribution", "attribution_broad", "identity", "quantity", "value", "unit", "kind",
        "modifier", "change",
    }  # fmt: skip


def test_every_attribute_of_a_quantity_has_a_control_of_its_region():
    [xml] = label_configuration(DEFAULT_SCHEMA, "label-studio").values()
    per_region = {
        one.attrib["name"]: [choice.attrib["value"] for choice in one]
        for one in parse(xml).iter()
        if one.get("perRegion") == "true" and one.get("whenLabelValue") == "QUANTITY"
    }
    assert tuple(per_region) == tuple(ATTRIBUTE_CONTROLS) == (*NUMBERS, *WORDS)
    assert [per_region[name] for name in ("kind", "modifier", "change")] == [
        list(KINDS), list(MODIFIERS), list(CHANGES),
    ]  # fmt: skip


def test_a_schema_without_quantities_has_no_controls_for_them():
    [xml] = label_configuration(LabelSchema((Layer("time", ("DATE",)),)), "label-studio").values()
    assert {one.tag for one in parse(xml).iter()} == {"View", "Labels", "Label", "Text"}


def test_colours_and_keys_are_distinct():
    [xml] = label_configuration(DEFAULT_SCHEMA, "label-studio").values()
    labels = list(parse(xml).iter("Label"))
    keys = [one.attrib["hotkey"] for one in labels]
    assert len(labels) == len(set(keys)) == len({one.attrib["background"] for one in labels}) == 12
    assert "u" not in keys  # which unselects a region
    assert len(set(COLOURS)) == len(COLOURS)


def test_more_labels_than_keys_and_colours_are_no_trouble():
    many = LabelSchema((Layer("many", tuple(f"L{n}" for n in range(99))),))
    for tool in TOOLS:
        assert label_configuration(many, tool)


def test_names_are_escaped():
    odd = LabelSchema((Layer("a", ('R&D "x" <b>',)),))
    [xml] = label_configuration(odd, "label-studio").values()
    assert controls(xml) == {"a": ['R&D "x" <b>']}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--add", "value=X"], "layer 'value' has the name of a control"),
        (["--add", "time=$DATE"], "starts with $"),
        (["--add", "time"], "--add takes LAYER=LABEL"),
        (["--add", "identity=ROLE"], "ROLE"),
        (["--layers", "dates"], "no layer 'dates'; there are"),
        (["--to", "word"], "known are label-studio, brat, doccano, prodigy"),
        (["--to", "brat"], "name a folder with -o"),
        (["--model", "nowhere"], "no model 'nowhere'"),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_2(run, words, sentence):
    code, out, err = run(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert sentence in err


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("{}", "holds no label schema"), ('{"schema": []}', "holds no label schema"),
        ("[]", "must hold a JSON object"), ("[" * 100_000, "is not valid JSON"),
    ],
)  # fmt: skip
def test_a_config_without_schema_is_refused(run, model, config, words):
    (model / "config.json").write_text(config)
    code, _, err = run()
    assert code == 2
    assert words in err


@pytest.mark.parametrize(
    ("tool", "files"),
    [
        ("brat", {"annotation.conf", "visual.conf"}),
        ("doccano", {"span_types.json", "relation_types.json"}),
        ("prodigy", {"prodigy.json", "span_labels.txt", "relation_labels.txt"}),
    ],
)
def test_tools_of_several_files_take_a_folder(run, tmp_path, tool, files):
    assert run("--to", tool, "-o", tmp_path / "out")[0] == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == files


def test_brat_is_told_what_links_may_join():
    conf = label_configuration(DEFAULT_SCHEMA, "brat")["annotation.conf"]
    assert "refers_to\tArg1:SPEAKER|attribution_broad.SPEAKER, Arg2:PERSON" in conf.split("\n")
    assert re.search(r"^kind\tArg:QUANTITY, Value:percent\|", conf, re.MULTILINE)


def test_labels_needs_no_torch(model):
    program = (
        "import sys; from claimx.cli import main; "
        f"code = main(['labels', '--model', {str(model)!r}]); sys.exit(code or 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0
