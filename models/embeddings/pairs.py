"""What the systems share that learn from pairs: how slow they get, and the gradient of a pair."""

import numpy as np

from ... import core as gg

SLOWEST = 1e-4  # of the rate at the start


def falling(lr: float, done: float) -> float:
    """The rate when the share `done` of the training is over: a line down to a ten-thousandth.

    >>> falling(0.5, 0.0), falling(0.5, 0.5), falling(0.5, 1.0)
    (0.5, 0.25, 5e-05)
    """
    return lr * max(SLOWEST, 1 - done)


def check(rng):
    """The loss of pairs, whose negative gradient is the kernel's step; tables w and c."""
    w, c = rng.standard_normal((5, 3)), rng.standard_normal((5, 3))
    u, t, v = np.array([0, 3]), np.array([1, 2]), np.array([[2, 4], [0, 1]])

    def f(w, c):
        x = gg.embedding(w, u)
        positive = gg.softplus(-(x * gg.embedding(c, t)).sum(axis=1))
        products = (x.reshape(2, 1, 3) * gg.embedding(c, v)).sum(axis=2)
        return positive.sum() + gg.softplus(products).sum()

    return f, [w, c]
