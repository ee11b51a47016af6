"""What "auto" stands for, on machines of all kinds."""

from __future__ import annotations

import pytest
import torch

from claimx import backends
from claimx.backends import Choice, choose
from claimx.errors import ClaimxError, ConfigError


@pytest.fixture
def machine(monkeypatch):
    """Make up a machine."""

    def make(*, gpu: bool = False, openvino: bool = True, bfloat16: bool = True) -> None:
        monkeypatch.setattr(backends, "may_have_cuda", lambda: gpu)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
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
    ("asked", "says"),
    [
        ({"backend": "abacus"}, "abacus"),
        ({"backend": "openvino", "device": "cuda"}, "runs on the CPU"),
        ({"device": "moon"}, "moon"),
        ({"dtype": "float8"}, "float8"),
    ],
)
def test_what_is_not_there_is_named(asked, says, machine):
    machine()
    with pytest.raises(ConfigError, match=says):
        choose(**asked)


def test_openvino_that_is_not_installed_is_said_with_its_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    with pytest.raises(ClaimxError, match=r"claimx\[fast\]"):
        choose("openvino", dtype="auto")
