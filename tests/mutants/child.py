"""What happens in the process of one mutant: plant it, run its tests, leave with their status.

The mutant is planted in memory, nothing on disk is changed. It has no file, so Numba keeps no
machine code of it; other code is not written to the cache either while a kernel's file is mutated,
because the mutant may be compiled into it.
"""

import contextlib
import importlib.abc
import importlib.util
import os
import resource
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRELOAD = ["numpy", "scipy.special", "scipy.signal", "scipy.sparse", "numba", "pytest"]


class Planted(importlib.abc.MetaPathFinder):
    """Finds one module, with other source."""

    def __init__(self, module: str, source: str):
        self.module, self.source = module, source

    def find_spec(self, name, path=None, target=None):
        if name != self.module:
            return None
        sys.meta_path.remove(self)  # the others know where it is
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        code = compile(self.source, f"<mutant of {name}>", "exec")
        spec.loader.get_code = lambda fullname: code
        return spec


def plant(module: str, source: str) -> None:
    """From now on `module` is imported from `source`."""
    sys.meta_path.insert(0, Planted(module, source))
    if ".kernels." in module:
        with contextlib.suppress(Exception):  # if it cannot be imported the tests say so
            from glassgrad.kernels import compiled

            compiled.Kept.save_overload = lambda self, signature, result: None


def run(where: str, source: str | None, stages: list, output: str, limit: int) -> None:
    """The tests, stage after stage, until one fails; what they print goes to the file `output`.

    `where` is module:function, for contract.py. After `limit` seconds of processor time the system
    ends the process with SIGXCPU.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
    os.setsid()  # so that whatever the tests start can be ended with them
    os.chdir(ROOT)
    os.environ.pop(
        "PYTEST_ADDOPTS", None
    )  # options of an outer run would change which test notices
    os.environ.update(GLASSGRAD_MUTANT=where, COLUMNS="500")  # names of tests are not cut
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    if source is not None:
        plant(where.partition(":")[0], source)
    import pytest

    for stage in stages:
        words = shlex.split(stage) if isinstance(stage, str) else stage
        status = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *words]))
        if status:
            break
    sys.stdout.flush()
    os._exit(status)  # at once: no thread of the tests can hold the process up
