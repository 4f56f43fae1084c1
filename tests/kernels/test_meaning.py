"""Machine code is found again for the function it was made of, and for no other one."""

import importlib
import os
import sys
import time
import types

import numba
import numpy as np
import pytest

from glassgrad.kernels import compiled, meaning, numba_parts
from glassgrad.kernels.errors import BackendError


@pytest.fixture
def run(tmp_path, monkeypatch):
    """run(text, names...): executes a module from a file as a new process would; its namespace."""
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(compiled, "cache_folder", lambda: folder)

    def execute(text, name="family", **given):
        meaning.content.cache_clear()
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        module = types.ModuleType(name)
        vars(module).update(given, njit=compiled.njit, np=np, __file__=str(path))
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(text, str(path), "exec"), vars(module))
        return module

    execute.folder = folder
    return execute


def hits(*functions) -> list[int]:
    return [sum(f.stats.cache_hits.values()) for f in functions]


ALIKE = {
    "constants": "f = njit(lambda x: x * 2)\ng = njit(lambda x: x * 3)",
    "one line": "f, g = njit(lambda x: x * 2), njit(lambda x: x * 3)",
    "names": """
import math
def make(c):
    if c:
        def inner(x): return math.floor(x / 2) + 2
    else:
        def inner(x): return math.ceil(x / 2) + 2
    return njit(inner)
f, g = make(True), make(False)
""",
    "closure": """
def make(n):
    @njit
    def inner(x): return x * n
    return inner
f, g = make(2), make(3)
""",
    "closure over a kernel": """
def make(h):
    @njit
    def inner(x): return h(x)
    return inner
@njit
def two(x): return x * 2
@njit
def three(x): return x * 3
f, g = make(two), make(three)
""",
    "a kernel as argument": """
@njit
def call(h, x): return h(x)
@njit
def two(x): return x * 2
@njit
def three(x): return x * 3
def f(x): return call(two, x)
def g(x): return call(three, x)
""",
    "options": """
def make(**options):
    @njit(**options)
    def inner(x): return 2 + x / (x - 1)
    return inner
def f(x): return make(error_model="numpy")(x)
def g(x):
    try: return make()(x)
    except ZeroDivisionError: return 3
""",
}
RIGHT = dict.fromkeys(ALIKE, (2, 3)) | {"names": (2, 3), "options": (np.inf, 3)}


@pytest.mark.parametrize("what", ALIKE)
def test_functions_that_look_alike_have_each_their_own_code(run, what):
    for _ in range(3):
        module = run(ALIKE[what])
        assert (module.f(1), module.g(1)) == RIGHT[what]
    numbers = len(list(run.folder.iterdir()))
    run(ALIKE[what]).f(1)
    assert len(list(run.folder.iterdir())) == numbers


def test_a_closure_over_a_kernel_is_found_again(run):
    module = run(ALIKE["closure over a kernel"])
    assert (module.f(1), module.g(1), hits(module.f, module.g)) == (2, 3, [0, 0])
    files = {*run.folder.iterdir()}
    module = run(ALIKE["closure over a kernel"])
    assert (module.f(1), module.g(1), hits(module.f, module.g)) == (2, 3, [1, 1])
    assert {*run.folder.iterdir()} == files


USES = {
    "imported": "from helper import *\n@njit\ndef kernel(x): return helped(x) * SCALE",
    "by the module": "import helper\n@njit\ndef kernel(x): return helper.helped(x) * helper.SCALE",
    "through another": """
from helper import *
@njit
def between(x): return helped(x)
@njit
def kernel(x): return between(x) * SCALE
""",
}
HELPER = "{}\ndef helped(x): return x + OFFSET[1]\nSCALE = 10\nOFFSET = np.array([5, 1])"


@pytest.mark.parametrize("decorated", ["@njit", "import numba\n@numba.njit"])
@pytest.mark.parametrize("how", USES)
def test_a_change_in_a_file_of_a_user_s_family_is_seen_at_once(run, how, decorated):
    text = HELPER.format(decorated)
    changes = {  # of the helper's file: the result
        ("", ""): 20,
        ("x + ", "x * 4 + "): 50,
        ("= 10", "= 7"): 14,
        ("[5, 1]", "[5, 3]"): 40,
    }
    for (before, after), result in changes.items():
        for found in 0, 1:
            run(text.replace(before, after), "helper")
            kernel = run(USES[how]).kernel
            assert (kernel(1), hits(kernel)) == (result, [found])


