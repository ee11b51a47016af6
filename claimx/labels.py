"""Label schema: which layers, labels and link types a model knows.

A schema is data. It is read from a config, saved with the checkpoint and never hard-coded in
the model, so that other label sets train without touching code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from claimx.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Layer:
    """A set of labels whose spans never overlap one another; layers may nest in each other."""

    name: str
    labels: tuple[str, ...]

    @property
    def tags(self) -> tuple[str, ...]:
        """BIO tags in the order of the model's outputs: O, B-x, I-x, B-y, I-y ..."""
        return ("O", *(f"{prefix}-{label}" for label in self.labels for prefix in "BI"))


@dataclass(frozen=True, slots=True)
class LinkType:
    """A typed link between spans.

    Args:
        name: the type, such as ``said_by``.
        heads: labels that a link may start from.
        tails: labels that a link may end at. Where a head's layer also holds the tail's label,
            both ends lie in that same layer.
        choose: ``one`` - at most one tail for each head, chosen against "no link";
            ``any`` - each pair is judged on its own.
        reach: longest distance between the two spans, in tokens; None for the whole article.
    """

    name: str
    heads: tuple[str, ...]
    tails: tuple[str, ...]
    choose: Literal["one", "any"] = "one"
    reach: int | None = None


_FARTHEST = 2**31 - 1  # no article has as many tokens


