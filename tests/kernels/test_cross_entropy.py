"""Cross-entropy against SciPy, at its extremes, and its errors."""

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp, softmax

from glassgrad.kernels import DTypeError, ShapeError, ValueRangeError, cross_entropy
from tests.kernels.checking import on
from tests.tools import assert_close

BACKENDS = ["reference", "numba", "numba v1"]


def draw(N, K, dtype, scale=3.0):
    rng = np.random.default_rng(N + K)
    return (scale * rng.standard_normal((N, K))).astype(dtype), rng.integers(0, K, N)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("N, K", [(1, 1), (7, 10), (33, 31), (3, 4097)])
def test_against_scipy(name, dtype, N, K):
    z, label = draw(N, K, dtype)
    g = np.random.default_rng(0).standard_normal(N).astype(dtype)
    wide, rows = z.astype("float64"), np.arange(N)
    with on(name, "cross_entropy"):
        loss, lse = cross_entropy.forward(z, label)
        gz = cross_entropy.backward(g, z, label, lse)
    assert_close(lse, logsumexp(wide, axis=1).astype(dtype), reduction=K)
    assert_close(loss, -log_softmax(wide, axis=1)[rows, label].astype(dtype), None, K, floor=10.0)
    want = softmax(wide, axis=1)
    want[rows, label] -= 1
    assert_close(gz, (g[:, None] * want).astype(dtype), reduction=10)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("K", [2, 40])
def test_extremes(name, K):
    inf = np.inf
    z, label = np.zeros((5, K), "float32"), np.zeros(5, int)
    z[0, 1], z[1], z[2, 1], z[3, 1] = 1000, -inf, np.nan, inf
    z[4, 1:] = -inf
    with on(name, "cross_entropy"), np.errstate(invalid="ignore"):
        loss, lse = cross_entropy.forward(z, label)
    assert np.array_equal(lse, [1000, -inf, np.nan, inf, 0], equal_nan=True)
    assert loss[0] == 1000 and np.isnan(loss[[1, 2]]).all() and loss[3] == inf and loss[4] == 0


@pytest.mark.parametrize("name", BACKENDS)
def test_a_sure_row_has_no_gradient(name):
    z, label = np.array([[0, 2000.0]], "float32"), np.array([1])
    with on(name, "cross_entropy"):
        _, lse = cross_entropy.forward(z, label)
        gz = cross_entropy.backward(np.ones(1, "float32"), z, label, lse)
    assert gz.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("name", BACKENDS)
def test_a_row_without_a_label_costs_nothing(name):
    z, label = draw(5, 40, "float32")
    z[[1, 3], 7], label[[1, 3]] = (np.nan, np.inf), -1
    g = np.array([1, np.nan, 1, np.inf, 1], "float32")
    with on(name, "cross_entropy"), np.errstate(invalid="ignore"):
        loss, lse = cross_entropy.forward(z, label)
        gz = cross_entropy.backward(g, z, label, lse)
        some = [0, 2, 4]
        alone = cross_entropy.forward(z[some], label[some])[0]
    assert loss[[1, 3]].tolist() == [0, 0] and not gz[[1, 3]].any()
    assert np.array_equal(loss[some], alone) and (gz[some] != 0).any(axis=1).all()


def test_errors():
    z, label, g = np.zeros((3, 4)), np.zeros(3, int), np.zeros(3)
    with pytest.raises(ValueRangeError, match=r"expected -1\.\.3, got 0\.\.4"):
        cross_entropy.forward(z, np.array([0, 4, 1]))
    with pytest.raises(ValueRangeError, match=r"expected -1\.\.3, got -2\.\.1"):
        cross_entropy.forward(z, np.array([0, -2, 1]))
    with pytest.raises(DTypeError, match=r"label.dtype must be int64"):
        cross_entropy.forward(z, g)
    with pytest.raises(ShapeError, match=r"label.shape must be \[N\]"):
        cross_entropy.forward(z, label[:2])
    with pytest.raises(ShapeError, match=r"g.shape must be \[N\]"):
        cross_entropy.backward(g[:2], z, label, g)
    with pytest.raises(ShapeError, match=r"axes \[N, K\]"):
        cross_entropy.forward(z[0], label)
