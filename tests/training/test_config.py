"""Training configs: what is wrong is named, and nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimx.errors import ConfigError
from training.config import Corpus, config_from_dict, load_config

HEAD = "encoder: tiny\noutput: run\n"
LEAST = f"{HEAD}corpora:\n  - path: a.jsonl\n"


def load(tmp_path: Path, source: str | bytes, **overrides: object):
    path = tmp_path / "config.yaml"
    path.write_bytes(source.encode() if isinstance(source, str) else source)
    return load_config(path, overrides)


def refusal(tmp_path: Path, source: str | bytes, **overrides: object) -> str:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, source, **overrides)
    message = str(raised.value)
    assert str(tmp_path / "config.yaml") in message
    # The folder is named after the test, and so holds many a word that is looked for.
    return message.replace(str(tmp_path), "")


def test_the_least_config_is_filled_up(tmp_path):
    config = load(tmp_path, LEAST)
    assert (config.encoder, config.output, config.dev) == ("tiny", "run", ())
    assert config.corpora == (Corpus("a.jsonl"),)
    assert config.corpora[0].align == "snap"


def test_every_setting_of_a_corpus_is_read(tmp_path):
    source = LEAST + (
        "    passes: 2\n    align: strict\n    begin: 0.25\n    end: 0.75\n"
        "    unlinked: [same_person]\n    layers: [identity]\n"
    )
    assert load(tmp_path, source).corpora == (
        Corpus("a.jsonl", 2.0, "strict", 0.25, 0.75, ("same_person",), ("identity",)),
    )


def test_a_config_survives_its_plain_form(tmp_path):
    config = load(tmp_path, LEAST + "dev: [d.jsonl, {path: e.jsonl, part: held_out}]\nseed: 3\n")
    assert config_from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("speed: 3", "speed"), ("5: 3", "5"), ("Encoder: x", "Encoder"),
        ("    weight: 3", "weight"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_named(tmp_path, line, name):
    message = refusal(tmp_path, LEAST + line + "\n")
    assert name in message
    assert "unknown" in message


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("passes: 3", "`passes`, which belongs under a file of `corpora`"),
        ("    seed: 3", "`seed`, which belongs to the top level"),
        ("lerning_rate: 3", "did you mean 'learning_rate'?"),
        ("    unlinkd: []", "did you mean 'unlinked'?"),
    ],
)
def test_an_unknown_key_comes_with_what_was_probably_meant(tmp_path, line, told):
    assert told in refusal(tmp_path, LEAST + line + "\n")


def test_broken_yaml_is_named_by_its_file_alone(tmp_path):
    for source in ("encoder: [", "encoder: \x00"):
        assert "<unicode string>" not in refusal(tmp_path, source)


def test_a_run_is_not_written_over_the_model_that_it_goes_on_from(tmp_path):
    (tmp_path / "run" / "model").mkdir(parents=True)
    source = f"init: {tmp_path}/run/model\noutput: {tmp_path}/run\ncorpora: [a.jsonl]\n"
    assert "must not lie in `output`" in refusal(tmp_path, source)
    assert load(tmp_path, source.replace("/run\n", "/other\n")).init


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("seed: fast", "seed", "fast"), ("seed: 1.5", "seed", "1.5"), ("seed: true", "seed", "True"),
        ("learning_rate: high", "learning_rate", "high"), ("warmup: true", "warmup", "True"),
        ("swap_marks: 1", "swap_marks", "1"), ("name: 7", "name", "7"),
        ("precision: half", "precision", "half"), ("dev: d.jsonl", "dev", "d.jsonl"),
        ("dev: [7]", "dev", "7"), ("schema: 5", "schema", "5"), ("seed: ", "seed", "None"),
        ("    align: lax", "align", "lax"), ("    layers: identity", "layers", "identity"),
        ("    unlinked: [3]", "unlinked", "3"), ("    passes: often", "passes", "often"),
        ("  - path: 3", "corpora[1]: `path`", "3"), ("  - 7", "corpora[1]", "7"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_named(tmp_path, line, name, value):
    message = refusal(tmp_path, LEAST + line + "\n")
    assert name in message
    assert value in message


@pytest.mark.parametrize("value", ["2e-4", "0.0002", "2.0e-4"])
def test_rates_are_read_in_every_notation(tmp_path, value):
    assert load(tmp_path, f"{LEAST}learning_rate: {value}\n").learning_rate == 2e-4


def test_a_whole_number_is_a_fine_float(tmp_path):
    clip = load(tmp_path, f"{LEAST}clip: 2\n").clip
    assert (clip, type(clip)) == (2.0, float)


@pytest.mark.parametrize(
    "source", ["encoder: x\noutput: y\n", "encoder: x\noutput: y\ncorpora: []\n"]
)
def test_training_needs_corpora(tmp_path, source):
    assert "corpora" in refusal(tmp_path, source)


def test_missing_keys_are_named(tmp_path):
    assert "['output']" in refusal(tmp_path, "corpora: [{path: a}]\n")
    assert "corpora[1]: missing keys ['path']" in refusal(
        tmp_path, "encoder: x\noutput: y\ncorpora: [{path: a}, {passes: 2}]\n"
    )


@pytest.mark.parametrize(
    "source",
    [
        "encoder: &name tiny\noutput: *name\n",
        "encoder: tiny\noutput: run\ndev: &list [a]\n",
        'name: "x"  # "\nencoder: {a: "q", b: &c d}\n',
        "a: [&x [1, 2], *x]\n",
        "? &key a\n: b\n",
    ],
)
def test_anchors_and_aliases_are_refused(tmp_path, source):
    assert "uses YAML anchors" in refusal(tmp_path, source)


def test_a_bomb_of_aliases_is_refused_at_once(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert "uses YAML anchors" in refusal(tmp_path, "\n".join(lines))


@pytest.mark.parametrize("name", ["R&D *draft*", "a, *b", "x: &y"])
def test_signs_of_anchors_inside_a_text_are_no_anchors(tmp_path, name):
    assert load(tmp_path, f'{LEAST}name: "{name}"\n').name == name


@pytest.mark.parametrize(
    "source", [LEAST + "seed: 1\nseed: 2\n", LEAST + "    passes: 1\n    passes: 2\n"]
)
def test_a_key_that_is_there_twice_is_refused(tmp_path, source):
    message = refusal(tmp_path, source)
    assert "is there twice" in message
    assert "line 6" in message


def test_yaml_tags_are_refused(tmp_path):
    sentinel = tmp_path / "executed"
    source = f"encoder: !!python/object/apply:os.mkdir ['{sentinel}']\n"
    assert "not valid YAML" in refusal(tmp_path, source)
    assert not sentinel.exists()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("encoder: [", "not valid YAML"), ("- a\n- b\n", "mapping"), ("", "mapping"),
        (b"encoder: \xff\xfe\n", "cannot read"), ("#" * 1_000_001, "larger than"),
        (LEAST + "schema: " + "[" * 3000, "not valid YAML"),
        (LEAST + 'name: "\\ud800"', "`name` holds a character that no name has"),
        (LEAST + 'test: ["a\\0b"]', "`test` holds a character that no name has"),
        (LEAST + "seed: " + "9" * 5000, "not valid YAML"),
        (LEAST + "learning_rate: .inf", "`learning_rate` must be a finite number"),
        (LEAST + "learning_rate: " + "9" * 400, "`learning_rate` must be a finite number"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_config_is_refused(tmp_path, source, words):
    assert words in refusal(tmp_path, source)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read .*absent\.yaml"):
        load_config(tmp_path / "absent.yaml")


def test_environment_variables_replace_their_default(tmp_path, monkeypatch):
    source = LEAST.replace("a.jsonl", "${CLAIMX_TEST_DATA:-../data}/a.jsonl")
    monkeypatch.delenv("CLAIMX_TEST_DATA", raising=False)
    assert load(tmp_path, source).corpora[0].path == "../data/a.jsonl"
    monkeypatch.setenv("CLAIMX_TEST_DATA", "/elsewhere")
    assert load(tmp_path, source).corpora[0].path == "/elsewhere/a.jsonl"
    monkeypatch.setenv("CLAIMX_TEST_DATA", "")
    assert load(tmp_path, source).corpora[0].path == "../data/a.jsonl"


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ("window: 0", "window"), ("window: 50\noverlap: 26", "overlap"), ("overlap: -1", "overlap"),
        ("step_tokens: 0", "step_tokens"), ("    passes: -1", "passes"), ("    end: 1.5", "end"),
        ("    begin: 0.6\n    end: 0.4", "begin"), ("learning_rate: -1", "rates"),
        ("learning_rate: .nan", "learning_rate"),
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_named(tmp_path, lines, name):
    assert name in refusal(tmp_path, f"{LEAST}{lines}\n")


def test_everything_that_makes_no_sense_is_named_at_once(tmp_path):
    message = refusal(tmp_path, LEAST + "window: 0\nstep_tokens: 0\n")
    assert "`window` must" in message
    assert "`step_tokens` must" in message


def test_overrides_replace_keys_and_are_checked(tmp_path):
    assert load(tmp_path, LEAST + "seed: 3\n", seed=9).seed == 9
    assert "sped" in refusal(tmp_path, LEAST, sped=9)
