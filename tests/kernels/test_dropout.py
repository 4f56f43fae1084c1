"""Dropout against a scalar loop over the random words, and its statistics."""

import numpy as np
import pytest

from glassgrad.kernels import DTypeError, ValueRangeError, backend, dropout, philox
from tests.tools import LAYOUTS, assert_close

CPU = ["reference", "numba"]
DTYPES = ["float32", "float64"]


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9])
def test_against_a_loop_over_the_words(name, dtype, p):
    x = np.random.default_rng(0).normal(size=(5, 7)).astype(dtype)
    words = philox.bits(6, 11, 35)
    want = [
        float(v) / (1 - p) if (int(b) >> 8) / 2**24 >= p else 0.0
        for v, b in zip(x.reshape(-1), words)
    ]
    with backend(name):
        got = dropout.forward(x, p, 6, 11)
    assert_close(got, np.array(want, dtype).reshape(5, 7))
    assert np.array_equal(got == 0, np.array(want).reshape(5, 7) == 0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_backends_agree_exactly(layout):
    x = LAYOUTS[layout](np.random.default_rng(1).normal(size=(9, 127)).astype("float32"))
    before = x.copy()
    got = dropout.forward(x, 0.3, 2**63, 2**32 - 5)
    with backend("reference"):
        assert np.array_equal(got, dropout.forward(x, 0.3, 2**63, 2**32 - 5))
    assert got.flags.c_contiguous and np.array_equal(x, before)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_share_of_zeros_and_mean(p):
    n = 300_000
    y = dropout.forward(np.ones(n), p, 99, 0)
    assert abs((y == 0).mean() - p) < 4 * (p * (1 - p) / n) ** 0.5
    assert abs(y.mean() - 1) < 4 * (p / (1 - p) / n) ** 0.5
    dropped = (y == 0) - p
    for lag in 1, 2, 3, 4:
        assert abs((dropped[:-lag] * dropped[lag:]).mean()) < 4 * p * (1 - p) / n**0.5


@pytest.mark.parametrize("name", CPU)
def test_the_mask_depends_on_the_stream_only(name):
    with backend(name):
        one = dropout.forward(np.ones(400, "float32"), 0.5, 1, 0)
        assert np.array_equal(one, dropout.forward(np.ones(400), 0.5, 1, 0))  # float64, same mask
        assert np.array_equal(one, dropout.forward(np.ones((20, 20)), 0.5, 1, 0).reshape(-1))
        assert not np.array_equal(one, dropout.forward(np.ones(400), 0.5, 2, 0))
        shifted = dropout.forward(np.ones(400), 0.5, 1, 10)
        assert np.array_equal(one[40:], shifted[:-40])  # ten blocks of four further on


def test_linear_so_its_own_derivative():
    draw = np.random.default_rng(3)
    x, dx, gy = draw.integers(-8, 8, (3, 50)).astype(float)
    f = lambda a: dropout.forward(a, 0.5, 4, 4)  # noqa: E731
    assert np.array_equal(f(x + dx), f(x) + f(dx))
    assert f(dx) @ gy == dx @ f(gy)


@pytest.mark.parametrize("name", CPU)
def test_ends_of_p(name):
    x = np.arange(1.0, 1001.0)
    with backend(name):
        same = dropout.forward(x, 0.0, 0, 0)
        assert np.array_equal(same, x) and not np.shares_memory(same, x)
        assert not dropout.forward(x, np.nextafter(1.0, 0.0), 0, 0).any()
        word = int(philox.bits(0, 0, 1)[0]) >> 8
        # the boundary itself is kept, the next p above it drops
        assert dropout.forward(x, word / 2**24, 0, 0)[0] > 0
        assert dropout.forward(x, (word + 0.5) / 2**24, 0, 0)[0] == 0


@pytest.mark.parametrize("name", CPU)
def test_nan_reaches_only_kept_elements(name):
    with backend(name):
        kept = dropout.forward(np.ones(50), 0.5, 0, 0) != 0
        assert np.array_equal(np.isnan(dropout.forward(np.full(50, np.nan), 0.5, 0, 0)), kept)


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("shape", [(0,), (3, 0), (), (1,), (2, 3, 4)])
def test_shapes(name, shape):
    with backend(name):
        y = dropout.forward(np.ones(shape, "float32"), 0.5, 0, 0)
    assert y.shape == shape and y.dtype == "float32" and isinstance(y, np.ndarray)


def test_errors():
    x = np.ones(3)
    for p in -0.1, 1.0, 2, float("nan"):
        with pytest.raises(ValueRangeError, match=r"0 <= p < 1|p is not allowed"):
            dropout.forward(x, p, 0, 0)
    with pytest.raises(DTypeError):
        dropout.forward(np.ones(3, int), 0.5, 0, 0)
    with pytest.raises(DTypeError, match="must be an array"):
        dropout.forward([1.0], 0.5, 0, 0)
    with pytest.raises(ValueRangeError, match="offset"):
        dropout.forward(x, 0.5, 0, -1)


@pytest.mark.parametrize("skipped", [1, 2, 4])
def test_a_view_that_begins_between_two_vectors(skipped):
    """Contiguous, so it is not copied; a load of 16 bytes from there would be refused by a GPU."""
    x = np.arange(1, 42, dtype="float32")[skipped:]
    with backend("reference"):
        want = dropout.forward(x, 0.5, 3, 0)
    with backend("emulated"):
        assert np.array_equal(dropout.forward(x, 0.5, 3, 0), want)
