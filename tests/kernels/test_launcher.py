"""A launch is checked before it runs."""

import contextlib
import sys
from typing import NamedTuple

import numpy as np
import pytest

from glassgrad.kernels import BackendError, DTypeError, ShapeError, ValueRangeError, launcher
from glassgrad.kernels.arguments import Arguments, layout
from glassgrad.kernels.emulator import watching
from glassgrad.kernels.errors import CompileError
from tests import fake_cuda, fake_cupy
from tests.kernels.emulating import HEAD, needs_compiler, source

pytestmark = needs_compiler


COPY = """
extern "C" __global__ void __launch_bounds__(128) k(const real* x, real* y, int n) {
  y[0] = x[0];
}
"""
X, Y = np.zeros(4, "float32"), np.zeros(4, "float32")


FIXED = np.zeros_like(Y)
FIXED.flags.writeable = False


@pytest.mark.parametrize(
    "error, says, grid, block, arguments, shared",
    [
        (ShapeError, "number of arguments; expected 3, got 2", 1, 1, (X, Y), 0),
        (DTypeError, "one dtype", 1, 1, (X, Y.astype("f8"), 1), 0),
        (DTypeError, "one dtype", 1, 1, (X.astype("i4"), Y, 1), 0),
        (DTypeError, "must be an array", 1, 1, (X, 3, 1), 0),
        (ShapeError, "C-contiguous", 1, 1, (X[::2], Y, 1), 0),
        (ShapeError, "must not share memory with x", 1, 1, (X, X, 1), 0),
        (ShapeError, "at most 128 threads", 1, 256, (X, Y, 1), 0),
        (ShapeError, "grid must fit", (1, 70000), 1, (X, Y, 1), 0),
        (ShapeError, "grid must fit", 0, 1, (X, Y, 1), 0),
        (ShapeError, "dynamic shared memory", 1, 1, (X, Y, 1), 1 << 20),
        (ValueRangeError, "n must fit int", 1, 1, (X, Y, 2**31), 0),
        (DTypeError, "n must be a number; expected int, got 1.5", 1, 1, (X, Y, 1.5), 0),
        (ValueRangeError, "y is written; expected a writable array", 1, 1, (X, FIXED, 1), 0),
    ],
)
def test_a_wrong_launch_is_refused(tmp_path, error, says, grid, block, arguments, shared):
    with pytest.raises(error, match=says):
        source(tmp_path, COPY).launch("k", grid, block, *arguments, shared=shared)


def test_an_unknown_kernel_names_the_nearest(tmp_path):
    with pytest.raises(BackendError, match="did you mean 'forward_v1'"):
        source(tmp_path, COPY.replace(" k(", " forward_v1(")).launch("forward_v2", 1, 1, X, Y, 1)


@pytest.mark.parametrize(
    "line, feature",
    [
        ("__activemask();", "__activemask"),
        ('asm("nop;");', "inline PTX"),
        ("cg::sync(cg::this_grid());", "cooperative groups"),
        ("k<<<1, 32>>>(y);", "launches of kernels from functions other"),
        ("real* p = new real[4];", "malloc, free, new and delete"),
        ("void* p = malloc(4);", "malloc, free, new and delete"),
        ("half h;", "half precision"),
        ("__nv_bfloat162 pair;", "half precision"),
        ("y[0] = tex1Dfetch<real>(t, 0);", "textures"),
        ("assert(y);", "assert"),
        ("__shared__ int (*a)[4];", "one line `__shared__ type name"),
    ],
)
def test_an_unsupported_feature_is_named_with_its_line(tmp_path, line, feature):
    text = f'extern "C" __global__ void k(real* y) {{\n  {line}\n}}'
    with pytest.raises(CompileError, match=feature) as error:
        source(tmp_path, text).launch("k", 1, 1, Y)
    assert "planted.cu:3" in str(error.value)


