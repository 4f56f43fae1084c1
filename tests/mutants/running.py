"""A process for each mutant, and its verdict.

The processes are forked from a server that has imported NumPy, Numba and pytest, but nothing of
ours: it saves half of the time.
"""

import contextlib
import multiprocessing
import os
import re
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from . import child
from .child import ROOT
from .operators import Mutant, apply
from .table import TESTS

LIMIT = 120  # seconds of processor time, more than ten times what most files' tests take
IDLE = 10  # times as long on the clock: a mutant may wait for ever, and the machine may be busy

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(child.PRELOAD)


class TableError(Exception):
    """Tests of the table do not exist, or fail without any mutant."""


@dataclass(frozen=True)
class Verdict:
    """Killed by what, or survived (None)."""

    by: str | None
    seconds: float


def module_name(file: str) -> str:
    """
    >>> module_name("core/functions/shapes.py")
    'glassgrad.core.functions.shapes'
    """
    return "glassgrad." + file.removesuffix(".py").replace("/", ".")


def judge(mutant: Mutant, limit: int = LIMIT) -> Verdict:
    """Run the tests of the mutant's file against it, for `limit` seconds of processor time."""
    source = apply((ROOT / mutant.file).read_text(encoding="utf-8"), mutant)
    status, said, seconds = in_process(
        f"{module_name(mutant.file)}:{mutant.function}", source, TESTS[mutant.file], limit
    )
    if status in (None, -signal.SIGXCPU):
        return Verdict("time", seconds)
    if status < 0:
        return Verdict(signal.Signals(-status).name, seconds)
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+\.py(?:::\w+(?:\[.*?\])?)?)(?: - |$)", said, re.M)
    if status and not failed:
        raise TableError(f"the tests of {mutant.file} ended with {status}:\n{said}")
    return Verdict(failed[-1] if status else None, seconds)


def wrong_killers(file: str, killers: list[str], limit: int = LIMIT) -> str:
    """What happens without a mutant: nothing to speak of when the tests pass, as they have to.

    A killer that names no test, but a file that could not be collected, a signal or the time, is
    confirmed by all the tests of the mutated file.
    """
    tests = [killer for killer in killers if "::" in killer]
    runs = [[tests]] if tests else []
    if len(tests) < len(killers):
        runs.append(TESTS[file])
    for stages in runs:
        status, said, _ = in_process(module_name(file), None, stages, limit)
        if status != 0:
            return f"without a mutant the tests of {file} ended with {status}:\n{said}"
    return ""


def in_process(where, source, stages, limit):
    """(exit status, or None where it did not end; the end of what was printed; seconds)."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        process = PROCESSES.Process(
            target=child.run, args=(where, source, stages, str(output), limit)
        )
        process.start()
        process.join(IDLE * limit)
        status = process.exitcode
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # with whatever it has started
        process.join()
        said = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
    return status, said[-4000:], time.monotonic() - start
