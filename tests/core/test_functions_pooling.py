"""Pooling with ceil mode, indices, one axis; group normalisation: by loops and by PyTorch."""

import math

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.kernels.errors import GlassgradError, ShapeError
from tests.tools import assert_close, needs_numba

# H, W, kernel, stride, padding
CASES = [
    (5, 5, 2, 2, 0), (5, 6, 2, 2, 0), (7, 5, 3, 2, 1), (6, 6, 3, 2, 1), (6, 7, (2, 3), (3, 2), 0),
    (4, 4, 2, 2, 1), (3, 3, 2, 3, 1), (5, 4, 3, 1, 1), (2, 5, 3, 4, 1), (1, 1, 1, 1, 0),
    (2, 2, 3, 3, 0), (8, 3, (4, 2), (4, 3), (2, 0)), (7, 7, 2, 5, 0), (3, 4, 2, 4, 1),
]  # fmt: skip

ONE = [(5, 2, 2, 0), (7, 3, 2, 1), (6, 2, 5, 0), (4, 3, 3, 1), (1, 1, 1, 0)]


def starts(n, k, s, p, ceil):
    """Where windows begin, one after another: the last must begin before the padding behind."""
    found, start = [], -p
    while start + k <= n + p or (ceil and start + k - s < n + p and start < n):
        found.append(start)
        start += s
    return found


def by_loops(x, k, s, p, ceil):
    """(largest, its place, mean) of each window, one pixel after another."""
    k, s, p = ((v, v) if isinstance(v, int) else v for v in (k, s, p))
    H, W = x.shape[2:]
    rows, columns = (
        starts(n, *v, ceil) for n, *v in ((H, k[0], s[0], p[0]), (W, k[1], s[1], p[1]))
    )
    top = np.empty((*x.shape[:2], len(rows), len(columns)))
    at, mean = np.empty(top.shape, np.int64), np.empty(top.shape)
    for n, c, i, j in np.ndindex(top.shape):
        best, place, total, count = -math.inf, -1, 0.0, 0
        window = np.ndindex(k[0], k[1])
        for r, q in ((rows[i] + a, columns[j] + b) for a, b in window):
            if r >= H + p[0] or q >= W + p[1]:
                continue  # beyond the padding: it does not count
            count += 1
            if 0 <= r < H and 0 <= q < W:
                total += x[n, c, r, q]
                if place < 0 or x[n, c, r, q] > best:
                    best, place = x[n, c, r, q], r * W + q
        top[n, c, i, j], at[n, c, i, j], mean[n, c, i, j] = best, place, total / count
    return top, at, mean


@pytest.mark.parametrize("backend", ["reference", pytest.param("numba", marks=needs_numba)])
@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_two_axes(case, ceil, backend):
    H, W, k, s, p = case
    x = np.random.default_rng(0).integers(-2, 3, (2, 2, H, W)).astype("float64")  # with ties
    try:
        top, at, mean = by_loops(x, k, s, p, ceil)
        possible = top.size > 0
    except ValueError:
        possible = False
    with gg.backend(backend):
        if not possible:
            with pytest.raises(ShapeError):
                gg.max_pool2d(x, k, s, p, ceil)
            return
        y, index = gg.max_pool2d(x, k, s, p, ceil, return_indices=True)
        assert np.array_equal(y.numpy(), top) and np.array_equal(index, at)
        assert index.dtype == np.int64
        assert np.array_equal(gg.max_pool2d(x, k, s, p, ceil).numpy(), top)
        assert_close(gg.avg_pool2d(x, k, s, p, ceil).numpy(), mean)
    layer = nn.MaxPool2d(k, s, p, ceil, True)
    assert np.array_equal(layer(gg.tensor(x))[1], at)
    assert_close(nn.AvgPool2d(k, s, p, ceil)(gg.tensor(x)).numpy(), mean)


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize(
    "case", [(5, 2, 2, 0), (7, 3, 2, 1), (6, 2, 5, 0), (4, 3, 3, 1), (1, 1, 1, 0)]
)
def test_one_axis(case, ceil):
    n, k, s, p = case
    x = np.random.default_rng(1).standard_normal((2, 3, n))
    top, at, mean = by_loops(x[:, :, None], (1, k), (1, s), (0, p), ceil)
    y, index = gg.max_pool1d(x, k, s, p, ceil, return_indices=True)
    assert np.array_equal(y.numpy(), top[:, :, 0]) and np.array_equal(index, at[:, :, 0])
    assert_close(gg.avg_pool1d(x, k, s, p, ceil).numpy(), mean[:, :, 0])
    assert np.array_equal(nn.MaxPool1d(k, s, p, ceil)(gg.tensor(x)).numpy(), top[:, :, 0])
    assert_close(nn.AvgPool1d(k, s, p, ceil)(gg.tensor(x)).numpy(), mean[:, :, 0])