@pytest.mark.parametrize(
    "text, says",
    [
        ("#include <cuda_fp16.h>", "3: the emulator does not support half precision"),
        (
            "// none\n__device__ unsigned int count = 0;",
            "4: the emulator does not support variables",
        ),
        ("__device__ real* place;", "3: the emulator does not support variables of the device"),
        ("static __global__ void f(real* y) {}", "3: a kernel is declared as extern"),
        ('\nextern "C" __global__ void\nf(const half* y) {}', "5:9: error: "),
        (
            'extern "C" __global__ void f(texture<float> t) {}',
            "3: the emulator does not support textures",
        ),
        (
            'extern "C" __global__ void __launch_bounds__(N) f(real* y) {}',
            "3: f: cannot read its b",
        ),
        ('#include "nowhere.cuh"', "3: there is no file 'nowhere.cuh'"),
        ("\n// caf\udce9", "4: not UTF-8"),
    ],
)
def test_what_cannot_be_read_has_path_and_line(tmp_path, text, says):
    made = source(tmp_path, "")
    kernel = '\nextern "C" __global__ void k(real* y) {}\n'
    made.path.write_bytes((HEAD + "\n" + text + kernel).encode(errors="surrogateescape"))
    with pytest.raises(CompileError) as error:
        made.launch("k", 1, 1, Y)
    assert f"{made.path}:{says}" in str(error.value)


SIZES = """
struct Sizes {
  int N, C;       // read with their comments
  index_t all;
  unsigned int u;
  real r;
  long long big;
};
extern "C" __global__ void k(const real* x, real* y, const Sizes s, int n) {
  const double given[7] = {double(s.N), double(s.C), double(s.all), double(s.u), double(s.r),
                           double(s.big), double(n)};
  if (threadIdx.x < 7) y[threadIdx.x] = x[0] + real(given[threadIdx.x]);
}
"""


def record(*names):
    return NamedTuple("Record", [(name, float) for name in names])


Sizes = record("N", "C", "all", "u", "r", "big")
GIVEN = Sizes(-3, 2**31 - 1, 70, 2**32 - 1, 0.25, -(2**40))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("watched", [False, True])
def test_a_struct_arrives_field_by_field(tmp_path, dtype, watched):
    """Also where fields of 8 bytes leave gaps, which depend on `real`."""
    made, x, y = source(tmp_path, SIZES), np.zeros(1, dtype), np.zeros(7, dtype)
    with watching() if watched else contextlib.nullcontext() as report:
        made.launch("k", 1, 32, x, y, GIVEN, 9)
    assert y.tolist() == np.array([*GIVEN, 9], dtype).tolist()
    assert not watched or not report.findings


def test_a_struct_is_laid_out_as_c_does(tmp_path):
    fields = source(tmp_path, SIZES).text.signature("k").parameters[2].fields
    narrow, wide = layout(fields, "float", "int"), layout(fields, "double", "long long")
    assert [narrow.fields[n][1] for n in narrow.names] == [0, 4, 8, 12, 16, 24]
    assert [wide.fields[n][1] for n in wide.names] == [0, 4, 8, 16, 24, 32]
    assert (narrow.itemsize, wide.itemsize) == (32, 40)


Other, Few = record("C", "N", "all", "u", "r", "big"), record("N", "C")


@pytest.mark.parametrize(
    "error, says, sizes",
    [
        (DTypeError, "s must be a named tuple with the fields of Sizes; expected N, C", 5),
        (DTypeError, "s must be a named tuple", None),
        (DTypeError, "s must be a named tuple", tuple(GIVEN)),
        (DTypeError, "s must be a named tuple", np.array(tuple(GIVEN))),
        (DTypeError, "u, r, big, got N, C$", Few(1, 2)),
        (DTypeError, "got C, N, all", Other(*GIVEN)),
        (DTypeError, "s.N must be a number; expected int, got 1.0", GIVEN._replace(N=1.0)),
        (DTypeError, "s.r must be a number; expected float, got '1'", GIVEN._replace(r="1")),
        (DTypeError, "s.C must be a number", GIVEN._replace(C=np.zeros(1, "int32"))),
        (ValueRangeError, "s.C must fit int; .* got 2147483648", GIVEN._replace(C=2**31)),
        (ValueRangeError, "s.all must fit int", GIVEN._replace(all=2**31)),
        (ValueRangeError, "s.u must fit unsigned", GIVEN._replace(u=-1)),
        (ValueRangeError, "s.big must fit long long", GIVEN._replace(big=2**63)),
    ],
)
def test_a_wrong_struct_is_refused_also_after_a_right_one(tmp_path, error, says, sizes):
    check = Arguments(source(tmp_path, SIZES).text.signature("k"))
    x, y = np.zeros(1, "float32"), np.zeros(7, "float32")
    check((x, y, GIVEN, 9))
    with pytest.raises(error, match=says):
        check((x, y, sizes, 9))


