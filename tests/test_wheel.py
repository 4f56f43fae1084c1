"""The real CuPy, wherever its wheel is installed, and the stand-in compared with what it does.

What the stand-in offers and refuses is compared with the record of the wheel on any machine; the
record with the wheel, and every kernel's way into the driver, where there is one.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import cupy_record, wheel
from tests.kernels.checking import why_no_emulator, why_no_gpu

ROOT = Path(__file__).parents[1]
RECORD = json.loads(cupy_record.FILE.read_text())
WHY = wheel.why_not() or (not why_no_gpu() and "there is a GPU: its own tests run")
on_the_wheel = pytest.mark.skipif(bool(WHY), reason=str(WHY))
MISSING = {"AttributeError", "TypeError", "ValueError", "KeyError", "UFuncTypeError"}


def run(*arguments, timeout=1500):
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


STAND_IN = """
import json
from tests import cupy_record, fake_cupy
fake_cupy.install()
offered = {}
for where in cupy_record.PLACES:
    owner = cupy_record.place(where)
    offered[where] = [n for n in dir(owner) if not n.startswith("_")]
print(json.dumps({"offered": offered, "manners": cupy_record.manners()}))
"""


@pytest.fixture(scope="module")
def stand_in():
    return json.loads(run("-c", STAND_IN))


def test_the_stand_in_offers_nothing_that_cupy_does_not_have(stand_in):
    internal = {  # of the stand-in's own
        "cupy.RawModule": {"code", "options", "text"},
        "cupy.RawKernel": {"module", "signature"},
        "cupy.cuda.Event": {"seconds"},
        "cupyx": {"scipy"},
    }
    for where, names in stand_in["offered"].items():
        extra = set(names) - set(RECORD["names"][where]) - internal.get(where, set())
        assert not extra, f"{where}: CuPy has no {sorted(extra)}"


def test_the_stand_in_refuses_what_cupy_refuses(stand_in):
    """It may refuse more; an error of CuPy's has an error of the same kind here."""
    lax, other = {}, {}
    for expression, wanted in RECORD["manners"].items():
        got = stand_in["manners"][expression]
        if wanted != "accepted" and got != wanted:
            (lax if got == "accepted" else other)[expression] = wanted, got
    assert not lax, "the stand-in accepts what CuPy refuses"
    kinds = {"UFuncTypeError": "TypeError", "_UFuncOutputCastingError": "TypeError"}
    assert all(kinds.get(got, got) == wanted for wanted, got in other.values()), other


@on_the_wheel
def test_the_record_is_what_the_wheel_says():
    """Another version may have more names, not fewer, and the same manners."""
    now = json.loads(run("-m", "tests.cupy_record", "--print"))
    assert now["manners"] == RECORD["manners"]
    for where, names in RECORD["names"].items():
        if now["cupy"] == RECORD["cupy"]:
            assert now["names"][where] == names, where
        used = set(names) & set(now["names"][where])
        assert len(used) > 0.9 * len(names), f"{where}: record the names again"


