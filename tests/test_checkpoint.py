"""Model folders: what is written comes back; whatever is damaged is refused in one sentence."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from claimx import folder as folder_module
from claimx import storage
from claimx.checkpoint import (
    copy_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from claimx.errors import CheckpointError
from claimx.folder import Settings, open_folder, written_whole
from claimx.hub import find_model
from claimx.labels import DEFAULT_SCHEMA
from claimx.modeling import ClaimxModel, LinkScorer
from tests.tiny import encoder_config, random_model, wordpiece


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_checkpoint(folder, random_model(name="tiny", version="3"), wordpiece(), {"steps": 5})
    return folder


@pytest.fixture
def folder(written, tmp_path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(written, tmp_path / "model"))


def renew_manifest(folder: Path) -> None:
    """Make the hashes true again, as someone who tampers with a folder would."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for name in manifest["sha256"]:
        manifest["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    path.write_text(json.dumps(manifest))


def change_config(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    renew_manifest(folder)


def refusal(folder: Path) -> str:
    """The message with which a folder is refused: one line, one sentence."""
    with pytest.raises(CheckpointError) as raised:
        load_checkpoint(folder)
    message = str(raised.value)
    assert message
    assert "\n" not in message
    return message


# ---- what is written comes back ------------------------------------------------------------


def test_weights_stored_in_half_precision_come_back_in_full_precision(written):
    stored = load_file(written / "model.safetensors")
    model = load_checkpoint(written).model
    assert {value.dtype for value in stored.values()} == {torch.float16}
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    for name, value in model.state_dict().items():
        assert torch.equal(value, stored[name].float()), name
    assert not model.training


def test_writing_a_loaded_model_again_changes_no_weight(written, tmp_path):
    first = load_checkpoint(written)
    save_checkpoint(tmp_path, first.model, first.tokenizer, first.training)
    second = load_checkpoint(tmp_path)
    assert second.weights_hash == first.weights_hash
    assert second.name == first.name
    assert dict(second.training) == {"steps": 5}
    assert second.tokenizer.to_str() == first.tokenizer.to_str()


def test_the_name_carries_version_and_hash(written):
    digest = hashlib.sha256((written / "model.safetensors").read_bytes()).hexdigest()
    assert load_checkpoint(written).name == f"tiny 3 ({digest[:8]})"


def test_full_precision_can_be_stored(tmp_path):
    model = random_model()
    save_checkpoint(tmp_path, model, wordpiece(), {}, storage="float32")
    loaded = load_checkpoint(tmp_path).model.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in model.state_dict().items())


@pytest.fixture(scope="module")
def in_8_bits(tmp_path_factory) -> Path:
    """The same model in 8 bits and several files, as a large one would be."""
    folder = tmp_path_factory.mktemp("model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "LEAST_VALUES", 100)
        patch.setattr(storage, "LARGEST_FILE", 20_000)
        save_checkpoint(folder, random_model(name="tiny", version="3"), wordpiece(), {}, "int8")
    return folder


def test_a_model_in_8_bits_and_several_files_comes_back(in_8_bits):
    loaded = load_checkpoint(in_8_bits)
    assert loaded.storage == "int8"
    assert loaded.weights_hash == folder_module.weights_hash(in_8_bits)
    assert len(list(in_8_bits.glob("model-*.safetensors"))) > 1
    for name, value in random_model(name="tiny", version="3").state_dict().items():
        found = loaded.model.state_dict()[name]
        assert found.dtype == value.dtype
        assert (found - value).norm() <= 0.03 * value.norm(), name


def test_every_file_of_the_weights_is_in_the_manifest(in_8_bits):
    named = json.loads((in_8_bits / "manifest.json").read_text())["sha256"]
    assert set(named) == {path.name for path in in_8_bits.iterdir()} - {"manifest.json"}


@pytest.mark.parametrize(("kind", "number"), [("float32", 1), ("float16", 1), ("int8", 2)])
def test_only_8_bits_need_the_newer_format(tmp_path, monkeypatch, kind, number):
    monkeypatch.setattr(storage, "LEAST_VALUES", 100)
    save_checkpoint(tmp_path, random_model(), wordpiece(), {}, kind)
    assert json.loads((tmp_path / "config.json").read_text())["claimx_format"] == number


@pytest.mark.parametrize("source", ["written", "in_8_bits"])
def test_a_copy_with_another_config_has_the_same_weights(source, request, tmp_path):
    source = request.getfixturevalue(source)
    checkpoint = load_checkpoint(source)
    checkpoint.model.config.version = "4"
    copy_checkpoint(source, tmp_path / "copy", checkpoint)
    copied = load_checkpoint(tmp_path / "copy")
    assert copied.name == f"tiny 4 ({checkpoint.weights_hash[:8]})"
    assert copied.storage == checkpoint.storage
    for path in folder_module.weight_files(source):
        assert (tmp_path / "copy" / path.name).read_bytes() == path.read_bytes()


def test_a_folder_can_be_written_over_itself(folder):
    checkpoint = load_checkpoint(folder)
    checkpoint.model.config.link_thresholds = {"has_role": 0.5}
    copy_checkpoint(folder, folder, checkpoint)
    assert load_checkpoint(folder).model.config.link_thresholds == {"has_role": 0.5}


# ---- whole or not at all ----------------------------------------------------------------------


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "culprit", ["checkpoint.write_tensors", "folder._flush", "folder._put_in_place"]
)
def test_a_model_stays_as_it_was_where_writing_another_fails(folder, monkeypatch, culprit):
    before = contents(folder.parent)

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"claimx.{culprit}", fail)
    with pytest.raises(CheckpointError, match="cannot be written: No space left"):
        save_checkpoint(folder, random_model(), wordpiece(), {})
    assert contents(folder.parent) == before


