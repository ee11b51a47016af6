"""Worker processes of other libraries: ``n_process`` of spaCy, ``num_proc`` of datasets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claimx.extractor import Extractor

_IMPORTED_IN = os.getpid()


class OwnExtractor:
    """An extractor that every process loads for itself, at its first use.

    What is sent to another process is the name of the model and its options. In a process that
    was forked it is run by torch on one thread: the threads of the parent are not there any more,
    and torch and OpenVINO would wait for them for ever.

    Args:
        model: None for the packaged model; else a folder, or a name.
        options: those of `Extractor.from_pretrained`.
    """

    def __init__(self, model: str | None, options: Mapping[str, Any]) -> None:
        self._model = model
        self._options = dict(options)
        self._extractor: Extractor | None = None
        self._loaded_in = 0

    def __getstate__(self) -> dict[str, Any]:
        """Leave the model out."""
        return {**self.__dict__, "_extractor": None, "_loaded_in": 0}

    def get(self) -> Extractor:
        """Return the extractor of this process.

        Raises:
            CheckpointError: if the model is missing or damaged.
            ConfigError: if an option has a value that cannot be used.
        """
        if self._extractor is None or self._loaded_in != os.getpid():
            self._extractor = self._load()
            self._loaded_in = os.getpid()
        return self._extractor

    def _load(self) -> Extractor:
        from claimx.extractor import Extractor

        if os.getpid() == _IMPORTED_IN:
            return Extractor.from_pretrained(self._model, **self._options)
        import torch

        torch.set_num_threads(1)
        return Extractor.from_pretrained(self._model, **{**self._options, "backend": "torch"})
