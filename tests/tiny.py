"""Tokenizers, encoders and models small enough for tests, built in code and offline.

Two tokenizers, because each hides faults that the other shows: uncased WordPiece, which drops
accents and control characters, and byte-level BPE, whose tokens carry the space before them and
of which several may stand for one character. Most words fall apart into several tokens.

`lexicon_checkpoint` is a model whose answers are known: its encoder looks at one token at a time,
so that a word always gets the tag that a table gives it, wherever it stands.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from torch import nn
from transformers import (
    AutoModel,
    BertConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
)

from claimx.checkpoint import Checkpoint
from claimx.encoding import FEATURE_SIZES
from claimx.engine import Engine
from claimx.labels import DEFAULT_SCHEMA, LabelSchema
from claimx.modeling import ClaimxConfig, ClaimxModel
from claimx.pairs import PAIR_FEATURE_SIZES
from claimx.text import CLOSING, INSIDE, OPENING
from claimx.torch_backend import torch_engine

# Words that are one token each, in both tokenizers; anything else falls apart.
WORDS = (
    "the a of and was were will that said told says he she percent about ferry harbour pier "
    "okafor ines deputy head board boats 40 12 ruiz ana minister norvale mines"
).split()
_MARKS = "“”‘’—–…£€«»"


@cache
def wordpiece() -> Tokenizer:
    """Uncased WordPiece as BERT has it, every letter known alone."""
    letters = string.ascii_lowercase + string.digits
    entries = [
        *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
        *letters,
        *("##" + letter for letter in letters),
        *string.punctuation,
        *_MARKS,
        *(word for word in WORDS if len(word) > 1),
        *("##s", "##ing", "##ed", "##er")[1:],
    ]
    tokenizer = Tokenizer(
        models.WordPiece({entry: number for number, entry in enumerate(entries)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


@cache
def byte_level() -> Tokenizer:
    """Byte-level BPE as RoBERTa and ModernBERT have it; offsets include the space before."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(WORDS)] * 4, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


TOKENIZERS = {"wordpiece": wordpiece, "byte_level": byte_level}
_SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 130,
}


def encoder_config(kind: str = "wordpiece") -> BertConfig | RobertaConfig:
    """A 2-layer encoder, 32 wide, with room for 128 tokens."""
    size = TOKENIZERS[kind]().get_vocab_size()
    if kind == "wordpiece":
        return BertConfig(vocab_size=size, **_SIZES)
    return RobertaConfig(vocab_size=size, pad_token_id=1, bos_token_id=0, eos_token_id=2, **_SIZES)


def write_encoder(folder: Path, kind: str = "wordpiece") -> Path:
    """Write a Hugging Face encoder folder with its tokenizer, as training starts from."""
    torch.manual_seed(1)
    AutoModel.from_config(encoder_config(kind)).save_pretrained(folder)
    names = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    if kind == "byte_level":
        names = ("<pad>", "<unk>", "<s>", "</s>", "<mask>")
    roles = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    PreTrainedTokenizerFast(
        tokenizer_object=TOKENIZERS[kind](), **dict(zip(roles, names, strict=True))
    ).save_pretrained(folder)
    return folder


def random_model(
    kind: str = "wordpiece", schema: LabelSchema = DEFAULT_SCHEMA, seed: int = 3, **options: Any
) -> ClaimxModel:
    """A model with random weights, large enough that no two tags are nearly alike."""
    torch.manual_seed(seed)
    sizes = {"window": 60, "overlap": 16, "link_size": 16, **options}
    config = ClaimxConfig(encoder_config(kind).to_dict(), schema.to_dict(), **sizes)
    model = ClaimxModel(config)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1 and not name.startswith("encoder.encoder"):
            nn.init.normal_(parameter, std=0.5)
    return model.eval()


def random_checkpoint(kind: str = "wordpiece", **options: Any) -> Checkpoint:
    """`random_model` with its tokenizer."""
    return Checkpoint(random_model(kind, **options), TOKENIZERS[kind](), "0" * 64, {})


# ---- a model with known answers --------------------------------------------------------------