def test_the_old_model_is_put_back_where_the_new_one_cannot_take_its_place(folder, monkeypatch):
    before = contents(folder.parent)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.name.endswith(".partial"):
            raise OSError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(CheckpointError, match="Permission denied"):
        save_checkpoint(folder, random_model(), wordpiece(), {})
    assert contents(folder.parent) == before


def test_another_model_replaces_all_of_the_old_one_but_its_card(in_8_bits, tmp_path):
    folder = Path(shutil.copytree(in_8_bits, tmp_path / "model"))
    (folder / "README.md").write_text("the card")
    (folder / "pictures").mkdir()
    (folder / "pictures" / "one.txt").write_text("a picture")
    save_checkpoint(folder, random_model(name="next"), wordpiece(), {})
    assert load_checkpoint(folder).name.startswith("next ")
    own = {"config.json", "tokenizer.json", "training.json", "manifest.json", "model.safetensors"}
    assert set(contents(folder)) == own | {"README.md", "pictures/one.txt"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_with_something_else_in_it_is_not_replaced(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(CheckpointError, match="something else"):
        save_checkpoint(tmp_path, random_model(), wordpiece(), {})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_not_replaced_by_a_folder(tmp_path):
    (tmp_path / "model").touch()
    with pytest.raises(CheckpointError, match="is a file"):
        save_checkpoint(tmp_path / "model", random_model(), wordpiece(), {})


def test_a_link_to_a_folder_stays_a_link(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    save_checkpoint(tmp_path / "link", random_model(name="next"), wordpiece(), {})
    assert (tmp_path / "link").is_symlink()
    assert load_checkpoint(folder).name.startswith("next ")


def test_an_interrupted_writer_leaves_nothing(tmp_path):
    def interrupted() -> None:
        with written_whole(tmp_path / "model", bool) as fresh:
            (fresh / "half").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


# ---- damage -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["model.safetensors", "config.json", "tokenizer.json", "training.json"]
)
def test_a_flipped_bit_in_any_file_is_found(folder, name):
    path = folder / name
    content = bytearray(path.read_bytes())
    content[-len(content) // 3] ^= 1
    path.write_bytes(content)
    message = refusal(folder)
    assert name in message
    assert "damaged" in message


@pytest.mark.parametrize(
    "name", ["model.safetensors", "config.json", "tokenizer.json", "training.json"]
)
@pytest.mark.parametrize("manifest", [True, False])
def test_a_missing_file_is_named(folder, name, manifest):
    (folder / name).unlink()
    if not manifest:
        (folder / "manifest.json").unlink()
        if name == "training.json":
            assert load_checkpoint(folder).training == {}
            return
    assert name in refusal(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused_though_the_manifest_is_true(folder, value):
    weights = load_file(folder / "model.safetensors")
    weights["tag_heads.identity.weight"][0, 0] = value
    save_file(weights, folder / "model.safetensors")
    renew_manifest(folder)
    message = refusal(folder)
    assert "not finite" in message
    assert "tag_heads.identity.weight" in message


def test_a_missing_head_is_refused_and_not_drawn_at_random(folder):
    weights = load_file(folder / "model.safetensors")
    del weights["tag_heads.identity.weight"]
    save_file(weights, folder / "model.safetensors")
    renew_manifest(folder)
    assert "missing ['tag_heads.identity.weight']" in refusal(folder)


def test_weights_that_the_config_does_not_know_are_refused(folder):
    weights = load_file(folder / "model.safetensors")
    save_file({**weights, "extra": torch.zeros(1)}, folder / "model.safetensors")
    renew_manifest(folder)
    assert "unknown ['extra']" in refusal(folder)


def test_a_weight_of_another_shape_is_refused(folder):
    weights = load_file(folder / "model.safetensors")
    weights["links.project.weight"] = torch.zeros(3, 3)
    save_file(weights, folder / "model.safetensors")
    renew_manifest(folder)
    assert "of another shape ['links.project.weight']" in refusal(folder)


def test_a_config_of_more_layers_than_there_are_weights_is_refused(folder):
    encoder = {**encoder_config().to_dict(), "num_hidden_layers": 3}
    change_config(folder, encoder=encoder)
    assert "missing ['encoder.encoder.layer.2" in refusal(folder)


@pytest.mark.parametrize("manifest", [True, False])
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"\xff" * 8 + content[8:],
        lambda content: b"<html>not found</html>",
        lambda content: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
    ],
    ids=["truncated", "empty", "huge header", "web page", "pointer"],
)
def test_a_weights_file_that_is_none_is_refused(folder, damage, manifest):
    path = folder / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    if manifest:
        renew_manifest(folder)
    else:
        (folder / "manifest.json").unlink()
    assert "model.safetensors" in refusal(folder)


@pytest.mark.parametrize("part", [0, 1, -1])
def test_a_flipped_bit_in_one_of_several_files_is_found(in_8_bits, tmp_path, part):
    folder = Path(shutil.copytree(in_8_bits, tmp_path / "model"))
    path = sorted(folder.glob("model*"))[part]
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    message = refusal(folder)
    assert path.name in message
    assert "damaged" in message


def test_a_file_of_weights_that_the_manifest_does_not_name_is_refused(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["sha256"]["model.safetensors"]
    path.write_text(json.dumps(manifest))
    assert "no hash of model.safetensors" in refusal(folder)


def test_a_scale_that_is_not_positive_is_refused_though_the_manifest_is_true(in_8_bits, tmp_path):
    folder = Path(shutil.copytree(in_8_bits, tmp_path / "model"))
    path = next(p for p in folder.glob("*.safetensors") if any(".scale" in k for k in load_file(p)))
    tensors = load_file(path)
    name = next(name for name in tensors if name.endswith(".scale"))
    tensors[name][0] = 0.0
    save_file(tensors, path)
    renew_manifest(folder)
    message = refusal(folder)
    assert "scales that are not finite and positive" in message
    assert str(folder) in message


class Bomb:
    """A pickle that writes a file when it is read."""

    def __init__(self, sentinel: Path) -> None:
        self.sentinel = sentinel

    def __reduce__(self):
        return (Path.touch, (self.sentinel,))


def test_a_pickle_under_the_name_of_the_weights_is_not_read(folder, tmp_path):
    sentinel = tmp_path / "executed"
    (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb(sentinel)))
    renew_manifest(folder)
    assert "not a readable safetensors file" in refusal(folder)
    assert not sentinel.exists()


def test_a_pickle_beside_missing_weights_is_not_read(folder, tmp_path):
    sentinel = tmp_path / "executed"
    (folder / "model.safetensors").unlink()
    (folder / "manifest.json").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(sentinel)))
    assert "pytorch_model.bin is a pickle" in refusal(folder)
    assert not sentinel.exists()