PACKED = """
import json
import struct
from typing import NamedTuple
from tests import wheel
driver = wheel.install()
import cupy
import numpy as np
from glassgrad.kernels.launcher import Source
from tests.kernels.emulating import HEAD
from pathlib import Path

path = Path({folder!r}) / "packed.cu"
path.write_text(HEAD + '''
extern "C" __global__ void packed(const real* x, const int* n, real* y, unsigned u, long long big,
                                  unsigned long long bits, index_t i, real r, double d, int s) {{
  y[threadIdx.x] = x[threadIdx.x] + r;
}}
struct Sizes {{ int N, C; index_t all; unsigned u; real r; long long big; }};
extern "C" __global__ void by_value(const real* x, real* y, const Sizes s, int n) {{
  y[threadIdx.x] = x[threadIdx.x] + s.r + (s.big == (1ll << 40) ? n : 0);
}}
''')
source, x, y = Source(path), cupy.asarray(np.arange(8, dtype="f4")), cupy.zeros(9, "f4")
numbers = 2**32 - 1, -(2**62), 2**64 - 1, 5, 0.25, 1e300, -7
source.launch("packed", (2, 1), (8,), x[2:6], None, y[1:], *numbers, shared=60000)
first, = driver.launches
assert first["grid"] == (2, 1, 1) and first["block"] == (8, 1, 1) and first["shared"] == 60000
a, null, b, *got = first["values"]
assert a.ctypes.data == x.data.ptr + 8 and b.ctypes.data == y.data.ptr + 4 and null is None
assert [g.dtype.name for g in got] == [
    "uint32", "int64", "uint64", "int32", "float32", "float64", "int32"]
assert [g.item() for g in got] == list(numbers), got
assert driver.attributes[0][1:] == (8, 60000)  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
source.launch("packed", 1, 4, x.astype("f8")[2:6], None, y.astype("f8"), *numbers,
              cooperative=True)
second = driver.launches[1]
assert second["cooperative"] and second["real"] == "double"
assert second["values"][7].dtype == "float64" and second["values"][0].dtype == "float64"
for wrong in (x[::2], x.astype("f8"), np.zeros(4, "f4"), 3):
    try:
        source.launch("packed", 1, 4, wrong, None, y, *numbers)
    except (ValueError, TypeError, RuntimeError) as error:
        print(type(error).__name__, error)
    else:
        raise SystemExit("a wrong launch was let through")
for value in (cupy.ones((), "i4"), 1.5, "5", None, 2**31):
    try:
        source.launch("packed", 1, 4, x, None, y, *numbers[:-1], value)
    except (ValueError, TypeError) as error:
        print(type(error).__name__, error)
    else:
        raise SystemExit("a wrong number was let through")
assert len(driver.launches) == 2
z = y.get()
assert np.array_equal(z[1:5], [2.25, 3.25, 4.25, 5.25]), z

# a struct by value: the driver gets the address of so many bytes, laid out as C does
Sizes = NamedTuple("Sizes", [(n, float) for n in ("N", "C", "all", "u", "r", "big")])
sizes, kept = Sizes(-3, 2**31 - 1, 70, 2**32 - 1, 0.25, 2**40), []
for dtype, packed in (("f4", "<iiiIf4xq"), ("f8", "<iiiI d q".replace(" ", ""))):
    a, b = x.astype(dtype), cupy.zeros(9, dtype)
    source.launch("by_value", 1, 4, a, b, sizes, 9)
    got = driver.launches[-1]["values"]
    assert got[2].tobytes() == struct.pack(packed, *sizes), (dtype, got[2])
    assert got[2].item() == tuple(sizes) and got[3] == 9
    assert np.array_equal(b.get()[:4], [9.25, 10.25, 11.25, 12.25]), b.get()
count = len(driver.launches)
one = cupy.ones((), "i4")
for value in (5, None, tuple(sizes), sizes._replace(N=2**31), sizes._replace(N=one)):
    try:
        source.launch("by_value", 1, 4, x, y, value, 9)
    except (ValueError, TypeError) as error:
        print(type(error).__name__, error)
    else:
        raise SystemExit("a wrong struct was let through")
assert len(driver.launches) == count

# what CuPy itself takes as a struct: an array of one, which it copies; no tuple, no longer array
kind = np.dtype([("a", "i4"), ("b", "f8")], align=True)
kernel = cupy.RawModule(code=source.text.flat, backend="nvrtc", options=(
    "-std=c++17", "-DGLASSGRAD_REAL=float", "-DGLASSGRAD_INDEX=int")).get_function("by_value")
driver.runs = False
for form in ((1, 2.0), np.zeros(2, kind)):
    try:
        kernel.kernel((1, 1, 1), (4, 1, 1), (x, y, form, np.int32(9)))
    except TypeError as error:
        print(type(error).__name__, error)
    else:
        raise SystemExit(f"CuPy takes a struct as {{form!r}}")
wheel.leave(0)
"""