class OneTokenEncoder(nn.Module):
    """An encoder without context: the state of a token is its embedding, one value a token."""

    def __init__(self, vocabulary: int, extra: int) -> None:
        super().__init__()
        self.config = SimpleNamespace(hidden_size=vocabulary + extra)
        self.words = nn.Embedding(vocabulary, vocabulary + extra)

    def get_input_embeddings(self) -> nn.Embedding:
        return self.words

    def forward(self, inputs_embeds: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        return SimpleNamespace(last_hidden_state=inputs_embeds)


LEXICON = {
    "said": "attribution/B-CUE",
    "told": "attribution/B-CUE",
    "okafor": "attribution/B-SPEAKER identity/B-PERSON",
    "ruiz": "attribution/B-SPEAKER identity/B-PERSON",
    "she": "attribution/B-SPEAKER",
    "minister": "identity/B-ROLE",
    "norvale": "identity/B-AFFILIATION",
    "40": "quantity/B-QUANTITY",
    "12": "quantity/B-QUANTITY",
    "percent": "quantity/I-QUANTITY",
    "about": "quantity/B-MODIFIER",
    "boats": "quantity/B-MEASURED",
    "board": "attribution_broad/B-SPEAKER",
}


def lexicon_checkpoint(
    lexicon: Mapping[str, str] = LEXICON, schema: LabelSchema = DEFAULT_SCHEMA, **options: Any
) -> Checkpoint:
    """A model that tags words by a table, quotations by their marks, and links what is near.

    Text inside quotation marks, marks included, is a QUOTE of both scopes. Of the tails that a
    link type allows, the next one behind a head is taken, or the next one before it where there
    is none behind.

    Args:
        lexicon: word -> tags as ``layer/TAG``, of those that differ from O.
        schema: layers and links.
        options: of `ClaimxConfig`.
    """
    tokenizer = wordpiece()
    size = tokenizer.get_vocab_size()
    config = ClaimxConfig(
        schema=schema.to_dict(), link_size=4, **{"window": 60, "overlap": 16, **options}
    )
    model = ClaimxModel(config, OneTokenEncoder(size, extra=4))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith("encoder."):
                nn.init.eye_(parameter)
            else:
                parameter.zero_()
        for state in (INSIDE, OPENING, CLOSING):
            model.features["quote"].weight[state + 1, size + state] = 1.0
        for name in ("attribution", "attribution_broad"):
            if name in model.tag_heads:
                model.tag_heads[name].weight[1, size + OPENING] = 20.0
                model.tag_heads[name].weight[2, size + INSIDE] = 20.0
                model.tag_heads[name].weight[2, size + CLOSING] = 20.0
        for head in model.tag_heads.values():
            head.bias[0] = 4.0
        for word, entries in lexicon.items():
            for entry in entries.split():
                layer, tag = entry.split("/")
                number = schema.layer(layer).tags.index(tag)
                model.tag_heads[layer].weight[number, tokenizer.token_to_id(word)] = 12.0
        _link_the_nearest(model)
    return Checkpoint(model.eval(), tokenizer, "f" * 64, {"fingerprints": ["f" * 64]})


def lexicon_engine(model: object = None, **options: Any) -> Engine:
    """Stands in for `claimx.backends.open_engine`: whatever is asked for is the model above."""
    return torch_engine(lexicon_checkpoint(), "cpu", "float32")


def _link_the_nearest(model: ClaimxModel) -> None:
    """Let the rank of a tail alone decide: 0 is the next one behind, 9 the last one before.

    Persons and quotes are never joined with others.
    """
    rank = model.links.features[list(PAIR_FEATURE_SIZES).index("rank")]
    rank.weight[0, 0], rank.weight[9, 0] = 8.0, 4.0
    model.links.score.weight[:, 0] = 2.0
    for number, link in enumerate(model.config.label_schema.links):
        model.links.score.bias[number] = -99.0 if link.name.startswith("same_") else -2.0


# ---- small helpers ---------------------------------------------------------------------------


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    """Write records as JSON lines."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


assert set(FEATURE_SIZES) == {"case", "quote", "break"}
