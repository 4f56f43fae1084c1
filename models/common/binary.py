"""Binary data and their distribution: what all models of black and white images share.

Images are drawn as 0 and 1 with their grey levels as probabilities: the training set again in each
epoch (`binarise="sampled"`) or once (`"fixed"`), validation and test set once. Models that can use
grey levels directly also have `"grey"`. The distributions given a code, a hidden layer or the
previous pixels are products of Bernoulli distributions with logits a_j ::

    -ln p(x) = Σ_j softplus(a_j) - x_j a_j

Binary rows are 0 and 1 already: nothing is drawn, as a draw with probability 0 or 1 has one
outcome, and it is an error to change `binarise`.
"""

from typing import Literal, Protocol

from ...core import nn
from ...core.data import DataSet, Split, binarised, kind_of

Binarise = Literal["sampled", "fixed", "grey"]
GREY = ("images",)  # the kinds of data with grey levels: where `binarise` has an effect


class Binarised(Protocol):
    """Settings with a choice of how grey levels become 0 and 1."""

    @property
    def binarise(self) -> str:
        """One of `Binarise`."""


def bernoulli_nll(logits, x):
    """-ln p(x) = Σ_j softplus(a_j) - x_j a_j over the last axis: a, x [..., D] -> [...].

    This is a cross-entropy with logits, summed over the components.

    >>> import glassgrad as gg
    >>> bernoulli_nll(gg.zeros((1, 3)), gg.ones((1, 3))).numpy().round(4)  # 3 ln 2
    array([2.0794], dtype=float32)
    """
    return nn.losses.binary_cross_entropy_with_logits(logits, x, "none").sum(axis=-1)


def prepare(data: DataSet, s: Binarised) -> DataSet:
    """Binary validation and test images, drawn once; training images too when binarise is fixed.

    With binarise="grey", if a model has it, the data are not changed; nor are binary rows.
    """
    how, parts = s.binarise, {}
    if how == "grey" or kind_of(data) == "binary":
        return data
    for number, (name, split) in enumerate(data.splits()):
        if name != "train" or how == "fixed":
            split = Split(binarised(split.x, seed=1, epoch=number), split.y)
        parts[name] = split
    return DataSet(data.name, **parts, info=data.info)
