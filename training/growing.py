"""A model for more labels: what it knew is kept, what is new starts from its initial values."""

from __future__ import annotations

import torch

from claimx.labels import LabelSchema, Layer
from claimx.modeling import ClaimxConfig, ClaimxModel
from claimx.pairs import span_kinds

Rows = list[tuple[int, int]]


def grow(model: ClaimxModel, schema: LabelSchema) -> ClaimxModel:
    """Give a trained model the outputs of another schema.

    Args:
        model: the trained model; its encoder goes over to the new one.
        schema: layers, labels and link types in any order. What has the name of something that
            the model knows takes over its weights.

    Returns:
        A new model; the model itself where it has that schema already.
    """
    old = model.config.label_schema
    if old == schema:
        return model
    values = model.config.to_dict() | {"schema": schema.to_dict()}
    grown = ClaimxModel(ClaimxConfig(**values), model.encoder)
    grown.features.load_state_dict(model.features.state_dict())
    grown.norm.load_state_dict(model.norm.state_dict())
    known = {layer.name: layer for layer in old.layers}
    for layer in schema.layers:
        if layer.name in known:
            source, target = model.tag_heads[layer.name], grown.tag_heads[layer.name]
            _copy_rows(source, target, _tag_rows(known[layer.name], layer))
    _grow_links(model, grown, old, schema)
    return grown


def _tag_rows(old: Layer, new: Layer) -> Rows:
    places = {tag: row for row, tag in enumerate(old.tags)}
    return [(places[tag], row) for row, tag in enumerate(new.tags) if tag in places]


def _grow_links(model: ClaimxModel, grown: ClaimxModel, old: LabelSchema, new: LabelSchema) -> None:
    """Copy the link scorer; rows that stand for kinds of spans and types of links by name."""
    kinds = span_kinds(old)
    kind_rows = [(kinds[kind], row) for kind, row in span_kinds(new).items() if kind in kinds]
    types = {link.name: row for row, link in enumerate(old.links)}
    type_rows = [(types[x.name], row) for row, x in enumerate(new.links) if x.name in types]
    rows_of = {
        "kind": kind_rows, "type_bias": type_rows, "score": type_rows, "none": type_rows,
    }  # fmt: skip
    for name, target in grown.links.named_children():
        source = getattr(model.links, name)
        if name in rows_of:
            _copy_rows(source, target, rows_of[name])
        else:
            target.load_state_dict(source.state_dict())


@torch.no_grad()
def _copy_rows(source: torch.nn.Module, target: torch.nn.Module, rows: Rows) -> None:
    """Copy rows ``(from, to)`` of all parameters of a module."""
    if not rows:
        return
    theirs, ours = (list(column) for column in zip(*rows, strict=True))
    for name, parameter in target.named_parameters():
        parameter[ours] = source.get_parameter(name)[theirs].to(parameter.dtype)
