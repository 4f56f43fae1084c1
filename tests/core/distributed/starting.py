"""Start programs on ranks of MPI, where it is installed."""

import importlib.util
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from glassgrad.core.distributed import DistributedError
from glassgrad.launching import THREADS, command, mpiexec

ROOT = Path(__file__).resolve().parents[3]


@cache
def why_no_mpi() -> str:
    """Why nothing can run on ranks here; "" if it can."""
    if importlib.util.find_spec("mpi4py") is None:
        return "mpi4py is not installed"
    try:
        mpiexec()
    except DistributedError as error:
        return str(error)
    return ""


def started(ranks: int, *arguments: str, seconds: float = 100):
    """The finished process of `mpiexec -n RANKS python ARGUMENTS`, its output as text."""
    line = command(ranks, [sys.executable, *arguments])
    environment = dict.fromkeys(THREADS, "1") | os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=seconds)
