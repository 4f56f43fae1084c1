"""Skip-gram on the GPU: the launch geometry of `cuda.cu`, a warp a pair or a thread a draw."""

from typing import NamedTuple

from ..launcher import SHARED_ALWAYS, Source, ceil_div, contiguous, empty

source = Source(__file__)
WARPS, BLOCK = 4, 256  # as in cuda.cu


class Sizes(NamedTuple):
    """`struct Sizes` of cuda.cu."""

    N: int
    k: int
    D: int


def _sizes(w, negative) -> Sizes:
    return Sizes(*negative.shape, w.shape[1])


def _shared(w, warps: int) -> int:
    """Bytes of the two vectors that each warp keeps to itself."""
    return warps * 2 * w.shape[1] * w.dtype.itemsize


@source.implements("skip_gram", "loss", version=1, idea="a warp a pair")
def loss_v1(w, c, centre, context, negative):
    """loss [N] (see `skip_gram.loss`)."""
    w = contiguous(w)
    c = w if c is None else contiguous(c)
    size, found = _sizes(w, negative), empty(w, (len(centre),))
    if size.N:
        pairs = [contiguous(a) for a in (centre, context, negative)]
        grid = ceil_div(size.N, WARPS)
        source.launch("skip_gram_loss_v1", grid, 32 * WARPS, w, c, *pairs, found, size)
    return found


def _run(kernel: str, grid: int, warps: int, w, c, *pairs, in_place: bool):
    """(w, c) after the kernel; c is None where both tables are one."""
    w, c = (a if a is None or in_place else contiguous(a).copy() for a in (w, c))
    size = _sizes(w, pairs[2])
    if size.N:
        pairs = [contiguous(a) for a in pairs]
        source.launch(kernel, grid, 32 * warps, w, c, *pairs, size, shared=_shared(w, warps))
    return w, c


@source.implements(
    "skip_gram",
    "step",
    version=1,
    idea="one warp, pair after pair",
    supports=lambda w, *rest: _shared(w, 1) <= SHARED_ALWAYS,
)
def step_v1(w, c, centre, context, negative, rates, in_place):
    """w, c after all pairs (see `skip_gram.step`)."""
    pairs = centre, context, negative, rates
    return _run("skip_gram_step_v1", 1, 1, w, c, *pairs, in_place=in_place)


@source.implements(
    "skip_gram",
    "racing",
    version=1,
    idea="a warp a pair, additions by atomics",
    deterministic=False,
    supports=lambda w, *rest: _shared(w, WARPS) <= SHARED_ALWAYS,
)
def racing_v1(w, c, centre, context, negative, rates, in_place):
    """w, c after all pairs (see `skip_gram.step`)."""
    grid, pairs = ceil_div(len(centre), WARPS), (centre, context, negative, rates)
    return _run("skip_gram_racing_v1", grid, WARPS, w, c, *pairs, in_place=in_place)


@source.implements("skip_gram", "noise", version=1, idea="a thread a draw")
def noise_v1(keep, other, count, each, seed, offset):
    """Words [count, each] (see `skip_gram.noise`)."""
    out = empty(keep, (count, each), "int64")
    if out.size:
        arrays = contiguous(keep), contiguous(other), out
        numbers = len(keep), out.size, seed, offset
        source.launch("skip_gram_noise_v1", ceil_div(out.size, BLOCK), BLOCK, *arrays, *numbers)
    return out


@source.implements("skip_gram", "outside", version=1, idea="a thread a draw, by bisection")
def outside_v1(first, words, centre, each, seed, offset):
    """Words [N, each] (see `skip_gram.outside`)."""
    out = empty(centre, (len(centre), each), "int64")
    if out.size:
        arrays = contiguous(first), contiguous(words), contiguous(centre), out
        numbers = len(first) - 1, each, out.size, seed, offset
        source.launch("skip_gram_outside_v1", ceil_div(out.size, BLOCK), BLOCK, *arrays, *numbers)
    return out
