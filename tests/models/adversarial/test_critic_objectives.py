"""The objectives of the games against NumPy, and what is known about their gradients."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.models.adversarial.game_pictures import slopes_of
from glassgrad.models.common import critic
from tests.tools import assert_close

RNG = np.random.default_rng(0)
REAL, FAKE = RNG.standard_normal((2, 7, 1))


def sigma(c):
    return 1 / (1 + np.exp(-c))


def leaves():
    return [gg.tensor(a, requires_grad=True) for a in (REAL, FAKE)]


def test_the_product_is_what_lecture_4_writes():
    found = critic.product_discrimination(gg.Tensor(REAL), gg.Tensor(FAKE)).item()
    assert found == pytest.approx(-(sigma(REAL) * (1 - sigma(FAKE))).mean(), rel=1e-12)
    found = critic.product_deception(gg.Tensor(FAKE)).item()
    assert found == pytest.approx(-sigma(FAKE).mean(), rel=1e-12)


def test_the_gradient_of_the_product_is_the_product_times_that_of_the_logarithm():
    """Pair by pair, for the logits of both: ∇p = p ∇ln p with p = D(x)(1 - D(g))."""
    product = sigma(REAL) * (1 - sigma(FAKE))
    a, b = leaves(), leaves()
    of_product = gg.grad(critic.product_discrimination(*a), a)
    of_logarithms = gg.grad(critic.discrimination(*b), b)
    for p, q in zip(of_product, of_logarithms):
        assert_close(p.numpy(), product * q.numpy(), rtol=1e-12)
    (x,), (y,) = leaves()[1:], leaves()[1:]
    (p,) = gg.grad(critic.product_deception(x), [x])
    (q,) = gg.grad(critic.deception(y), [y])
    assert_close(p.numpy(), sigma(FAKE) * q.numpy(), rtol=1e-12)


def test_the_best_answer_of_the_logarithms_is_a_probability_that_of_the_product_a_decision():
    """Three places, every D on a grid: the logarithms want p/(p + q), the product 0 or 1."""
    p, q = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    grid = np.linspace(0.01, 0.99, 50)
    d = np.stack(np.meshgrid(grid, grid, grid), axis=-1).reshape(-1, 3)
    logarithms = np.log(d) @ p + np.log(1 - d) @ q
    assert_close(d[logarithms.argmax()], p / (p + q), rtol=0.05)
    pairs = np.einsum("i,j,ni,nj->n", p, q, d, 1 - d)  # all pairs (x, g)
    best = d[pairs.argmax()]
    assert best[0] > 0.98 and best[2] < 0.02  # where p = q anything will do
    # of one pair both are largest for the same answer
    one = sigma(REAL) * (1 - sigma(FAKE))
    assert one.argmax() == np.log(one).argmax()


def test_what_reaches_the_generator_is_the_derivative_by_the_logit():
    c = gg.tensor(np.linspace(-6, 6, 13), requires_grad=True)
    want = slopes_of(sigma(c.numpy()))
    losses = {
        "minimax": critic.deception(c, "minimax"),
        "non-saturating": critic.deception(c),
        "product": critic.product_deception(c),
    }
    assert set(want) == set(losses)
    for name, loss in losses.items():
        (g,) = gg.grad(loss * c.size, [c])
        assert (g.numpy() < 0).all(), "a larger D(G(z)) is better for the generator"
        assert_close(-g.numpy(), want[name], rtol=1e-12, what=name)
    sure = {name: float(s[0]) for name, s in want.items()}  # D(G(z)) = 0.0025
    assert sure["minimax"] < 0.003 and sure["product"] < 0.003 and sure["non-saturating"] > 0.99


def test_the_penalty_of_a_linear_critic_is_known():
    """f(x) = a·x has the slope ‖a‖ everywhere: (‖a‖ - 1)², and its derivative 2(‖a‖ - 1)a/‖a‖."""
    x, y = RNG.standard_normal((2, 5, 3))
    u = gg.Tensor(RNG.random((5, 1)))
    for scale in (1.5, 3.0):
        a = RNG.standard_normal((3, 1))
        a *= scale / np.linalg.norm(a)
        w = gg.tensor(a, requires_grad=True)
        for one_sided in (False, True):
            found = critic.gradient_penalty(
                lambda r, w=w: r @ w, gg.Tensor(x), gg.Tensor(y), u, one_sided
            )
            off = scale - 1
            assert found.item() == pytest.approx(off**2, rel=1e-10)
            (g,) = gg.grad(found, [w])
            assert_close(g.numpy(), 2 * off * a / scale, rtol=1e-10)
    flat = [
        critic.gradient_penalty(lambda r: 0.4 * r[:, :1], gg.Tensor(x), gg.Tensor(y), u, one_sided)
        for one_sided in (False, True)
    ]
    assert flat[0].item() == pytest.approx(0.36, rel=1e-10) and flat[1].item() == 0


def test_gap():
    found = critic.gap(gg.Tensor(REAL), gg.Tensor(FAKE)).item()
    assert found == pytest.approx(REAL.mean() - FAKE.mean(), rel=1e-12)
