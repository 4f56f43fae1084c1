"""Convolution in NumPy, tap by tap: the formula of the page, and the oracle of the other backends.

For one tap (u, v) the pixels x[n, c, i*SH + u*DH, j*SW + v*DW] of the padded image, for all i, j,
are a strided view of it. So one tap of the formula is one product over channels:

    y[n,g,o,i,j] += sum over c of  w[g,o,c,u,v] * view[n,g,c,i,j]

with the channels split as [G, C/G] and [G, O/G], so that a group only meets its own. The gradients
are the same product with another letter summed. Letters: see the page.
"""

import numpy as np

from ..registry import register
from ..windows import output_sizes


def _padded(x, padding):
    PH, PW = padding
    return np.pad(x, ((0, 0), (0, 0), (PH, PH), (PW, PW)))


def _taps(x_padded, KH, KW, OH, OW, stride, dilation, groups):
    """For each tap: u, v and the view [N,G,C/G,OH,OW] of the pixels that it meets."""
    (SH, SW), (DH, DW) = stride, dilation
    N, C, H, W = x_padded.shape
    by_group = x_padded.reshape(N, groups, C // groups, H, W)
    for u in range(KH):
        for v in range(KW):
            rows = slice(u * DH, u * DH + (OH - 1) * SH + 1, SH)
            columns = slice(v * DW, v * DW + (OW - 1) * SW + 1, SW)
            yield u, v, by_group[..., rows, columns]


@register("conv2d", "forward", backend="reference", idea="one product over channels per tap")
def forward(x, w, stride, padding, dilation, groups):
    """y [N,O,OH,OW] from x [N,C,H,W] and w [O,C/G,KH,KW]."""
    N, (O, Cg, KH, KW) = len(x), w.shape
    OH, OW = output_sizes(x.shape[2:], (KH, KW), stride, padding, dilation)
    w = w.reshape(groups, O // groups, Cg, KH, KW)
    y = np.zeros((N, groups, O // groups, OH, OW), x.dtype)
    for u, v, view in _taps(_padded(x, padding), KH, KW, OH, OW, stride, dilation, groups):
        y += np.einsum("goc,ngcij->ngoij", w[..., u, v], view)
    return y.reshape(N, O, OH, OW)


@register("conv2d", "input_grad", backend="reference", idea="each tap hands gy back to its view")
def input_grad(gy, w, x_shape, stride, padding, dilation, groups):
    """gx [N,C,H,W] from gy [N,O,OH,OW] and w [O,C/G,KH,KW]."""
    (N, C, H, W), (PH, PW) = x_shape, padding
    _, O, OH, OW = gy.shape
    KH, KW = w.shape[2:]
    w = w.reshape(groups, O // groups, C // groups, KH, KW)
    gy = gy.reshape(N, groups, O // groups, OH, OW)
    gx = np.zeros((N, C, H + 2 * PH, W + 2 * PW), gy.dtype)
    for u, v, view in _taps(gx, KH, KW, OH, OW, stride, dilation, groups):
        view += np.einsum("goc,ngoij->ngcij", w[..., u, v], gy)
    return gx[:, :, PH : PH + H, PW : PW + W].copy()


@register("conv2d", "weight_grad", backend="reference", idea="each tap sums gy times its view")
def weight_grad(gy, x, w_shape, stride, padding, dilation, groups):
    """gw [O,C/G,KH,KW] from gy [N,O,OH,OW] and x [N,C,H,W]."""
    O, Cg, KH, KW = w_shape
    N, _, OH, OW = gy.shape
    gy = gy.reshape(N, groups, O // groups, OH, OW)
    gw = np.zeros((groups, O // groups, Cg, KH, KW), x.dtype)
    for u, v, view in _taps(_padded(x, padding), KH, KW, OH, OW, stride, dilation, groups):
        gw[..., u, v] = np.einsum("ngoij,ngcij->goc", gy, view)
    return gw.reshape(w_shape)
