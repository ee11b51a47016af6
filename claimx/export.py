"""Turning a loaded model into files that OpenVINO reads.

The model is traced by torch and converted by OpenVINO's reader of TorchScript.
`openvino.convert_model` does the same, but reports its use to its makers.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from claimx.checkpoint import Checkpoint
from claimx.encoding import FEATURE_SIZES
from claimx.errors import CheckpointError
from claimx.modeling import ClaimxModel
from claimx.openvino_backend import LINKING, READING, openvino, write_receipt
from claimx.pairs import PAIR_FEATURE_SIZES

# Shapes of the passes, ``(batch, tokens)``, on which exported files are compared with the model.
_TRIED = ((1, 16), (3, 48), (2, 112))
_MOST_DIFFERENCE = 5e-3
_Inputs = tuple[Tensor, ...]


class _Reading(nn.Module):
    """What runs on windows, with outputs in a row."""

    def __init__(self, model: ClaimxModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, features: Tensor) -> _Inputs:
        logits, states = self.model(input_ids, attention_mask, features)
        return (*logits.values(), states)


class _Linking(nn.Module):
    """What runs on pairs of spans."""

    def __init__(self, model: ClaimxModel) -> None:
        super().__init__()
        self.links = model.links

    def forward(
        self, edges: Tensor, kinds: Tensor, heads: Tensor, tails: Tensor, types: Tensor,
        features: Tensor,
    ) -> Tensor:  # fmt: skip
        spans = self.links.edge_states(edges, kinds)
        scores: Tensor = self.links(spans, heads, tails, types, features)
        return scores


def export_openvino(checkpoint: Checkpoint, folder: Path) -> None:
    """Write a model as OpenVINO reads it, and compare what it computes with the model itself.

    Args:
        checkpoint: a model in float32 on the CPU, as it was loaded.
        folder: an empty folder.

    Raises:
        CheckpointError: if the encoder cannot be converted, or computes something else.
        ClaimxError: if OpenVINO is not installed.
    """
    model = checkpoint.model
    generator = torch.Generator().manual_seed(0)
    reading = [_windows(model, *shape, generator) for shape in _TRIED]
    linking = [_pairs(model, count, generator) for count in (5, 40)]
    for name, module, inputs in (
        (READING, _Reading(model), reading),
        (LINKING, _Linking(model), linking),
    ):
        try:
            converted = _convert(module.eval(), inputs[1])
            difference = _difference(converted, module, inputs)
        except Exception as error:  # tracing and conversion raise many types
            reason = " ".join(str(error).split())[:300]
            raise CheckpointError(
                f"{checkpoint.name} cannot be exported to OpenVINO: {reason}"
            ) from error
        if not difference < _MOST_DIFFERENCE:
            raise CheckpointError(
                f"{checkpoint.name} cannot be exported to OpenVINO: its results would be off by "
                f"{difference:.3g}"
            )
        openvino().save_model(converted, folder / name, compress_to_fp16=False)
    write_receipt(folder)


@torch.inference_mode()
def _convert(module: nn.Module, example: _Inputs) -> Any:
    library = openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with _quietly():
        traced = torch.jit.trace(module, example, check_trace=False)
        frontend = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(traced)  # which is read until the conversion ends
        converted = frontend.convert(frontend.load(decoder))
    for entry, given in zip(converted.inputs, example, strict=True):
        entry.get_node().set_partial_shape(library.PartialShape([-1] * given.dim()))
        kind = library.Type.f32 if given.is_floating_point() else library.Type.i64
        entry.get_node().set_element_type(kind)
    converted.validate_nodes_and_infer_types()
    return converted


@torch.inference_mode()
def _difference(converted: Any, module: nn.Module, inputs: list[_Inputs]) -> float:
    """Return the largest difference to the module, over several shapes."""
    compiled = (
        openvino().Core().compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    )
    found = [0.0]
    for given in inputs:
        expected = module(*given)
        expected = expected if isinstance(expected, tuple) else (expected,)
        outputs = compiled([value.numpy() for value in given])
        for place, values in enumerate(expected):
            difference = np.abs(outputs[place] - values.numpy())
            if module._get_name() == "_Reading":
                difference = difference[given[1].bool().numpy()]  # padding does not matter
            found.append(float(difference.max()))
    return max(found)


def _windows(model: ClaimxModel, batch: int, tokens: int, generator: torch.Generator) -> _Inputs:
    """Make windows of which each row is shorter than the one before it."""
    words = model.encoder.get_input_embeddings().num_embeddings
    ids = torch.randint(words, (batch, tokens), generator=generator)
    lengths = tokens - 5 * torch.arange(batch)
    mask = (torch.arange(tokens) < lengths[:, None]).long()
    features = torch.stack(
        [torch.randint(1, n, (batch, tokens), generator=generator) for n in FEATURE_SIZES.values()],
        dim=-1,
    )
    return ids * mask, mask, features * mask[..., None]


def _pairs(model: ClaimxModel, count: int, generator: torch.Generator) -> _Inputs:
    links = model.links
    spans = 2 + count // 2

    def numbers(below: int, many: int = count) -> Tensor:
        return torch.randint(below, (many,), generator=generator)

    edges = torch.randn(spans, links.span.in_features, generator=generator)
    features = torch.stack([numbers(size) for size in PAIR_FEATURE_SIZES.values()], dim=1)
    return (
        edges, numbers(links.kind.num_embeddings, spans), numbers(spans), numbers(spans),
        numbers(links.score.out_features), features,
    )  # fmt: skip


@contextmanager
def _quietly() -> Iterator[None]:
    """Hide what tracing warns of: that shapes might be fixed, which is tried out afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loggers = [logging.getLogger(name) for name in ("torch.jit", "openvino", "transformers")]
        levels = [logger.level for logger in loggers]
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
