"""Launch geometry of batch normalisation: a block a channel (v1), or a slice of one (v2)."""

from ..launcher import Source, ceil_div, contiguous, empty

source = Source(__file__)
THREADS = 256
SLICE = 16 * THREADS  # numbers of a channel that a block of v2 takes
MOST_SLICES = 65535  # which are the second size of a grid


def _run(kernel, x, inputs, eps):
    outputs = empty(x, x.shape), empty(x, x.shape[1:2]), empty(x, x.shape[1:2])
    if x.size:
        arrays = [contiguous(a) for a in inputs]
        source.launch(kernel, x.shape[1], THREADS, *arrays, *outputs, *x.shape, eps)
    return outputs


@source.implements("batchnorm", "forward", version=1, idea="a block a channel")
def forward_v1(x, gamma, beta, eps):
    return _run("batchnorm_forward_v1", x, (x, gamma, beta), eps)


@source.implements("batchnorm", "backward", version=1, idea="a block a channel")
def backward_v1(g, x, gamma, mean, variance, eps):
    return _run("batchnorm_backward_v1", x, (g, x, gamma, mean, variance), eps)


def _slices(x):
    return ceil_div(x.shape[0] * x.shape[2], SLICE)


def _in_slices(kernels, x, first, inputs, eps):
    """Two kernels: two sums of each slice of `first`, then the outputs from `inputs` and them."""
    outputs = empty(x, x.shape), empty(x, x.shape[1:2]), empty(x, x.shape[1:2])
    grid = x.shape[1], _slices(x)
    sums = empty(x, grid), empty(x, grid)
    first, inputs = [contiguous(a) for a in first], [contiguous(a) for a in inputs]
    source.launch(kernels[0], grid, THREADS, *first, *sums, *x.shape)
    source.launch(kernels[1], grid, THREADS, *inputs, *sums, *outputs, *x.shape, eps)
    return outputs


@source.implements(
    "batchnorm",
    "forward",
    version=2,
    idea="channels cut into slices, read once into registers",
    supports=lambda x, *rest: x.size > 0 and 1 < _slices(x) <= MOST_SLICES,
)
def forward_v2(x, gamma, beta, eps):
    kernels = "batchnorm_slices_v2", "batchnorm_forward_v2"
    return _in_slices(kernels, x, (x,), (x, gamma, beta), eps)


@source.implements(
    "batchnorm",
    "backward",
    version=2,
    idea="channels cut into slices",
    supports=lambda g, x, *rest: x.size > 0 and 1 < _slices(x) <= MOST_SLICES,
)
def backward_v2(g, x, gamma, mean, variance, eps):
    kernels = "batchnorm_gradients_v2", "batchnorm_backward_v2"
    return _in_slices(kernels, x, (g, x, mean), (g, x, gamma, mean, variance), eps)
