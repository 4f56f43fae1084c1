"""Which implementation runs, and what is remembered of it."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from glassgrad.kernels import BACKENDS, BackendError, DeviceError, backend, conv2d, pool2d
from glassgrad.kernels import registry as registry_module
from glassgrad.kernels.registry import (
    current_backend,
    dispatch,
    find,
    implementations,
    last_run,
    register,
    watching,
)

X, W = np.ones((1, 1, 4, 4), "float32"), np.ones((1, 1, 3, 3), "float32")


class GpuArray:
    """Stands for a CuPy array: only its module counts."""


GpuArray.__module__ = "cupy._core.core"


@pytest.fixture
def empty_registry(monkeypatch):
    """A registry with nothing in it, that loads nothing."""
    monkeypatch.setattr(registry_module, "_records", {})
    monkeypatch.setattr(registry_module, "_load", lambda op, backend: None)


def plant(backend, version=1, answer=None, **options):
    def function(*args):
        return (backend, version) if answer is None else answer

    return register("philox", "bits", backend=backend, version=version, idea="planted", **options)(
        function
    )


def test_numpy_arrays_go_to_numba_and_the_newest_version():
    conv2d.forward(X, W)
    record = last_run()
    args = X, W, (1, 1), (0, 0), (1, 1), 1
    able = [r for r in implementations("conv2d", "forward", "numba") if r.supports(*args)]
    newest = max(r.version for r in able)
    assert len(able) > 1
    assert (record.op, record.pass_, record.backend) == ("conv2d", "forward", "numba")
    assert record.version == newest
    assert record.name == f"conv2d.forward[numba v{newest}]"


def test_an_override_holds_inside_its_block_only():
    with backend("reference"):
        conv2d.forward(X, W)
        assert last_run().backend == "reference"
        with backend("numba", conv2d=1):
            conv2d.forward(X, W)
            assert (last_run().backend, find("conv2d", "forward", "numba", (), 1).version) == (
                "numba",
                1,
            )
        conv2d.forward(X, W)
        assert last_run().backend == "reference"
    conv2d.forward(X, W)
    assert last_run().backend == "numba"


def test_an_override_ends_with_an_error():
    with pytest.raises(RuntimeError), backend("reference"):
        raise RuntimeError
    assert current_backend(X) == "numba"


def test_a_version_of_one_operation_can_be_asked_for():
    for version in (1, 2):
        with backend("numba", conv2d=version):
            conv2d.forward(X, W)
            assert last_run().version == version
            conv2d.weight_grad(np.ones((1, 1, 2, 2), "float32"), X, W.shape)
            assert last_run().version == version
            pool2d.max_forward(X, 2)  # another operation: not concerned
            assert last_run().name == "pool2d.max_forward[numba v2]"


def test_a_pass_that_was_never_written_in_that_version_takes_its_newest(empty_registry):
    plant("numba", 1), plant("numba", 2)
    for version in (2, 3):
        register("philox", "normal", backend="numba", version=version, idea="planted")(
            lambda *args, version=version: version
        )
    for version, newest in ((1, 3), (2, 2)):
        with backend("numba", philox=version):
            assert dispatch("philox", "bits", X) == ("numba", version)
            assert dispatch("philox", "normal", X) == newest


def test_a_version_that_no_pass_has_is_refused_on_entry():
    with (
        pytest.raises(BackendError, match=r"conv2d has version 99 on .*'numba'.*versions: \[1, 2"),
        backend("numba", conv2d=99),
    ):
        pytest.fail("entered")
    assert current_backend(X) == "numba"


def test_a_version_of_an_unknown_operation_names_the_nearest():
    with (
        pytest.raises(BackendError, match=r"unknown operation 'conv'; .*; did you mean 'conv2d'"),
        backend("numba", conv=1),
    ):
        pytest.fail("entered")


def test_unknown_names_are_refused():
    with (
        pytest.raises(BackendError, match="unknown backend 'tpu'; known are reference"),
        backend("tpu"),
    ):
        pass
    with pytest.raises(BackendError, match="tpu"):
        register("philox", "bits", backend="tpu", idea="")
    ours = eval("lambda *args: 0", {"__name__": "glassgrad.kernels.sort.cpu"})
    with pytest.raises(BackendError, match=r"unknown operation 'conv'; did you mean 'conv2d'"):
        register("conv", "forward", backend="numba", idea="")(ours)
    for op, pass_ in (("a.b", "forward"), ("a", "a pass"), (3, "forward")):
        with pytest.raises(BackendError, match="is no identifier"):
            register(op, pass_, backend="numba", idea="")


def test_the_array_decides_between_cpu_and_gpu():
    assert current_backend(X) == "numba"
    assert current_backend() == "numba"
    assert current_backend(GpuArray()) == "cuda"
    for name in BACKENDS:
        with backend(name):
            assert current_backend() == name
            fits, wrong, where = (
                (GpuArray(), X, "CPU") if name == "cuda" else (X, GpuArray(), "GPU")
            )
            assert current_backend(fits) == name
            with pytest.raises(DeviceError, match=f"{name}.*the {where}"):
                current_backend(wrong)


def test_there_is_no_silent_fallback(empty_registry):
    plant("reference")
    plant("numba", supports=lambda a: False)
    with pytest.raises(
        BackendError, match=r"no implementation on backend 'numba'.*versions: \[1\]"
    ):
        dispatch("philox", "bits", X)
    with backend("emulated"), pytest.raises(BackendError, match="versions: none"):
        dispatch("philox", "bits", X)
    with backend("reference"):
        assert dispatch("philox", "bits", X) == ("reference", 1)


def test_the_newest_version_that_supports_the_arguments_runs(empty_registry):
    plant("numba", 1)
    plant("numba", 2, supports=lambda a: a.size < 100)
    plant("numba", 3, supports=lambda a: a.size < 10)
    assert dispatch("philox", "bits", np.zeros(5)) == ("numba", 3)
    assert dispatch("philox", "bits", np.zeros(50)) == ("numba", 2)
    assert dispatch("philox", "bits", np.zeros(500)) == ("numba", 1)
    with backend("numba", philox=3), pytest.raises(BackendError, match="version 3"):
        dispatch("philox", "bits", np.zeros(50))


def test_a_version_runs_only_on_its_dtypes(empty_registry):
    plant("numba", 1)
    plant("numba", 2, dtypes=("float32",))
    single, double = np.zeros(3, "float32"), np.zeros(3, "float64")
    assert dispatch("philox", "bits", single) == ("numba", 2)
    assert dispatch("philox", "bits", double) == ("numba", 1)
    assert dispatch("philox", "bits", single, None, double) == ("numba", 1)
    assert dispatch("philox", "bits", single, np.zeros(3, int)) == ("numba", 2)
    assert dispatch("philox", "bits", 0, "float64", like=X) == ("numba", 1)  # a dtype by name
    with backend("numba", philox=2), pytest.raises(BackendError, match="version 2"):
        dispatch("philox", "bits", double)


def test_like_decides_the_device_when_the_first_argument_does_not(empty_registry):
    plant("numba")
    plant("cuda")
    assert dispatch("philox", "bits", 0, like=GpuArray()) == ("cuda", 1)
    assert dispatch("philox", "bits", 0, like=X) == ("numba", 1)


def test_one_version_has_one_owner(empty_registry):
    plant("numba")
    plant("numba")  # the same module again, as on a reload
    stranger = eval("lambda *args: 0", {"__name__": "elsewhere"})
    with pytest.raises(BackendError, match=r"philox.bits\[numba v1\] is registered twice"):
        register("philox", "bits", backend="numba", idea="")(stranger)


def test_last_run_is_told_once():
    conv2d.forward(X, W)
    assert last_run() is not None
    assert last_run() is None


def test_a_failed_call_leaves_no_record(empty_registry):
    def fail(*args):
        raise ZeroDivisionError

    register("philox", "bits", backend="numba", idea="fails")(fail)
    last_run()
    with pytest.raises(ZeroDivisionError):
        dispatch("philox", "bits", X)
    assert last_run() is None


def test_a_watch_runs_every_call_and_then_stops():
    seen = []

    def watch(record, args):
        seen.append((record.name, args[0] is X))
        return record.function(*args)

    with backend("reference"):
        with watching(watch):
            inside = conv2d.forward(X, W)
        outside = conv2d.forward(X, W)
    assert seen == [("conv2d.forward[reference v1]", True)]
    assert np.array_equal(inside, outside)


def test_a_watch_stops_after_an_error_and_inner_ones_give_back_the_outer():
    seen = []

    def named(name):
        def watch(record, args):
            seen.append(name)
            return record.function(*args)

        return watch

    with watching(named("outer")):
        with pytest.raises(RuntimeError), watching(named("inner")):
            conv2d.forward(X, W)
            raise RuntimeError
        conv2d.forward(X, W)
    conv2d.forward(X, W)
    assert seen == ["inner", "outer"]


def test_threads_do_not_see_each_other():
    seen = {}

    def other():
        seen["backend"] = current_backend(X)
        seen["last"] = last_run()
        with backend("emulated"):
            inside.set()
            leave.wait(10)

    inside, leave = threading.Event(), threading.Event()
    thread = threading.Thread(target=other)
    with backend("reference"), watching(lambda record, args: record.function(*args)):
        conv2d.forward(X, W)
        thread.start()
        assert inside.wait(10)
        assert current_backend(X) == "reference"  # while the other thread says "emulated"
        leave.set()
        thread.join()
        assert last_run().backend == "reference"
    assert seen == {"backend": "numba", "last": None}


def test_records_come_in_order():
    found = implementations("conv2d")
    assert found[0].backend == "reference"
    numba = [r.version for r in found if r.backend == "numba" and r.pass_ == "forward"]
    assert numba == sorted(numba) and len(numba) >= 2
    assert {r.op for r in implementations("pool2d")} == {"pool2d"}
    assert {r.backend for r in implementations("pool2d", backend="numba")} == {"numba"}


LEAN = """
import sys
import numpy as np
import glassgrad.kernels as kernels
loaded = {m.partition(".")[0] for m in sys.modules}
assert not loaded & {"numba", "llvmlite", "cupy", "scipy", "torch"}, loaded
from glassgrad.kernels import conv2d, pool2d
with kernels.backend("reference"):
    pool2d.max_forward(conv2d.forward(np.ones((1, 1, 4, 4)), np.ones((1, 1, 1, 1))), 2)
loaded = {m.partition(".")[0] for m in sys.modules}
assert not loaded & {"numba", "llvmlite", "cupy", "scipy", "torch"}, loaded
"""


def test_importing_the_kernels_loads_no_compiler():
    done = subprocess.run([sys.executable, "-c", LEAN], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
