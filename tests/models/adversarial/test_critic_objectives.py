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


@pytest.mark.parametrize("pair", range(12))
def test_for_any_single_pair_both_have_the_same_best_discriminator(pair):
    """Of nets σ(at + b), whose weights x and g share: ln is rising, so the arg max stays."""
    x, g = np.random.default_rng(pair).uniform(-2, 2, 2)
    weights = [(a, b) for a in np.linspace(-3, 3, 13) for b in np.linspace(-2, 2, 9)]
    pairs = [[gg.tensor([[a * t + b]]) for t in (x, g)] for a, b in weights]
    products = [critic.product_discrimination(*logits).item() for logits in pairs]
    logarithms = [critic.discrimination(*logits).item() for logits in pairs]
    assert np.argmin(products) == np.argmin(logarithms)
    order = np.argsort(products, kind="stable")
    assert (np.diff(np.array(logarithms)[order]) > -1e-6).all(), "and the same order of all nets"


def test_for_pairs_with_answers_of_their_own_both_have_the_same_best_discriminator():
    """No sample in two pairs and D free within bounds: the sums fall apart into single pairs."""
    choices = np.array([0.05, 0.3, 0.5, 0.8])
    d = np.stack(np.meshgrid(*[choices] * 6), axis=-1).reshape(-1, 3, 2)  # three pairs (x, g)
    allowed = (d[:, 0, 0] <= 0.5) & (d[:, 2, 1] >= 0.3)  # bounds of two of the six answers
    d = d[allowed]
    products = (d[..., 0] * (1 - d[..., 1])).sum(axis=1)
    logarithms = (np.log(d[..., 0]) + np.log(1 - d[..., 1])).sum(axis=1)
    assert products.argmax() == logarithms.argmax()
    best = d[products.argmax()]
    assert_close(best, np.array([[0.5, 0.05], [0.8, 0.05], [0.8, 0.3]]), rtol=1e-12)


def test_for_pairs_that_share_a_sample_the_best_discriminators_differ():
    """x with g₁ and g₂ = x: ln asks for a probability, the product for a decision."""
    d = np.linspace(0.01, 0.99, 99)  # D(x) = D(g₂); D(g₁) is 0.01 for both
    products = d * 0.99 + d * (1 - d)
    logarithms = 2 * np.log(d) + np.log(0.99) + np.log(1 - d)
    assert d[products.argmax()] == pytest.approx(0.99)
    assert d[logarithms.argmax()] == pytest.approx(2 / 3, abs=0.01)


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
