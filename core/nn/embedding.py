"""A table of vectors as a layer."""

from ...kernels.annotations import DType
from ..functions import embedding
from ..random import Generator
from ..tensor import Tensor
from .init import expect_sizes, normal, parameter
from .module import Module


class Embedding(Module):
    """Row index[...] of the table weight [V, D], as [..., D]; the table starts from N(0, 1).

    Raises DTypeError for indices that are not integers, ValueRangeError outside 0..V-1.

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> nn.Embedding(10, 4, rng=gg.Generator(0))([[1, 2, 3]]).shape
    (1, 3, 4)
    """

    def __init__(
        self, entries: int, size: int, *, rng: Generator | None = None, dtype: DType = "float32"
    ):
        expect_sizes("Embedding", entries=entries, size=size)
        self.weight = parameter(normal((entries, size), rng, std=1.0, dtype=dtype))

    def forward(self, index) -> Tensor:
        """Integers index [...] -> rows of the table [..., D]."""
        return embedding(self.weight, index)

    def extra(self):
        """The shape of the table."""
        return "{} x {}".format(*self.weight.shape)