def test_code_that_comes_with_a_model_is_not_executed(folder, tmp_path):
    sentinel = tmp_path / "executed"
    (folder / "evil.py").write_text(f"open({str(sentinel)!r}, 'w')\nclass Evil: pass\n")
    auto_map = {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil"}
    encoder = {**encoder_config().to_dict(), "auto_map": auto_map, "_name_or_path": str(folder)}
    change_config(folder, auto_map=auto_map, encoder=encoder)
    load_checkpoint(folder)
    assert not sentinel.exists()


def test_a_newer_format_says_to_upgrade(folder):
    change_config(folder, claimx_format=99)
    message = refusal(folder)
    assert "format 99" in message
    assert "upgrade" in message


def test_a_model_of_another_kind_is_named(folder):
    change_config(folder, model_type="bert")
    assert "'bert' model, not a claimx model" in refusal(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("claimx_format", "new"), ("schema", 5), ("schema", {"layers": {}}),
        ("schema", {"layers": {"a": []}}), ("schema", {"links": {}}), ("schema", {"layers": ["a"]}),
        ("encoder", 3), ("encoder", {"hidden_size": 3}), ("encoder", {"model_type": "nonsense"}),
        ("encoder", {"model_type": "bert", "hidden_size": "wide"}),
        ("encoder", {"model_type": "bert", "hidden_size": 30, "num_attention_heads": 7}),
        ("link_size", "x"), ("link_size", -1), ("window", "x"), ("window", 0), ("overlap", 999),
        ("calibration", 3), ("calibration", {"identity/PERSON": ["a", "b"]}),
        ("link_thresholds", {"has_role": "high"}), ("persistence", {"identity/PERSON": None}),
    ],
)  # fmt: skip
def test_a_config_that_makes_no_sense_is_refused(folder, key, value):
    change_config(folder, **{key: value})
    assert "config.json" in refusal(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory in the manner of Linux")
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vocab_size", 10**7), ("vocab_size", 10**12), ("intermediate_size", 10**7),
        ("max_position_embeddings", 10**7), ("num_hidden_layers", 10**9), ("num_labels", 10**9),
    ],
)  # fmt: skip
def test_a_config_that_asks_for_endless_memory_or_time_is_refused(folder, key, value):
    import resource

    change_config(folder, encoder={**encoder_config().to_dict(), key: value})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal(folder)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # kilobytes


