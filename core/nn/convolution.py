"""Convolution and pooling layers. Shapes: x [N, C, H, W] or [N, C, L], weights as in PyTorch.

H' = ⌊(H + 2·padding - dilation·(K - 1) - 1)/stride⌋ + 1; the transposed layer inverts it.
"""

import math

from ...kernels.annotations import DType, Pair
from ...kernels.checks import pair
from ...kernels.errors import expect
from ..functions import conv1d, conv2d, conv_transpose2d
from ..random import Generator
from ..tensor import Tensor
from .init import expect_sizes, scaled
from .module import Module


def _pair(value) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


class _Convolution(Module):
    """What the convolutions share: a weight [first, second, K...], a bias [O], the geometry."""

    transposed = False

    def __init__(
        self, inputs, outputs, kernel_size, stride, padding, dilation, groups, bias, rng, dtype
    ):
        name = type(self).__name__
        expect_sizes(name, inputs=inputs, outputs=outputs, groups=groups)
        for k in kernel_size:
            expect_sizes(name, kernel_size=k)
        fits = inputs % groups == 0 and outputs % groups == 0
        known = f"a divisor of {inputs} and {outputs}"
        expect(fits, name, "groups must divide inputs and outputs", known, groups)
        geometry = (("stride", stride, 1), ("padding", padding, 0), ("dilation", dilation, 1))
        for name_, value, least in geometry:
            pair(name, name_, value, least)
        first, second = (inputs, outputs) if self.transposed else (outputs, inputs)
        shape = (first, second // groups, *kernel_size)
        fan_in = math.prod(shape[1:])
        self.weight = scaled(shape, fan_in, rng, dtype)
        self.bias = scaled((outputs,), fan_in, rng, dtype) if bias else None
        self.inputs, self.outputs = inputs, outputs
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups

    def extra(self):
        size = "x".join(str(k) for k in self.weight.shape[2:])
        text = f"{self.inputs} -> {self.outputs}, {size}"
        for name, usual in (("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1)):
            value = getattr(self, name)
            text += f", {name} {value}" if value != usual else ""
        return text + (", no bias" if self.bias is None else "")


class Conv2d(_Convolution):
    """y = w ∗ x + b (cross-correlation): x [N, I, H, W], weight [O, I/groups, KH, KW], bias [O].

    Sizes are an int or a pair (vertical, horizontal). Both parameters start from U(±1/√fan_in),
    fan_in = I/groups·KH·KW, as in PyTorch.

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> nn.Conv2d(3, 8, 5, padding=2, rng=gg.Generator(0))(gg.ones((1, 3, 16, 16))).shape
    (1, 8, 16, 16)
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rng: Generator | None = None,
        dtype: DType = "float32",
    ):
        super().__init__(
            inputs, outputs, _pair(kernel_size), stride, padding, dilation, groups, bias, rng, dtype
        )

    def forward(self, x: Tensor) -> Tensor:
        """x [N, I, H, W] -> [N, O, H', W']."""
        return conv2d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )


class Conv1d(_Convolution):
    """Conv2d along one axis: x [N, I, L], weight [O, I/groups, K], bias [O] -> [N, O, L']."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rng: Generator | None = None,
        dtype: DType = "float32",
    ):
        super().__init__(
            inputs, outputs, (kernel_size,), stride, padding, dilation, groups, bias, rng, dtype
        )

    def forward(self, x: Tensor) -> Tensor:
        """x [N, I, L] -> [N, O, L']."""
        return conv1d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )


class ConvTranspose2d(_Convolution):
    """The input gradient of a convolution, used as an upsampling layer.

    x [N, I, H, W], weight [I, O/groups, KH, KW], bias [O] -> [N, O, H', W'],
    H' = (H - 1)·stride - 2·padding + dilation·(KH - 1) + output_padding + 1.

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> up = nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1, rng=gg.Generator(0))
    >>> up(gg.ones((1, 8, 7, 7))).shape
    (1, 3, 14, 14)
    """

    transposed = True

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        output_padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rng: Generator | None = None,
        dtype: DType = "float32",
    ):
        self.output_padding = output_padding
        super().__init__(
            inputs, outputs, _pair(kernel_size), stride, padding, dilation, groups, bias, rng, dtype
        )

    def forward(self, x: Tensor) -> Tensor:
        """x [N, I, H, W] -> [N, O, H', W']."""
        geometry = (self.stride, self.padding, self.dilation, self.groups, self.output_padding)
        return conv_transpose2d(x, self.weight, self.bias, *geometry)
