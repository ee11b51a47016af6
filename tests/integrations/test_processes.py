"""A forked process does not wait for the threads of its parent."""

from __future__ import annotations

import os

import pytest
import torch

from claimx.integrations.processes import one_thread_if_forked


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_computes_on_one_thread_and_its_parent_as_before():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        child = os.fork()
        if child == 0:
            one_thread_if_forked()
            os._exit(torch.get_num_threads())
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        one_thread_if_forked()
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
