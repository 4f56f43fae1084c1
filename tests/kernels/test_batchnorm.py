"""Batch normalisation against PyTorch, its own definition, and data far from the origin."""

import numpy as np
import pytest

from glassgrad.kernels import ShapeError, batchnorm
from glassgrad.kernels.batchnorm.rungs import cpu_v2_cached
from tests.kernels.checking import on
from tests.tools import assert_close

BACKENDS = ["reference", "numba", "numba v1"]
SIZES = [(4, 3, 5), (70, 33, 1), (3, 2, 2100), (130, 1, 1)]


def draw(size, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    x, g = (rng.standard_normal(size).astype(dtype) for _ in range(2))
    gamma, beta = (rng.standard_normal(size[1]).astype(dtype) for _ in range(2))
    return x, g, gamma, beta


@pytest.mark.torch
@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("size", SIZES)
def test_against_torch(name, size):
    torch = pytest.importorskip("torch")
    x, g, gamma, beta = draw(size)
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, gamma, beta)]
    want = torch.nn.functional.batch_norm(leaves[0], None, None, *leaves[1:], True, eps=0.01)
    want.backward(torch.tensor(g))
    with on(name, "batchnorm"):
        y, mean, variance = batchnorm.forward(x, gamma, beta, 0.01)
        got = batchnorm.backward(g, x, gamma, mean, variance, 0.01)
    assert_close(y, want.detach().numpy(), rtol=1e-12)
    for a, leaf in zip(got, leaves):
        assert_close(a, leaf.grad.numpy(), rtol=1e-11)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("size", SIZES)
def test_each_channel_comes_out_with_its_own_mean_and_spread(name, size):
    x, _, gamma, beta = draw(size, "float32")
    with on(name, "batchnorm"):
        y, mean, variance = batchnorm.forward(x, gamma, beta, 0.0)
    assert_close(mean, x.mean(axis=(0, 2), dtype=float).astype("float32"), floor=1.0)
    assert_close(variance, x.var(axis=(0, 2), dtype=float).astype("float32"), rtol=1e-6)
    assert_close(y.mean(axis=(0, 2), dtype=float), beta.astype(float), rtol=1e-5, floor=1.0)
    assert_close(y.std(axis=(0, 2), dtype=float), np.abs(gamma).astype(float), rtol=1e-5)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("size", [(64, 2, 784), (20_000, 2, 1)])
def test_far_from_the_origin_nothing_cancels(name, size):
    """The mean of squares less the square of the mean has no digit left at 1000 in float32."""
    x, _, gamma, beta = draw(size, "float32")
    far = x + np.float32(1000)
    kept = (far - np.float32(1000)).astype(float)  # what rounding at 1000 has left
    with on(name, "batchnorm"):
        _, mean, variance = batchnorm.forward(far, gamma, beta, 0.0)
    assert np.abs(mean - 1000 - kept.mean(axis=(0, 2))).max() < 1e-4
    assert_close(variance.astype(float), kept.var(axis=(0, 2)), rtol=1e-5)


def test_errors():
    x, gamma = np.zeros((2, 3, 4)), np.zeros(3)
    with pytest.raises(ShapeError, match=r"axes \[N, C, L\]"):
        batchnorm.forward(x[0], gamma, gamma)
    with pytest.raises(ShapeError, match=r"beta.shape must be \[C\]"):
        batchnorm.forward(x, gamma, gamma[:2])
    with pytest.raises(ShapeError, match="a channel needs a number"):
        batchnorm.forward(x[:0], gamma, gamma)
    with pytest.raises(ShapeError, match=r"g.shape must equal x.shape"):
        batchnorm.backward(x[:1], x, gamma, gamma, gamma)


@pytest.mark.parametrize("rows, blocks", [(1, 1), (64, 1), (65, 2), (128, 2), (130, 3)])
def test_vectors_are_added_up_in_blocks_of_64_rows(rows, blocks):
    """No more of them than there are: their sums are memory."""
    parts, sums = cpu_v2_cached._partial_sums(np.empty((rows, 3), "float32"))
    assert sums.shape == (2, blocks, 3) and sums.dtype == "float32" and not sums.any()
    assert parts == 1 and cpu_v2_cached._partial_sums(np.empty((rows, 1 << 15)))[0] == blocks


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("length", [1, 7])
def test_a_constant_channel_without_eps_is_nan_everywhere(name, length):
    """0 / 0 is NaN on every backend, and no Python error from inside compiled code."""
    x = np.ones((4, 2, length))
    x[:, 1] = np.arange(4)[:, None]
    one = np.ones(2)
    with on(name, "batchnorm"), np.errstate(all="ignore"):
        y, mean, variance = batchnorm.forward(x, one, one, 0.0)
        gx, _, _ = batchnorm.backward(x, x, one, mean, variance, 0.0)
    assert np.isnan(y[:, 0]).all() and np.isfinite(y[:, 1]).all()
    assert np.isnan(gx[:, 0]).all() and np.isfinite(gx[:, 1]).all()
