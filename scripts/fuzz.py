"""Feed claimx what nobody would write, and see that nothing breaks.

    python scripts/fuzz.py                                     lists the targets
    python scripts/fuzz.py TARGET [--inputs 10000] [--seed 1] [--faults FOLDER]
    python scripts/fuzz.py TARGET --replay FILE
    python scripts/fuzz.py TARGET --engine atheris [--inputs 10000] [--seed 1]

hypothesis chooses bytes, a target makes inputs of them and checks what claimx does with each. A
check fails on any exception but claimx's own, on an offset that does not hold, on a record that
does not keep to claimx/schemas, and on an input that takes too long. Then hypothesis looks for the
least bytes that fail, the input that they make is written to FOLDER as a Python literal, and the
exit code is 1. The line at the end counts the inputs that were checked. Seeds repeat runs.

With --engine atheris (`pip install atheris`) libFuzzer chooses the bytes, by which branches of
claimx they reach. TARGET may be a group such as `formats`.
"""

from __future__ import annotations

import argparse
import ast
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hypothesis import HealthCheck, Phase, given, seed, settings, strategies

from scripts.fuzzing.feed import Feed

BATCH = 500  # examples; hypothesis remembers them all, and begins anew behind so many
WALL = 20.0  # times the processor time that an input may take: machines are busy


class TooSlowError(Exception):
    """An input took more time than it may."""


class PanicError(Exception):
    """A library broke in a way that is no Exception, and would end a program."""


class Run:
    """One target under way: makes inputs of bytes, checks and counts them, keeps the last one."""

    def __init__(self, target: Any) -> None:
        self.target = target
        self.count = 0
        self.last: Any = None
        self.busy = False

    def __call__(self, data: bytes) -> None:
        """Check as many inputs as the bytes make."""
        feed = Feed(data)
        while feed:
            self.last = self.target.make(feed)
            self.busy = True
            try:
                self.count += self.target.check(self.last) or 1
            except (Exception, KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # a panic of a library in Rust
                raise PanicError(str(error)) from error
            finally:
                self.busy = False


@contextmanager
def timed(run: Run) -> Iterator[None]:
    """Break off an input that takes too long: no two ticks may find the same one under way.

    A clock that ticks costs nothing while inputs are quick; timing each would cost more than most.
    """
    seen: dict[int, Any] = {}

    def tick(number: int, _: FrameType | None) -> None:
        if run.busy and seen.get(number) is run.last:
            raise TooSlowError(f"more than {run.target.seconds:g} s of processor time")
        seen[number] = run.last

    clocks = {signal.SIGPROF: signal.ITIMER_PROF, signal.SIGALRM: signal.ITIMER_REAL}
    for number, clock in clocks.items():
        signal.signal(number, tick)
        seconds = run.target.seconds * (WALL if number == signal.SIGALRM else 1)
        signal.setitimer(clock, seconds, seconds)
    try:
        yield
    finally:
        for clock in clocks.values():
            signal.setitimer(clock, 0)


def by_hypothesis(run: Run, inputs: int, first_seed: int) -> Exception | None:
    """Try so many inputs; return the fault that the smallest failing input shows."""
    quiet = settings(
        max_examples=BATCH, database=None, deadline=None, report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    size = run.target.size

    failed = False

    def attempt(data: bytes) -> None:
        nonlocal failed
        if failed or run.count < inputs:  # a fault is tried again until it is small
            try:
                run(data)
            except Exception:
                failed = True
                raise

    batch = 0
    with timed(run):
        while run.count < inputs:
            try_all = quiet(given(strategies.binary(min_size=size, max_size=size))(attempt))
            try:
                seed(first_seed * 1_000_003 + batch)(try_all)()
            except Exception as error:
                return error
            batch += 1
    return None


def by_atheris(run: Run, inputs: int, first_seed: int) -> None:
    """Let libFuzzer choose the bytes; it ends the process itself, with its own words at a fault."""
    atheris = import_module("atheris")

    def attempt(data: bytes) -> None:
        try:
            run(data)
        except Exception as error:
            write_fault(Path("build/faults"), run, error)
            raise
        if run.count >= inputs:
            print(f"{run.target.name}: {run.count:,} inputs by libFuzzer, 0 faults", flush=True)
            os._exit(0)  # libFuzzer would only go on

    options = [f"-seed={first_seed}", f"-max_len={run.target.size}", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options], attempt)
    with timed(run):
        atheris.Fuzz()


def write_fault(folder: Path, run: Run, error: Exception) -> Path:
    """Keep the input and the traceback."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{run.target.name}.txt"
    trace = "".join(traceback.format_exception(error))
    lines = "".join(f"# {line}\n" for line in trace.splitlines())
    path.write_text(f"{run.last!r}\n{lines}", encoding="utf-8", errors="backslashreplace")
    return path


def try_target(target: Any, arguments: argparse.Namespace) -> bool:
    """Run one target and say how it went; True if nothing broke."""
    run = Run(target)
    if arguments.replay:
        source = arguments.replay.read_text(encoding="utf-8").split("\n#", 1)[0]
        target.check(ast.literal_eval(source))
        return True
    if arguments.engine == "atheris":
        by_atheris(run, arguments.inputs, arguments.seed)
    begin = time.perf_counter()
    error = by_hypothesis(run, arguments.inputs, arguments.seed)
    seconds = time.perf_counter() - begin
    faults = f"a fault: {write_fault(arguments.faults, run, error)}" if error else "0 faults"
    print(
        f"{target.name}: {run.count:,} inputs, seed {arguments.seed}, {seconds:,.0f} s, {faults}",
        flush=True,
    )
    return error is None


def main() -> int:
    """Run the targets that are named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", nargs="?", help="a target or a group of them")
    parser.add_argument("--inputs", type=int, default=10_000, help="of each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=Path, default=Path("build/faults"))
    parser.add_argument("--replay", type=Path, help="a file that a fault was written to")
    parser.add_argument("--engine", choices=("hypothesis", "atheris"), default="hypothesis")
    arguments = parser.parse_args()
    if arguments.engine == "atheris":
        with import_module("atheris").instrument_imports(include=["claimx"]):
            targets = import_module("scripts.fuzzing.targets").TARGETS
    else:
        targets = import_module("scripts.fuzzing.targets").TARGETS
    wanted = [t for t in targets if arguments.target in (t.name, t.group)]
    if not wanted:
        print("\n".join(f"{target.group:12} {target.name}" for target in targets))
        return int(arguments.target is not None)
    went_well = [try_target(target, arguments) for target in wanted]
    return int(not all(went_well))


if __name__ == "__main__":
    sys.exit(main())
