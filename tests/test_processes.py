"""Workers that other programs make of a process that holds an Extractor, or will."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from claimx.checkpoint import save_checkpoint
from tests.tiny import random_model, wordpiece

# A web server or a task queue starts its workers in one of these ways.
PROGRAM = """
import multiprocessing, sys
from claimx import Extractor
from claimx.errors import ClaimxError

TEXT = "Ruiz told Okafor that 40 percent of the boats were late. “No,” said Ruiz. " * 5
reader = None

def read(folder, backend):
    global reader
    try:
        if reader is None:
            reader = Extractor.from_pretrained(folder, backend=backend, device="cpu", threads=2)
        return [one.to_dict() for one in reader.stream([TEXT] * 4)]
    except ClaimxError as error:
        return [{"error": str(error)}]

if __name__ == "__main__":
    folder, backend, method, when = sys.argv[1:]
    expected = read(folder, backend) if when != "fresh" else None
    if when == "anew":
        reader = None  # the worker makes one of its own
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.starmap_async(read, [(folder, backend)] * 2).get(60)
    expected = expected or read(folder, backend)
    errors = {str(record.get("error")) for records in found for record in records}
    print("same" if found == [expected] * 2 else errors)
"""


@pytest.mark.parametrize("backend", ["torch", "openvino"])
@pytest.mark.parametrize(
    ("method", "when", "said"),
    [
        ("spawn", "used", "same"), ("fork", "fresh", "same"), ("fork", "used", "by spawn"),
        ("fork", "anew", {"torch": "same", "openvino": "by spawn"}),
    ],
)  # fmt: skip
def test_a_worker_reads_as_its_parent_does_or_says_why_not(tmp_path, backend, method, when, said):
    pytest.importorskip(backend)
    if method == "fork" and sys.platform != "linux":
        pytest.skip("processes are not forked here")
    save_checkpoint(tmp_path / "model", random_model(name="tiny"), wordpiece(), {})
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path / "model"), backend, method, when],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    said = said if isinstance(said, str) else said[backend]
    assert said in done.stdout and "None" not in done.stdout, done.stdout + done.stderr[-2000:]
