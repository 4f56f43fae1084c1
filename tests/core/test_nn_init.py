"""Initial values: fans, bounds and moments from the formulas, and the layers' defaults."""

import math

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.core.nn import init
from glassgrad.kernels.errors import GlassgradError

SHAPE = (200, 300)
IN, OUT = 300, 200
# rule -> (standard deviation, bound or None)
RULES = {
    "xavier_uniform": (math.sqrt(2 / 500), math.sqrt(6 / 500)),
    "xavier_normal": (math.sqrt(2 / 500), None),
    "kaiming_uniform": (math.sqrt(2 / 300), math.sqrt(6 / 300)),
    "kaiming_normal": (math.sqrt(2 / 300), None),
    "lecun_uniform": (math.sqrt(1 / 300), math.sqrt(3 / 300)),
    "lecun_normal": (math.sqrt(1 / 300), None),
    "uniform": (0.1 / math.sqrt(3), 0.1),
    "normal": (0.01, None),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_moments_and_bounds(name, dtype):
    std, bound = RULES[name]
    w = getattr(init, name)(SHAPE, gg.Generator(1), dtype=dtype)
    assert w.shape == SHAPE and w.dtype == dtype
    n = w.size
    assert abs(w.mean()) < 4 * std / math.sqrt(n)
    assert abs(w.std() / std - 1) < 4 / math.sqrt(2 * n)
    if bound is not None:
        assert 0.999 * bound < np.abs(w).max() <= bound * (1 + 1e-6)
    else:
        assert np.abs(w).max() > 3 * std  # has a normal's tails


def test_options():
    g = gg.Generator

    def assert_ratio(a, b, r):
        np.testing.assert_allclose(a, b * r, rtol=1e-6)

    assert_ratio(init.xavier_normal(SHAPE, g(1), gain=3.0), init.xavier_normal(SHAPE, g(1)), 3.0)
    leaky = init.kaiming_normal(SHAPE, g(1), a=1.0)
    assert_ratio(leaky, init.kaiming_normal(SHAPE, g(1)), math.sqrt(0.5))
    moved = init.normal(SHAPE, g(1), mean=2.0, std=0.5, dtype="float64")
    assert abs(moved.mean() - 2) < 0.01 and abs(moved.std() - 0.5) < 0.01
    assert init.zeros((2,)).tolist() == [0, 0] and init.ones((2,)).tolist() == [1, 1]
    assert init.constant((2,), value=3).tolist() == [3, 3]
    assert init.identity((2, 3), gain=2.0).tolist() == [[2, 0, 0], [0, 2, 0]]
    assert init.identity((2, 2)).dtype == "float32"


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (4, 2, 3, 3)])
def test_orthogonal(shape):
    w = init.orthogonal(shape, gg.Generator(1), gain=2.0, dtype="float64").reshape(shape[0], -1)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


def test_orthogonal_is_uniform():
    """The mean over draws of an entry is 0 and of its square 1/n; QR alone has a biased sign."""
    rng = gg.Generator(2)
    draws = np.array([init.orthogonal((3, 3), rng, dtype="float64") for _ in range(600)])
    assert np.abs(draws.mean(axis=0)).max() < 4 * math.sqrt(1 / 3 / 600)
    assert np.abs((draws**2).mean(axis=0) - 1 / 3).max() < 0.06
    assert {1, -1} == set(np.sign(np.linalg.det(draws)).astype(int))


def test_fans():
    assert init.fans((7, 5)) == (5, 7) and init.fans((16, 3, 5, 5)) == (75, 400)
    assert init.gain("tanh") == 5 / 3
    for call in (
        lambda: init.fans((3,)),
        lambda: init.gain("swish"),
        lambda: init.identity((2, 2, 2)),
        lambda: init.orthogonal((3,), gg.Generator()),
    ):
        with pytest.raises(GlassgradError, match="expected"):
            call()
    with pytest.raises(GlassgradError, match="must be positive"):
        init.kaiming_normal((3, 0), gg.Generator())


def test_draws_differ_and_repeat():
    rng = gg.Generator(7)
    a, b = init.normal((4,), rng), init.normal((4,), rng)
    assert not np.array_equal(a, b)
    assert np.array_equal(a, init.normal((4,), gg.Generator(7)))


@pytest.mark.parametrize(
    "make, fan_in",
    [
        (lambda r: nn.Linear(100, 90, rng=r), 100),
        (lambda r: nn.Conv2d(8, 64, 5, groups=2, rng=r), 100),
        (lambda r: nn.ConvTranspose2d(64, 4, 5, rng=r), 100),  # PyTorch counts O·KH·KW here
        (lambda r: nn.Conv1d(20, 64, 5, rng=r), 100),
        (lambda r: nn.LSTM(30, 100, rng=r), 100),
        (lambda r: nn.GRU(30, 100, variant="library", rng=r), 100),
    ],
)
def test_layer_defaults(make, fan_in):
    bound = 1 / math.sqrt(fan_in)
    for name, p in make(gg.Generator(3)).named_parameters():
        w = np.abs(p.numpy())
        assert w.max() <= bound * (1 + 1e-6), name
        assert w.max() > bound * (1 - 8 / w.size), name
        assert abs(w.mean() / bound - 0.5) < 1.3 / math.sqrt(w.size), name


def test_a_rule_everywhere():
    net = nn.LSTM(3, 4, rng=gg.Generator(0)).astype("float64")
    init.everywhere(net, init.uniform, gg.Generator(1), low=2.0, high=2.5)
    for p in net.parameters():
        assert p.dtype == np.float64 and (p.numpy() >= 2).all() and (p.numpy() < 2.5).all()


@pytest.mark.torch
def test_bounds_equal_torch():
    torch = pytest.importorskip("torch")
    for name in ("xavier_uniform", "kaiming_uniform"):
        w = torch.empty(400, 25, 2, 2)
        getattr(torch.nn.init, name + "_")(w)
        ours = getattr(init, name)(tuple(w.shape), gg.Generator(0))
        assert abs(float(w.abs().max()) / np.abs(ours).max() - 1) < 1e-3
