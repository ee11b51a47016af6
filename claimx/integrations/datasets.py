"""A function for ``Dataset.map`` of Hugging Face datasets that adds the record as columns.

Columns: ``text_sha256``, ``model``, ``attribution``, ``notes``, ``quotes``, ``sources``,
``people``, ``claims`` and ``error``, typed and nested as in `claimx.archive.schema`. Needs
datasets: ``pip install datasets``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from claimx import __version__
from claimx.archive.schema import COLUMNS, carried, record_schema, to_row
from claimx.errors import ConfigError
from claimx.extras import needed
from claimx.folder import stored_name
from claimx.hub import find_model
from claimx.integrations.processes import OwnExtractor
from claimx.types import Article

# Columns of a record that the data set has of its own.
_OF_THE_DATASET = ("schema", "id", "meta", "text")
_NAMES = tuple(name for name in COLUMNS if name not in _OF_THE_DATASET)


class ExtractColumns:
    """Reads a batch of articles and returns the columns of their records.

    It holds names and settings and no model: that is loaded at the first batch, in each process
    anew. Two of them are the same to the cache of datasets if weights, settings and the version
    of claimx are the same.
    """

    def __init__(
        self,
        model: str | None,
        *,
        text: str,
        id: str | None,
        prefix: str,
        options: Mapping[str, Any],
    ) -> None:
        self.text = text
        self.id = id
        self.prefix = prefix
        self._own = OwnExtractor(model, options)
        self._read_by = (stored_name(find_model(model)), __version__)

    def features(self, features: Mapping[str, Any]) -> Any:
        """Return the `datasets.Features` of the data set with the new columns.

        Without them datasets guesses the types from the first batch, and a list that is empty
        there has none.

        Args:
            features: those of the data set before, ``dataset.features``.

        Raises:
            ClaimxError: if datasets is not installed.
            ConfigError: if it has one of the columns already.
        """
        self._refuse_taken(features)
        library = needed("datasets", "datasets", "columns of a data set", extra="train")
        arrow = needed("pyarrow", "pyarrow", "columns of a data set")
        ours = [
            field.with_name(self.prefix + field.name)
            for field in map(record_schema().field, _NAMES)
        ]
        found = library.Features.from_arrow_schema(arrow.schema(ours))
        return library.Features({**features, **found})

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Read a batch; an article that cannot be read has an ``error`` and empty lists.

        Args:
            batch: the columns of some rows, as ``map(..., batched=True)`` gives them.

        Raises:
            ConfigError: if the column of texts is not there, or a new one is there already.
        """
        self._refuse_taken(batch)
        texts = self._column(batch, self.text)
        names = range(len(texts)) if self.id is None else self._column(batch, self.id)
        articles = [Article(str(name), text) for name, text in zip(names, texts, strict=True)]
        rows = [to_row(carried(found.to_dict())[0]) for found in self._own.get().stream(articles)]
        return {self.prefix + name: [row[name] for row in rows] for name in _NAMES}

    def _column(self, batch: Mapping[str, Any], name: str) -> list[Any]:
        if name not in batch:
            raise ConfigError(f"the data set has no column {name!r}; it has {', '.join(batch)}")
        if isinstance(batch[name], str):
            raise ConfigError("one row was given, not a batch; call map with batched=True")
        return list(batch[name])

    def _refuse_taken(self, columns: Mapping[str, Any]) -> None:
        ours = (self.prefix + name for name in _NAMES)
        if taken := [name for name in ours if name in columns]:
            raise ConfigError(
                f"the data set has {', '.join(taken)} already; remove or rename what is there, "
                f"or put a prefix before the new names: prefix='claimx_'"
            )


def extract_columns(
    model: str | None = None,
    *,
    text: str = "text",
    id: str | None = None,
    prefix: str = "",
    **options: Any,
) -> ExtractColumns:
    """Make a function that adds quotes, sources, people and claims to a data set.

    >>> extract = extract_columns("claimx-en", text="body")
    >>> dataset = dataset.map(extract, batched=True, features=extract.features(dataset.features))

    Args:
        model: None for the packaged model; else a folder, or a name.
        text: the column of texts.
        id: the column that names articles in error messages.
        prefix: stands before the names of the new columns.
        options: those of `Extractor.from_pretrained`.

    Raises:
        CheckpointError: if there is no such model.
    """
    return ExtractColumns(model, text=text, id=id, prefix=prefix, options=options)