@pytest.mark.parametrize(
    "struct",
    [
        "struct S { int n; real* x; };",
        "struct S { int n[2]; };",
        "struct S { int n = 1; };",
        "struct S { int n : 3; };",
        "struct S { };",
        "struct T { int m; };\nstruct S { T t; };",
        "#if 1\nstruct S { int n; };\n#else\nstruct S { int n, m; };\n#endif",
    ],
)
def test_a_struct_of_other_things_is_no_parameter(tmp_path, struct):
    made = source(tmp_path, struct + '\nextern "C" __global__ void f(real* y, const S s) {}')
    with pytest.raises(CompileError, match=r"f: cannot read its parameter 'const S s': a struct"):
        made.text.signature("f")


@pytest.mark.parametrize(
    "struct",
    [
        "struct S : T { int n; };",
        "struct alignas(16) S { int n; };",
        "struct S { int n; __device__ int two() const { return 2 * n; } };",
    ],
)
def test_a_struct_that_c_may_lay_out_otherwise_is_not_read(tmp_path, struct):
    made = source(tmp_path, struct + '\nextern "C" __global__ void f(real* y, S s) {}')
    with pytest.raises(CompileError, match="f: cannot read its parameter 'S s'"):
        made.text.signature("f")


@pytest.mark.parametrize("parameter", ["const S* s", "const S& s", "S"])
def test_a_struct_is_passed_by_value(tmp_path, parameter):
    text = f'struct S {{ int n; }};\nextern "C" __global__ void f(real* y, {parameter}) {{}}'
    with pytest.raises(CompileError, match="f: cannot read its parameter"):
        source(tmp_path, text).text.signature("f")


def test_a_table_of_versions_is_registered_in_a_loop(monkeypatch):
    seen = []
    monkeypatch.setattr(launcher, "register", lambda *a, **k: lambda f: seen.append((a, k, f)))
    rungs = {2: {"idea": "two"}, 5: {"idea": "five", "dtypes": ("float32",)}}
    launcher.Source("cuda.py").implements_each("som", "best", lambda v, x: (v, x), rungs)
    assert [k["backend"] for _, k, _ in seen] == ["cuda", "emulated"] * 2
    assert [(k["version"], k["idea"], f(7)) for _, k, f in seen[::2]] == [
        (2, "two", (2, 7)),
        (5, "five", (5, 7)),
    ]
    last = seen[-1][2]
    assert (last.__name__, last.__module__, last.__doc__) == ("best_v5", __name__, "five.")


@pytest.mark.parametrize("order", ["__launch_bounds__(64) void", "void __launch_bounds__(64)"])
def test_bounds_stand_before_or_after_void(tmp_path, order):
    made = source(tmp_path, f'extern "C" __global__ {order} k(int* y) {{ y[threadIdx.x] = 1; }}')
    y = np.zeros(64, "int32")
    made.launch("k", 1, 64, y)
    assert y.all()
    with pytest.raises(ShapeError, match="at most 64 threads"):
        made.launch("k", 1, 65, np.zeros(65, "int32"))


def test_a_word_in_a_string_or_comment_is_no_feature(tmp_path):
    text = """
// new real[4] and printf
extern "C" __global__ void k(int* y) {
  const int half = y[0] / 2;  /* malloc(4) */
  y[0] = half * 2 + (half - 1);
}
"""
    y = np.full(1, 8, "int32")
    source(tmp_path, text).launch("k", 1, 1, y)
    assert y[0] == 11


class Stub:
    """Stands in for a `cupy.RawKernel` with static shared memory; keeps what it was asked for."""

    def __init__(self, static):
        self.shared_size_bytes, self.asked = static, {}

    def kernel(self, grid, block, arguments, **options):
        self.asked = options


@pytest.mark.parametrize(
    "static, dynamic, allowed",
    [
        (0, 48 << 10, None),
        (0, (48 << 10) + 4, (48 << 10) + 4),
        (8704, 41000, 41000),
        (8704, 0, None),
    ],
)
def test_static_and_dynamic_shared_memory_count_together(static, dynamic, allowed):
    """Of 48 KiB in all a kernel need not ask: 8.5 of its own and 40 more are too many."""
    stub = Stub(static)
    launcher.start(stub, (1, 1, 1), (1, 1, 1), (), dynamic)
    assert getattr(stub, "max_dynamic_shared_size_bytes", None) == allowed
    assert stub.asked == {"shared_mem": dynamic}


