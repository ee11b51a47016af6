"""What "auto" stands for, on machines of all kinds."""

from __future__ import annotations

import pytest
import torch

from claimx import backends
from claimx.backends import Choice, choose, open_engine
from claimx.checkpoint import save_checkpoint
from claimx.errors import ClaimxError, ConfigError
from tests.tiny import TOKENIZERS, random_model


@pytest.fixture
def machine(monkeypatch):
    """Make up a machine."""

    def make(*, gpu: bool = False, openvino: bool = True, bfloat16: bool = True) -> None:
        monkeypatch.setattr(backends, "may_have_cuda", lambda: gpu)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2 * gpu)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: bfloat16)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bfloat16)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        monkeypatch.setattr(backends, "openvino_version", lambda: "1.0" if openvino else None)
        monkeypatch.setattr("claimx.openvino_backend.bfloat16_pays", lambda: bfloat16)

    return make


@pytest.mark.parametrize(
    ("there", "asked", "chosen"),
    [
        ({}, {}, Choice("openvino", "cpu", "bfloat16")),
        ({"bfloat16": False}, {}, Choice("openvino", "cpu", "float32")),
        ({}, {"dtype": "float32"}, Choice("openvino", "cpu", "float32")),
        ({}, {"dtype": "float16"}, Choice("torch", "cpu", "float16")),
        ({}, {"backend": "torch"}, Choice("torch", "cpu", "bfloat16")),
        ({"openvino": False}, {}, Choice("torch", "cpu", "bfloat16")),
        ({"openvino": False, "bfloat16": False}, {}, Choice("torch", "cpu", "float32")),
        ({"gpu": True}, {}, Choice("torch", "cuda", "bfloat16")),
        ({"gpu": True}, {"device": "cuda:1"}, Choice("torch", "cuda:1", "bfloat16")),
        ({"gpu": True}, {"device": "cpu"}, Choice("openvino", "cpu", "bfloat16")),
        ({"gpu": True}, {"backend": "openvino"}, Choice("openvino", "cpu", "bfloat16")),
    ],
)
def test_auto_takes_what_is_quickest_here(there, asked, chosen, machine):
    machine(**there)
    assert choose(**asked) == chosen


@pytest.mark.parametrize(
    ("there", "asked", "told"),
    [
        ({}, {"dtype": "float16"}, True),
        ({}, {"dtype": "float16", "backend": "torch"}, False),
        ({"openvino": False}, {"dtype": "float16"}, False),
        ({"gpu": True}, {"dtype": "float16"}, False),
    ],
)
def test_it_is_said_that_float16_is_left_to_torch(there, asked, told, machine, caplog):
    machine(**there)
    choose(**asked)
    assert ("OpenVINO does not calculate in float16" in caplog.text) == told


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"backend": "abacus"}, "abacus"),
        ({"backend": "openvino", "device": "cuda"}, "runs on the CPU"),
        ({"device": "moon"}, "moon"),
        ({"dtype": "float8"}, "float8"),
        ({"backend": "torch", "device": "mps"}, "'cuda', or one GPU such as 'cuda:1', got 'mps'"),
        ({"backend": 3}, "'auto', 'torch' or 'openvino', got 3"),
        ({"device": None}, "got None"),
        ({"dtype": ["float32"]}, r"got \['float32'\]"),
    ],
)
def test_what_is_not_there_is_named(asked, says, machine):
    machine()
    with pytest.raises(ConfigError, match=says):
        choose(**asked)


def test_a_gpu_that_is_not_there_is_named(machine):
    machine(gpu=True)
    with pytest.raises(ConfigError, match=r"'cuda:2' was asked for, but torch sees 2 CUDA"):
        choose(device="cuda:2")


@pytest.mark.parametrize("threads", ["two", -3, 1.5, True, None, 10**6])
def test_a_number_of_threads_that_cannot_be_is_refused_before_a_model_is_loaded(threads):
    with pytest.raises(ConfigError, match=r"from 0 \(all processors\) to 1,024, got "):
        open_engine("no such model", threads=threads)


@pytest.mark.parametrize("model", [3, b"claimx-en", ["claimx-en"]])
def test_what_can_be_no_name_of_a_model_is_refused(model):
    with pytest.raises(ConfigError, match="named by its name, its folder or None"):
        open_engine(model, backend="torch", device="cpu")


def test_threads_that_do_nothing_under_torch_are_said_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(backends, "_told", set())
    save_checkpoint(tmp_path, random_model("wordpiece"), TOKENIZERS["wordpiece"](), {}, "float32")
    before = torch.get_num_threads()
    for _ in range(2):
        open_engine(tmp_path, backend="torch", device="cpu", threads=before + 1)
    [said] = caplog.messages
    assert f"torch.set_num_threads({before + 1})" in said
    assert torch.get_num_threads() == before


def test_openvino_that_is_not_installed_is_said_with_its_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    with pytest.raises(ClaimxError, match=r"claimx\[fast\]"):
        choose("openvino", dtype="auto")
