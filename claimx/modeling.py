"""The model: one encoder, one tag head per layer, a scorer for links between spans.

Tagging follows the usual fine-tuned encoder with a linear head (Devlin et al., 2019), one head
per layer so that layers may nest in each other. The encoder is given what it cannot see or
count itself - letter case, quotation marks, line breaks - as small learned embeddings added to
the word embeddings. The link scorer follows the head/tail projection with an additive and a
multiplicative term of pairwise parsers (Dozat and Manning, 2017), with "no link" as one of the
answers, as the empty antecedent is in Lee et al. (2017).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from torch import Tensor, nn
from transformers import (
    MODEL_MAPPING,
    AutoConfig,
    AutoModel,
    PretrainedConfig,
    PreTrainedModel,
    initialization,
)

from claimx.encoding import FEATURE_SIZES
from claimx.errors import ConfigError
from claimx.folder import Settings
from claimx.hub import MANIFEST
from claimx.labels import DEFAULT_SCHEMA, LabelSchema
from claimx.pairs import PAIR_FEATURE_SIZES
from claimx.storage import holds_int8, read_tensors, unpack


class ClaimxConfig(PretrainedConfig):
    """Everything needed to rebuild a `ClaimxModel` and to read its outputs.

    Args:
        encoder: config of the encoder, as a dict with its ``model_type``.
        link_size: width of the link scorer.
        normalise: whether a layer norm stands between the encoder and the heads.

    The others are those of `claimx.folder.Settings`.
    """

    model_type = "claimx"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        schema: dict[str, Any] | None = None,
        link_size: int = 128,
        normalise: bool = False,
        window: int = Settings.window,
        overlap: int = Settings.overlap,
        calibration: dict[str, list[float]] | None = None,
        persistence: dict[str, float] | None = None,
        link_thresholds: dict[str, float] | None = None,
        name: str = Settings.name,
        version: str = Settings.version,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder = encoder or {"model_type": "bert"}
        self.schema = schema or DEFAULT_SCHEMA.to_dict()
        self.link_size = link_size
        self.normalise = normalise
        self.window = Settings.window if window is None else window
        self.overlap = Settings.overlap if overlap is None else overlap
        self.calibration = calibration or {}
        self.persistence = persistence or {}
        self.link_thresholds = link_thresholds or {}
        self.name = Settings.name if name is None else name
        self.version = Settings.version if version is None else version

    @property
    def label_schema(self) -> LabelSchema:
        """The label schema as an object."""
        return LabelSchema.from_dict(self.schema)

    def encoder_config(self) -> PretrainedConfig:
        """Build the encoder's config, without running any code that came with it."""
        options = {key: value for key, value in self.encoder.items() if key != "model_type"}
        return AutoConfig.for_model(self.encoder["model_type"], **options)


class LinkScorer(nn.Module):
    """Scores pairs of spans for every link type.

    Args:
        hidden: width of the encoder's token states.
        size: width of the projected states.
        span_kinds: number of (layer, label) kinds.
        types: number of link types.
    """

    def __init__(self, hidden: int, size: int, span_kinds: int, types: int) -> None:
        super().__init__()
        self.project = nn.Linear(hidden, size)
        self.kind = nn.Embedding(span_kinds, size)
        self.span = nn.Linear(2 * size, size)
        self.head = nn.Linear(size, size)
        self.tail = nn.Linear(size, size, bias=False)
        self.product = nn.Linear(size, size, bias=False)
        self.features = nn.ModuleList(nn.Embedding(n, size) for n in PAIR_FEATURE_SIZES.values())
        self.type_bias = nn.Embedding(types, size)
        self.score = nn.Linear(size, types)
        self.none = nn.Linear(size, types)

    def token_states(self, hidden: Tensor) -> Tensor:
        """Project token states ``(..., hidden)`` to ``(..., size)``."""
        projected: Tensor = self.project(hidden)
        return projected

    def span_states(self, states: Tensor, first: Tensor, last: Tensor, kinds: Tensor) -> Tensor:
        """Represent spans by their edge tokens.

        Args:
            states: projected token states, ``(tokens, size)``.
            first: index of each span's first token, ``(spans,)``.
            last: index of the first token of its last unit, ``(spans,)``.
            kinds: number of its (layer, label), ``(spans,)``.

        Returns:
            ``(spans, size)``.
        """
        return self.edge_states(torch.cat([states[first], states[last]], dim=-1), kinds)

    def edge_states(self, edges: Tensor, kinds: Tensor) -> Tensor:
        """Represent spans by the states of their edge tokens.

        Args:
            edges: projected states of each span's first and last token, ``(spans, 2 * size)``.
            kinds: number of its (layer, label), ``(spans,)``.

        Returns:
            ``(spans, size)``.
        """
        return nn.functional.gelu(self.span(edges) + self.kind(kinds))

    def forward(
        self, spans: Tensor, heads: Tensor, tails: Tensor, types: Tensor, features: Tensor
    ) -> Tensor:
        """Score pairs; a score is relative to that of "no link", which is 0.

        Args:
            spans: span states, ``(spans, size)``.
            heads: index of each pair's head span, ``(pairs,)``.
            tails: index of its tail span, ``(pairs,)``.
            types: number of its link type, ``(pairs,)``.
            features: pair features, ``(pairs, features)``.

        Returns:
            ``(pairs,)``.
        """
        joint = self.head(spans)[heads] + self.tail(spans)[tails] + self.type_bias(types)
        joint = joint + self.product(spans[heads] * spans[tails])
        for column, embedding in enumerate(self.features):
            joint = joint + embedding(features[:, column])
        link = self.score(nn.functional.gelu(joint)).gather(1, types[:, None])[:, 0]
        none = self.none(spans)[heads].gather(1, types[:, None])[:, 0]
        relative: Tensor = link - none
        return relative