def test_a_cooperative_launch_is_asked_for_at_the_launch():
    stub = Stub(0)
    launcher.start(stub, (1, 1, 1), (1, 1, 1), (), 0, cooperative=True)
    assert stub.asked == {"shared_mem": 0, "enable_cooperative_groups": True}


@pytest.mark.parametrize("size, index", [(2**31 - 2**21, "int"), (2**31 - 1, "long long")])
def test_the_last_block_may_count_beyond_the_end(tmp_path, size, index):
    """A thread of four numbers asks whether its last one, `first + 4`, is still inside.

    The arrays are as large as they say: files full of holes, which take no memory.
    """
    signature = source(tmp_path, COPY).text.signature("k")
    arrays = [np.memmap(tmp_path / name, "float32", "w+", shape=(size,)) for name in "xy"]
    values, real, got, gpu = Arguments(signature)((*arrays, 1))
    assert (got, real, gpu) == (index, "float", None)
    assert values[0] is arrays[0] and values[2].dtype == "int32"


def test_dtypes_are_known_after_the_first_launch_and_everything_else_is_looked_at(tmp_path):
    """What is kept for a combination of dtypes lets nothing else through."""
    check = Arguments(source(tmp_path, COPY).text.signature("k"))
    x, y = np.zeros(8, "float32"), np.zeros(8, "float32")
    for _ in range(2):
        assert check((x, y, 8))[1:] == ("float", "int", None)
        assert check((x.astype("f8"), y.astype("f8"), 8))[1] == "double"
        for error, wrong in (
            (ShapeError, (x[::2], y, 8)),
            (ShapeError, (y[:4], y, 8)),
            (ShapeError, (y, y[4:], 8)),
            (DTypeError, (x, y.astype("f8"), 8)),
            (DTypeError, (x, y, 8.0)),
            (ValueRangeError, (x, y, 1 << 40)),
            (ShapeError, (x, y)),
        ):
            with pytest.raises(error):
                check(wrong)
    assert len(check.known) == 2


def test_memory_that_is_only_read_may_be_shared(tmp_path):
    text = 'extern "C" __global__ void k(const int* a, const int* b, int* y, const int* c) {}'
    check = Arguments(source(tmp_path, text).text.signature("k"))
    x = np.zeros(12, "int32")
    check((x, x[2:4], None, x[1:]))
    check((x[:8], x[2:6], x[8:], None))
    for y in (x[7:9], x[5:6], x[:1]):
        with pytest.raises(ShapeError, match="y is written and must not share memory with a"):
            check((x[:8], x[2:6], y, None))


def test_what_is_no_array_is_refused_also_after_a_launch_with_a_null_pointer(tmp_path):
    check = Arguments(source(tmp_path, COPY).text.signature("k"))
    x, y = np.ones(1, "float32"), np.zeros(1, "float32")
    check((x, y, 1))
    check((None, y, 1))
    wrong = [1.0], np.float32(1), 1.0, "x", np.ma.array(x), np.dtype("float32")
    for a in wrong:
        for given in ((a, y, 1), (x, a, 1)):
            for _ in range(2):
                with pytest.raises(DTypeError, match="must be an array"):
                    check(given)


def test_a_kernel_runs_on_the_gpu_of_its_arrays(tmp_path, monkeypatch):
    """Also where another one is current: there the addresses would mean nothing."""
    cupy = fake_cupy._Module("cupy")
    cupy.cuda = fake_cuda.module()
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    made, seen = source(tmp_path, COPY), []
    x, y = cupy.ones(4, "float32"), cupy.zeros(4, "float32")
    run = cupy.RawKernel.kernel

    def kernel(*args, **options):
        seen.append(cupy.cuda.runtime.getDevice())
        run(*args, **options)

    monkeypatch.setattr(cupy.RawKernel, "kernel", kernel)
    pointer = type(x.data)
    for place in 0, 1:
        monkeypatch.setattr(pointer, "device_id", place)
        made.launch("k", 1, 1, x, y, 4)
        for current in 0, 1:
            with cupy.cuda.Device(current):
                made.launch("k", 1, 1, x, y, 4)
                assert cupy.cuda.runtime.getDevice() == current
    assert seen == [0, 0, 0, 1, 1, 1] and y.tolist() == [1, 0, 0, 0]
