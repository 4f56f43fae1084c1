"""A critic of samples, and the two objectives of the game that it plays (Goodfellow et al. 2014).

D(z) = σ(c(z)) is the critic's probability that z is drawn from the prior ("real") and not made by
an encoder or a generator ("fake"). With logits c ::

    discrimination    -E_real ln D(z) - E_fake ln(1 - D(z))         minimised by the critic
    deception         -E_fake ln D(z)                               minimised by the maker of fakes

`discrimination` is a sum of two means, so twice a binary cross-entropy. `deception` is the form of
lecture 4 (U3 590), the binary cross-entropy with the label that the maker wants. The original form,
"minimax", is E_fake ln(1 - D(z)): it has the same fixed point, but hardly any slope if the critic
is certain. For the best critic discrimination is 2 ln 2 - 2 JS(real, fake), so 1.386 if real and
fake have the same distribution.

Lecture 4 states the game without logarithms (U3 491-506), for pairs of a real and a fake sample ::

    product discrimination    -E D(x) (1 - D(g))        minimised by the critic
    product deception         -E D(g)                   minimised by the maker of fakes

For one pair the best D is the same, since the logarithm increases. The gradient is another: it is
that of the logarithms times the product, ∇p = p ∇ln p, so a pair on which the critic is wrong (p
near 0) teaches it almost nothing. Over all pairs the best D is another too: E D(x)(1 - D(g)) =
E D(x) · (1 - E D(g)) is largest for a D that is 0 or 1 almost everywhere, a decision, while the
logarithms ask for the probability p/(p + p_G).

A critic f of Wasserstein's distance is no probability (D1 300-314; Arjovsky et al. 2017) ::

    gap               E_real f - E_fake f               its supremum over f with slope ≤ 1 is W1
    gradient_penalty  E (‖∇f(x̂)‖ - 1)²                  keeps the slope near 1; x̂ lies between a
                                                        real and a fake sample (Gulrajani 2017)
                      E max(0, ‖∇f(x̂)‖ - 1)²            one-sided: at most 1 (Petzka 2018)

The first form punishes small slopes too. On the line, where a slope can only change its sign by
passing 0, it may keep f at the slope -1 for ever. The second has no such trap.
"""

import math
from collections.abc import Sequence
from typing import Literal

from ... import core as gg
from ...core import nn

FOOLED = 2 * math.log(2)  # `discrimination` of a critic that only guesses
Game = Literal["non-saturating", "minimax"]  # the two forms of `deception`


def critic(inputs: int, hidden: Sequence[int], rng, dtype="float32") -> nn.Sequential:
    """Perceptron [N, inputs] -> logits [N, 1], ReLU between layers of the widths in `hidden`.

    >>> critic(2, (8, 8), gg.Generator(0))(gg.zeros((5, 2))).shape
    (5, 1)
    """
    body = nn.mlp([inputs, *hidden], nn.ReLU, rng=rng.child("hidden"), dtype=dtype)
    top = nn.Linear([inputs, *hidden][-1], 1, rng=rng.child("logit"), dtype=dtype)
    return nn.Sequential(*body, top)


def discrimination(real, fake):
    """-E_real ln σ(c) - E_fake ln(1 - σ(c)) of logits [N, 1], [M, 1]: a scalar.

    >>> bool(abs(discrimination(gg.zeros((3, 1)), gg.zeros((2, 1))).item() - FOOLED) < 1e-6)
    True
    """
    return gg.softplus(-real).mean() + gg.softplus(fake).mean()


def deception(fake, game: Game = "non-saturating"):
    """-E_fake ln σ(c), or E_fake ln(1 - σ(c)) as "minimax", of logits [N, 1]: a scalar.

    >>> deception(gg.tensor([[100.0]])).item() < 1e-6  # the critic is fooled
    True
    """
    if game == "minimax":
        return -gg.softplus(fake).mean()
    return gg.softplus(-fake).mean()


def product_discrimination(real, fake):
    """-E D(x) (1 - D(g)) of the logits [N, 1] of N pairs (x, g): a scalar.

    >>> product_discrimination(gg.zeros((3, 1)), gg.zeros((3, 1))).item()
    -0.25
    """
    return -(gg.sigmoid(real) * gg.sigmoid(-fake)).mean()


def product_deception(fake):
    """-E D(g) of logits [N, 1]: a scalar.

    >>> product_deception(gg.zeros((3, 1))).item()
    -0.5
    """
    return -gg.sigmoid(fake).mean()


def gap(real, fake):
    """E_real f - E_fake f of values [N, 1], [M, 1]: a scalar.

    >>> gap(gg.ones((3, 1)), gg.zeros((2, 1))).item()
    1.0
    """
    return real.mean() - fake.mean()


def gradient_penalty(f, real, fake, u, one_sided: bool = False):
    """E (‖∇f(x̂)‖ - 1)² at x̂ = u·real + (1 - u)·fake: a scalar that can be differentiated.

    With `one_sided` only what exceeds 1 counts.

    `f` maps rows [N, D] to values [N, 1]; real and fake are rows [N, D], u is [N, 1] in [0, 1].
    f must treat rows one by one: batch normalisation would mix their gradients.

    >>> x = gg.ones((2, 3))
    >>> round(gradient_penalty(lambda x: 2 * x[:, :1], x, 0 * x, gg.zeros((2, 1))).item(), 6)
    1.0
    """
    between = u * real + (1 - u) * fake
    if not between.requires_grad:
        between = gg.Tensor(between.data, requires_grad=True)
    (slope,) = gg.grad(f(between).sum(), [between], create_graph=True)
    off = gg.norm(slope, axis=1) - 1
    off = gg.relu(off) if one_sided else off
    return (off * off).mean()
