"""Dropout as a layer: active in training, the identity in evaluation."""

from ...kernels.errors import ValueRangeError, expect
from ..functions import dropout
from ..random import Generator, stream
from ..tensor import Tensor
from .module import Module


class Dropout(Module):
    """Each element becomes 0 with probability p, the others are divided by 1 - p.

    The layer keeps its own random stream, made from `rng`. Its state is part of a checkpoint, so a
    resumed run draws the same masks. (Srivastava et al. 2014.)

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> drop = nn.Dropout(0.5, rng=gg.Generator(0))
    >>> sorted(set(drop(gg.ones((100,))).numpy().tolist()))
    [0.0, 2.0]
    >>> bool((drop.eval()(gg.ones((100,))).numpy() == 1).all())
    True
    """

    def __init__(self, p: float = 0.5, *, rng: Generator | None = None):
        expect(0 <= p < 1, "Dropout", "p must lie in [0, 1)", "0 ≤ p < 1", p, ValueRangeError)
        self.p = p
        # The position of `rng` makes the streams of two layers differ.
        rng = stream(rng)
        self.rng = rng.child("dropout", *rng.take(1))

    def forward(self, x: Tensor) -> Tensor:
        """x of any shape -> the same shape; x itself in evaluation."""
        return dropout(x, self.p, self.rng) if self.training else x

    def extra(self):
        """The probability p."""
        return f"p {self.p}"
