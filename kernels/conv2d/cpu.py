"""Convolution on the CPU: the formula, compiled. The fast versions each have a file of their own.

    v1   the formula as seven loops                                                   (here)
    v2   a tap is a distance; tiles of pixels in registers                            (shifted.py)
    v3   a matrix product over channels side by side                                  (gemm.py)
    v4   Winograd's F(2x2,3x3): 2.25 times fewer products                             (winograd.py)
    v5   Winograd's F(4x4,3x3): 4 times fewer, for large images                       (winograd.py)

The newest version that supports the shapes runs. Which those are was measured, each version says it
beside its predicate. Every sum has one fixed order whatever the number of threads.
"""

import numpy as np

from ..compiled import njit
from ..registry import register
from ..threads import PRODUCTS, in_parts, parts_for
from . import gemm, shifted, winograd  # noqa: F401  (they register their versions)
from .channels import output_size


@njit(nogil=True)
def _formula(x, w, y, SH, SW, PH, PW, DH, DW, groups, parts, part):
    N, O, OH, OW = y.shape
    _, _, H, W = x.shape
    _, Cg, KH, KW = w.shape
    for item in range(part * N * O // parts, (part + 1) * N * O // parts):
        n, o = item // O, item % O
        first = o // (O // groups) * Cg
        for i in range(OH):
            for j in range(OW):
                total = w.dtype.type(0)
                for c in range(Cg):
                    for u in range(KH):
                        r = i * SH - PH + u * DH
                        if 0 <= r < H:
                            for v in range(KW):
                                s = j * SW - PW + v * DW
                                if 0 <= s < W:
                                    total += w[o, c, u, v] * x[n, first + c, r, s]
                y[n, o, i, j] = total


@register("conv2d", "forward", backend="numba", idea="the formula as seven loops")
def forward_v1(x, w, stride, padding, dilation, groups):
    x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
    size = output_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    y = np.empty((len(x), len(w), *size), x.dtype)
    parts = parts_for(y.size * w[0].size, len(x) * len(w), PRODUCTS)
    in_parts(_formula, parts, x, w, y, *stride, *padding, *dilation, groups, parts)
    return y
