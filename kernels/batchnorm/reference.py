"""Batch normalisation in NumPy: the formulas, sums in float64."""

import numpy as np

from ..registry import register


def _mean(a):
    """The mean of each channel, [1, C, 1], in the dtype of a."""
    return a.mean(axis=(0, 2), keepdims=True, dtype=np.float64).astype(a.dtype)


@register("batchnorm", "forward", backend="reference", idea="the formulas")
def forward(x, gamma, beta, eps):
    """y, mean, variance of every channel (see `batchnorm.forward`)."""
    mean = _mean(x)
    variance = _mean((x - mean) ** 2)
    hat = (x - mean) / np.sqrt(variance + x.dtype.type(eps))
    y = gamma[:, None] * hat + beta[:, None]
    return np.ascontiguousarray(y), mean.reshape(-1), variance.reshape(-1)


@register("batchnorm", "backward", backend="reference", idea="the formulas")
def backward(g, x, gamma, mean, variance, eps):
    """gx, ggamma, gbeta of every channel (see `batchnorm.backward`)."""
    n = x.dtype.type(x.shape[0] * x.shape[2])
    over = 1 / np.sqrt(variance + x.dtype.type(eps))[:, None]
    hat = (x - mean[:, None]) * over
    gbeta, ggamma = _mean(g), _mean(g * hat)
    gx = gamma[:, None] * over * (g - gbeta - hat * ggamma)
    return np.ascontiguousarray(gx), (n * ggamma).reshape(-1), (n * gbeta).reshape(-1)
