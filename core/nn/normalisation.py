"""Batch, layer and group normalisation, with learnt scale `weight` and shift `bias`; local response
normalisation, with nothing learnt.
"""

import numpy as np

from ...kernels.annotations import Count, DType
from ...kernels.checks import within
from ...kernels.errors import expect
from ..functions import batch_norm, group_norm, layer_norm, local_response_norm, reshape
from ..tensor import Tensor
from .init import expect_sizes, parameter
from .module import Module


class BatchNorm(Module):
    """y = weight·(x - mean)/√(variance + ε) + bias for each channel of x [N, C] or [N, C, ...].

    In training mean and variance (biased) are the batch's, over all axes but 1, and the running
    estimates follow:  running ← (1 - momentum)·running + momentum·batch, with the *unbiased*
    variance, as in PyTorch. ``momentum=None`` weights all batches equally. In evaluation the
    running estimates are used. Training in shards normalises each by its own statistics, and the
    running ones follow their mean (the "ghost batches" of Hoffer, Hubara & Soudry 2017). Raises
    ValueRangeError for ε < 0 and a momentum outside 0..1. (Ioffe & Szegedy 2015.)

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> norm = nn.BatchNorm(1)
    >>> norm(gg.tensor([[1.0], [3.0]])).numpy().round(3).tolist(), norm.running_var.item()
    ([[-1.0], [1.0]], 1.100000023841858)
    """

    averaged = ("running_mean", "running_var", "num_batches_tracked")
    in_shards = "batch normalisation takes mean and variance of a shard's own samples"
    least_in_shard = 2

    def __init__(
        self,
        channels: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        *,
        dtype: DType = "float32",
    ):
        expect_sizes("BatchNorm", channels=channels)
        within("BatchNorm", "eps", eps, least=0)
        if momentum is not None:
            within("BatchNorm", "momentum", momentum, least=0, most=1)
        self.weight = parameter(np.ones(channels, dtype))
        self.bias = parameter(np.zeros(channels, dtype))
        self.running_mean = Tensor(np.zeros(channels, dtype))
        self.running_var = Tensor(np.ones(channels, dtype))
        self.num_batches_tracked = Tensor(np.zeros((), np.int64))
        self.eps, self.momentum = eps, momentum

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C] or [N, C, ...] -> the same shape; in training, updates the running estimates."""
        channels = self.weight.size
        fits = x.ndim >= 2 and x.shape[1] == channels
        expect(fits, "BatchNorm", "x must be [N, C, ...] with C", channels, x.shape, x=x)
        if self.training:
            y, mean, variance = batch_norm(x, self.weight, self.bias, self.eps)
            self._follow(mean, variance, x.size // channels)
            return y
        along = (channels,) + (1,) * (x.ndim - 2)
        scale = self.weight / (self.running_var + self.eps).sqrt()
        centred = x - reshape(self.running_mean, along)  # x·scale - mean·scale may cancel
        return centred * reshape(scale, along) + reshape(self.bias, along)

    def _follow(self, mean, variance, n: int) -> None:
        count = self.num_batches_tracked
        count.assign(count.data + 1)
        rate = 1 / count.item() if self.momentum is None else self.momentum
        for running, batch in (
            (self.running_mean, mean),
            (self.running_var, variance * variance.dtype.type(n / (n - 1))),
        ):
            running.assign((1 - rate) * running.data + rate * batch)

    def extra(self):
        """The number of channels."""
        return f"{self.weight.size} channels"


class LayerNorm(Module):
    """y = weight·(x - mean)/√(variance + ε) + bias over the last axis of x [..., D] (Ba 2016)."""

    def __init__(self, size: int, eps: float = 1e-5, *, dtype: DType = "float32"):
        expect_sizes("LayerNorm", size=size)
        within("LayerNorm", "eps", eps, least=0)
        self.weight = parameter(np.ones(size, dtype))
        self.bias = parameter(np.zeros(size, dtype))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """x [..., D] -> the same shape."""
        return layer_norm(x, self.weight, self.bias, self.eps)

    def extra(self):
        """The length D of the last axis."""
        return f"{self.weight.size}"


class GroupNorm(Module):
    """y = weight·(x - mean)/√(variance + ε) + bias, in each of `groups` groups of channels.

    The statistics are those of one example, in training and evaluation alike. Raises ShapeError
    unless `groups` divides `channels`, ValueRangeError for ε < 0. (Wu & He 2018.)

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> nn.GroupNorm(2, 6)(gg.ones((1, 6, 4, 4))).shape
    (1, 6, 4, 4)
    """

    def __init__(self, groups: int, channels: int, eps: float = 1e-5, *, dtype: DType = "float32"):
        expect_sizes("GroupNorm", groups=groups, channels=channels)
        within("GroupNorm", "eps", eps, least=0)
        fits, what = channels % groups == 0, "groups must divide channels"
        expect(fits, "GroupNorm", what, f"a divisor of {channels}", groups)
        self.weight = parameter(np.ones(channels, dtype))
        self.bias = parameter(np.zeros(channels, dtype))
        self.groups, self.eps = groups, eps

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C, ...] -> the same shape."""
        return group_norm(x, self.groups, self.weight, self.bias, self.eps)

    def extra(self):
        """Groups and channels."""
        return f"{self.groups} groups of {self.weight.size} channels"


class LocalResponseNorm(Module):
    """Each number over (k + α Σ x²)^β, the sum over `size` channels around its own.

    α multiplies the sum, as in the paper; PyTorch's is `size` times as large. Raises
    ValueRangeError as `gg.local_response_norm`. (Krizhevsky, Sutskever & Hinton 2012.)

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> nn.LocalResponseNorm(3, alpha=1.0, beta=0.5, k=1.0)(gg.ones((1, 1, 2))).shape
    (1, 1, 2)
    """

    def __init__(self, size: Count = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0):
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k
        local_response_norm(np.zeros((0, 1), np.float32), size, alpha, beta, k)  # checks them

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C, ...] -> the same shape."""
        return local_response_norm(x, self.size, self.alpha, self.beta, self.k)

    def extra(self):
        """The settings."""
        return f"size {self.size}, alpha {self.alpha:g}, beta {self.beta:g}, k {self.k:g}"
