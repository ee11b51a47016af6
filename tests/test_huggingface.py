"""The model among Hugging Face's own tools: Auto classes, saving, 8 bits, pushing to a hub."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

import claimx
from claimx import ClaimxModel, Extractor, storage
from claimx.batching import pad_windows, special_tokens
from claimx.checkpoint import load_checkpoint, save_checkpoint
from claimx.encoding import encode
from claimx.errors import CheckpointError
from tests.hub_stub import REPOSITORY, running_hub
from tests.tiny import random_checkpoint

ROOT = Path(claimx.__file__).parents[1]
TEXT = "“The ferry was late,” said Ines Okafor. Norvale told 40 percent of the boats."


@pytest.fixture(params=["float32", "float16", "int8"])
def folder(request, tmp_path, monkeypatch) -> Path:
    """A model folder, its weights in each of the forms that claimx stores."""
    monkeypatch.setattr(storage, "LEAST_VALUES", 512)
    made = random_checkpoint()
    save_checkpoint(tmp_path / "model", made.model, made.tokenizer, {}, request.param)
    return tmp_path / "model"


def test_auto_model_sees_the_weights_that_the_extractor_sees(folder):
    expected = load_checkpoint(folder).model.state_dict()
    loaded, info = AutoModel.from_pretrained(folder, output_loading_info=True)
    assert isinstance(loaded, ClaimxModel)
    assert not any(info[name] for name in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert all(torch.equal(value, expected[name]) for name, value in loaded.state_dict().items())
    assert loaded.config.name == load_checkpoint(folder).model.config.name
    assert not loaded.training


def test_a_dtype_is_kept_to(folder):
    loaded = AutoModel.from_pretrained(folder, dtype=torch.bfloat16)
    assert {value.dtype for value in loaded.parameters()} == {torch.bfloat16}


def test_the_tokenizer_loads_and_the_model_runs_on_what_it_gives(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoded = encode(TEXT, tokenizer.backend_tokenizer)
    special = special_tokens(tokenizer.backend_tokenizer)
    padded = pad_windows([(encoded.ids, encoded.features)], special)
    length = len(encoded.ids) + special.count
    assert padded.input_ids[0][:length].tolist() == tokenizer(TEXT)["input_ids"]
    padding = AutoTokenizer.from_pretrained(folder, pad_token="[PAD]")
    assert padding([TEXT, "No."], padding=True)["input_ids"][1][-1] == special.padding
    model = AutoModel.from_pretrained(folder)
    logits, _ = model(
        torch.from_numpy(padded.input_ids),
        torch.from_numpy(padded.attention_mask),
        torch.from_numpy(padded.features),
    )
    assert logits["attribution"].shape[:2] == padded.input_ids.shape


def test_a_model_that_is_saved_with_its_tokenizer_gives_the_same_records(folder, tmp_path):
    before = Extractor.from_pretrained(folder)(TEXT).to_dict()
    ClaimxModel.from_pretrained(folder).save_pretrained(tmp_path / "again")
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "again")
    after = Extractor.from_pretrained(tmp_path / "again")(TEXT).to_dict()
    assert before["quotes"] or before["people"] or before["claims"]
    assert {**after, "model": None} == {**before, "model": None}


def test_saving_into_the_folder_that_was_loaded_leaves_no_stale_hashes(folder):
    model = ClaimxModel.from_pretrained(folder)
    with torch.no_grad():
        next(model.parameters()).add_(0.25)
    model.save_pretrained(folder)
    reloaded = load_checkpoint(folder).model
    assert torch.equal(next(reloaded.parameters()), next(model.parameters()))


def test_pickled_weights_are_refused_in_one_sentence(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="pickle, which claimx never reads"):
        AutoModel.from_pretrained(folder)


def test_importing_claimx_registers_nothing_until_the_model_is_named():
    program = (
        "import claimx, sys; assert 'transformers' not in sys.modules; claimx.ClaimxModel; "
        "from transformers import AutoConfig; print(AutoConfig.for_model('claimx').model_type)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout == "claimx\n", done.stderr


# ---- the hub ----------------------------------------------------------------------------------

_PUSH = """
import sys
from huggingface_hub import upload_folder
from transformers import AutoModel, AutoTokenizer
from claimx import ClaimxModel, Extractor
folder, name = sys.argv[1:]
ClaimxModel.from_pretrained(folder).push_to_hub(name)
AutoTokenizer.from_pretrained(folder).push_to_hub(name)
print(AutoModel.from_pretrained(name).config.name)
print(len(Extractor.from_pretrained(name)("“No,” said Okafor.").people))
upload_folder(repo_id=name, folder_path=folder)
"""


def test_a_model_goes_to_a_hub_and_comes_back_by_its_name(tmp_path, monkeypatch):
    made = random_checkpoint()
    made.model.config.name = "traveller"
    source = tmp_path / "model"
    save_checkpoint(source, made.model, made.tokenizer, {})
    (source / "README.md").write_text("---\nlanguage: en\n---\n\n# The card\n")
    with running_hub() as hub:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("HF_")},
            "HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_of_nobody", "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "0",
            "NO_PROXY": "127.0.0.1",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", _PUSH, source, REPOSITORY],
            check=False, capture_output=True, text=True, cwd=ROOT, env=environment,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr + "\n".join(hub.calls)
    assert re.fullmatch(r"traveller\n\d+\n", done.stdout)
    for file in source.iterdir():  # the whole folder was sent last
        assert hub.files[file.name] == file.read_bytes()
