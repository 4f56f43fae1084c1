"""Training in stages: the learning rate within a stage, and minibatches over several passes."""

import math

from ...core.data import Split, minibatches


def stage_rate(step: float, length: float) -> float:
    """½ (1 + cos π step/length): the factor of the learning rate within a stage.

    >>> stage_rate(0, 10), round(stage_rate(5, 10), 3)
    (1.0, 0.5)
    """
    return 0.5 * (1 + math.cos(math.pi * min(1.0, step / max(1, length))))


def repeated(split: Split, size: int, seed: int, epoch: int, start: int, steps: int):
    """`steps` minibatches from number `start` on: pass after pass, each in a different order.

    >>> import numpy as np
    >>> [len(b) for b in repeated(Split(np.arange(5)), 2, 0, 0, 1, 5)]
    [2, 1, 2, 2]
    """
    each = -(-len(split) // size)
    while start < steps:
        number, first = divmod(epoch * steps + start, each)
        for batch in minibatches(split, size, seed=seed, epoch=number, start=first):
            if start == steps:
                return
            yield batch
            start += 1
