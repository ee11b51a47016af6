"""Models run by OpenVINO: held to what torch computes; exported once, whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from claimx import Extractor
from claimx.backends import open_engine
from claimx.checkpoint import load_checkpoint, save_checkpoint
from claimx.errors import CheckpointError, ConfigError
from claimx.folder import open_folder
from claimx.openvino_backend import RECEIPT, export_place, is_exported
from claimx.pairs import LinkSpan
from claimx.torch_backend import torch_engine
from tests.reading import TEXTS, scores_of
from tests.tiny import TOKENIZERS, random_model

pytest.importorskip("openvino")


@pytest.fixture(scope="module", params=TOKENIZERS)
def folder(request, tmp_path_factory):
    place = tmp_path_factory.mktemp(request.param)
    model = random_model(request.param)
    save_checkpoint(place, model, TOKENIZERS[request.param](), {"fingerprints": ["ab"]}, "float32")
    return place


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CLAIMX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def engine(folder):
    return open_engine(folder, backend="openvino", dtype="float32", threads=2)


@pytest.fixture
def reference(folder):
    return torch_engine(load_checkpoint(folder), "cpu", "float32")


def test_scores_are_those_of_torch(engine, reference):
    engine.backend.tokens_at_once = 200  # so that there are many passes, two at a time
    for one, other in zip(scores_of(engine, TEXTS), scores_of(reference, TEXTS), strict=True):
        assert one.states.shape == other.states.shape
        assert np.allclose(one.states, other.states, atol=1e-4)
        for name, values in one.logits.items():
            assert np.allclose(values, other.logits[name], atol=1e-4)


def test_links_are_those_of_torch(engine, reference):
    text = "Ruiz told Okafor that Norvale and Okafor said no. " * 3
    found = []
    for one in (engine, reference):
        encoded = one.encode(text)
        (scores,) = one.score([encoded], ())
        starts, ends = encoded.encoding.unit_offsets()
        spans = [
            LinkSpan(kind, int(starts[unit]), int(ends[unit]), unit, unit)
            for unit in range(0, 30, 2)
            for kind in list(one.kinds)[unit % 3 :: 3]
        ]
        found.append(one.link(encoded, scores, spans))
    assert len(found[0]) > 10
    assert [(x.type, x.head, x.tail) for x in found[0]] == [
        (x.type, x.head, x.tail) for x in found[1]
    ]


def test_bfloat16_gives_nearly_the_same_scores(folder, reference):
    half = open_engine(folder, backend="openvino", dtype="bfloat16")
    assert half.backend.dtype == "bfloat16"
    for one, other in zip(scores_of(half, TEXTS), scores_of(reference, TEXTS), strict=True):
        for name, values in one.logits.items():
            assert np.allclose(values, other.logits[name], atol=0.5)


def test_threads_that_share_an_extractor_get_what_one_gets(folder):
    extractor = Extractor.from_pretrained(folder, backend="openvino", dtype="float32", threads=2)
    expected = [extractor(text) for text in TEXTS]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(4):
            assert list(pool.map(extractor, TEXTS)) == expected
        for found in pool.map(lambda _: extractor.extract_many(TEXTS), range(8)):
            assert [one.quotes for one in found] == [one.quotes for one in expected]


def test_a_fault_between_passes_leaves_the_backend_whole(engine):
    def batches():
        yield from engine._batches([engine.encode(TEXTS[2])], [])
        raise RuntimeError("out of ink")

    engine.backend.tokens_at_once = 60
    for _ in range(5):  # each would keep requests from all that follow
        with pytest.raises(RuntimeError, match="out of ink"):
            list(engine.backend.passes(batches()))
    assert scores_of(engine, TEXTS)


# ---- exported files ---------------------------------------------------------------------------


def test_a_model_that_was_exported_is_read_without_torch(folder, cache):
    open_engine(folder, backend="openvino")
    program = (
        "import sys; from claimx import Extractor; "
        f"reader = Extractor.from_pretrained({str(folder)!r}, backend='openvino', device='cpu'); "
        "reader('“No,” said Ruiz.'); print(reader.backend, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["openvino", "False"]


def test_a_damaged_export_is_made_anew(folder, cache):
    before = scores_of(open_engine(folder, backend="openvino", dtype="float32"), TEXTS)
    place = export_place(open_folder(folder))
    weights = place / "reading.bin"
    weights.write_bytes(weights.read_bytes()[:-100] + bytes(100))
    assert not is_exported(place)
    after = scores_of(open_engine(folder, backend="openvino", dtype="float32"), TEXTS)
    assert is_exported(place)
    assert np.array_equal(before[2].logits["identity"], after[2].logits["identity"])


def test_an_export_belongs_to_one_config_and_one_tokenizer(folder, cache, tmp_path):
    checkpoint = load_checkpoint(folder)
    checkpoint.model.config.link_thresholds = {"has_role": 0.5}
    other = tmp_path / "other"
    save_checkpoint(other, checkpoint.model, checkpoint.tokenizer, {}, "float32")
    first, second = open_folder(folder), open_folder(other)
    assert first.weights_hash == second.weights_hash
    assert export_place(first) != export_place(second)


def test_an_export_without_its_receipt_does_not_count(folder, cache):
    open_engine(folder, backend="openvino")
    place = export_place(open_folder(folder))
    for receipt in ('{"sha256": {}}', '{"sha256": []}', "{}", "["):
        (place / RECEIPT).write_text(receipt)
        assert not is_exported(place)
    (place / RECEIPT).unlink()
    assert not is_exported(place)


def test_a_cache_that_cannot_be_written_costs_time_and_no_more(
    folder, tmp_path, monkeypatch, caplog
):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("CLAIMX_CACHE", str(tmp_path / "file" / "cache"))
    assert scores_of(open_engine(folder, backend="openvino"), TEXTS)
    assert "is not kept" in caplog.text


def test_a_model_that_computes_something_else_when_exported_is_refused(folder, cache, monkeypatch):
    monkeypatch.setattr("claimx.export._MOST_DIFFERENCE", 0.0)
    with pytest.raises(CheckpointError, match="would be off by"):
        open_engine(folder, backend="openvino")
    assert not any(cache.iterdir())


def test_a_model_that_cannot_be_exported_is_run_by_torch_unless_openvino_was_named(
    folder, cache, monkeypatch, caplog
):
    def fail(*arguments):
        raise CheckpointError("the model cannot be exported to OpenVINO: no such operator")

    monkeypatch.setattr("claimx.export.export_openvino", fail)
    assert open_engine(folder, device="cpu").backend.name == "torch"
    assert "no such operator; it is run by torch instead" in caplog.text
    with pytest.raises(CheckpointError, match="no such operator"):
        open_engine(folder, backend="openvino")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_may_let_go_of_what_it_inherited(folder, cache):
    program = (
        "import gc, os, sys\n"
        "from claimx import Extractor\n"
        "reader = Extractor.from_pretrained(sys.argv[1], backend='openvino')\n"
        "reader('Ruiz told Okafor.')\n"
        "if os.fork() == 0:\n"
        "    reader = None\n"
        "    gc.collect()\n"
        "    os._exit(0)\n"
        "print(os.wait()[1])\n"
    )
    said = subprocess.check_output([sys.executable, "-c", program, str(folder)], timeout=120)
    assert said == b"0\n"


def test_float16_is_none_of_its_dtypes(folder):
    with pytest.raises(ConfigError, match="float16"):
        open_engine(folder, backend="openvino", dtype="float16")
