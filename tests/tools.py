"""What the tests share, with what glassgrad/testing/ has for everybody."""

import contextlib
import sys

import pytest

import glassgrad as gg
from glassgrad.core import FUNCTIONS, data
from glassgrad.kernels import registry
from glassgrad.kernels.execution import PREFIX
from glassgrad.kernels.numba_here import why_not
from glassgrad.testing.arrays import EPS, LAYOUTS, assert_close, sliced, tolerance, transposed

__all__ = [
    "EPS", "LAYOUTS", "assert_close", "call", "needs_numba", "on_threads", "skip_without_needs",
    "sliced", "tolerance", "transposed", "unregistered", "without_compiling",
]  # fmt: skip


needs_numba = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


def skip_without_needs(recipe) -> None:
    """Skip where a data set that the recipe needs, such as a network's weights, is not here."""
    missing = [name for name in recipe.needs if data.available(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not here")


@contextlib.contextmanager
def unregistered():
    """What a test's own files register inside the block, kernels and functions, is forgotten."""
    homes, functions = dict(registry._homes), dict(FUNCTIONS)
    try:
        yield
    finally:
        for name in [n for n in sys.modules if n.startswith(PREFIX)]:
            del sys.modules[name]
        for versions in registry._records.values():
            for number, record in list(versions.items()):
                if not record.function.__module__.startswith("glassgrad."):
                    del versions[number]
        for key in [k for k, versions in registry._records.items() if not versions]:
            del registry._records[key]
        registry._homes.clear()
        registry._homes.update(homes)
        for name, function in list(FUNCTIONS.items()):
            if not function.__module__.startswith("glassgrad."):
                FUNCTIONS.pop(name)
        FUNCTIONS.update(functions)


def on_threads(number, function, *args):
    """What `function` returns when Numba runs on `number` threads."""
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(min(number, numba.config.NUMBA_NUM_THREADS))
    try:
        return function(*args)
    finally:
        numba.set_num_threads(before)


def without_compiling(said: str) -> str:
    """Lines on standard error but for those about compiling, which only an empty cache gives."""
    lines = said.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("glassgrad: compiling "))


def call(capsys, *argv) -> tuple[int, str, str]:
    """Exit code, standard output and error of one command, without lines about compiling."""
    from glassgrad import cli

    code = cli.main([str(a) for a in argv])
    captured = capsys.readouterr()
    return code, captured.out, without_compiling(captured.err)


class Undivided:
    """The shards of a step that is made by hand: the minibatch is the only one."""

    whole = True

    def gradients(self, batch, compute, more=(), early=""):
        return compute(batch)

    def backward(self, loss):
        loss.backward()

    def grad(self, loss, inputs):
        return gg.grad(loss, inputs)

    def total(self, batch, statistics):
        return statistics(batch)

    mean = total
