"""Worker processes that other libraries fork: ``n_process`` of spaCy, ``num_proc`` of datasets."""

from __future__ import annotations

import os

_LOADED_IN = os.getpid()


def one_thread_if_forked() -> None:
    """Let torch compute on one thread in a process that was forked after this was imported.

    The threads of its parent are not there any more, and torch would wait for them for ever.
    """
    if os.getpid() != _LOADED_IN:
        import torch

        torch.set_num_threads(1)
