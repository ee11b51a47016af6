"""What a process finds around it changes nothing: no network is asked, no file here is taken."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from claimx.checkpoint import save_checkpoint
from tests.tiny import random_model, wordpiece

# Reads an article where no socket can reach anybody.
PROGRAM = """
import json, socket, sys

def refuse(*_, **__):
    raise AssertionError("the network was asked")

socket.socket.connect = socket.socket.sendto = socket.getaddrinfo = refuse
from claimx import Extractor
reader = Extractor.from_pretrained(sys.argv[1], backend=sys.argv[2], device="cpu")
record = reader("Ruiz told Okafor that 40 percent of the boats were late.").to_dict()
print(json.dumps([record["model"], record["claims"], record["quotes"]]))
"""
# Names by which a library might find what lies in the working directory.
NAMES = (
    "torch",
    "numpy",
    "tokenizers",
    "transformers",
    "seqeval",
    "evaluate",
    "openvino",
    "claimx",
)


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_no_network_and_no_file_in_the_working_directory_is_used(tmp_path, backend):
    pytest.importorskip(backend)
    model, calm, hostile = (tmp_path / name for name in ("model", "calm", "hostile"))
    save_checkpoint(model, random_model(name="tiny"), wordpiece(), {})
    for place in (calm, hostile):
        place.mkdir()
    for name in NAMES:
        (hostile / f"{name}.py").write_text("raise SystemExit('taken from the working directory')")
        (hostile / name).mkdir()
        (hostile / name / "__init__.py").write_text("raise SystemExit('taken from here')")
    for name in ("config.json", "tokenizer.json", "model.safetensors", ".env", "claimx.yaml"):
        (hostile / name).write_text("{")
    outside = {key: value for key, value in os.environ.items() if "OFFLINE" not in key}
    outside["PYTHONPATH"] = os.pathsep.join(sys.path)
    outside["CLAIMX_CACHE"] = str(tmp_path / "cache")
    read = [
        subprocess.run(
            [sys.executable, "-P", "-c", PROGRAM, str(model), backend],
            cwd=place, env=outside, capture_output=True, text=True, check=False,
        )
        for place in (calm, hostile)
    ]  # fmt: skip
    assert read[0].returncode == 0, read[0].stderr
    assert json.loads(read[0].stdout)[0].startswith("tiny ")
    assert read[1].stdout == read[0].stdout