class ClaimxModel(PreTrainedModel):
    """Encoder with tag heads and a link scorer.

    ``forward`` gives the scores of every tag and the token states for ``links``.
    """

    config_class = ClaimxConfig
    base_model_prefix = "encoder"
    supports_gradient_checkpointing = False
    _supports_sdpa = True
    _supports_flash_attn = True

    def __init__(self, config: ClaimxConfig, encoder: PreTrainedModel | None = None) -> None:
        super().__init__(config)
        schema = config.label_schema
        if encoder is None:
            inner = config.encoder_config()
            attention = getattr(config, "_attn_implementation", None)
            kind: Any = MODEL_MAPPING[type(inner)]
            if attention == "sdpa" and not kind._supports_sdpa:
                attention = "eager"  # MPNet
            encoder = AutoModel.from_config(inner, attn_implementation=attention)
        if hasattr(encoder, "pooler"):
            encoder.pooler = None
        self.encoder: Any = encoder
        hidden = int(self.encoder.config.hidden_size)
        self.features = nn.ModuleDict(
            {
                name: nn.Embedding(size, hidden, padding_idx=0)
                for name, size in FEATURE_SIZES.items()
            }
        )
        self.norm = nn.LayerNorm(hidden) if config.normalise else nn.Identity()
        self.tag_heads = nn.ModuleDict(
            {layer.name: nn.Linear(hidden, len(layer.tags)) for layer in schema.layers}
        )
        kinds = sum(len(layer.labels) for layer in schema.layers)
        self.links = LinkScorer(hidden, config.link_size, kinds, max(1, len(schema.links)))
        self.post_init()  # type: ignore[no-untyped-call]

    def _init_weights(self, module: nn.Module) -> None:
        # These leave alone what a checkpoint has filled; transformers 5.0 calls this after loading.
        if isinstance(module, nn.Linear | nn.Embedding):
            initialization.normal_(module.weight, mean=0.0, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                initialization.zeros_(module.bias)
            loaded = getattr(module.weight, "_is_hf_initialized", False)
            if isinstance(module, nn.Embedding) and module.padding_idx is not None and not loaded:
                initialization.zeros_(module.weight[module.padding_idx])
        elif isinstance(module, nn.LayerNorm):
            initialization.ones_(module.weight)
            initialization.zeros_(module.bias)

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str] | None,
        *args: Any,
        **options: Any,
    ) -> ClaimxModel:
        """Load a model as transformers does; weights in 8 bits, which it cannot read, as well.

        Args:
            pretrained_model_name_or_path: a model folder, or a name on the hub.
            args: handed on to transformers.
            options: likewise.

        Raises:
            CheckpointError: if weights are missing, damaged or pickled.
        """
        if pretrained_model_name_or_path is None:
            return super().from_pretrained(None, *args, **options)
        folder = _folder(pretrained_model_name_or_path, options)
        if not holds_int8(folder):
            return super().from_pretrained(folder, *args, **options)
        config = options.pop("config", None) or ClaimxConfig.from_pretrained(folder)
        weights = unpack(read_tensors(folder))
        return super().from_pretrained(None, *args, config=config, state_dict=weights, **options)

    def save_pretrained(
        self, save_directory: str | os.PathLike[str], *args: Any, **options: Any
    ) -> None:
        """Save config and weights as transformers does, in the precision that they are in.

        Save the tokenizer beside them, and `claimx.Extractor` reads the folder.
        """
        super().save_pretrained(save_directory, *args, **options)
        # It holds the hashes of another model that stood here.
        (Path(save_directory) / MANIFEST).unlink(missing_ok=True)

    @classmethod
    def from_encoder(cls, path: str, config: ClaimxConfig, layers: int = 0) -> ClaimxModel:
        """Start a new model from a pretrained encoder; heads are new, dropout is off.

        The token states of sentence encoders end in so small a scale that new heads learn
        nothing from them at usual rates, so new models normalise them. Their last layers know
        least of single tokens: leaving some out may cost nothing (Sajjad et al., 2023).

        Args:
            path: folder or hub name of any Hugging Face encoder.
            config: schema and sizes; its ``encoder`` and ``normalise`` are filled in.
            layers: lowest layers of the encoder to keep; 0 keeps all.

        Raises:
            ConfigError: if the encoder has fewer layers, or keeps them in no list.
        """
        encoder = AutoModel.from_pretrained(
            path, dtype=torch.float32, trust_remote_code=False, use_safetensors=True
        )
        for name in _DROPOUT:
            if hasattr(encoder.config, name):
                setattr(encoder.config, name, 0.0)
        for module in encoder.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        if layers:
            _keep_layers(encoder, layers)
        config.normalise = True
        config.encoder = encoder.config.to_dict()
        config.encoder.pop("_name_or_path", None)
        return cls(config, encoder)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, features: Tensor
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Score every tag of every layer.

        Args:
            input_ids: ``(batch, tokens)``.
            attention_mask: 1 for tokens, 0 for padding, ``(batch, tokens)``.
            features: values of each feature, 0 for padding, ``(batch, tokens, features)``.

        Returns:
            Layer -> logits ``(batch, tokens, tags)``, and the token states for links
            ``(batch, tokens, link_size)``.
        """
        embedded = self.encoder.get_input_embeddings()(input_ids)
        for column, embedding in enumerate(self.features.values()):
            embedded = embedded + embedding(features[..., column])
        states = self.encoder(
            inputs_embeds=embedded, attention_mask=attention_mask
        ).last_hidden_state
        states = self.norm(states)
        logits = {name: head(states) for name, head in self.tag_heads.items()}
        return logits, self.links.token_states(states)


def _folder(name: str | os.PathLike[str], options: Mapping[str, Any]) -> Path:
    """Return a model's folder; a model on the hub is fetched, of the revision asked for."""
    folder = Path(name)
    if not folder.is_dir():
        wanted = ("revision", "cache_dir", "token", "local_files_only", "force_download")
        fetched = snapshot_download(
            os.fspath(name),
            allow_patterns=["*.json", "*.safetensors"],
            **{key: options[key] for key in wanted if options.get(key) is not None},
        )
        folder = Path(fetched)
    return folder / (options.get("subfolder") or "")


def _keep_layers(encoder: PreTrainedModel, layers: int) -> None:
    """Cut the layers above the lowest ``layers`` off an encoder."""
    depth = int(encoder.config.num_hidden_layers)
    stacks = [m for m in encoder.modules() if isinstance(m, nn.ModuleList) and len(m) == depth]
    if not 0 < layers <= depth or len(stacks) != 1:
        raise ConfigError(f"cannot keep {layers} layers of an encoder that has {depth}")
    del stacks[0][layers:]
    encoder.config.num_hidden_layers = layers


_DROPOUT = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "attention_dropout",
    "hidden_dropout",
    "embedding_dropout",
    "mlp_dropout",
    "dropout",
)


def register() -> None:
    """Make `AutoConfig` and `AutoModel` know the model; harmless when called again."""
    AutoConfig.register("claimx", ClaimxConfig, exist_ok=True)
    AutoModel.register(ClaimxConfig, ClaimxModel, exist_ok=True)


register()
