"""Samples as rows: the input of every network of dense layers, whatever the kind of the data.

    images   [N, C, H, W] as rows of pixels [N, D], in [0, 1]
    binary   rows of 0 and 1: what a model does with grey images fits them as they are
    table    columns on different scales. `prepare` gives each the mean 0 and the variance 1 on the
             training split, so that every column counts the same in a distance or a squared error

A standardised column is negative as often as not: a logistic output or a cross-entropy cannot
fit it. Recipes have settings that can under ``presets["table"]``.
"""

from dataclasses import replace

import numpy as np

from ... import core as gg
from ...core.data import DataSet, kind_of, order
from ...core.training.settings import SettingError, TrainingSettings


def flat(x):
    """Images [N, C, H, W] (or rows) as rows [N, D], of an array.

    >>> import numpy as np
    >>> flat(np.zeros((2, 1, 3, 3))).shape
    (2, 9)
    """
    return x.reshape(len(x), -1)


def rows(x):
    """Images [N, C, H, W] (or rows) as a tensor [N, D]."""
    return gg.Tensor(flat(x))


def with_examples(name: str, data: DataSet, n: int, seed: int) -> DataSet:
    """The data set with n of its training samples, drawn by the seed, in their order; 0 is all.

    Raises SettingError, which names the setting `examples` of the system, where there are fewer.

    >>> from glassgrad.core.data import load
    >>> len(with_examples("lupi", load("iris"), 20, 0).train)
    20
    """
    if not n:
        return data
    if n > len(data.train):
        raise SettingError(f"{name}: examples must be at most {len(data.train)}; got {n}")
    return replace(data, train=data.train[np.sort(order(len(data.train), seed=seed)[:n])])


def prepare(data: DataSet, s: TrainingSettings) -> DataSet:
    """A table standardised by its training split; images and binary rows as they are.

    Raises SettingError where a table meets a logistic output or a cross-entropy.

    >>> from glassgrad.core.data import load
    >>> table = prepare(load("iris"), TrainingSettings()).train.x
    >>> bool(abs(table.mean()) < 1e-6), table.std(axis=0).round(3).tolist()
    (True, [1.0, 1.0, 1.0, 1.0])
    """
    if kind_of(data) != "table":
        return data
    for name, wrong, right in (
        ("loss", "cross_entropy", "squared"),
        ("output", "sigmoid", "linear"),
        ("decoder", "bernoulli", "gaussian"),
    ):
        if getattr(s, name, None) == wrong:
            raise SettingError(
                f"{name} {wrong!r} needs numbers in [0, 1]; {data.name} is a table, whose columns"
                f" are standardised: set {name}={right}"
            )
    return data.standardised()