@pytest.mark.parametrize("key", ["window", "name", "version"])
def test_a_value_of_null_in_a_config_is_the_default(folder, key):
    change_config(folder, **{key: None})
    config = load_checkpoint(folder).model.config
    assert getattr(config, key) == getattr(Settings, key)


@pytest.mark.parametrize("name", ["config.json", "training.json", "manifest.json"])
@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000, "\udcff"])
def test_files_that_are_no_json_objects_are_named(folder, name, content):
    (folder / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    if name != "manifest.json":
        renew_manifest(folder)
    assert name in refusal(folder)


@pytest.mark.parametrize("known", [2**63, "f" * 64, [1], [["f"]], {"f": 1}, None])
def test_fingerprints_that_are_none_are_refused(folder, known):
    (folder / "training.json").write_text(json.dumps({"fingerprints": known}), encoding="utf-8")
    (folder / "manifest.json").unlink()
    with pytest.raises(CheckpointError, match="training.json holds fingerprints that are no list"):
        load_checkpoint(folder)


def test_a_damaged_tokenizer_is_refused_though_the_manifest_is_true(folder):
    path = folder / "tokenizer.json"
    path.write_text(path.read_text()[:200])
    renew_manifest(folder)
    assert "tokenizer.json is not a readable tokenizer" in refusal(folder)


def test_a_tokenizer_that_breaks_at_a_text_is_refused(folder):
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    del tokenizer["post_processor"]["special_tokens"]["[CLS]"]
    tokenizer["post_processor"]["type"] = 0  # so that nobody checks them when they are read
    path.write_text(json.dumps(tokenizer))
    renew_manifest(folder)
    assert "tokenizer.json is not a readable tokenizer" in refusal(folder)


def test_a_tokenizer_with_more_entries_than_the_encoder_is_refused(folder):
    path = folder / "tokenizer.json"
    raw = json.loads(path.read_text())
    raw["model"]["vocab"]["another"] = len(raw["model"]["vocab"])
    path.write_text(json.dumps(raw))
    renew_manifest(folder)
    assert "tokenizer.json" in refusal(folder)


@pytest.mark.parametrize("hashes", [5, ["model.safetensors"], {"model.safetensors": 5}])
def test_a_manifest_without_usable_hashes_is_refused(folder, hashes):
    (folder / "manifest.json").write_text(json.dumps({"sha256": hashes}))
    refusal(folder)


def test_a_manifest_cannot_speak_of_files_elsewhere(folder, tmp_path):
    (tmp_path / "secret").write_text("x")
    path = folder / "manifest.json"
    path.write_text(json.dumps({"sha256": {"../secret": hashlib.sha256(b"x").hexdigest()}}))
    assert "secret is missing" in refusal(folder)


def test_a_folder_without_a_manifest_loads_with_a_warning(folder, caplog):
    (folder / "manifest.json").unlink()
    with caplog.at_level("WARNING", logger="claimx"):
        load_checkpoint(folder)
    assert "manifest.json" in caplog.text


def test_a_folder_that_holds_no_model_is_refused(tmp_path):
    assert "no model folder" in refusal(tmp_path)


# ---- a sentence whose answer is known ------------------------------------------------------


def test_a_model_that_computes_something_else_is_refused(folder, monkeypatch):
    forward = ClaimxModel.forward

    def twice(self, input_ids, attention_mask, features):
        return forward(self, input_ids, attention_mask, features.clamp(max=1))

    monkeypatch.setattr(ClaimxModel, "forward", twice)
    assert "it computes something else than when it was written" in refusal(folder)


def test_a_model_that_breaks_at_a_text_is_refused(folder, monkeypatch):
    path = folder / "manifest.json"
    manifest = {**json.loads(path.read_text()), "golden": None}
    path.write_text(json.dumps(manifest))
    monkeypatch.setattr(ClaimxModel, "forward", lambda *_: 1 / 0)
    assert "cannot be trusted: it cannot read" in refusal(folder)


def test_link_states_that_differ_are_noticed_too(folder, monkeypatch):
    monkeypatch.setattr(LinkScorer, "token_states", lambda self, hidden: 2 * self.project(hidden))
    assert "(of links, for" in refusal(folder)


def test_a_tokenizer_that_cuts_words_in_another_way_is_refused(folder):
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["normalizer"]["lowercase"] = False
    path.write_text(json.dumps(tokenizer))
    renew_manifest(folder)
    assert "its tokenizer cuts" in refusal(folder)


@pytest.mark.parametrize("scores", [None, [], {}, {"links": ["a"]}, {"attribution": [1e400]}])
def test_an_answer_that_is_none_is_refused(folder, scores):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["golden"]["scores"] = scores
    path.write_text(json.dumps(manifest))
    assert "it computes something else" in refusal(folder)


@pytest.mark.parametrize("golden", [None, "a", {}, {"text": "Another sentence."}])
def test_a_manifest_with_no_or_another_sentence_is_taken_as_it_is(folder, golden):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "golden": golden}))
    assert load_checkpoint(folder).name.startswith("tiny 3")


def test_the_packaged_model_has_an_answer():
    found = open_folder(find_model(None)).golden
    assert set(found["scores"]) == {*(one.name for one in DEFAULT_SCHEMA.layers), "links"}


def test_a_header_that_breaks_lines_does_not_break_the_sentence(folder):
    header = json.dumps({"x": {"dtype": "F\n9", "shape": [1], "data_offsets": [0, 4]}}).encode()
    weights = folder / "model.safetensors"
    weights.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    renew_manifest(folder)
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(folder)
    assert "\n" not in str(error.value)
