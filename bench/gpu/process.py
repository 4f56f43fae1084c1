"""A command with a time limit, and the tools of the CUDA toolkit."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from glob import glob
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # the checkout: tests stand there
PLACES = (
    "/usr/local/cuda*/bin",
    "/usr/local/cuda*/compute-sanitizer",
    "/opt/nvidia/*/*",
    "/opt/nvidia/*/*/host/*",
    "/usr/local/cuda*/nsight-compute*",
    "/opt/cuda/bin",
)
TAIL = 4000  # characters of an output that are kept


@dataclass(frozen=True)
class Done:
    """How a command ended: its exit code (None: it was out of time), what it said, its seconds."""

    code: int | None
    output: str
    seconds: float

    @property
    def tail(self) -> str:
        """The end of what it said."""
        return self.output[-TAIL:]


def run(command: list[str], limit: float, **environment: str) -> Done:
    """Run a command for at most `limit` seconds; standard output and error are one text."""
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **environment},
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=max(1.0, limit))
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # what it started goes with it
        output, _ = process.communicate()
        code = None
    return Done(code, output, time.monotonic() - started)


def python(*arguments: str) -> list[str]:
    """A command of this Python's."""
    return [sys.executable, *arguments]


def tool(name: str) -> str | None:
    """The path of a tool: on PATH, in CUDA's folders, or among the installed packages."""
    found = shutil.which(name)
    if found:
        return found
    packages = [f"{p}/nvidia/*/bin" for p in sys.path if p.endswith("-packages")]
    for place in (*PLACES, *packages):
        for path in sorted(glob(f"{place}/{name}"), reverse=True):
            if os.access(path, os.X_OK) and Path(path).is_file():
                return path
    return None
