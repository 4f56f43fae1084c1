"""The reparameterised sample against scalar loops, closed forms, finite differences, statistics."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from glassgrad.kernels import DTypeError, ShapeError, ValueRangeError, philox, reparam
from tests.kernels.checking import on
from tests.tools import LAYOUTS, assert_close

CPU = ["reference", "numba", "numba v1"]
DTYPES = ["float32", "float64"]


def arrays(dtype, *shapes, seed=0):
    draw = np.random.default_rng(seed)
    return [draw.normal(size=s).astype(dtype) for s in shapes]


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("N, D", [(1, 1), (5, 3), (7, 4), (4, 33)])
def test_forward_against_a_scalar_loop(name, dtype, N, D):
    mu, logvar = arrays(dtype, (N, D), (N, D))
    eps = philox.normal(N * D, 3, 17, "float64")
    z, kl = np.empty((N, D)), np.zeros(N)
    for n in range(N):
        for j in range(D):
            m, v = float(mu[n, j]), math.exp(logvar[n, j])
            z[n, j] = m + math.sqrt(v) * eps[n * D + j]
            kl[n] += (m * m + v - 1 - math.log(v)) / 2
    with on(name, "reparam"):
        got_z, got_kl = reparam.forward(mu, logvar, 3, 17)
    assert_close(got_z, z.astype(dtype), what="z")
    assert_close(got_kl, kl.astype(dtype), reduction=D, what="kl", floor=1.0)  # terms cancel


@pytest.mark.parametrize("mu, sigma", [(0.0, 1.0), (1.5, 0.3), (-0.7, 2.0)])
def test_kl_is_the_integral(mu, sigma):
    q, p = stats.norm(mu, sigma), stats.norm()
    want, _ = integrate.quad(
        lambda t: q.pdf(t) * (q.logpdf(t) - p.logpdf(t)), mu - 12 * sigma, mu + 12 * sigma
    )
    logvar = np.full((1, 1), 2 * math.log(sigma))
    _, kl = reparam.forward(np.full((1, 1), mu), logvar, 0, 0)
    assert_close(kl, np.array([want]), rtol=1e-7)


@pytest.mark.parametrize("name", CPU)
def test_backward_by_finite_differences(name):
    mu, logvar, gz = arrays("float64", (5, 3), (5, 3), (5, 3))
    (gkl,) = arrays("float64", (5,), seed=1)
    step = 1e-6

    def loss(mu, logvar):
        z, kl = reparam.forward(mu, logvar, 8, 2)
        return (gz * z).sum() + (gkl * kl).sum()

    with on(name, "reparam"):
        got = reparam.backward(gz, gkl, mu, logvar, 8, 2)
        for which in 0, 1:
            want = np.empty_like(mu)
            for i in np.ndindex(mu.shape):
                bump = [np.zeros_like(mu), np.zeros_like(mu)]
                bump[which][i] = step
                above = loss(mu + bump[0], logvar + bump[1])
                below = loss(mu - bump[0], logvar - bump[1])
                want[i] = (above - below) / (2 * step)
            assert_close(got[which], want, rtol=1e-8)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_backends_agree_in_every_layout(layout, dtype):
    args = [LAYOUTS[layout](a) for a in arrays(dtype, (31, 7), (31,), (31, 7), (31, 7))]
    before = [a.copy() for a in args]
    results = {}
    for name in CPU:
        with on(name, "reparam"):
            results[name] = [
                *reparam.forward(*args[2:], 2**40, 2**32 - 3),
                *reparam.backward(*args, 2**40, 2**32 - 3),
            ]
    wanted = results.pop("reference")
    for found in results.values():
        for fast, slow in zip(found, wanted):
            assert fast.flags.c_contiguous
            assert_close(fast, slow, reduction=7)
    assert all(np.array_equal(a, b) for a, b in zip(args, before))


def test_noise_is_standard_normal_and_not_shared_between_offsets():
    zero = np.zeros((500, 300))
    z, kl = reparam.forward(zero, zero, 12, 0)
    assert not kl.any()
    assert stats.kstest(z.reshape(-1), "norm").pvalue > 1e-3
    assert np.abs(np.corrcoef(z[:, :20].T)[~np.eye(20, dtype=bool)]).max() < 5 / 500**0.5
    again, _ = reparam.forward(zero, zero, 12, philox.blocks(zero.size))
    assert abs((z * again).mean()) < 4 / z.size**0.5
    assert np.array_equal(z.reshape(-1), philox.normal(z.size, 12, 0, "float64"))


def test_same_noise_in_both_dtypes():
    zero = np.zeros((20, 30))
    z64, _ = reparam.forward(zero, zero, 4, 4)
    z32, _ = reparam.forward(*[zero.astype("float32")] * 2, 4, 4)
    assert_close(z32, z64.astype("float32"), rtol=1e-6)


@pytest.mark.parametrize("name", CPU)
def test_extreme_values(name):
    mu = np.array([[0.0, np.nan], [1.0, 2.0], [3.0, 4.0]], "float32")
    logvar = np.array([[0.0, 0.0], [200.0, 0.0], [-200.0, np.nan]], "float32")
    with on(name, "reparam"), np.errstate(over="ignore", invalid="ignore"):
        z, kl = reparam.forward(mu, logvar, 0, 0)
        gmu, glogvar = reparam.backward(mu * 0 + 1, mu[:, 0] * 0 + 1, mu, logvar, 0, 0)
    assert np.isnan(z).tolist() == [[False, True], [False, False], [False, True]]
    assert np.isnan(kl).tolist() == [True, False, True] and np.isposinf(kl[1])
    assert np.isinf(z[1, 0])  # e^100 overflows float32
    assert z[2, 0] == 3.0  # e^-100 vanishes beside mu
    assert np.isnan(gmu).tolist() == [[False, True], [False, False], [False, False]]
    assert np.isnan(glogvar[2, 1]) and not np.isfinite(glogvar[1, 0])


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 0)])
def test_empty(name, shape):
    empty = np.zeros(shape)
    with on(name, "reparam"):
        z, kl = reparam.forward(empty, empty, 0, 0)
        gmu, glogvar = reparam.backward(empty, np.ones(shape[0]), empty, empty, 0, 0)
    assert z.shape == gmu.shape == glogvar.shape == shape
    assert kl.tolist() == [0.0] * shape[0]


def test_errors():
    a = np.zeros((2, 3), "float32")
    with pytest.raises(ShapeError, match=r"logvar\.shape.*\(2, 3\), got \(2, 4\)"):
        reparam.forward(a, np.zeros((2, 4), "float32"), 0, 0)
    with pytest.raises(ShapeError, match="2 axes"):
        reparam.forward(a[0], a[0], 0, 0)
    with pytest.raises(ShapeError, match=r"gkl\.shape"):
        reparam.backward(a, a, a, a, 0, 0)
    with pytest.raises(ShapeError, match=r"gz\.shape"):
        reparam.backward(a[:1], a[:, 0], a, a, 0, 0)
    with pytest.raises(DTypeError, match=r"logvar\.dtype"):
        reparam.forward(a, a.astype("float64"), 0, 0)
    with pytest.raises(DTypeError, match="float32 or float64"):
        reparam.forward(a.astype(int), a.astype(int), 0, 0)
    with pytest.raises(ValueRangeError, match="seed"):
        reparam.forward(a, a, -1, 0)
    with pytest.raises(ValueRangeError, match="wrap"):
        reparam.forward(a, a, 0, 2**64 - 1)


@pytest.mark.torch
def test_against_torch_distributions():
    torch = pytest.importorskip("torch")
    mu, logvar, gz, gkl = arrays("float64", (6, 5), (6, 5), (6, 5), (6,))
    tm, tl = (torch.tensor(a, requires_grad=True) for a in (mu, logvar))
    q = torch.distributions.Normal(tm, (tl / 2).exp())
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1)
    eps = torch.tensor(philox.normal((6, 5), 1, 0, "float64"))
    z = tm + (tl / 2).exp() * eps
    ((z * torch.tensor(gz)).sum() + (kl * torch.tensor(gkl)).sum()).backward()
    got_z, got_kl = reparam.forward(mu, logvar, 1, 0)
    gmu, glogvar = reparam.backward(gz, gkl, mu, logvar, 1, 0)
    for got, want in ((got_z, z), (got_kl, kl), (gmu, tm.grad), (glogvar, tl.grad)):
        assert_close(got, want.detach().numpy(), reduction=5)
