"""Permutation importance: how much worse the answers get where a column is shuffled.

    importance(j) = score(x, y) - mean over R shuffles of score(x with column j shuffled, y)

The score is the accuracy, or R² (Breiman 2001; Fisher, Rudin & Dominici 2019). Shuffling keeps the
values of a column and breaks their tie to the rest of the row. About 0: the network does not need
the column, perhaps because another one says the same. The columns of 0 and 1 that stand for one
column of text (``colour=blue``, ``colour=red``) are shuffled together.
"""

import numpy as np

from ... import core as gg
from ...core.data import Split
from ...core.training.system import System
from ..common.names import numbered


def groups(names: tuple[str, ...], count: int) -> dict[str, list[int]]:
    """Name -> the columns that are shuffled together.

    >>> groups(("size", "colour=blue", "colour=red", "a=b"), 4)
    {'size': [0], 'colour': [1, 2], 'a=b': [3]}
    >>> groups((), 2)
    {'column 1': [0], 'column 2': [1]}
    """
    if len(names) != count:
        names = numbered(count)
    found: dict[str, list[int]] = {}
    for j, name in enumerate(names):
        found.setdefault(name.partition("=")[0], []).append(j)
    made: dict[str, list[int]] = {}
    for start, where in found.items():
        together = len(where) > 1 and all(names[j] != start for j in where)
        for j in where:
            made.setdefault(start if together else names[j], []).append(j)
    return made


def importance(
    system: System, split: Split, columns: list[list[int]], seed: int = 0, repeats: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """(mean, standard deviation) [G] over the shuffles of what each group of columns is worth.

    system   has ``answers(x)`` and ``task.score(answers, y)``
    split    x [N, D] and y
    columns  the columns of each group
    """

    def score(x):
        return system.task.score(system.answers(x), split.y)

    whole, lost = score(split.x), np.zeros((repeats, len(columns)))
    rng = gg.Generator(seed).child("importance")
    for r in range(repeats):
        for g, group in enumerate(columns):
            x = split.x.copy()
            x[:, group] = split.x[rng.permutation(len(x))][:, group]
            lost[r, g] = whole - score(x)
    return lost.mean(axis=0), lost.std(axis=0)
