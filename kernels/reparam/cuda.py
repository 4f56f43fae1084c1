"""Launch geometry of the reparameterised sample: elements (v1), rows (v2), Philox blocks (v3)."""

from ..arrays import aligned
from ..launcher import Source, ceil_div, contiguous, empty, zeros

source = Source(__file__)
THREADS, ROW_THREADS = 256, 128
LONG_ROW = 1024  # numbers, which occupy four warps; a shorter one gets one


def _outputs(mu):
    return empty(mu, mu.shape), (empty if mu.size else zeros)(mu, mu.shape[:1])


@source.implements("reparam", "forward", version=1, idea="a thread an element, then a thread a row")
def forward_v1(mu, logvar, seed, offset):
    (mu, logvar), (z, kl) = (contiguous(mu), contiguous(logvar)), _outputs(mu)
    if mu.size:
        grid = ceil_div(mu.size, THREADS)
        source.launch("reparam_sample_v1", grid, THREADS, mu, logvar, z, mu.size, seed, offset)
        rows = ceil_div(len(mu), THREADS)
        source.launch("reparam_divergence_v1", rows, THREADS, mu, logvar, kl, *mu.shape)
    return z, kl


@source.implements("reparam", "forward", version=2, idea="a block a row: noise, sample, KL in one")
def forward_v2(mu, logvar, seed, offset):
    (mu, logvar), (z, kl) = (contiguous(mu), contiguous(logvar)), _outputs(mu)
    if mu.size:
        numbers = mu.shape[1], seed, offset
        source.launch("reparam_forward_v2", len(mu), ROW_THREADS, mu, logvar, z, kl, *numbers)
    return z, kl


def _in_vectors(*args):
    """Are the arrays of this shape rows of whole Philox blocks, read as vectors of 16 bytes?"""
    arrays = [a for a in args if getattr(a, "ndim", 0) == 2]
    return arrays[0].shape[1] % 4 == 0 and aligned(*arrays)


@source.implements(
    "reparam",
    "forward",
    version=3,
    idea="a thread a Philox block, vectors of four",
    dtypes=("float32",),
    supports=_in_vectors,
)
def forward_v3(mu, logvar, seed, offset):
    (mu, logvar), (z, kl) = (contiguous(mu), contiguous(logvar)), _outputs(mu)
    if mu.size:
        (n, d), warps = mu.shape, 4 if mu.shape[1] >= LONG_ROW else 1
        grid, numbers = ceil_div(n * warps, ROW_THREADS // 32), (n, d, warps, seed, offset)
        source.launch("reparam_forward_v3", grid, ROW_THREADS, mu, logvar, z, kl, *numbers)
    return z, kl


def _backward(kernel, each, gz, gkl, mu, logvar, seed, offset):
    arrays = [contiguous(a) for a in (gz, gkl, mu, logvar)]
    gmu, glogvar = empty(mu, mu.shape), empty(mu, mu.shape)
    if mu.size:
        grid = ceil_div(ceil_div(mu.size, each), THREADS)
        numbers = mu.size, mu.shape[1], seed, offset
        source.launch(kernel, grid, THREADS, *arrays, gmu, glogvar, *numbers)
    return gmu, glogvar


@source.implements("reparam", "backward", version=1, idea="a thread an element")
def backward_v1(gz, gkl, mu, logvar, seed, offset):
    return _backward("reparam_backward_v1", 1, gz, gkl, mu, logvar, seed, offset)


@source.implements("reparam", "backward", version=2, idea="a thread the four of a Philox block")
def backward_v2(gz, gkl, mu, logvar, seed, offset):
    return _backward("reparam_backward_v2", 4, gz, gkl, mu, logvar, seed, offset)


@source.implements(
    "reparam",
    "backward",
    version=3,
    idea="a thread a Philox block, vectors of four",
    dtypes=("float32",),
    supports=_in_vectors,
)
def backward_v3(gz, gkl, mu, logvar, seed, offset):
    arrays = [contiguous(a) for a in (gz, gkl, mu, logvar)]
    gmu, glogvar = empty(mu, mu.shape), empty(mu, mu.shape)
    if mu.size:
        blocks, d = mu.size // 4, mu.shape[1]
        grid, numbers = ceil_div(blocks, THREADS), (blocks, d, seed, offset)
        source.launch("reparam_backward_v3", grid, THREADS, *arrays, gmu, glogvar, *numbers)
    return gmu, glogvar
