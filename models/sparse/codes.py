"""Sparse codes of given atoms: the energy, and FISTA, which minimises it."""

import numpy as np

from ... import core as gg
from ...core.arrays import xp_of
from ...core.training.settings import setting
from ...kernels.product import product
from .patches import PatchSettings


class CodeSettings(PatchSettings):
    """Settings: the number of atoms, and how sparse codes are computed."""

    atoms: int = setting(100, least=1, help="number of basis vectors K")
    lam: float = setting(2.0, least=0, help="weight λ of ‖z‖₁")
    steps: int = setting(20, least=1, help="steps of FISTA for the codes of a batch in training")
    encode_steps: int = setting(100, least=1, help="steps of FISTA for codes in evaluation")


def energy(x, z, d, lam: float):
    """‖x - z D‖² + λ ‖z‖₁ of each row: x [N, n], z [N, K], D [K, n] -> [N].

    >>> energy(gg.ones((1, 2)), gg.ones((1, 1)), gg.zeros((1, 2)), 0.5).numpy()
    array([2.5], dtype=float32)
    """
    r = x - z @ d
    return (r * r).sum(axis=1) + lam * gg.absolute(z).sum(axis=1)


def shrink(a, s):
    """S(a, s) = sign(a) (|a| - s)_+, the proximal step of the L1 norm.

    >>> shrink(np.array([-3.0, 0.5, 2.0]), 1.0)
    array([-2.,  0.,  1.])
    """
    xp = xp_of(a)
    return xp.copysign(xp.maximum(xp.abs(a) - s, 0), a) + 0


def fista(x, d, lam: float, z, steps: int, ridge: float = 0.0, centre=None):
    """Codes [N, K] of rows x [N, n] that lower ‖x - z D‖² + λ ‖z‖₁ + ridge ‖z - centre‖².

    All arrays have one dtype; z is the start. No step raises the sum of any row (monotone FISTA).

    >>> fista(np.array([[2.0]]), np.array([[1.0]]), 1.0, np.zeros((1, 1)), 5)  # 2 - λ/2
    array([[1.5]])
    """
    xp = xp_of(x)
    gram = product(d, d.T) + ridge * xp.eye(len(d), dtype=d.dtype)
    pull = product(x, d.T)
    if centre is not None:
        pull += ridge * centre
    step = 1 / max(2 * float(xp.linalg.eigvalsh(gram)[-1]), 1e-12)  # 1 / L

    def value(z):
        """The sum for each row, without the part that does not depend on z."""
        return ((product(z, gram) - 2 * pull) * z + lam * xp.abs(z)).sum(axis=1)

    y, t, best = z, 1.0, value(z)
    for _ in range(steps):
        p = shrink(y - 2 * step * (product(y, gram) - pull), lam * step)
        found = value(p)
        lower = found <= best
        new, best = xp.where(lower[:, None], p, z), xp.where(lower, found, best)
        after = (1 + (1 + 4 * t * t) ** 0.5) / 2
        y = new + (t / after) * (p - new) + ((t - 1) / after) * (new - z)
        z, t = new, after
    return z


def first_atoms(x, count: int, rng):
    """`count` random rows of x with unit norm; noise instead of rows of zeros."""
    d = x[rng.integers(len(x), count)] + 1e-6 * rng.normal((count, x.shape[1]), "float64")
    return d / np.linalg.norm(d, axis=1, keepdims=True)
