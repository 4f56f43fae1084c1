"""What the systems share that learn from pairs: rates, random words, the loss and its gradient."""

import numpy as np

from ... import core as gg
from ...core.arrays import xp_of
from ...kernels import skip_gram as kernel

SLOWEST = 1e-4  # of the rate at the start


def falling(lr: float, done: float) -> float:
    """The rate when the share `done` of the training is over: a line down to a ten-thousandth.

    >>> falling(0.5, 0.0), falling(0.5, 0.5), falling(0.5, 1.0)
    (0.5, 0.25, 5e-05)
    """
    return lr * max(SLOWEST, 1 - done)


class Noise:
    """k random words for each place, in proportion to weights [V]; its table is on each device.

    >>> Noise(np.array([1.0, 0.0, 3.0]), 4)(2, gg.Generator(0)).tolist()
    [[2, 2, 2, 2], [0, 0, 2, 2]]
    """

    def __init__(self, weights: np.ndarray, k: int):
        self.k, self._tables = k, {np: kernel.alias_table(weights)}

    def __call__(self, n: int, rng, xp=np):
        """Words int64 [n,k]."""
        if xp not in self._tables:
            self._tables[xp] = [xp.asarray(a) for a in self._tables[np]]
        return kernel.noise(*self._tables[xp], n, self.k, *rng.take(2 * n * self.k))


def losses(h, c, word, negative):
    """-ln σ(<c_w, h>) - Σ_i ln σ(-<c_vi, h>) of vectors h [N,D]: [N]; v_i = w does not count.

    c [V,D]; word int64 [N]; negative int64 [N,k]

    >>> h, c = gg.Tensor(np.zeros((1, 2))), gg.Tensor(np.ones((3, 2)))
    >>> (losses(h, c, np.array([0]), np.array([[1, 0, 2]])).numpy() / np.log(2)).tolist()
    [3.0]
    """
    xp, n = xp_of(word), len(word)
    targets = xp.concatenate([word[:, None], negative], axis=1)
    signs = xp.where(xp.arange(targets.shape[1]) == 0, -1.0, 1.0).astype(h.dtype)
    counts = xp.concatenate([xp.ones((n, 1), bool), negative != word[:, None]], axis=1)
    products = (h.reshape(n, 1, -1) * gg.embedding(c, targets)).sum(axis=2)
    return (gg.softplus(products * signs) * counts.astype(h.dtype)).sum(axis=1)


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
