"""Convolution against plain Python loops, SciPy and PyTorch; its adjoints; its error messages."""

import doctest
import itertools

import numba
import numpy as np
import pytest
import scipy.signal

from glassgrad.kernels import DTypeError, ShapeError, backend, conv2d, llvm
from glassgrad.kernels.conv2d.rungs import channels, microkernel, shifted_tile
from tests.tools import assert_close

# N, C, H, W, O, KH, KW, stride, padding, dilation, groups
CONFIGS = [
    (2, 3, 6, 5, 4, 3, 3, 1, 0, 1, 1),
    (1, 2, 7, 8, 3, 3, 2, 2, 1, 1, 1),
    (2, 2, 9, 11, 2, 2, 3, (3, 2), (0, 2), (2, 1), 1),
    (1, 2, 5, 4, 2, 2, 2, 1, 3, 1, 1),
    (1, 1, 10, 9, 2, 2, 1, (3, 4), 0, 1, 1),
    (2, 4, 6, 5, 6, 3, 3, 1, 1, 1, 2),
    (1, 3, 7, 7, 6, 3, 3, 2, 2, 2, 3),
    (2, 5, 3, 4, 9, 1, 1, 1, 0, 1, 1),
    (1, 2, 4, 5, 10, 4, 5, 1, 0, 1, 1),
]
BACKENDS = ["reference", "numba"]


def two(option):
    return option if isinstance(option, tuple) else (option, option)


