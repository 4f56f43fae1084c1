"""Pooling against loops in plain Python and PyTorch; ties, NaN and padding; its error messages."""

import doctest
import itertools
import math

import numba
import numpy as np
import pytest

from glassgrad.kernels import DTypeError, ShapeError, ValueRangeError, backend, pool2d
from glassgrad.kernels.pool2d.rungs import cpu_v2_flat_runs
from tests.tools import assert_close

# N, C, H, W, kernel, stride, padding
CONFIGS = [
    (2, 3, 6, 8, 2, None, 0),
    (2, 2, 7, 9, 3, 2, 1),
    (1, 2, 5, 6, 4, 1, 2),
    (2, 1, 9, 11, (2, 3), (3, 1), (0, 1)),
    (1, 2, 8, 9, (2, 1), (4, 3), 0),
    (1, 1, 2, 3, 4, 1, 2),
    (3, 2, 5, 7, (5, 7), None, 0),
]
WAYS = {"reference": {}, "numba": {}, "numba v1": {"pool2d": 1}}  # numba: its newest versions


def way(name):
    """A context in which pooling runs that way."""
    return backend(name.partition(" ")[0], **WAYS[name])


def two(option):
    return option if isinstance(option, tuple) else (option, option)


def windows(shape, kernel, stride, padding):
    """For each output pixel: i, j and the pixels of its window inside the image, in order."""
    (KH, KW), (PH, PW) = two(kernel), two(padding)
    SH, SW = two(kernel if stride is None else stride)
    H, W = shape[2:]
    for i, j in itertools.product(
        range((H + 2 * PH - KH) // SH + 1), range((W + 2 * PW - KW) // SW + 1)
    ):
        rows = [r for r in range(i * SH - PH, i * SH - PH + KH) if 0 <= r < H]
        columns = [s for s in range(j * SW - PW, j * SW - PW + KW) if 0 <= s < W]
        yield i, j, list(itertools.product(rows, columns))


def loops(x, gy, options):
    """(y, index, gx) of the maximum and (y, gx) of the average, by the definition."""
    area = math.prod(two(options[0]))
    y_max, index, y_avg = np.zeros_like(gy), np.zeros(gy.shape, np.int64), np.zeros_like(gy)
    gx_max, gx_avg = np.zeros_like(x), np.zeros_like(x)
    for n, c in np.ndindex(x.shape[:2]):
        for i, j, pixels in windows(x.shape, *options):
            r, s = max(pixels, key=lambda p: x[n, c, p[0], p[1]])  # max() keeps the first of equals
            y_max[n, c, i, j], index[n, c, i, j] = x[n, c, r, s], r * x.shape[3] + s
            gx_max[n, c, r, s] += gy[n, c, i, j]
            y_avg[n, c, i, j] = sum(x[n, c, r, s] for r, s in pixels) / area
            for r, s in pixels:
                gx_avg[n, c, r, s] += gy[n, c, i, j] / area
    return (y_max, index, gx_max), (y_avg, gx_avg)


def draw(config, integers=False, dtype="float64"):
    *shape, kernel, stride, padding = config
    rng = np.random.default_rng(3)
    x = rng.integers(-2, 3, shape) if integers else rng.standard_normal(shape)
    gy = rng.standard_normal(pool2d.output_shape(shape, kernel, stride, padding))
    return x.astype(dtype), gy.astype(dtype), (kernel, stride, padding)


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("integers", [False, True])  # integers: many ties
@pytest.mark.parametrize("config", CONFIGS)
def test_equals_the_definition(config, integers, name):
    x, gy, options = draw(config, integers)
    (y_max, index, gx_max), (y_avg, gx_avg) = loops(x, gy, options)
    area = math.prod(two(options[0]))
    with way(name):
        y, at = pool2d.max_forward(x, *options)
        assert np.array_equal(y, y_max) and np.array_equal(at, index)
        assert np.array_equal(pool2d.max_gather(x, index), y_max)
        assert_close(pool2d.max_backward(gy, index, x.shape), gx_max, reduction=area)
        assert_close(pool2d.avg_forward(x, *options), y_avg, reduction=area)
        assert_close(pool2d.avg_backward(gy, x.shape, *options), gx_avg, reduction=area)


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("config", CONFIGS[:-2])
def test_equals_torch(config, dtype):
    torch = pytest.importorskip("torch")
    x, gy, options = draw(config, dtype=dtype)
    for pool in ("max", "avg"):
        tx = torch.from_numpy(x.copy()).requires_grad_()
        if pool == "max":
            ty, ti = torch.nn.functional.max_pool2d(tx, *options, return_indices=True)
            y, index = pool2d.max_forward(x, *options)
            assert np.array_equal(index, ti.numpy())
            gx = pool2d.max_backward(gy, index, x.shape)
        else:
            ty = torch.nn.functional.avg_pool2d(tx, *options)
            y, gx = pool2d.avg_forward(x, *options), pool2d.avg_backward(gy, x.shape, *options)
        ty.backward(torch.from_numpy(gy))
        assert_close(y, ty.detach().numpy(), reduction=16)
        assert_close(gx, tx.grad.numpy(), reduction=16)


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("config", CONFIGS)
def test_gather_and_scatter_are_adjoint_and_so_are_the_averages(config, name):
    x, gy, options = draw(config)
    with way(name):
        _, index = pool2d.max_forward(x, *options)
        left = (pool2d.max_gather(x, index) * gy).sum()
        right = (pool2d.max_backward(gy, index, x.shape) * x).sum()
        assert abs(left - right) <= 1e-13 * np.abs(gy).sum()
        left = (pool2d.avg_forward(x, *options) * gy).sum()
        right = (pool2d.avg_backward(gy, x.shape, *options) * x).sum()
        assert abs(left - right) <= 1e-13 * np.abs(gy).sum()


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_first_nan_of_a_window_wins(dtype, name):
    x = np.arange(16, dtype=dtype).reshape(1, 1, 4, 4)
    x[0, 0, 1, 0] = x[0, 0, 1, 1] = np.nan  # the last two places of the first window
    x[0, 0, 2, 2] = np.nan  # the first place of the last window
    x[0, 0, 3, 2] = np.inf
    with way(name):
        y, index = pool2d.max_forward(x, 2)
    assert np.isnan(y[0, 0]).tolist() == [[True, False], [False, True]]
    assert index[0, 0].tolist() == [[4, 7], [13, 10]]


@pytest.mark.parametrize("name", WAYS)
def test_padding_never_wins(name):
    x = np.full((1, 1, 3, 3), -5.0)
    x[0, 0, 2, 2] = -np.inf
    with way(name):
        y, index = pool2d.max_forward(x, 3, stride=1, padding=1)
        alone, at = pool2d.max_forward(np.full((1, 1, 1, 1), -np.inf), 2, stride=1, padding=1)
    assert (y == -5).all()
    assert index[0, 0].tolist() == [[0, 0, 1], [0, 0, 1], [3, 3, 4]]
    assert (alone == -np.inf).all() and not at.any() and alone.shape == (1, 1, 2, 2)


@pytest.mark.parametrize("name", WAYS)
def test_the_lowest_index_wins_a_tie(name):
    with way(name):
        _, index = pool2d.max_forward(np.zeros((1, 1, 5, 5)), 3, stride=1)
    assert index[0, 0].tolist() == [[0, 1, 2], [5, 6, 7], [10, 11, 12]]


@pytest.mark.parametrize("name", WAYS)
def test_the_padding_counts_in_an_average(name):
    with way(name):
        y = pool2d.avg_forward(np.ones((1, 1, 2, 2)), 2, stride=2, padding=1)
    assert np.array_equal(y[0, 0], np.full((2, 2), 0.25))


@pytest.mark.parametrize("name", WAYS)
def test_overlapping_windows_add_their_gradients(name):
    x = np.zeros((1, 1, 3, 3))
    x[0, 0, 1, 1] = 1
    with way(name):
        _, index = pool2d.max_forward(x, 2, stride=1)
        gx = pool2d.max_backward(np.array([[[[1.0, 2.0], [4.0, 8.0]]]]), index, x.shape)
    assert gx[0, 0, 1, 1] == 15 and gx.sum() == 15


@pytest.mark.parametrize("name", ["numba", "numba v1"])
def test_the_number_of_threads_changes_no_bit(name):
    x, gy, options = draw((5, 3, 117, 118, 3, 1, 1), dtype="float32")

    def run():
        y, index = pool2d.max_forward(x, *options)
        gx = pool2d.max_backward(gy, index, x.shape)
        avg = pool2d.avg_forward(x, *options)
        return y, index, gx, avg, pool2d.avg_backward(gy, x.shape, *options)

    with way(name):
        many = run()
        numba.set_num_threads(1)
        try:
            one = run()
        finally:
            numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    assert all(np.array_equal(a, b) for a, b in zip(many, one))


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("shape", [(0, 3, 4, 4), (3, 0, 4, 4)])
def test_an_empty_batch_gives_an_empty_result(shape, name):
    x = np.zeros(shape, "float32")
    with way(name):
        y, index = pool2d.max_forward(x, 2)
        assert pool2d.max_backward(y, index, shape).shape == shape
        assert pool2d.max_gather(x, index).shape == y.shape
        assert pool2d.avg_backward(pool2d.avg_forward(x, 2), shape, 2).shape == shape
    assert y.shape == index.shape == (*shape[:2], 2, 2)
    assert (y.dtype, index.dtype) == (np.float32, np.int64)


X = np.zeros((2, 3, 6, 6), "float32")
BAD = {
    "rank": (ShapeError, "x must have four axes", X[0], (2,)),
    "tall window": (ShapeError, "height must fit.*<= 6, got 7", X, ((7, 2),)),
    "wide window": (ShapeError, "width must fit.*<= 8, got 9", X, ((2, 9), 1, (0, 1))),
    "no image": (ShapeError, "x must have a height", X[:, :, :0], (2, 2, 1)),
    "no window": (ShapeError, "kernel must be >= 1", X, (0,)),
    "stride 0": (ShapeError, "stride must be >= 1", X, (2, 0)),
    "stride -1": (ShapeError, "stride must be >= 1", X, (2, (1, -1))),
    "padding -1": (ShapeError, "padding must be >= 0", X, (2, 2, -1)),
    "padding 2 of 3": (
        ShapeError,
        r"padding must be at most kernel // 2.*<= \(1, 1\)",
        X,
        (3, 1, 2),
    ),
    "padding 1 of 1": (ShapeError, "wholly in the padding", X, ((2, 1), 1, 1)),
    "half a window": (DTypeError, "kernel has the wrong type", X, (1.5,)),
    "ints": (DTypeError, "x.dtype must be float32 or float64", X.astype(int), (2,)),
    "a list": (DTypeError, "x must be an array; got list", [[1.0]], (2,)),
}


@pytest.mark.parametrize("error, message, x, options", BAD.values(), ids=BAD)
@pytest.mark.parametrize("pass_", ["max_forward", "avg_forward"])
def test_bad_arguments_are_refused(pass_, error, message, x, options):
    with pytest.raises(error, match=f"pool2d.{pass_}: .*{message}"):
        getattr(pool2d, pass_)(x, *options)


def test_gradients_refuse_what_does_not_fit():
    y, index = pool2d.max_forward(X, 2)
    with pytest.raises(ShapeError, match=r"index\.shape must equal gy\.shape"):
        pool2d.max_backward(y[:, :, :2], index, X.shape)
    with pytest.raises(ShapeError, match=r"x_shape must start like gy\.shape"):
        pool2d.max_backward(y, index, (3, 2, 6, 6))
    with pytest.raises(ShapeError, match=r"index\.shape must start like x\.shape"):
        pool2d.max_gather(X, index[:1])
    with pytest.raises(DTypeError, match=r"index\.dtype must be int64"):
        pool2d.max_gather(X, index.astype(np.int32))
    for wrong in (-1, 36):
        index[1, 2, 0, 1] = wrong
        with pytest.raises(ValueRangeError, match=r"index must point into the plane; .*index < 36"):
            pool2d.max_backward(y, index, X.shape)
        with pytest.raises(ValueRangeError, match="index must point into the plane"):
            pool2d.max_gather(X, index)
    with pytest.raises(ShapeError, match=r"avg_backward: gy.shape .*\(2, 3, 3, 3\), got"):
        pool2d.avg_backward(y[:, :, 1:], X.shape, 2)


def test_the_examples_run():
    result = doctest.testmod(pool2d)
    assert result.failed == 0 and result.attempted > 0


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize(
    "kernel, stride, padding",
    [(3, 1, 1), ((2, 4), (1, 3), (1, 2)), (2, 2, 0), (2, 1, (0, 1)), (3, 2, (1, 0))],
)
def test_padding_never_wins_even_against_minus_infinity(name, kernel, stride, padding):
    x = np.full((2, 1, 6, 7), -np.inf, "float32")
    x[1, 0, 2, 3] = 1
    with way(name):
        y, index = pool2d.max_forward(x, kernel, stride, padding)
    for n in range(2):
        for i, j, pixels in windows(x.shape, kernel, stride, padding):
            r, s = max(pixels, key=lambda p: x[n, 0, p[0], p[1]])
            assert (y[n, 0, i, j], index[n, 0, i, j]) == (x[n, 0, r, s], r * 7 + s)


def test_planes_that_join_and_bands_that_do_not_fill():
    """Many small planes make one tall one on the CPU; a large plane is cut into bands."""
    for shape, options in (((37, 41, 4, 6), (2, 2, 0)), ((1, 1, 400, 66), (3, 1, 1))):
        x = np.random.default_rng(0).integers(-9, 9, shape).astype("float32")
        got = pool2d.max_forward(x, *options)
        with backend("reference"):
            want = pool2d.max_forward(x, *options)
        assert all(np.array_equal(a, b) for a, b in zip(got, want))


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("pixels", [0, 6, 12])
def test_pixels_are_split_by_column_and_none_is_read_behind_the_last(stride, pixels):
    """As plain Python: compiled, it would read on in whatever follows in memory."""
    flat, p = np.arange(pixels, dtype="float32"), np.full((stride, 14), -1, "float32")
    cpu_v2_flat_runs._split.py_func(flat, p)
    for f in range(stride):
        assert p[f].tolist() == [*flat[f::stride], *[-1.0] * (14 - pixels // stride)]
