"""GRU in NumPy: the lines of the page, one statement for each.

Shapes: xa, ha, gates [N, 3H] in the order r, z, n; h [N, H]; wh [3H, H]; bh [3H] or None. Sources:
Cho et al. 2014 ("lecture": reset before the product); PyTorch ("library": reset after it).
"""

import numpy as np

from ..recurrent.reference import c_order, sigmoid
from ..registry import register


@register("gru", "cell_forward", backend="reference", idea="the formula in NumPy")
def cell_forward(xa, ha, h, variant):
    """h', gates of one step (see `gru.cell_forward`)."""
    xa_r, xa_z, xa_n = np.split(xa, 3, axis=1)
    ha_r, ha_z, ha_n = np.split(ha, 3, axis=1)
    r, z = sigmoid(xa_r + ha_r), sigmoid(xa_z + ha_z)
    if variant == "lecture":
        n = np.tanh(xa_n + ha_n)
        h_new = (1 - z) * h + z * n
    else:
        n = np.tanh(xa_n + r * ha_n)
        h_new = (1 - z) * n + z * h
    return c_order(h_new, np.concatenate([r, z, n], axis=1))


@register("gru", "cell_backward", backend="reference", idea="the formula in NumPy")
def cell_backward(gh_new, gates, ha, h, variant):
    """gxa, gha, gh of one step (see `gru.cell_backward`)."""
    r, z, n = np.split(gates, 3, axis=1)
    ha_n = np.split(ha, 3, axis=1)[2]
    if variant == "lecture":
        gz, gn, gh = gh_new * (n - h), gh_new * z, gh_new * (1 - z)
    else:
        gz, gn, gh = gh_new * (h - n), gh_new * (1 - z), gh_new * z
    ga_z = gz * z * (1 - z)
    ga_n = gn * (1 - n**2)
    if variant == "lecture":
        ga_r, gha_n = np.zeros_like(r), ga_n  # r is not used here: the caller put it into ha_n
    else:
        ga_r, gha_n = ga_n * ha_n * r * (1 - r), ga_n * r
    gxa = np.concatenate([ga_r, ga_z, ga_n], axis=1)
    gha = np.concatenate([ga_r, ga_z, gha_n], axis=1)
    return c_order(gxa, gha, gh)


def _biases(bh):
    """b_r, b_z, b_n, or three zeros."""
    return (0, 0, 0) if bh is None else np.split(bh, 3)


@register("gru", "sequence_forward", backend="reference", idea="the formula in NumPy")
def sequence_forward(xa, h0, wh, bh, variant):
    """hs, gates of all steps (see `gru.sequence_forward`)."""
    steps, (rows, width) = len(xa), h0.shape
    w_r, w_z, w_n = np.split(wh, 3)
    b_r, b_z, b_n = _biases(bh)
    hs, gates = np.empty((steps, rows, width), xa.dtype), np.empty_like(xa, order="C")
    h = h0
    for t in range(steps):
        xa_r, xa_z, xa_n = np.split(xa[t], 3, axis=1)
        r = sigmoid(xa_r + h @ w_r.T + b_r)
        z = sigmoid(xa_z + h @ w_z.T + b_z)
        if variant == "lecture":
            n = np.tanh(xa_n + (r * h) @ w_n.T + b_n)
            h = (1 - z) * h + z * n
        else:
            n = np.tanh(xa_n + r * (h @ w_n.T + b_n))
            h = (1 - z) * n + z * h
        hs[t], gates[t] = h, np.concatenate([r, z, n], axis=1)
    return hs, gates


@register("gru", "sequence_backward", backend="reference", idea="the formula in NumPy")
def sequence_backward(ghs, hs, gates, h0, wh, bh, variant):
    """gxa, gh0, gwh, gbh of all steps (see `gru.sequence_backward`)."""
    w_r, w_z, w_n = np.split(wh, 3)
    b_n = _biases(bh)[2]
    gxa, gh, gwh = np.empty_like(gates, order="C"), np.zeros_like(h0), np.zeros_like(wh, order="C")
    gbh = None if bh is None else np.zeros(bh.shape, bh.dtype)
    for t in reversed(range(len(ghs))):
        h = hs[t - 1] if t > 0 else h0
        r, z, n = np.split(gates[t], 3, axis=1)
        gh = gh + ghs[t]
        if variant == "lecture":
            gz, gn, gh = gh * (n - h), gh * z, gh * (1 - z)
        else:
            gz, gn, gh = gh * (h - n), gh * (1 - z), gh * z
        ga_z = gz * z * (1 - z)
        ga_n = gn * (1 - n**2)
        if variant == "lecture":
            g_reset = ga_n @ w_n  # the gradient of r h
            gr, gh = g_reset * h, gh + g_reset * r
            gha_n, gw_n = ga_n, ga_n.T @ (r * h)
        else:
            gr, gha_n = ga_n * (h @ w_n.T + b_n), ga_n * r
            gh, gw_n = gh + gha_n @ w_n, gha_n.T @ h
        ga_r = gr * r * (1 - r)
        gh = gh + ga_r @ w_r + ga_z @ w_z
        gxa[t] = np.concatenate([ga_r, ga_z, ga_n], axis=1)
        gwh += np.concatenate([ga_r.T @ h, ga_z.T @ h, gw_n])
        if bh is not None:
            gbh += np.concatenate([ga_r, ga_z, gha_n], axis=1).sum(axis=0)
    return gxa, *c_order(gh), gwh, gbh
