"""The reparameterised sample on the GPU: the launch geometry of `cuda.cu` and of its rungs."""

from ..arrays import aligned
from ..launcher import Source, ceil_div, contiguous, empty, zeros

source = Source(__file__)
THREADS, ROW_THREADS = 256, 128
LONG_ROW = 1024  # numbers, which occupy four warps of v3; a shorter one gets one
EACH = {1: 1, 2: 4, 3: 4}  # elements of a thread, backward


def _in_vectors(*args):
    """Are the arrays of this shape rows of whole Philox blocks, read as vectors of 16 bytes?"""
    arrays = [a for a in args if getattr(a, "ndim", 0) == 2]
    return arrays[0].shape[1] % 4 == 0 and aligned(*arrays)


VECTORS = {
    "idea": "a thread a Philox block, vectors of four",
    "dtypes": ("float32",),
    "supports": _in_vectors,
}
FORWARD = {
    1: {"idea": "a thread an element, then a thread a row"},
    2: {"idea": "a block a row: noise, sample, KL in one"},
    3: VECTORS,
}
BACKWARD = {
    1: {"idea": "a thread an element"},
    2: {"idea": "a thread the four of a Philox block"},
    3: VECTORS,
}


def _forward(version, mu, logvar, seed, offset):
    mu, logvar = contiguous(mu), contiguous(logvar)
    (n, d), size = mu.shape, mu.size
    z, kl = empty(mu, mu.shape), (empty if size else zeros)(mu, (n,))
    if not size:
        return z, kl
    if version == 1:
        grid = ceil_div(size, THREADS)
        source.launch("reparam_sample_v1", grid, THREADS, mu, logvar, z, size, seed, offset)
        grid = ceil_div(n, THREADS)
        source.launch("reparam_divergence_v1", grid, THREADS, mu, logvar, kl, n, d)
    elif version == 2:
        numbers = d, seed, offset
        source.launch("reparam_forward_v2", n, ROW_THREADS, mu, logvar, z, kl, *numbers)
    else:
        warps = 4 if d >= LONG_ROW else 1
        grid, numbers = ceil_div(n * warps, ROW_THREADS // 32), (n, d, warps, seed, offset)
        source.launch("reparam_forward_v3", grid, ROW_THREADS, mu, logvar, z, kl, *numbers)
    return z, kl


def _backward(version, gz, gkl, mu, logvar, seed, offset):
    arrays = [contiguous(a) for a in (gz, gkl, mu, logvar)]
    gmu, glogvar = empty(mu, mu.shape), empty(mu, mu.shape)
    if mu.size:
        threads = ceil_div(mu.size, EACH[version])
        count = threads if version == 3 else mu.size  # whole blocks, or elements
        numbers = count, mu.shape[1], seed, offset
        kernel, grid = f"reparam_backward_v{version}", ceil_div(threads, THREADS)
        source.launch(kernel, grid, THREADS, *arrays, gmu, glogvar, *numbers)
    return gmu, glogvar


source.implements_each("reparam", "forward", _forward, FORWARD)
source.implements_each("reparam", "backward", _backward, BACKWARD)