def draw(config, seed=0, dtype="float64"):
    N, C, H, W, O, KH, KW, *options = config
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((N, C, H, W)).astype(dtype)
    w = rng.standard_normal((O, C // options[-1], KH, KW)).astype(dtype)
    gy = rng.standard_normal(conv2d.output_shape(x.shape, w.shape, *options)).astype(dtype)
    return x, w, gy, options


def loops(x, w, gy, stride, padding, dilation, groups):
    """Output and gradients, one product after another, by the definition."""
    (SH, SW), (PH, PW), (DH, DW) = two(stride), two(padding), two(dilation)
    y, gx, gw = np.zeros_like(gy), np.zeros_like(x), np.zeros_like(w)
    (O, Cg, KH, KW), (N, _, OH, OW) = w.shape, gy.shape
    for n, o, i, j in itertools.product(range(N), range(O), range(OH), range(OW)):
        for c, u, v in itertools.product(range(Cg), range(KH), range(KW)):
            r, s = i * SH - PH + u * DH, j * SW - PW + v * DW
            channel = o // (O // groups) * Cg + c
            if 0 <= r < x.shape[2] and 0 <= s < x.shape[3]:
                y[n, o, i, j] += w[o, c, u, v] * x[n, channel, r, s]
                gx[n, channel, r, s] += w[o, c, u, v] * gy[n, o, i, j]
                gw[o, c, u, v] += x[n, channel, r, s] * gy[n, o, i, j]
    return y, gx, gw


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("config", CONFIGS)
def test_equals_the_definition(config, name):
    x, w, gy, options = draw(config)
    y, gx, gw = loops(x, w, gy, *options)
    with backend(name):
        assert_close(conv2d.forward(x, w, *options), y, reduction=w[0].size)
        assert_close(conv2d.input_grad(gy, w, x.shape, *options), gx, reduction=w[:, 0].size)
        assert_close(conv2d.weight_grad(gy, x, w.shape, *options), gw, reduction=gy[:, 0].size)


@pytest.mark.parametrize("name", BACKENDS)
def test_equals_scipy(name):
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((2, 3, 12, 17)), rng.standard_normal((5, 3, 4, 3))
    want = np.zeros((2, 5, 9, 15))
    for n, o, c in itertools.product(range(2), range(5), range(3)):
        want[n, o] += scipy.signal.correlate(x[n, c], w[o, c], mode="valid", method="direct")
    back = np.zeros_like(x)
    for n, o, c in itertools.product(range(2), range(5), range(3)):
        back[n, c] += scipy.signal.convolve2d(want[n, o], w[o, c], mode="full")
    with backend(name):
        assert_close(conv2d.forward(x, w), want, reduction=36)
        assert_close(conv2d.input_grad(want, w, x.shape), back, reduction=60)


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("config", [*CONFIGS, (9, 16, 15, 14, 33, 5, 3, 2, (2, 1), 1, 1)])
def test_equals_torch(config, dtype):
    torch = pytest.importorskip("torch")
    x, w, gy, options = draw(config, dtype=dtype)
    tx, tw = (torch.from_numpy(a.copy()).requires_grad_() for a in (x, w))
    ty = torch.nn.functional.conv2d(tx, tw, None, *options)
    ty.backward(torch.from_numpy(gy))
    y, gx = conv2d.forward(x, w, *options), conv2d.input_grad(gy, w, x.shape, *options)
    assert_close(y, ty.detach().numpy(), reduction=w[0].size)
    assert_close(gx, tx.grad.numpy(), reduction=w[:, 0].size)
    gw = conv2d.weight_grad(gy, x, w.shape, *options)
    assert_close(gw, tw.grad.numpy(), reduction=gy[:, 0].size)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("config", [*CONFIGS, (3, 6, 31, 33, 12, 5, 3, (2, 3), (4, 1), (3, 2), 3)])
def test_the_three_passes_are_adjoint(config, name):
    x, w, gy, options = draw(config, seed=2)
    with backend(name):
        left = (conv2d.forward(x, w, *options) * gy).sum()
        by_x = (conv2d.input_grad(gy, w, x.shape, *options) * x).sum()
        by_w = (conv2d.weight_grad(gy, x, w.shape, *options) * w).sum()
    size = np.abs(gy).sum() * w[0].size  # of the terms that were added
    assert abs(left - by_x) <= 1e-14 * size and abs(left - by_w) <= 1e-14 * size
    assert abs(left) > 1e-3


@pytest.mark.parametrize("name", BACKENDS)
def test_a_one_in_the_kernel_shifts_the_image(name):
    x = np.arange(20.0).reshape(1, 1, 4, 5)
    w = np.zeros((1, 1, 3, 3))
    w[0, 0, 0, 2] = 1  # reads the pixel above and to the right
    with backend(name):
        y = conv2d.forward(x, w, padding=1)
    assert np.array_equal(y[0, 0, 1:, :-1], x[0, 0, :-1, 1:])
    assert not y[0, 0, 0].any() and not y[0, 0, :, -1].any()


@pytest.mark.parametrize("name", BACKENDS)
def test_a_nan_reaches_exactly_the_windows_that_see_it(name):
    x, w, _, options = draw((2, 2, 9, 10, 3, 3, 3, 2, 1, 1, 1))
    with backend(name):
        clean = conv2d.forward(x, w, *options)
        x[1, 0, 4, 9] = np.nan
        y = conv2d.forward(x, w, *options)
    met = np.isnan(y)
    assert np.argwhere(met.any(axis=1)).tolist() == [[1, 2, 4]] and met[1, :, 2, 4].all()
    assert np.array_equal(y[~met], clean[~met])


def on_one_thread(run):
    numba.set_num_threads(1)
    try:
        return run()
    finally:
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_the_number_of_threads_changes_no_bit(version):
    x, w, gy, options = draw((5, 6, 17, 18, 10, 3, 3, 2, 1, 1, 2), dtype="float32")
    if version == 3:
        x, w, gy, options = draw((5, 6, 17, 18, 13, 3, 3, 2, 1, 1, 1), dtype="float32")

    def run():
        with backend("numba", conv2d=version):
            y = conv2d.forward(x, w, *options)
        gx = conv2d.input_grad(gy, w, x.shape, *options)
        return y, gx, conv2d.weight_grad(gy, x, w.shape, *options)

    assert all(np.array_equal(a, b) for a, b in zip(run(), on_one_thread(run)))


# N, C, H, O, k, s, p: layers as they occur, with more channels or images than a block holds
LAYERS = [
    (32, 64, 28, 64, 3, 1, 1),
    (64, 1, 28, 32, 5, 1, 2),
    (32, 128, 14, 128, 3, 1, 1),
    (16, 3, 64, 64, 4, 2, 1),
    (8, 256, 8, 256, 3, 1, 1),
    (1, 3, 224, 64, 7, 2, 3),
    (31, 33, 27, 65, 3, 1, 1),
    (32, 64, 28, 128, 1, 1, 0),
]


def distance(got, want):
    """Relative, in the L2 norm."""
    return np.linalg.norm((got - want).ravel()) / np.linalg.norm(want.ravel())


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS)
def test_layers_as_they_occur_are_accurate_on_any_number_of_threads(layer):
    """Relative L2 error at most 1e-5 against float64 (version 2, whose sums are in that)."""
    N, C, H, O, k, s, p = layer
    x, w, gy, options = draw((N, C, H, H, O, k, k, s, p, 1, 1), dtype="float32")

    def run(*arrays):
        x, w, gy = arrays or (x32, w32, gy32)
        y, gx = conv2d.forward(x, w, *options), conv2d.input_grad(gy, w, x.shape, *options)
        return y, gx, conv2d.weight_grad(gy, x, w.shape, *options)

    x32, w32, gy32 = x, w, gy
    got, wanted = run(), run(*(a.astype("float64") for a in (x, w, gy)))
    for g, want in zip(got, wanted):
        assert g.dtype == "float32" and distance(g, want) <= 1e-5
    assert all(np.array_equal(a, b) for a, b in zip(got, on_one_thread(run)))


# relative L2 error, and largest error beside that of version 3, which sums directly
WINOGRAD = {4: (2e-6, 8), 5: (1e-5, 60)}


@pytest.mark.parametrize("version", WINOGRAD)
@pytest.mark.parametrize("channels", [(32, 48), (160, 33)])
def test_winograd_keeps_its_error_bound(version, channels):
    (C, O), (bound, ratio) = channels, WINOGRAD[version]
    x, w, gy, options = draw((3, C, 50, 49, O, 3, 3, 1, 1, 1, 1), dtype="float32")
    exact = [a.astype("float64") for a in (x, w, gy)]

    def passes(x, w, gy):
        return (
            ("forward", (x, w)),
            ("input_grad", (gy, w, x.shape)),
            ("weight_grad", (gy, x, w.shape)),
        )

    for (pass_, args), (_, wide) in zip(passes(x, w, gy), passes(*exact)):
        run = getattr(conv2d, pass_)
        with backend("numba", conv2d=version):
            got = run(*args, *options)
        with backend("numba", conv2d=3):
            direct = run(*args, *options)
        want = run(*wide, *options)
        assert distance(got, want) <= bound, pass_
        assert np.abs(got - want).max() <= ratio * np.abs(direct - want).max(), pass_
        assert not np.array_equal(got, direct), f"{pass_}: not another version"


def test_winograd_spreads_an_infinity_over_its_tile_and_no_further():
    x, w, _, options = draw((1, 32, 12, 12, 32, 3, 3, 1, 1, 1, 1), dtype="float32")
    clean = conv2d.forward(x, w, *options)
    x[0, 3, 5, 6] = np.inf
    y = conv2d.forward(x, w, *options)
    met = ~np.isfinite(y).all(axis=(0, 1))
    assert met[4:7, 5:8].all() and met.sum() <= 16  # windows that see it; tiles of 4 x 4 inputs
    assert np.array_equal(y[..., ~met], clean[..., ~met])


@pytest.mark.parametrize("name", BACKENDS)
def test_an_empty_batch_gives_an_empty_result_and_a_zero_gradient(name):
    x, w = np.zeros((0, 3, 8, 8), "float32"), np.ones((4, 3, 3, 3), "float32")
    with backend(name):
        y = conv2d.forward(x, w, stride=2)
        gw = conv2d.weight_grad(y, x, w.shape, stride=2)
        assert conv2d.input_grad(y, w, x.shape, stride=2).shape == x.shape
    assert y.shape == (0, 4, 3, 3) and y.dtype == x.dtype
    assert gw.shape == w.shape and not gw.any()


def test_the_error_names_everything():
    x, w = np.zeros((8, 3, 32, 32), "float32"), np.zeros((16, 4, 5, 5), "float32")
    with pytest.raises(ShapeError) as caught:
        conv2d.forward(x, w)
    assert str(caught.value) == (
        "conv2d: w.shape[1] must equal x.shape[1]; expected 3, got 4"
        " (x=(8, 3, 32, 32) float32, w=(16, 4, 5, 5) float32)"
    )


def zeros(*shape, dtype="float32"):
    return np.zeros(shape, dtype)


X, W = zeros(2, 4, 8, 8), zeros(6, 4, 3, 3)
BAD = {
    "rank of x": (ShapeError, "x must have the axes", zeros(4, 8, 8), W, {}),
    "rank of w": (ShapeError, "w must have the axes", X, zeros(6, 4, 3), {}),
    "channels": (ShapeError, r"w.shape\[1\] must equal x.shape\[1\]", X, zeros(6, 3, 3, 3), {}),
    "channels of a group": (ShapeError, r"x.shape\[1\] / groups; expected 2", X, W, {"groups": 2}),
    "groups and C": (ShapeError, r"divide x.shape\[1\]", X, zeros(6, 1, 3, 3), {"groups": 3}),
    "groups and O": (ShapeError, r"divide w.shape\[0\]", X, zeros(6, 1, 3, 3), {"groups": 4}),
    "no groups": (ShapeError, "groups must be >= 1", X, W, {"groups": 0}),
    "no output channels": (ShapeError, "channels", X, zeros(0, 4, 3, 3), {}),
    "no taps": (ShapeError, "taps", X, zeros(6, 4, 0, 3), {}),
    "tall kernel": (ShapeError, "height must fit.*<= 8, got 9", X, zeros(6, 4, 9, 3), {}),
    "wide kernel": (
        ShapeError,
        "width must fit.*<= 10, got 11",
        X,
        zeros(6, 4, 3, 11),
        {"padding": 1},
    ),
    "dilated kernel": (ShapeError, "height must fit.*<= 8, got 9", X, W, {"dilation": 4}),
    "no image": (ShapeError, "height must fit", zeros(2, 4, 0, 8), W, {}),
    "stride 0": (ShapeError, "stride must be >= 1", X, W, {"stride": 0}),
    "stride -1": (ShapeError, "stride must be >= 1", X, W, {"stride": (1, -1)}),
    "padding -1": (ShapeError, "padding must be >= 0", X, W, {"padding": -1}),
    "dilation 0": (ShapeError, "dilation must be >= 1", X, W, {"dilation": 0}),
    "three strides": (ShapeError, "stride is not allowed", X, W, {"stride": (1, 1, 1)}),
    "half a stride": (DTypeError, "stride has the wrong type", X, W, {"stride": 0.5}),
    "two dtypes": (DTypeError, "w.dtype must equal x.dtype", X, W.astype("float64"), {}),
    "ints": (DTypeError, "x.dtype must be float32 or float64", X.astype(int), W.astype(int), {}),
    "a list": (DTypeError, "x must be an array; got list", [[1.0]], W, {}),
}


@pytest.mark.parametrize("error, message, x, w, options", BAD.values(), ids=BAD)
def test_bad_arguments_are_refused(error, message, x, w, options):
    with pytest.raises(error, match=f"conv2d(.forward)?: .*{message}"):
        conv2d.forward(x, w, **options)


def test_gradients_refuse_what_does_not_fit():
    gy = zeros(2, 6, 6, 6)
    with pytest.raises(ShapeError, match=r"conv2d.input_grad: gy.shape .*\(2, 6, 4, 4\), got"):
        conv2d.input_grad(gy, W, X.shape, stride=2, padding=1)
    with pytest.raises(ShapeError, match=r"conv2d.weight_grad: gy.shape .*\(2, 6, 8, 8\), got"):
        conv2d.weight_grad(gy, X, W.shape, padding=1)
    with pytest.raises(ShapeError, match=r"w.shape\[1\] must equal"):
        conv2d.weight_grad(gy, X, (6, 3, 3, 3))
    with pytest.raises(ShapeError, match="x_shape must be"):
        conv2d.input_grad(gy, W, (2, 4, 8))
    with pytest.raises(ShapeError, match="no negative size"):
        conv2d.input_grad(gy, W, (-2, 4, 8, 8))
    with pytest.raises(DTypeError, match=r"w\.dtype must equal gy\.dtype"):
        conv2d.input_grad(gy, W.astype("float64"), X.shape)
    with pytest.raises(ShapeError, match="w_shape must be"):
        conv2d.weight_grad(gy, X, (6, 4, 3))


def test_the_output_shape_is_that_of_the_output():
    for config in CONFIGS:
        x, w, gy, options = draw(config)
        assert conv2d.forward(x, w, *options).shape == gy.shape
    with pytest.raises(ShapeError):
        conv2d.output_shape((1, 1, 2, 2), (1, 1, 3, 3))


def test_the_examples_run():
    result = doctest.testmod(conv2d)
    assert result.failed == 0 and result.attempted > 0


def test_scratch_is_zero_whatever_was_in_that_memory(monkeypatch):
    """Subnormal numbers left there by others made a convolution up to thirty times slower."""
    from glassgrad.kernels.conv2d.rungs import channels

    def used_before(shape, dtype):
        return np.full(shape, 1e-42, dtype)

    monkeypatch.setattr(channels.np, "empty", used_before)
    parts = channels.scratch(5, 100, rows=3)
    assert [a.shape for a in parts] == [(3, 32), (3, 128)]
    assert not any(a.any() for a in parts)
    assert all(a.__array_interface__["data"][0] % 64 == 0 for a in parts)


@pytest.mark.parametrize("block", [(8, 2), (4, 1), (3, 2)])
def test_how_a_tile_is_cut_into_blocks_changes_no_bit(block, monkeypatch):
    """The blocks are those that fit into the registers of the machine: each sum has one order."""
    rng, rows, runs = np.random.default_rng(0), np.arange(8) * 20, np.array([0, 7])
    a, b = rng.standard_normal(200, dtype="float32"), rng.standard_normal((10, 32), dtype="float32")
    out = rng.standard_normal((8, 32), dtype="float32")
    want = out.astype(float)
    for i, run in enumerate(runs):  # two runs of five numbers
        want += a[rows[:, None] + run + np.arange(5)].astype(float) @ b[5 * i : 5 * i + 5]
    how, bits = microkernel.Factors(0, 8, 5, 0, 32, 0, 32, 1), out.copy()
    channels.product(a, rows, runs, 1, b.ravel(), 32, bits.reshape(-1), how)  # this machine's

    monkeypatch.setattr(llvm, "BLOCK", block)
    multiply = microkernel.make_multiply(2)

    @numba.njit
    def product(a, rows, runs, b, out, p):
        multiply(a, rows, 0, runs, 1, b, 32, out, 0, p)

    product(a, rows, runs, b.ravel(), out.reshape(-1), how)
    assert_close(out, want, 1e-6)
    assert np.array_equal(out.view("int32"), bits.view("int32"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [8, 4, 1])
@pytest.mark.parametrize("block", [(8, 2), (4, 1)])
def test_a_tile_of_shifted_rows_is_right_however_it_is_cut(block, rows, dtype, monkeypatch):
    """Small whole numbers: every sum is exact."""
    rng, pixels = np.random.default_rng(1), 128 // np.dtype(dtype).itemsize
    taps, ld = np.array([0, 3, 40]), pixels + 7
    x = rng.integers(-9, 9, 200).astype(dtype)
    w = rng.integers(-9, 9, (len(taps), rows)).astype(dtype)
    monkeypatch.setattr(llvm, "BLOCK", block)
    tile = shifted_tile._make_tile(rows)

    @numba.njit
    def sums(x, taps, w, out):
        tile(x, 5, taps, w, 0, out, 0, ld)

    out = np.full((rows, ld), -1, dtype)
    sums(x, taps, w.ravel(), out.reshape(-1))
    want = w.T @ x[5 + taps[:, None] + np.arange(pixels)]
    assert np.array_equal(out[:, :pixels], want) and (out[:, pixels:] == -1).all()
