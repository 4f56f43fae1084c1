"""Local response normalisation against its definition, finite differences, PyTorch; its errors."""

import numpy as np
import pytest

from glassgrad.kernels import DTypeError, ShapeError, ValueRangeError, lrn
from tests.kernels.checking import on, threads, why_no_emulator
from tests.tools import assert_close

NO_COMPILER = why_no_emulator()
EMULATED = [
    pytest.param(
        f"emulated{v}", marks=pytest.mark.skipif(bool(NO_COMPILER), reason=NO_COMPILER or "there")
    )
    for v in ("", " v1")
]
BACKENDS = ["reference", "numba", "numba v1", *EMULATED]
WINDOWS = [(7, 1), (7, 5), (6, 4), (3, 8), (2, 11)]  # channels, width
NUMBERS = [(2.0, 1e-4, 0.75), (0.5, 0.3, 0.6), (1.0, 0.3, 2.25), (1.0, 0.3, 0.0)]  # k, a, β


def draw(C, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((3, C, 11)).astype(dtype) for _ in range(2)]


def by_definition(x, n, k, a, beta):
    """s of every number by the sum of its window; y."""
    C, s = x.shape[1], np.empty_like(x)
    for c in range(C):
        window = x[:, max(0, c - n // 2) : min(C, c + (n - 1) // 2 + 1)]
        s[:, c] = k + a * (window**2).sum(axis=1)
    return x / s**beta, s


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("C, n", WINDOWS)
@pytest.mark.parametrize("numbers", NUMBERS)
def test_by_definition_and_finite_differences(name, C, n, numbers):
    k, a, beta = numbers
    x, g = draw(C)
    with on(name, "lrn"):
        y, s = lrn.forward(x, n, k, a, beta)
        gx = lrn.backward(g, x, s, n, a, beta)
    want, sums = by_definition(x, n, k, a, beta)
    assert_close(y, want, rtol=1e-13)
    assert_close(s, sums, rtol=1e-14)
    way, h = np.random.default_rng(5).standard_normal(x.shape), 1e-6
    ahead, behind = (by_definition(x + d * way, n, k, a, beta)[0] for d in (h, -h))
    assert (gx * way).sum() == pytest.approx((g * (ahead - behind)).sum() / (2 * h), rel=1e-6)


@pytest.mark.torch
@pytest.mark.parametrize("name", BACKENDS)
def test_against_torch(name):
    torch = pytest.importorskip("torch")
    x, g = draw(9, "float32")
    t = torch.tensor(x, requires_grad=True)
    want = torch.nn.functional.local_response_norm(t, 5, 5 * 0.3, 0.75, 1.5)
    want.backward(torch.tensor(g))
    with on(name, "lrn"):
        y, s = lrn.forward(x, 5, 1.5, 0.3, 0.75)
        gx = lrn.backward(g, x, s, 5, 0.3, 0.75)
    assert_close(y, want.detach().numpy(), reduction=32)
    assert_close(gx, t.grad.numpy(), reduction=32, floor=1.0)


@pytest.mark.parametrize("name", BACKENDS)
def test_what_is_not_finite_stays_in_its_windows(name):
    x = np.ones((1, 9, 2), "float32")
    x[0, 4, 0] = np.nan
    with on(name, "lrn"):
        y, s = lrn.forward(x, 3, 1.0, 1.0, 0.75)
        gx = lrn.backward(np.ones_like(x), x, s, 3, 1.0, 0.75)
    assert np.flatnonzero(np.isnan(y[0, :, 0])).tolist() == [3, 4, 5]
    assert np.flatnonzero(np.isnan(gx[0, :, 0])).tolist() == [2, 3, 4, 5, 6]
    assert np.isfinite(y[0, :, 1]).all() and np.isfinite(gx[0, :, 1]).all()


def test_the_same_bits_with_any_number_of_threads():
    x, g = (np.concatenate([a] * 40) for a in draw(64, "float32"))
    record, found = type("Record", (), {"backend": "numba"}), []
    for number in (1, 2):
        with threads(record, number):
            y, s = lrn.forward(x, 5, 2.0, 0.1, 0.75)
            found.append([y, s, lrn.backward(g, x, s, 5, 0.1, 0.75)])
    for one, two in zip(*found):
        assert np.array_equal(one, two)


def test_errors():
    x = np.ones((1, 2, 3))
    for call, error, message in (
        (lambda: lrn.forward(x[0], 3, 1.0, 1.0, 1.0), ShapeError, r"axes \[N, C, L\]"),
        (lambda: lrn.forward(x, 0, 1.0, 1.0, 1.0), ValueRangeError, "n must be positive"),
        (lambda: lrn.forward(x, 3, 0.0, 1.0, 1.0), ValueRangeError, "k must be positive"),
        (lambda: lrn.forward(x, 3, 1.0, -1.0, 1.0), ValueRangeError, "a must not be negative"),
        (lambda: lrn.backward(x, x, x, 3, 1.0, -1.0), ValueRangeError, "beta must not be"),
        (lambda: lrn.backward(x[:, :1], x, x, 3, 1.0, 1.0), ShapeError, "g.shape must be x's"),
        (lambda: lrn.forward(x.astype(int), 3, 1.0, 1.0, 1.0), DTypeError, "float"),
    ):
        with pytest.raises(error, match=message):
            call()
