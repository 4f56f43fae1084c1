"""What is larger than memory is refused before any work, and says which array it is."""

import time

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.kernels import conv2d, pool2d
from glassgrad.kernels.annotations import Count, Shape, kind_of
from glassgrad.kernels.capacity import memory

X, W = np.ones((1, 1, 3, 3), "float32"), np.ones((1, 1, 2, 2), "float32")
HUGE = 2**31 - 1


@pytest.mark.parametrize("backend", ["reference", "numba"])
@pytest.mark.parametrize(
    "call",
    [
        lambda: gg.conv_transpose2d(X, W, stride=HUGE),
        lambda: gg.conv_transpose2d(X, W, stride=2**20),
        lambda: gg.conv_transpose2d(X, W, stride=(1, HUGE), padding=(0, HUGE - 1)),
        lambda: gg.conv_transpose2d(X, W, dilation=HUGE),
        lambda: gg.conv2d(X, W, padding=HUGE),
        lambda: conv2d.forward(X, W, padding=HUGE),
        lambda: conv2d.forward(X, W, padding=HUGE, stride=HUGE),
        lambda: conv2d.input_grad(X[:, :, :1, :1], W, (1, 1, HUGE, HUGE), stride=HUGE),
        lambda: conv2d.weight_grad(X, X, (1, 1, 2, 2), stride=HUGE, padding=HUGE),
        lambda: pool2d.max_forward(X, HUGE, padding=HUGE // 2),
        lambda: pool2d.avg_forward(X, HUGE, padding=HUGE // 2),
        lambda: pool2d.avg_backward(X[:, :, :1, :1], (1, 1, HUGE, HUGE), HUGE),
        lambda: pool2d.max_backward(
            X[:, :, :1, :1], np.zeros((1, 1, 1, 1), int), (1, 1, HUGE, 2**20)
        ),
    ],
)
def test_what_is_larger_than_memory_is_refused_at_once(call, backend):
    start = time.process_time()
    with (
        gg.backend(backend),
        pytest.raises((gg.kernels.errors.MemoryLimitError, gg.kernels.errors.ShapeError)),
    ):
        call()
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize("padding", [(0, 0), (1, 0)])
def test_a_stride_far_beyond_the_window_costs_no_more_than_its_output(padding):
    """Remainders of the stride that no tap meets stay zero, whatever their number."""
    x = np.arange(4, dtype="float32").reshape(1, 1, 2, 2) + 1
    with gg.backend("numba"):
        gg.conv_transpose2d(x, W, stride=(3, 2), padding=padding)  # compiled
        start = time.process_time()
        y = gg.conv_transpose2d(x, W, stride=(3, 200_000), padding=padding)
    assert time.process_time() - start < 2.0
    with gg.backend("reference"):
        want = gg.conv_transpose2d(x, W, stride=(3, 200_000), padding=padding)
    np.testing.assert_array_equal(y.data, want.data)


def test_shapes_and_counts_are_measured_in_bytes():
    most = memory() // 4
    for kind in (kind_of(Shape), kind_of(Count)):
        kind.read(most)
        with pytest.raises((ValueError, OverflowError)):
            kind.read(most + 1)


@pytest.mark.parametrize(
    "groups, limits",
    [
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": "1000"}),
        ("3:cpu:/x\n4:memory:/a\n", {"memory/a/memory.limit_in_bytes": "1000"}),
        ("4:memory:/not/here\n", {"memory/memory.limit_in_bytes": "1000"}),
    ],
)
def test_the_share_of_a_control_group_is_the_memory(tmp_path, groups, limits):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(groups)
    for name, text in limits.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert memory(tmp_path) == 1000
    assert memory(tmp_path / "without") == memory()


def test_integers_drawn_in_pieces_are_those_of_one_draw(monkeypatch):
    whole = gg.Generator(3).integers(1000, 37)
    monkeypatch.setattr("glassgrad.core.random.PIECE", 8)
    np.testing.assert_array_equal(gg.Generator(3).integers(1000, 37), whole)
