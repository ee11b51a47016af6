"""Every process has a model of its own; a forked one does not wait for its parent's threads."""

from __future__ import annotations

import os
import pickle

import pytest
import torch

from claimx.integrations.processes import OwnExtractor
from tests.tiny import lexicon_engine


@pytest.fixture
def asked(monkeypatch):
    """What was asked for, each time that a model was loaded."""
    asked = []

    def load(model, **options):
        asked.append({"model": model, **options})
        return lexicon_engine()

    monkeypatch.setattr("claimx.extractor.open_engine", load)
    return asked


def test_a_model_is_loaded_once_and_not_sent_to_others(asked):
    own = OwnExtractor("small", {"device": "cpu"})
    assert own.get() is own.get()
    sent = pickle.dumps(own)
    assert len(sent) < 500
    pickle.loads(sent).get()
    assert [one["model"] for one in asked] == ["small", "small"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_loads_its_own_for_torch_on_one_thread(asked):
    own = OwnExtractor(None, {"backend": "openvino"})
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        own.get()
        child = os.fork()
        if child == 0:
            try:
                own.get()
                right = len(asked) == 2 and asked[1]["backend"] == "torch"
                os._exit(torch.get_num_threads() if right else 99)
            finally:
                os._exit(98)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        assert asked[0]["backend"] == "openvino" and torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
