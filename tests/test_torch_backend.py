"""Models run by torch: dtypes, devices, and memory that does not suffice."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from claimx.errors import ClaimxError, ConfigError
from claimx.torch_backend import bfloat16_pays, pick_dtype, torch_engine
from tests.reading import TEXTS, scores_of, with_room_for
from tests.tiny import random_checkpoint


def test_out_of_memory_halves_the_passes_says_so_once_and_changes_nothing(caplog):
    engine = torch_engine(random_checkpoint(), "cpu", "float32")
    expected = scores_of(engine, TEXTS)
    sizes = with_room_for(engine, 3)
    for _ in range(2):
        for one, other in zip(scores_of(engine, TEXTS), expected, strict=True):
            assert np.allclose(one.states, other.states, atol=1e-4)
            for name, values in one.logits.items():
                assert np.allclose(values, other.logits[name], atol=1e-4)
    # What did not fit is not tried again.
    assert sum(size > 3 for size in sizes) == 2
    assert sizes[:3] == [9, 4, 2]
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("claimx", "WARNING")
    assert "9 windows" in record.message


def test_a_window_that_does_not_fit_into_memory_is_an_error_of_claimx():
    engine = torch_engine(random_checkpoint(), "cpu", "float32")
    with_room_for(engine, 0)
    with pytest.raises(ClaimxError, match="single window"):
        scores_of(engine, TEXTS)


@pytest.mark.parametrize(("device", "dtype"), [("moon", "auto"), ("cpu", "float8")])
def test_a_device_or_dtype_that_is_not_there_is_named(device, dtype):
    with pytest.raises(ConfigError, match="moon|float8"):
        torch_engine(random_checkpoint(), device, dtype)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_asking_for_cuda_without_one_says_so():
    with pytest.raises(ConfigError, match="no CUDA GPU"):
        torch_engine(random_checkpoint(), "cuda")


def test_bfloat16_on_a_cpu_gives_nearly_the_same_scores():
    full = scores_of(torch_engine(random_checkpoint(), "cpu", "float32"), TEXTS)
    half = scores_of(torch_engine(random_checkpoint(), "cpu", "bfloat16"), TEXTS)
    differences = [
        np.abs(values - other.logits[name]).max(initial=0)
        for one, other in zip(full, half, strict=True)
        for name, values in one.logits.items()
    ]
    assert 0 < max(differences) < 0.5


@pytest.mark.parametrize("chip", ["_is_avx512_bf16_supported", "_is_amx_tile_supported"])
def test_a_chip_that_multiplies_bfloat16_gets_it(chip, monkeypatch):
    cpu = torch.device("cpu")
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False)
    assert not bfloat16_pays(cpu)
    assert pick_dtype("auto", cpu) == "float32"
    monkeypatch.setattr(torch.cpu, chip, lambda: True)
    assert bfloat16_pays(cpu)
    assert pick_dtype("auto", cpu) == "bfloat16"


def test_on_a_gpu_a_pass_is_started_before_the_last_is_waited_for(monkeypatch):
    engine = torch_engine(random_checkpoint(), "cpu", "float32")
    engine.backend.tokens_at_once = 120
    expected = scores_of(engine, TEXTS)
    told: list[str] = []

    class Event:
        def __init__(self):
            self.number = sum(line.startswith("start") for line in told)

        def record(self, stream):
            told.append(f"start {self.number}")

        def synchronize(self):
            told.append(f"wait {self.number}")

    monkeypatch.setattr(engine.backend, "_on_gpu", True)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda values: values)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: None)
    found = scores_of(engine, TEXTS)
    assert told[:5] == ["start 0", "start 1", "wait 0", "start 2", "wait 1"]
    assert sorted(told) == sorted(
        f"{a} {n}" for a in ("start", "wait") for n in range(len(told) // 2)
    )
    for one, other in zip(found, expected, strict=True):
        for name, values in one.logits.items():
            assert np.array_equal(values, other.logits[name])


@pytest.mark.gpu
def test_a_gpu_gives_the_scores_of_the_cpu():
    cpu = scores_of(torch_engine(random_checkpoint(), "cpu", "float32"), TEXTS)
    gpu = scores_of(torch_engine(random_checkpoint(), "cuda", "float32"), TEXTS)
    for one, other in zip(cpu, gpu, strict=True):
        assert np.allclose(one.states, other.states, atol=1e-2)
        for name, values in one.logits.items():
            assert np.allclose(values, other.logits[name], atol=1e-2)