def test_a_global_that_has_changed_since_the_last_signature(run):
    text = "SCALE = 2\n@njit\ndef kernel(x): return x * SCALE"
    module = run(text)
    assert module.kernel(1) == 2
    module.SCALE = 3
    assert module.kernel(1.0) == 3  # another signature, compiled with the number of now
    module = run(text)
    assert (module.kernel(1), module.kernel(1.0)) == (2, 2)


def test_recursion_has_a_meaning(run):
    text = "@njit\ndef down(x):\n    if x < 1: return 0\n    return 1 + down(x - 1)"
    for found in 0, 1:
        down = run(text).down
        assert (down(4), hits(down)) == (4, [found])


def test_what_cannot_be_judged_is_not_kept(run):
    text = "@njit\ndef first(x): return x\n@njit\ndef kernel(x):\n    return x + len(KEYS)"
    keys = numba.typed.List([1, 2, 3])
    with pytest.raises(meaning.Unknown):
        meaning.meaning([keys])
    module = run(text, KEYS=keys)
    assert compiled.Kept(module.kernel)._place((), None) is None
    module.first(1)
    assert len(list(run.folder.iterdir())) == 1


def test_values_of_different_kinds_differ():
    code = compile("x = (1, {2}, 'a\\ud800')", "", "exec")
    values = [
        1, 1.0, True, 0.0, -0.0, "1", b"1", None, (), (1,), (1.0,), ((1,),), (1, ()), [1],
        np.float32(1), np.float64(1), np.ones(1), np.ones(1, "float32"), np.ones((1, 1)),
        np.zeros(1), np.dtype("float32"), np.dtype(">f4"), np.float32, np.add, np.subtract,
        {1: 2}, {1: 3}, frozenset({1}), numba.float32, numba.float64[::1], code, "\ud800",
        np.dot, np.sum, len, abs, types.SimpleNamespace,
    ]  # fmt: skip
    assert len({meaning.meaning(v) for v in values}) == len(values)
    assert meaning.meaning({"a", "b", "c"}) == meaning.meaning({"c", "b", "a"})


def test_every_kernel_of_ours_can_be_kept_and_is_judged_quickly():
    """It is paid for every function that is loaded."""
    for path in meaning.SOURCES.glob("*/cpu.py"):
        importlib.import_module(f"glassgrad.kernels.{path.parent.name}.cpu")
    ours = [
        made
        for name, module in list(sys.modules.items())
        if name.startswith("glassgrad.kernels.")
        for made in vars(module).values()
        if isinstance(made, numba.core.dispatcher.Dispatcher)
    ]
    assert len({*ours}) > 100
    start = time.perf_counter()
    for made in ours:
        meaning.meaning(made)
    took = (time.perf_counter() - start) / len(ours)
    assert took < 5e-3, took


def test_the_files_used_last_are_kept(run, monkeypatch):
    monkeypatch.setattr(compiled, "FILES", 3)
    text = "@njit\ndef kernel(x): return x"
    run(text).kernel(1)
    (first,) = run.folder.iterdir()
    for age, name in enumerate([".new-killed", "a.code", "b.code"]):
        (run.folder / name).touch()
        os.utime(run.folder / name, (1000 - age, 1000 - age))
    os.utime(first, (10, 10))
    kernel = run(text).kernel
    kernel(1)
    assert hits(kernel) == [1]
    kernel(1.0)
    left = {p.name for p in run.folder.iterdir()}
    assert len(left) == 3 and {first.name, ".new-killed"} < left


@pytest.mark.parametrize("part", ["caching._Cache", "compiler.CompileResult._rebuild"])
def test_a_numba_that_has_changed_is_reported(monkeypatch, part):
    """By its version and the part, when kernels are imported."""
    monkeypatch.delattr(f"numba.core.{part}")
    name = part.rpartition(".")[2]
    with pytest.raises(BackendError, match=rf"Numba {numba.__version__} .*{name}.*README"):
        importlib.reload(numba_parts)
