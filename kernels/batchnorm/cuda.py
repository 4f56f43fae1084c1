"""Batch normalisation on the GPU: the launch geometry of `cuda.cu` and of the rung it includes.

v1 takes a block a channel; v2 takes one a slice of a channel, and a second kernel that joins them.
"""

from ..launcher import Source, ceil_div, contiguous, empty

source = Source(__file__)
THREADS = 256
SLICE = 16 * THREADS  # numbers of a channel that a block of v2 takes
MOST_SLICES = 65535  # which are the second size of a grid


def _slices(x):
    return ceil_div(x.shape[0] * x.shape[2], SLICE)


def _in_slices(x):
    """Is there more than one slice of a channel, and no more than a grid has room for?"""
    return x.size > 0 and 1 < _slices(x) <= MOST_SLICES


def _run(version, pass_, first, x, inputs, eps):
    """One output like x and two numbers of every channel, from `inputs`.

    v2 sums slices in a kernel of its own, from the arrays `first`: two sums of each slice.
    """
    outputs = empty(x, x.shape), empty(x, x.shape[1:2]), empty(x, x.shape[1:2])
    arrays, sums, grid = [contiguous(a) for a in inputs], (), x.shape[1]
    if not x.size:
        return outputs
    if version == 2:
        grid = x.shape[1], _slices(x)
        sums, first = (empty(x, grid), empty(x, grid)), [contiguous(a) for a in first]
        kernel = {"forward": "batchnorm_slices_v2", "backward": "batchnorm_gradients_v2"}[pass_]
        source.launch(kernel, grid, THREADS, *first, *sums, *x.shape)
    kernel = f"batchnorm_{pass_}_v{version}"
    source.launch(kernel, grid, THREADS, *arrays, *sums, *outputs, *x.shape, eps)
    return outputs


def _forward(version, x, gamma, beta, eps):
    return _run(version, "forward", (x,), x, (x, gamma, beta), eps)


def _backward(version, g, x, gamma, mean, variance, eps):
    return _run(version, "backward", (g, x, mean), x, (g, x, gamma, mean, variance), eps)


BLOCK = {"idea": "a block a channel"}
FORWARD = {
    1: BLOCK,
    2: {
        "idea": "channels cut into slices, read once into registers",
        "supports": lambda x, *rest: _in_slices(x),
    },
}
BACKWARD = {
    1: BLOCK,
    2: {"idea": "channels cut into slices", "supports": lambda g, x, *rest: _in_slices(x)},
}
source.implements_each("batchnorm", "forward", _forward, FORWARD)
source.implements_each("batchnorm", "backward", _backward, BACKWARD)