@dataclass(frozen=True, slots=True)
class LabelSchema:
    """Layers and link types of a model."""

    layers: tuple[Layer, ...]
    links: tuple[LinkType, ...] = ()

    def __post_init__(self) -> None:
        names = [layer.name for layer in self.layers]
        if not names or len(set(names)) != len(names):
            raise ConfigError(f"a schema needs layers of different names, got {names}")
        for layer in self.layers:
            if not layer.labels or len(set(layer.labels)) != len(layer.labels):
                raise ConfigError(
                    f"layer {layer.name!r} needs different labels, got {layer.labels}"
                )
        known = {label for layer in self.layers for label in layer.labels}
        for link in self.links:
            unknown = [label for label in (*link.heads, *link.tails) if label not in known]
            if unknown or link.choose not in ("one", "any"):
                raise ConfigError(
                    f"link type {link.name!r}: unknown labels {unknown} or bad `choose`"
                )
            whole = link.reach is None or type(link.reach) is int
            if not whole or not 0 <= (link.reach or 0) <= _FARTHEST:
                raise ConfigError(
                    f"link type {link.name!r}: `reach` is a number of tokens up to {_FARTHEST:,}, "
                    f"or null for the whole article, and not {link.reach!r:.60}"
                )

    def layer(self, name: str) -> Layer:
        """Return the layer of that name, or raise `ConfigError` naming those there are."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ConfigError(f"no layer {name!r}; there are {[layer.name for layer in self.layers]}")

    def allows(self, link: LinkType, head: tuple[str, str], tail: tuple[str, str]) -> bool:
        """Say whether ``link`` may join two spans, each given as ``(layer, label)``."""
        if head[1] not in link.heads or tail[1] not in link.tails:
            return False
        same_layer_expected = any(
            layer.name == head[0] and tail[1] in layer.labels for layer in self.layers
        )
        return head[0] == tail[0] if same_layer_expected else True

    def extended(self, labels: Mapping[str, Sequence[str]]) -> LabelSchema:
        """Return a schema with more labels, behind those there are.

        Args:
            labels: layer -> labels to add; a layer that the schema does not have is new.

        Raises:
            ConfigError: if a layer already has one of the labels.
        """
        known = {layer.name: layer.labels for layer in self.layers}
        for name, added in labels.items():
            if there := [label for label in added if label in known.get(name, ())]:
                raise ConfigError(
                    f"{', '.join(there)} is already in the layer {name}; leave it out of what is "
                    "to be added"
                )
            known[name] = (*known.get(name, ()), *added)
        return LabelSchema(tuple(Layer(*entry) for entry in known.items()), self.links)

    def to_dict(self) -> dict[str, Any]:
        """Return the form used in checkpoints: lists, since the order numbers the outputs."""
        return {
            "layers": [{"name": layer.name, "labels": list(layer.labels)} for layer in self.layers],
            "links": [
                {
                    "name": link.name,
                    "heads": list(link.heads),
                    "tails": list(link.tails),
                    "choose": link.choose,
                    "reach": link.reach,
                }
                for link in self.links
            ],
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> LabelSchema:
        """Read a schema; unknown keys are errors.

        Layers and links may be lists, as in checkpoints, or mappings by name, as in YAML:
        ``layers: {quantity: [QUANTITY, MODIFIER]}``.

        Raises:
            ConfigError: if it has another form, or its names do not fit together.
        """
        try:
            return cls._read(raw)
        except (TypeError, KeyError, AttributeError) as error:
            raise ConfigError(
                f"a label schema cannot be read ({type(error).__name__}: {error}): `layers` are "
                "names with lists of labels, `links` names with heads and tails"
            ) from error

    @classmethod
    def _read(cls, raw: Mapping[str, Any]) -> LabelSchema:
        extra = set(raw) - {"layers", "links"}
        if extra or "layers" not in raw:
            raise ConfigError(f"a label schema has `layers` and `links`, got {sorted(raw)}")
        layers = raw["layers"]
        if isinstance(layers, Mapping):
            layers = [{"name": name, "labels": labels} for name, labels in layers.items()]
        links = raw.get("links") or []
        if isinstance(links, Mapping):
            links = [{"name": name, **entry} for name, entry in links.items()]
        return cls(
            tuple(Layer(entry["name"], _names(entry["labels"])) for entry in layers),
            tuple(_read_link_type(entry) for entry in links),
        )


def _names(labels: Any) -> tuple[str, ...]:
    if isinstance(labels, str):
        raise TypeError(f"{labels!r} is one name, not a list of names")
    return tuple(labels)


def _read_link_type(entry: Mapping[str, Any]) -> LinkType:
    bad = set(entry) - {"name", "heads", "tails", "choose", "reach"}
    missing = {"name", "heads", "tails"} - set(entry)
    if bad or missing:
        raise ConfigError(
            f"link type {entry.get('name')!r}: unknown keys {sorted(bad)}, "
            f"missing {sorted(missing)}"
        )
    return LinkType(
        entry["name"],
        _names(entry["heads"]),
        _names(entry["tails"]),
        entry.get("choose", "one"),
        entry.get("reach"),
    )


DEFAULT_SCHEMA = LabelSchema(
    layers=(
        Layer("attribution", ("QUOTE", "CUE", "SPEAKER")),
        Layer("attribution_broad", ("QUOTE", "CUE", "SPEAKER")),
        Layer("identity", ("PERSON", "ROLE", "AFFILIATION")),
        Layer("quantity", ("QUANTITY", "MODIFIER", "MEASURED")),
    ),
    links=(
        LinkType("said_by", ("QUOTE",), ("SPEAKER",), reach=400),
        LinkType("cued_by", ("QUOTE",), ("CUE",), reach=400),
        LinkType("same_quote", ("QUOTE",), ("QUOTE",), reach=600),
        LinkType("refers_to", ("SPEAKER",), ("PERSON",), reach=600),
        LinkType("same_person", ("PERSON",), ("PERSON",), "any"),
        LinkType("has_role", ("PERSON", "SPEAKER"), ("ROLE",), "any", reach=80),
        LinkType("affiliated_with", ("PERSON", "SPEAKER"), ("AFFILIATION",), "any", reach=80),
        LinkType("modified_by", ("QUANTITY",), ("MODIFIER",), reach=40),
        LinkType("measures", ("QUANTITY",), ("MEASURED",), reach=60),
    ),
)
