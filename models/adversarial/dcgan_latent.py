"""Walks and arithmetic in the latent space of a generator (Radford et al. 2016, figures 4 and 7).

A generator that has only learnt its training images by heart would jump from one to the next along
a way through its noise; one that has learnt what varies changes smoothly. And directions mean
something: the mean noise of men with glasses, minus that of men, plus that of women, makes women
with glasses. Here a classifier says which samples show what ::

    z̄_k           mean of the noise whose samples it takes for class k
    z + z̄_m - z̄_k  for z whose sample it takes for class k: is the sample of class m now?

Normal noise of dimension d has a length near √d, and the straight way between two points passes
places nearer to 0 than any noise is. `walk` therefore goes along the great circle (White 2016).
"""

from typing import NamedTuple

import numpy as np

from ... import core as gg
from ...core.training.system import Batch


class Arithmetic(NamedTuple):
    """Mean noise of each class [K, noise], and what became of the samples that were moved.

    shares  [K, K], from class (row) to class (column); NaN on the diagonal and for classes that no
            sample shows
    share   their mean; 0 if no two classes are shown
    """

    means: np.ndarray
    shares: np.ndarray
    share: float
    z: np.ndarray
    y: np.ndarray


def walk(a: np.ndarray, b: np.ndarray, steps: int) -> np.ndarray:
    """Points [steps, d] from a [d] to b [d] on the great circle, lengths in proportion.

    >>> walk(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 3).round(3).tolist()
    [[1.0, 0.0], [0.707, 0.707], [0.0, 1.0]]
    """
    t = np.linspace(0, 1, steps)[:, None]
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    one, other = a / lengths[0], b / lengths[1]
    angle = np.arccos(np.clip(one @ other, -1, 1))
    if np.sin(angle) < 1e-6:  # the same or opposite directions: no great circle, or too many
        return (1 - t) * a + t * b
    way = (np.sin((1 - t) * angle) * one + np.sin(t * angle) * other) / np.sin(angle)
    return way * (lengths[0] ** (1 - t) * lengths[1] ** t)


def drawn(system, z: np.ndarray) -> np.ndarray:
    """G(z) of noise [N, d] as rows [N, D], without a tape."""
    found = []
    with gg.no_grad():
        for at in range(0, len(z), 1000):
            part = system.on_device(Batch(np.asarray(z[at : at + 1000], np.float32))).x
            found.append(system.generate(gg.Tensor(part)).numpy())
    return np.concatenate(found)


def arithmetic(system, judge, n: int = 2000) -> Arithmetic:
    """What happens to the classes of n samples when their noise is moved by differences of means.

    judge  a classifier with probabilities(rows [N, D]) -> [N, K], as in judging.py
    """
    z = system.noise(n, system.draws.child("arithmetic")).numpy()
    y = judge.probabilities(drawn(system, z)).argmax(axis=1)
    classes = judge.probabilities(system.data.train.x[:1]).shape[1]
    shown = [k for k in range(classes) if (y == k).any()]
    means, shares = np.full((classes, z.shape[1]), np.nan), np.full((classes, classes), np.nan)
    for k in shown:
        means[k] = z[y == k].mean(axis=0)
    for k in shown:
        for m in (m for m in shown if m != k):
            moved = z[y == k][:100] + means[m] - means[k]
            shares[k, m] = (judge.probabilities(drawn(system, moved)).argmax(axis=1) == m).mean()
    found = float(np.nanmean(shares)) if len(shown) > 1 else 0.0
    return Arithmetic(means, shares, found, z, y)
