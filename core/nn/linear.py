"""The fully connected layer, and the flattening that often precedes it."""

from ...kernels.annotations import DType
from ..functions.linalg import linear  # unchecked: `forward` checks its arguments
from ..functions.shapes import flatten
from ..random import Generator
from ..tensor import Tensor
from .init import expect_sizes, scaled
from .module import Module


class Linear(Module):
    """y = x Wᵀ + b for x [..., I], weight W [O, I], bias b [O].

    Both start from U(±1/√I), as in PyTorch. ``bias=False`` leaves b out.

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> layer = nn.Linear(3, 2, rng=gg.Generator(0))
    >>> layer(gg.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        bias: bool = True,
        *,
        rng: Generator | None = None,
        dtype: DType = "float32",
    ):
        expect_sizes("Linear", inputs=inputs, outputs=outputs)
        self.weight = scaled((outputs, inputs), inputs, rng, dtype)
        self.bias = scaled((outputs,), inputs, rng, dtype) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """x [..., I] -> [..., O]."""
        return linear(x, self.weight, self.bias)

    def extra(self):
        """Inputs and outputs."""
        outputs, inputs = self.weight.shape
        return f"{inputs} -> {outputs}" + (", no bias" if self.bias is None else "")


class Flatten(Module):
    """Merge all axes from `start` on: [N, C, H, W] -> [N, C·H·W]."""

    def __init__(self, start: int = 1):
        self.start = start

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C·H·W]."""
        return flatten(x, self.start)