@on_the_wheel
@pytest.mark.skipif(bool(why_no_emulator()), reason="no compiler")
def test_what_the_driver_gets_is_what_was_given(tmp_path):
    """Every kind of parameter: the driver reads it with its size, at the address that CuPy gives.

    A view begins inside its allocation, None is a null pointer, and a wrong argument never arrives.
    """
    said = run("-c", PACKED.format(folder=str(tmp_path)))
    kinds = ["ShapeError", "DTypeError", "DeviceError", "DTypeError"]
    kinds += ["DTypeError"] * 4 + ["ValueRangeError"]
    kinds += ["DTypeError"] * 3 + ["ValueRangeError", "DTypeError"]  # of a struct
    kinds += ["TypeError"] * 2  # CuPy's own
    assert [line.partition(" ")[0] for line in said.splitlines()] == kinds, said
    assert "['GPU 0', 'the CPU']" in said


FAMILIES = """
import sys
from tests import wheel
driver = wheel.install()
from glassgrad.kernels import cases, implementations
from glassgrad.kernels.source import Text
from tests.kernels.checking import check

ran, kernels = 0, set()
for op in sys.argv[1:]:
    for record in implementations(op, None, "cuda"):
        small = sorted((c for c in cases(op, record.pass_) if not c.bench), key=lambda c: c.flops)
        done = False
        for case in small[len(small) // 4:]:
            if check(record, case, record.dtypes[0], "sliced"):
                done = True
                break
        assert done, f"{record.name} ran no case"
        ran += 1
    kernels |= {launch["kernel"] for launch in driver.launches}
    assert not driver.refused, driver.refused
print(ran, len(kernels))
wheel.leave(0)
"""


@on_the_wheel
@pytest.mark.slow
@pytest.mark.skipif(bool(why_no_emulator()), reason="no compiler")
def test_every_version_of_every_kernel_through_the_wheel():
    """From `cupy.ndarray` to the arguments of cuLaunchKernel: read there, they give the right sums.

    NVRTC compiles every file for sm_90 on the way.
    """
    from glassgrad.kernels import OPERATIONS, implementations

    ran, kernels = map(int, run("-c", FAMILIES, *OPERATIONS).split())
    assert ran == len(implementations(backend="cuda")) and kernels >= ran // 2


REHEARSED = """
from tests import wheel
driver = wheel.install()
from glassgrad.bench.clock import clock_for
from glassgrad.bench.gpu import __main__ as gpu
from glassgrad.bench.gpu import every_kernel, launches
from glassgrad.core import machine

there, what = machine.gpu()
assert there and what.startswith("no GPU: ordinary memory (sm_90, 60 of 80 GiB free), CuPy "), what
found = gpu.describe()
assert found["multiprocessors"] == 132 and found["l2"] == 50 << 20 and found["cupy"], found
assert every_kernel.main(["--op", "dropout", "--once"]) == 0
assert clock_for("cuda").time(lambda: None) == 1e-3
driver.refused.clear()  # the clock fills its buffer by a kernel of CuPy's
driver.runs, launches.LAUNCHES, launches.ROUNDS = False, 10, 3
calls = launches.measure()["calls"]
assert {"few, ours", "many, bare", "many, checks"} <= set(calls), calls
print(calls["many, checks"]["ratio"])
wheel.leave(0)
"""


@on_the_wheel
@pytest.mark.slow
@pytest.mark.skipif(bool(why_no_emulator()), reason="no compiler")
def test_parts_of_make_gpu_on_the_wheel():
    """What it describes, launches and times with: each call exists, with those arguments."""
    assert float(run("-c", REHEARSED).splitlines()[-1]) > 0
