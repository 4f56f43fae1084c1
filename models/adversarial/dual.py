"""The dual form of W1 between two fixed samples, by a network: sup E f(x) - E f(y), slope of f ≤ 1.

There is no generator here: only a critic f is trained, on all points at once. The lecture's way to
bound the slope and those of its successors are there (wgan.py) ::

    clipping     E f(x) - E f(y) approaches K·W1, where K is the steepest slope of weights in a cube
    penalty      it approaches W1 itself, or, on the line, -W1 if f starts with the wrong slope: the
                 penalty keeps the slope at ±1, and it cannot pass 0
    one-sided    it approaches W1

The exact distance is the primal's (distances.py), so the two forms can be compared.
"""

from typing import Literal, NamedTuple, get_args

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.optim import Adam, clip_weights
from ...kernels.errors import ValueRangeError, expect
from ..common import critic
from .game import SLOPE, perceptron

Constraint = Literal["clipping", "penalty", "one-sided"]


class Dual(NamedTuple):
    """The value E f(x) - E f(y) that the critic reaches, and the critic."""

    value: float
    critic: nn.Sequential


def dual(
    x: np.ndarray,
    y: np.ndarray,
    constraint: Constraint = "one-sided",
    steps: int = 400,
    hidden: tuple[int, ...] = (64, 64),
    side: float = 0.4,
    weight: float = 50.0,
    lr: float = 3e-3,
    seed: int = 0,
) -> Dual:
    """Train a critic between samples x [N, D] and y [N, D] with `steps` steps of Adam.

    side     ε of clipping: weights lie in [-ε/2, ε/2]
    weight   λ of the gradient penalties

    The rate falls to a tenth in the last third. A penalty leaves a slope a little above 1: of a
    shift by d the minimum of -sd + λ(s - 1)² has s = 1 + d/2λ. Raises ValueRangeError for an
    unknown constraint.

    >>> x = np.linspace(-1, 1, 32, dtype="float32")[:, None]
    >>> abs(dual(x + 2, x, steps=150).value - 2) < 0.2  # W1 of a shift is its length
    True
    """
    must = "constraint must be one of"
    known = get_args(Constraint)
    expect(constraint in known, "dual", must, known, constraint, ValueRangeError)
    rng = gg.Generator(seed).child("dual")
    a, b = (np.asarray(p, np.float32) for p in (x, y))
    f = perceptron(
        [a.shape[1], *hidden, 1], lambda: nn.LeakyReLU(SLOPE), False, 0.0, rng, "float32"
    )
    adam, real, fake = Adam(f.parameters(), lr=lr, betas=(0.5, 0.9)), gg.Tensor(a), gg.Tensor(b)
    for step in range(steps):
        if 3 * step > 2 * steps:
            adam.lr = lr / 10
        loss = -critic.gap(f(real), f(fake))
        if constraint != "clipping":
            u, one = (
                gg.Tensor(rng.uniform((len(a), 1), 0.0, 1.0, "float32")),
                constraint != "penalty",
            )
            loss = loss + weight * critic.gradient_penalty(f, real, fake, u, one)
        for p, g in zip(adam.parameters, gg.grad(loss, adam.parameters)):
            p.grad = g
        adam.step()
        if constraint == "clipping":
            clip_weights(adam.parameters, side / 2)
    with gg.no_grad():
        return Dual(critic.gap(f(real), f(fake)).item(), f)


def shifted(distances, n: int = 128, seed: int = 0, start: float = 4.0):
    """Pairs of samples of N(4 + d, 1) and N(4, 1), one for each distance d: yields (x, y) [n, 1].

    They lie on one side of 0. The biases of a clipped critic are small, so all of its kinks are
    near 0, and it has one steepest slope on each side: only on one side is its value proportional
    to W1.
    """
    rng = np.random.default_rng(seed)
    for d in distances:
        yield rng.standard_normal((n, 1)) + (start + d), rng.standard_normal((n, 1)) + start


def proportion(w1, values) -> tuple[float, float]:
    """(K, R²) of the fit values ≈ K·W1 through the origin.

    R² is the share of the variance of the values that the fit explains.

    >>> proportion([1, 2, 3], [2, 4, 6])
    (2.0, 1.0)
    """
    w, v = np.asarray(w1, np.float64), np.asarray(values, np.float64)
    k = float(w @ v / (w @ w))
    return k, float(1 - ((v - k * w) ** 2).sum() / ((v - v.mean()) ** 2).sum())
