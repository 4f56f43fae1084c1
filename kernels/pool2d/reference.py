"""Pooling in NumPy: all windows at once, one place of the window after another.

The pixels at place (u, v) of every window are the strided view x[n, c, i*SH + u, j*SW + v] of the
padded image. Letters: see the page.
"""

import numpy as np

from ..registry import register
from ..windows import output_sizes


def _places(x_padded, kernel, stride, OH, OW):
    """For each place of the window in reading order: u, v and the view [N,C,OH,OW] there."""
    for u in range(kernel[0]):
        for v in range(kernel[1]):
            rows = slice(u, u + (OH - 1) * stride[0] + 1, stride[0])
            columns = slice(v, v + (OW - 1) * stride[1] + 1, stride[1])
            yield u, v, x_padded[:, :, rows, columns]


def _padded(x, padding, value):
    PH, PW = padding
    return np.pad(x, ((0, 0), (0, 0), (PH, PH), (PW, PW)), constant_values=value)


@register("pool2d", "max_forward", backend="reference", idea="compare one strided view per place")
def max_forward(x, kernel, stride, padding):
    """y, index [N,C,OH,OW] from x [N,C,H,W]; a place wins where it is larger, or the first NaN."""
    N, C, H, W = x.shape
    OH, OW = output_sizes(x.shape[2:], kernel, stride, padding)
    position = np.arange(H * W).reshape(1, 1, H, W)
    position = _padded(position, padding, -1)  # -1: not a pixel, cannot win
    y = np.zeros((N, C, OH, OW), x.dtype)
    index = np.full((N, C, OH, OW), -1)
    values = _places(_padded(x, padding, 0), kernel, stride, OH, OW)
    for (_, _, value), (_, _, at) in zip(values, _places(position, kernel, stride, OH, OW)):
        better = (index < 0) | (value > y) | (np.isnan(value) & ~np.isnan(y))
        wins = (at >= 0) & better
        y = np.where(wins, value, y)
        index = np.where(wins, at, index)
    return y, index


@register("pool2d", "max_backward", backend="reference", idea="add gy at the index")
def max_backward(gy, index, x_shape):
    """gx of `x_shape` [N,C,H,W] from gy and index [N,C,OH,OW]."""
    N, C, H, W = x_shape
    gx = np.zeros((N, C, H * W), gy.dtype)
    n, c, _, _ = np.ogrid[:N, :C, :1, :1]
    np.add.at(gx, (n, c, index), gy)
    return gx.reshape(x_shape)


@register("pool2d", "max_gather", backend="reference", idea="take x at the index")
def max_gather(x, index):
    """y [N,C,OH,OW] from x [N,C,H,W] and index."""
    N, C, H, W = x.shape
    n, c, _, _ = np.ogrid[:N, :C, :1, :1]
    return x.reshape(N, C, H * W)[n, c, index]


@register("pool2d", "avg_forward", backend="reference", idea="add one strided view per place")
def avg_forward(x, kernel, stride, padding):
    """y [N,C,OH,OW] from x [N,C,H,W], padded with zeros."""
    OH, OW = output_sizes(x.shape[2:], kernel, stride, padding)
    y = np.zeros((*x.shape[:2], OH, OW), x.dtype)
    for _, _, view in _places(_padded(x, padding, 0), kernel, stride, OH, OW):
        y += view
    return y / x.dtype.type(kernel[0] * kernel[1])


@register("pool2d", "avg_backward", backend="reference", idea="hand gy to each place's view")
def avg_backward(gy, x_shape, kernel, stride, padding):
    """gx of `x_shape` [N,C,H,W] from gy [N,C,OH,OW]; what the padding receives is cut off."""
    (N, C, H, W), (PH, PW) = x_shape, padding
    gx = np.zeros((N, C, H + 2 * PH, W + 2 * PW), gy.dtype)
    for _, _, view in _places(gx, kernel, stride, *gy.shape[2:]):
        view += gy
    return gx[:, :, PH : PH + H, PW : PW + W] / gy.dtype.type(kernel[0] * kernel[1])
