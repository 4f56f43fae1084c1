"""Launch geometry of attention: a warp a query and a warp a key, or blocks of eight queries."""

from typing import NamedTuple

from ..arrays import xp_of
from ..launcher import Source, ceil_div, contiguous, empty, zeros

source = Source(__file__)
WARPS = 8  # of a block, as in cuda.cu
WIDTH = 64  # as in rungs/cuda_v2_tiles.cuh
MOST_EXAMPLES = 65535  # which are the second size of a grid


class Sizes(NamedTuple):
    """`struct Sizes` of cuda.cu."""

    B: int
    M: int
    N: int
    D: int
    E: int
    causal: int


def _sizes(q, k, v, causal):
    return Sizes(*q.shape[:2], k.shape[1], q.shape[2], v.shape[2], int(causal))


def _at(a):
    """The array for a kernel; where it has no number, one in its place: it has no address then."""
    return contiguous(a) if a.size else zeros(a, (1,), str(a.dtype))


def _forward(version, q, k, v, lengths, scale, causal):
    z = _sizes(q, k, v, causal)
    o, lse = empty(q, (z.B, z.M, z.E)), empty(q, (z.B, z.M))
    if lse.size:
        arrays, out = [_at(a) for a in (q, k, v, lengths)], _at(o)
        grid = ceil_div(z.B * z.M, WARPS) if version == 1 else (ceil_div(z.M, WARPS), z.B)
        kernel = f"attention_forward_v{version}"
        source.launch(kernel, grid, 32 * WARPS, *arrays, out, lse, z, scale)
    return o, lse


source.implements_each(
    "attention",
    "forward",
    _forward,
    {
        1: {"idea": "a warp a query"},
        2: {
            "idea": "keys and values in shared memory for eight queries",
            "supports": lambda q, k, v, *rest: (
                max(q.shape[2], v.shape[2]) <= WIDTH and len(q) <= MOST_EXAMPLES
            ),
        },
    },
)


@source.implements("attention", "backward", version=1, idea="a warp a query, a warp a key")
def backward_v1(go, q, k, v, o, lse, lengths, scale, causal):
    """gq, gk, gv (see `attention.backward`)."""
    z = _sizes(q, k, v, causal)
    gq, gk, gv = (empty(a, a.shape) for a in (q, k, v))
    delta = xp_of(q).asarray((go * o).sum(axis=2))
    arrays = [_at(a) for a in (go, q, k, v, delta, lse, lengths)]
    if gq.size:
        grid = ceil_div(z.B * z.M, WARPS)
        source.launch("attention_queries_v1", grid, 32 * WARPS, *arrays, gq, z, scale)
    if gk.size or gv.size:
        grid = ceil_div(z.B * z.N, WARPS)
        source.launch("attention_keys_v1", grid, 32 * WARPS, *arrays, _at(gk), _at(gv), z, scale)
    return gq, gk, gv
