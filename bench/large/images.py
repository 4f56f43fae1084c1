"""Convolution and pooling: the samples are images."""

import numpy as np

from ...kernels import pool2d
from ...kernels.pool2d.reference import max_forward
from . import Large

PLANE = (2, 32, 32)  # channels, rows and columns of an image
CONV = (1, 1), (1, 1), (1, 1), 1
WINDOWS = {"2x2": ((2, 2), (2, 2), (0, 0)), "3x3 overlapping": ((3, 3), (2, 2), (1, 1))}


def _images(n):
    return n // int(np.prod(PLANE)), *PLANE


def _weights(fill):
    return fill(2, PLANE[0], 3, 3, seed=9)


def _conv(fill, n):
    return fill(*_images(n)), _weights(fill), *CONV


def _conv_back(fill, n):
    return fill(*_images(n)), _weights(fill), _images(n), *CONV


def _conv_weights(fill, n):
    return fill(*_images(n)), fill(*_images(n), seed=1), (2, PLANE[0], 3, 3), *CONV


def _pool(options):
    def make(fill, n):
        return fill(*_images(n)), *options

    return make


def _pool_back(options, gather=False):
    """The indices of one image, in all of them."""

    def make(fill, n):
        x_shape = _images(n)
        y_shape = pool2d.output_shape(x_shape, *options)
        _, one = max_forward(np.random.default_rng(4).standard_normal((1, *PLANE)), *options)
        index = fill.xp.empty(y_shape, "int64")
        index[...] = fill.xp.asarray(one)
        return (fill(*x_shape), index) if gather else (fill(*y_shape), index, x_shape)

    return make


def _average_back(options):
    def make(fill, n):
        x_shape = _images(n)
        return fill(*pool2d.output_shape(x_shape, *options)), x_shape, *options

    return make


FREE = (None,) * 3
CALLS = [
    Large("conv2d", "forward", "3x3", _conv, (0, *[None] * 5), (0,), reduction=18),
    Large("conv2d", "input_grad", "3x3", _conv_back, (0, None, "shape", *[None] * 4), (0,),
          reduction=18),
    Large("conv2d", "weight_grad", "3x3", _conv_weights, (0, 0, *[None] * 5), (None,), alone=(0,),
          reduction=12 * 1024),
]  # fmt: skip
for _name, _options in WINDOWS.items():
    CALLS += [
        Large("pool2d", "max_forward", _name, _pool(_options), (0, *FREE), (0, 0), bandwidth=True),
        Large("pool2d", "max_backward", _name, _pool_back(_options), (0, 0, "shape"), (0,),
              reduction=9, bandwidth=True),
        Large("pool2d", "max_gather", _name, _pool_back(_options, True), (0, 0), (0,),
              bandwidth=True),
        Large("pool2d", "avg_forward", _name, _pool(_options), (0, *FREE), (0,), reduction=9,
              bandwidth=True),
        Large("pool2d", "avg_backward", _name, _average_back(_options), (0, "shape", *FREE), (0,),
              reduction=9, bandwidth=True),
    ]  # fmt: skip