def test_nothing_beyond_the_image_wins():
    """Not even where all that is in the image is -∞, and NaN keeps its place."""
    x = np.full((1, 1, 3, 3), -np.inf)
    y, index = gg.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
    assert (y.numpy() == -np.inf).all() and index.ravel().tolist() == [0, 2, 6, 8]
    x[0, 0, 2, 2] = np.nan
    y, index = gg.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
    assert np.isnan(y.numpy()[0, 0, 1, 1]) and index[0, 0, 1, 1] == 8


def test_the_place_is_where_the_gradient_goes():
    x = gg.tensor(np.random.default_rng(2).standard_normal((2, 1, 5, 7)), requires_grad=True)
    y, index = gg.max_pool2d(x, 3, 2, 1, ceil_mode=True, return_indices=True)
    want = np.zeros((2, 35))
    for n in range(2):
        np.add.at(want[n], index[n].ravel(), 1.0)
    assert np.array_equal(gg.grad(y.sum(), x).numpy().reshape(2, 35), want)


@pytest.mark.torch
@pytest.mark.parametrize("ceil", [False, True])
def test_pooling_equals_pytorch(ceil):
    torch = pytest.importorskip("torch")
    f, rng, tried = torch.nn.functional, np.random.default_rng(3), 0
    for _ in range(150):
        n = rng.integers(1, 12, 2)
        k, s = rng.integers(1, 6, 2).tolist(), rng.integers(1, 6, 2).tolist()
        p = [int(rng.integers(0, v // 2 + 1)) for v in k]
        a = rng.integers(-3, 4, (2, 2, *n)).astype("float32")
        t = torch.tensor(a, requires_grad=True)
        try:
            want, places = f.max_pool2d(t, k, s, p, ceil_mode=ceil, return_indices=True)
        except RuntimeError:
            with pytest.raises(GlassgradError):
                gg.max_pool2d(a, tuple(k), tuple(s), tuple(p), ceil)
            continue
        tried += 1
        x = gg.tensor(a, requires_grad=True)
        args = tuple(k), tuple(s), tuple(p), ceil
        y, index = gg.max_pool2d(x, *args, return_indices=True)
        assert np.array_equal(y.numpy(), want.detach().numpy()), args
        assert np.array_equal(index, places.numpy()), args
        mean = f.avg_pool2d(t, k, s, p, ceil_mode=ceil)
        assert_close(gg.avg_pool2d(x, *args).numpy(), mean.detach().numpy(), what=str(args))
        g = rng.standard_normal(want.shape).astype("float32")
        for ours, theirs in ((y, want), (gg.avg_pool2d(x, *args), mean)):
            (gt,) = torch.autograd.grad(theirs, t, torch.tensor(g))
            assert_close(gg.grad(ours, x, g).numpy(), gt.numpy(), reduction=32, floor=1.0)
        row = a[:, :, 0]
        one = (k[1], s[1], p[1])
        want, places = f.max_pool1d(torch.tensor(row), *one, ceil_mode=ceil, return_indices=True)
        y, index = gg.max_pool1d(row, *one, ceil, True)
        assert np.array_equal(y.numpy(), want.numpy()) and np.array_equal(index, places.numpy())
        want = f.avg_pool1d(torch.tensor(row), *one, ceil_mode=ceil)
        assert_close(gg.avg_pool1d(row, *one, ceil).numpy(), want.numpy())
    assert tried > 50


# ------------------------------------------------------------------ group normalisation


def normalised(x, groups, gamma, beta, eps):
    """Group after group of each example."""
    y, size = np.empty(x.shape), x.shape[1] // groups
    for n, g in np.ndindex(x.shape[0], groups):
        channels = slice(g * size, (g + 1) * size)
        part = x[n, channels]
        y[n, channels] = (part - part.mean()) / math.sqrt(part.var() + eps)
    along = (-1,) + (1,) * (x.ndim - 2)
    return y * gamma.reshape(along) + beta.reshape(along)


@pytest.mark.parametrize("shape, groups", [
    ((2, 6, 3, 4), 3), ((2, 6, 5), 1), ((3, 4), 2), ((2, 4, 2), 4), ((0, 4, 2), 2), ((2, 4, 0), 2),
    ((1, 2, 1), 2),
])  # fmt: skip
def test_group_norm(shape, groups):
    rng = np.random.default_rng(4)
    x, gamma, beta = (rng.standard_normal(s) for s in (shape, shape[1:2], shape[1:2]))
    want = normalised(x, groups, gamma, beta, 1e-3) if x.size else x
    got = gg.group_norm(x, groups, gamma, beta, 1e-3)
    assert got.shape == shape
    assert_close(got.numpy(), want, rtol=1e-12)
    layer = nn.GroupNorm(groups, shape[1], 1e-3, dtype="float64")
    layer.load_state_dict({"weight": gamma, "bias": beta})
    assert_close(layer(gg.tensor(x)).numpy(), want, rtol=1e-12)
    assert repr(layer).startswith(f"GroupNorm({groups} groups of {shape[1]} channels")


@pytest.mark.torch
def test_group_norm_equals_pytorch():
    torch = pytest.importorskip("torch")
    theirs = torch.nn.GroupNorm(2, 4)
    for p in theirs.parameters():
        torch.nn.init.normal_(p)
    ours = nn.GroupNorm(2, 4)
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    a = np.random.default_rng(5).standard_normal((3, 4, 5, 2)).astype("float32")
    x, t = gg.tensor(a, requires_grad=True), torch.tensor(a, requires_grad=True)
    y, want = ours(x), theirs(t)
    assert_close(y.numpy(), want.detach().numpy(), reduction=20)
    g = np.random.default_rng(6).standard_normal(a.shape).astype("float32")
    y.backward(g)
    want.backward(torch.tensor(g))
    assert_close(x.grad.numpy(), t.grad.numpy(), reduction=80, floor=1.0)
    for name, p in theirs.named_parameters():
        assert_close(dict(ours.named_parameters())[name].grad.numpy(), p.grad.numpy(), reduction=80)


X, FOUR = np.ones((1, 4, 3, 3), "float32"), np.ones(4, "float32")


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: gg.group_norm(X, 3, FOUR, FOUR),
            "must divide the channels",
        ),
        (lambda: gg.group_norm(X, 0, FOUR, FOUR), "group_norm: groups"),
        (
            lambda: gg.group_norm(X, 2, np.ones(3, "f4"), FOUR),
            r"gamma and beta must be",
        ),
        (lambda: gg.group_norm(X, 2, FOUR, FOUR, -1.0), "group_norm: eps"),
        (lambda: gg.group_norm(X[0, 0, 0], 1, 1.0, 1.0), "must have a channel axis"),
        (lambda: nn.GroupNorm(3, 4), "GroupNorm: groups must divide channels"),
        (lambda: nn.GroupNorm(0, 4), "GroupNorm: groups must be a positive integer"),
        (lambda: gg.max_pool1d(X, 2), r"max_pool1d: x must be \[N, C, L\]"),
        (lambda: gg.avg_pool1d(X[0], 4), "window's width must fit"),
        (lambda: gg.max_pool2d(X, 2, 0, ceil_mode=True), "stride must be >= 1"),
        (lambda: gg.max_pool2d(X, 2, 1, 2, ceil_mode=True), "padding must be at most"),
        (lambda: gg.max_pool2d(X[0], 2, ceil_mode=True), "x must have four axes"),
        (lambda: gg.avg_pool2d(X, 2**31 - 1, ceil_mode=True), "fit|memory|large"),
        (lambda: nn.MaxPool1d((2, 2)), "MaxPool1d: kernel_size has the wrong type"),
        (lambda: nn.MaxPool2d(2, ceil_mode=3), "MaxPool2d: ceil_mode"),
    ],
)
def test_what_makes_no_sense_is_named(call, message):
    with pytest.raises(GlassgradError, match=message):
        call()
