"""Convolution on the CPU: the formula of each pass as plain loops, compiled (version 1).

The three kernels are the three sums of the page. `item` counts pairs of the first two letters of a
result (n,o or n,c or o,c): pairs do not depend on each other, so each thread gets a part of them.
`_forward` and `_weight_grad` then collect one number of the result at a time. `_input_grad` adds
the other way round: for each window (i,j) and tap (u,v) it adds the product to the pixel (r,s)
where they meet. That is the same sum, without a search for all pairs that meet at a pixel.

Every product loads its two numbers from memory, and pixels of the padding cost a test each. That is
what the rungs improve on, one idea a file:

    v2   a tap is a distance; tiles of pixels in registers             rungs/cpu_v2_shifted.py
    v3   a matrix product over channels side by side                   rungs/cpu_v3_gemm.py
    v4   Winograd's F(2x2,3x3): 2.25 times fewer products              rungs/cpu_v4_winograd.py
    v5   Winograd's F(4x4,3x3): 4 times fewer, for large images        rungs/cpu_v4_winograd.py

The newest version that supports the shapes runs. Which those are was measured; each version says so
next to its predicate. Every sum has one fixed order whatever the number of threads.
"""

import numpy as np

from ..compiled import njit
from ..registry import register
from ..threads import PRODUCTS, in_parts, parts_for
from .geometry import Geometry
from .rungs import cpu_v2_shifted, cpu_v3_gemm, cpu_v4_winograd  # noqa: F401  (they register)


@njit(nogil=True)
def _forward(x, w, y, g, parts, part):
    """y[n,o,i,j] = sum over c,u,v of w[o,c,u,v] * x[n, c, i*SH - PH + u*DH, j*SW - PW + v*DW]."""
    Cg, Og = g.C // g.G, g.O // g.G
    for item in range(part * g.N * g.O // parts, (part + 1) * g.N * g.O // parts):
        n, o = item // g.O, item % g.O
        first = o // Og * Cg  # the first channel of this group
        for i in range(g.OH):
            for j in range(g.OW):
                total = w.dtype.type(0)
                for c in range(Cg):
                    for u in range(g.KH):
                        r = i * g.SH - g.PH + u * g.DH
                        if 0 <= r < g.H:
                            for v in range(g.KW):
                                s = j * g.SW - g.PW + v * g.DW
                                if 0 <= s < g.W:
                                    total += w[o, c, u, v] * x[n, first + c, r, s]
                y[n, o, i, j] = total


@njit(nogil=True)
def _input_grad(gy, w, gx, g, parts, part):
    """gx[n,c,r,s] += w[o,c,u,v] * gy[n,o,i,j] wherever tap (u,v) of window (i,j) is pixel (r,s)."""
    Cg, Og = g.C // g.G, g.O // g.G
    for item in range(part * g.N * g.C // parts, (part + 1) * g.N * g.C // parts):
        n, c = item // g.C, item % g.C
        first = c // Cg * Og  # the first output channel of this group
        for o in range(first, first + Og):
            for i in range(g.OH):
                for j in range(g.OW):
                    for u in range(g.KH):
                        r = i * g.SH - g.PH + u * g.DH
                        if 0 <= r < g.H:
                            for v in range(g.KW):
                                s = j * g.SW - g.PW + v * g.DW
                                if 0 <= s < g.W:
                                    gx[n, c, r, s] += w[o, c % Cg, u, v] * gy[n, o, i, j]


@njit(nogil=True)
def _weight_grad(gy, x, gw, g, parts, part):
    """gw[o,c,u,v] = sum over n,i,j of gy[n,o,i,j] * x[n, c, i*SH - PH + u*DH, j*SW - PW + v*DW]."""
    Cg, Og = g.C // g.G, g.O // g.G
    for item in range(part * g.O * Cg // parts, (part + 1) * g.O * Cg // parts):
        o, c = item // Cg, item % Cg
        channel = o // Og * Cg + c
        for u in range(g.KH):
            for v in range(g.KW):
                total = gw.dtype.type(0)
                for n in range(g.N):
                    for i in range(g.OH):
                        r = i * g.SH - g.PH + u * g.DH
                        if 0 <= r < g.H:
                            for j in range(g.OW):
                                s = j * g.SW - g.PW + v * g.DW
                                if 0 <= s < g.W:
                                    total += gy[n, o, i, j] * x[n, channel, r, s]
                gw[o, c, u, v] = total


@register("conv2d", "forward", backend="numba", idea="the formula as seven loops")
def forward_v1(x, w, *options):
    """y [N,O,OH,OW] from x [N,C,H,W] and w [O,C/G,KH,KW]; images and output channels on threads."""
    x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
    g = Geometry.of(x.shape, w.shape, *options)
    y = np.empty(g.y_shape, x.dtype)
    parts = parts_for(y.size * w[0].size, g.N * g.O, PRODUCTS)
    in_parts(_forward, parts, x, w, y, g, parts)
    return y


@register("conv2d", "input_grad", backend="numba", idea="every tap hands gy back to its pixel")
def input_grad_v1(gy, w, x_shape, *options):
    """gx [N,C,H,W] from gy [N,O,OH,OW] and w [O,C/G,KH,KW]; images and channels on threads."""
    gy, w = np.ascontiguousarray(gy), np.ascontiguousarray(w)
    g, gx = Geometry.of(x_shape, w.shape, *options), np.zeros(x_shape, gy.dtype)
    parts = parts_for(gy.size * w[0].size, g.N * g.C, PRODUCTS)
    in_parts(_input_grad, parts, gy, w, gx, g, parts)
    return gx


@register("conv2d", "weight_grad", backend="numba", idea="every weight sums over all windows")
def weight_grad_v1(gy, x, w_shape, *options):
    """gw [O,C/G,KH,KW] from gy [N,O,OH,OW] and x [N,C,H,W]; pairs of channels on threads."""
    gy, x = np.ascontiguousarray(gy), np.ascontiguousarray(x)
    g, gw = Geometry.of(x.shape, w_shape, *options), np.empty(w_shape, x.dtype)
    parts = parts_for(gy.size * gw[0].size, w_shape[0] * w_shape[1], PRODUCTS)
    in_parts(_weight_grad, parts, gy, x, gw, g, parts)
    return gw
