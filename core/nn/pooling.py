"""Pooling layers: the largest element or the mean of each window."""

from ...kernels.annotations import Pair
from ...kernels.checks import pair
from ..functions import avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from ..tensor import Tensor
from .init import expect_sizes
from .module import Module


class _Pool(Module):
    def __init__(self, kernel_size, stride, padding, ceil_mode):
        name = type(self).__name__
        size = kernel_size if isinstance(kernel_size, tuple) else (kernel_size,)
        for k in size:
            expect_sizes(name, kernel_size=k)
        pair(name, "stride", kernel_size if stride is None else stride, 1)
        pair(name, "padding", padding, 0)
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.ceil_mode = ceil_mode

    def windows(self) -> tuple:
        """The arguments of the function after x."""
        return self.kernel_size, self.stride, self.padding, self.ceil_mode

    def extra(self):
        text = f"{self.kernel_size}"
        text += "" if self.stride is None else f", stride {self.stride}"
        text += f", padding {self.padding}" if self.padding else ""
        return text + (", ceil mode" if self.ceil_mode else "")


class MaxPool2d(_Pool):
    """The largest element of each window of x [N, C, H, W]; the stride is the window by default.

    `ceil_mode` gives what is left over a window of its own; `return_indices` makes a call return
    (y, index), the flat place in the plane [H, W] of each largest element.
    """

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ):
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.return_indices = return_indices

    def forward(self, x: Tensor):
        """x [N, C, H, W] -> [N, C, H', W'], or that and the indices."""
        return max_pool2d(x, *self.windows(), self.return_indices)


class AvgPool2d(_Pool):
    """The mean of each window of x [N, C, H, W]; padding counts as zeros.

    The stride is the window by default; `ceil_mode` gives what is left over a window of its own.
    """

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        ceil_mode: bool = False,
    ):
        super().__init__(kernel_size, stride, padding, ceil_mode)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C, H, W] -> [N, C, H', W']."""
        return avg_pool2d(x, *self.windows())


class MaxPool1d(_Pool):
    """The largest element of each window of x [N, C, L]; see `MaxPool2d`.

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> nn.MaxPool1d(2)(gg.tensor([[[1.0, 3.0, 2.0, 5.0]]]))
    tensor([[[3., 5.]]])
    """

    def __init__(
        self,
        kernel_size: int,
        stride: int | None = None,
        padding: int = 0,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ):
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.return_indices = return_indices

    def forward(self, x: Tensor):
        """x [N, C, L] -> [N, C, L'], or that and the indices."""
        return max_pool1d(x, *self.windows(), self.return_indices)


class AvgPool1d(_Pool):
    """The mean of each window of x [N, C, L]; see `AvgPool2d`.

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> nn.AvgPool1d(2)(gg.tensor([[[1.0, 3.0, 2.0, 5.0]]]))
    tensor([[[2. , 3.5]]])
    """

    def __init__(
        self, kernel_size: int, stride: int | None = None, padding: int = 0, ceil_mode: bool = False
    ):
        super().__init__(kernel_size, stride, padding, ceil_mode)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C, L] -> [N, C, L']."""
        return avg_pool1d(x, *self.windows())
