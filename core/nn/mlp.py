"""The multi-layer perceptron, which half of all systems use."""

from collections.abc import Callable, Iterable
from itertools import pairwise

from ...kernels.annotations import DType
from ..random import Generator
from .linear import Linear
from .module import Sequential


def mlp(
    sizes: Iterable[int],
    activation: Callable,
    *,
    rng: Generator | None = None,
    dtype: DType = "float32",
) -> Sequential:
    """Linear layers of the given sizes, each followed by `activation()`.

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> nn.mlp([4, 8, 2], nn.Tanh, rng=gg.Generator(0))
    Sequential(58 parameters)
      0: Linear(4 -> 8, 40 parameters)
      1: Tanh()
      2: Linear(8 -> 2, 18 parameters)
      3: Tanh()
    """
    layers = []
    for i, (n, m) in enumerate(pairwise(sizes)):
        own = None if rng is None else rng.child("layer", i)
        layers += [Linear(n, m, rng=own, dtype=dtype), activation()]
    return Sequential(*layers)
