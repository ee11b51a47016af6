"""Weights on disk: how far 8 bits may be off, what is refused, and how files are divided."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.torch import load_file, save_file

from claimx import storage
from claimx.errors import CheckpointError, ConfigError
from claimx.folder import INDEX, WEIGHTS, weights_hash
from claimx.storage import (
    STEPS,
    dequantise,
    pack,
    quantise,
    read_tensors,
    storage_of,
    unpack,
    write_tensors,
)

finite = st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False)
matrices = arrays.arrays(
    "float32", arrays.array_shapes(min_dims=2, max_dims=3, max_side=9), elements=finite
).map(torch.from_numpy)


@pytest.fixture
def small(monkeypatch) -> None:
    """Let 8 bits and several files be used for matrices of tests."""
    monkeypatch.setattr(storage, "LEAST_VALUES", 12)
    monkeypatch.setattr(storage, "LARGEST_FILE", 100)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.04


# ---- 8 bits -----------------------------------------------------------------------------------


@given(matrices)
def test_no_value_is_off_by_more_than_half_its_rows_scale(matrix):
    stored = quantise(matrix)
    off = (dequantise(stored) - matrix).double().abs().flatten(1)
    scale = stored.scale.double()[:, None]
    assert (off <= scale * (0.5 + 1e-5)).all()
    assert (stored.scale > 0).all()


@given(matrices)
def test_the_scale_is_a_fixed_part_of_the_rows_root_mean_square(matrix):
    stored = quantise(matrix)
    wanted = matrix.double().flatten(1).square().mean(1).sqrt() / STEPS
    visible = wanted > 1e-37
    assert ((stored.scale.double() - wanted).abs()[visible] <= wanted[visible] * 2**-8).all()


@given(matrices)
def test_zeros_stay_zeros_and_outliers_stay_what_they_are(matrix):
    stored = quantise(matrix)
    back = dequantise(stored)
    assert (back[matrix == 0] == 0).all()
    at = stored.positions.long()
    assert torch.equal(back.flatten()[at], matrix.flatten()[at])
    assert stored.numbers.abs().max() <= 127


@given(st.floats(2.0**-60, 2.0**100, width=32), st.integers(1, 40))
def test_a_constant_row_stays_constant(value, columns):
    back = dequantise(quantise(torch.full((1, columns), value)))
    assert back.unique().numel() == 1
    assert back[0, 0] == pytest.approx(value, rel=0.5 / STEPS)


def test_an_outlier_does_not_coarsen_its_row():
    matrix = normal(4, 768)
    plain = dequantise(quantise(matrix)) - matrix
    matrix[2, 5] = 1.0
    off = dequantise(quantise(matrix)) - matrix
    assert off[2].norm() < 1.5 * plain[2].norm()
    assert off[2, 5] == 0
    assert torch.equal(off[[0, 1, 3]], plain[[0, 1, 3]])


def test_normal_rows_lose_one_percent():
    matrix = normal(64, 768)
    lost = (dequantise(quantise(matrix)) - matrix).norm() / matrix.norm()
    assert 0.009 < lost < 0.012


# ---- state dicts ------------------------------------------------------------------------------


def test_only_large_matrices_are_put_in_8_bits(small):
    state = {"wide": normal(4, 5), "few": normal(2, 5), "flat": normal(40), "empty": normal(0, 3)}
    stored = pack(state, "int8")
    assert stored["wide"].dtype == torch.int8
    assert {stored[name].dtype for name in ("few", "flat", "empty")} == {torch.float16}
    back = unpack(stored)
    assert back.keys() == state.keys()
    assert all(back[name].shape == value.shape for name, value in state.items())


@pytest.mark.parametrize("kind", ["float32", "float16", "int8"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64, torch.float16])
def test_weights_of_any_precision_come_back_in_full_precision(small, kind, dtype):
    state = {"wide": normal(4, 5).to(dtype), "bias": normal(5).to(dtype)}
    stored = pack(state, kind)
    assert storage_of(stored) == kind
    for name, value in unpack(stored).items():
        assert value.dtype == torch.float32
        assert torch.allclose(value, state[name].float(), atol=0.002)


@pytest.mark.parametrize("kind", ["float32", "float16", "int8"])
def test_whole_numbers_and_what_half_precision_cannot_hold_are_kept_as_they_are(kind):
    state = {"steps": torch.tensor([3, 2**40]), "huge": torch.tensor([1e6, -3.0])}
    back = unpack(pack(state, kind))
    assert torch.equal(back["steps"], state["steps"])
    assert torch.equal(back["huge"], state["huge"])


def test_tied_weights_can_be_stored(tmp_path):
    shared = normal(3, 4)
    write_tensors(tmp_path, pack({"first": shared, "second": shared}, "float32"))
    assert torch.equal(read_tensors(tmp_path)["second"], shared)


@pytest.mark.parametrize("kind", ["float32", "float16", "int8"])
def test_weights_that_are_not_finite_are_not_stored(kind):
    with pytest.raises(CheckpointError, match="not finite cannot be stored: bad"):
        pack({"bad": torch.tensor([1.0, float("nan")])}, kind)


def test_an_unknown_storage_is_refused():
    with pytest.raises(ConfigError, match="float32, float16, int8, got 'int4'"):
        pack({}, "int4")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"w.scale": None}, "without its scale"),
        ({"w.positions": None}, "without its positions"),
        ({"w.scale": torch.ones(5)}, "do not fit the rows"),
        ({"w.scale": torch.ones(4, dtype=torch.int32)}, "do not fit the rows"),
        ({"w": torch.ones(20, dtype=torch.int8)}, "do not fit the rows"),
        ({"w.scale": torch.tensor([1.0, 1.0, 0.0, 1.0])}, "finite and positive"),
        ({"w.scale": torch.tensor([1.0, -1.0, 1.0, 1.0])}, "finite and positive"),
        ({"w.scale": torch.tensor([1.0, float("nan"), 1.0, 1.0])}, "finite and positive"),
        ({"w": torch.full((4, 5), -128, dtype=torch.int8)}, "out of range"),
        ({"w.positions": torch.tensor([20], dtype=torch.int32)}, "outliers that do not fit"),
        ({"w.positions": torch.tensor([-1], dtype=torch.int32)}, "outliers that do not fit"),
        ({"w.positions": torch.tensor([1, 2], dtype=torch.int32)}, "outliers that do not fit"),
        ({"w.positions": torch.tensor([1])}, "outliers that do not fit"),
        ({"w.outliers": torch.tensor([float("inf")])}, "not finite, in ['w']"),
        (
            {"w.positions": torch.tensor([3, 3], dtype=torch.int32), "w.outliers": torch.ones(2)},
            "outliers that do not fit",
        ),
    ],
)
def test_parts_that_do_not_make_a_matrix_are_refused(changes, words):
    whole = {
        "w": torch.ones(4, 5, dtype=torch.int8),
        "w.scale": torch.ones(4),
        "w.outliers": torch.tensor([9.0]),
        "w.positions": torch.tensor([7], dtype=torch.int32),
    }
    assert unpack(whole)["w"].flatten()[7] == 9.0
    changed = {name: value for name, value in {**whole, **changes}.items() if value is not None}
    with pytest.raises(CheckpointError) as raised:
        unpack(changed)
    assert words in str(raised.value)


# ---- files ------------------------------------------------------------------------------------


def several(count: int = 6) -> dict[str, torch.Tensor]:
    return {f"layer.{number}": normal(5, 4, seed=number) for number in range(count)}


def test_a_single_file_has_its_own_hash_and_no_index(tmp_path):
    assert write_tensors(tmp_path, several()) == (WEIGHTS,)
    digest = hashlib.sha256((tmp_path / WEIGHTS).read_bytes()).hexdigest()
    assert weights_hash(tmp_path) == digest


def test_large_weights_are_divided_over_files_with_an_index(small, tmp_path):
    tensors = several()
    names = write_tensors(tmp_path, tensors)
    assert names[0] == "model-00001-of-00006.safetensors"
    assert names[-1] == INDEX
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())
    index = json.loads((tmp_path / INDEX).read_text())
    assert index["metadata"]["total_size"] == 6 * 5 * 4 * 4
    for key, name in index["weight_map"].items():
        assert torch.equal(load_file(tmp_path / name)[key], tensors[key])
    back = read_tensors(tmp_path)
    assert back.keys() == tensors.keys()
    assert all(torch.equal(back[name], value) for name, value in tensors.items())


@given(st.permutations(sorted(several())), st.sampled_from([50, 100, 170, 10_000]))
def test_neither_files_nor_hash_depend_on_the_order_of_the_weights(
    tmp_path_factory, order, largest
):
    tensors = several()
    hashes = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "LARGEST_FILE", largest)
        for names in (sorted(tensors), order):
            folder = tmp_path_factory.mktemp("weights")
            write_tensors(folder, {name: tensors[name] for name in names})
            hashes.append((weights_hash(folder), sorted(path.name for path in folder.iterdir())))
    assert hashes[0] == hashes[1]


def test_no_file_is_larger_than_the_limit_unless_one_matrix_is(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "LARGEST_FILE", 170)
    tensors = {**several(5), "layer.2": normal(100)}
    for name in write_tensors(tmp_path, tensors)[:-1]:
        part = load_file(tmp_path / name)
        assert sum(value.nbytes for value in part.values()) <= 170 or len(part) == 1


def test_the_hash_of_several_files_is_that_of_the_lines_of_sha256sum(small, tmp_path):
    names = write_tensors(tmp_path, several(2))[:-1]
    digests = [hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in names]
    lines = f"{digests[0]}  {names[0]}\n{digests[1]}  {names[1]}\n"
    assert weights_hash(tmp_path) == hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize(
    "content",
    ['{"weight_map": {}}', "{}", '{"weight_map": {"w": "../x.safetensors"}}', "[]", "{",
     '{"weight_map": {"w": 5}}', '{"weight_map": {"w": "model.bin"}}'],
)  # fmt: skip
def test_an_index_that_makes_no_sense_is_refused(tmp_path, content):
    (tmp_path / INDEX).write_text(content)
    with pytest.raises(CheckpointError, match="index"):
        read_tensors(tmp_path)


def test_an_index_that_does_not_fit_its_files_is_refused(small, tmp_path):
    names = write_tensors(tmp_path, several(2))
    save_file({"layer.0": normal(2), "other": normal(3)}, tmp_path / names[0])
    with pytest.raises(CheckpointError, match="does not fit its files.*other"):
        read_tensors(tmp_path)


def test_a_missing_part_is_named(small, tmp_path):
    names = write_tensors(tmp_path, several(3))
    (tmp_path / names[1]).unlink()
    with pytest.raises(CheckpointError, match="model-00002-of-00003.safetensors is missing"):
        read_tensors(tmp_path)


def test_whoever_may_read_the_folder_may_read_the_weights(tmp_path):
    tmp_path.chmod(0o755)
    write_tensors(tmp_path, several())
    assert (tmp_path / WEIGHTS).stat().st_mode & 0o777 == 0o644
