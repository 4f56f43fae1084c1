"""Attention in NumPy: the formulas, with the whole matrix p."""

import numpy as np

from ..registry import register


def seen(M: int, N: int, lengths, causal: bool):
    """Which keys each query may read, [B,M,N].

    >>> seen(2, 3, np.array([2]), True).astype(int)
    array([[[1, 0, 0],
            [1, 1, 0]]])
    """
    n = np.arange(N)
    keys = np.broadcast_to((n < lengths[:, None])[:, None], (len(lengths), M, N))
    return keys & (n <= np.arange(M)[:, None]) if causal else keys


def _scores(q, k, lengths, scale, causal):
    s = q.dtype.type(scale) * (q @ k.transpose(0, 2, 1))
    return np.where(seen(q.shape[1], k.shape[1], lengths, causal), s, -np.inf).astype(q.dtype)


@register("attention", "forward", backend="reference", idea="the formulas")
def forward(q, k, v, lengths, scale, causal):
    """o, lse (see `attention.forward`)."""
    s = _scores(q, k, lengths, scale, causal)
    top = s.max(axis=2, initial=-np.inf)
    safe = np.where(np.isfinite(top), top, q.dtype.type(0))
    e = np.exp(s - safe[..., None])
    total = e.sum(axis=2)
    with np.errstate(divide="ignore"):  # ln 0 where there is no key
        lse = np.log(total) + safe
    p = e / np.where(total == 0, total.dtype.type(1), total)[..., None]
    return p @ _unread(v, lengths), lse


def _unread(v, lengths):
    """v, 0 beyond the keys: there it may hold anything, and 0 times NaN is NaN."""
    return np.where((np.arange(v.shape[1]) < lengths[:, None])[..., None], v, v.dtype.type(0))


@register("attention", "backward", backend="reference", idea="the formulas")
def backward(go, q, k, v, o, lse, lengths, scale, causal):
    """gq, gk, gv (see `attention.backward`)."""
    k, v = _unread(k, lengths), _unread(v, lengths)
    safe = np.where(lse == -np.inf, lse.dtype.type(0), lse)
    p = np.exp(_scores(q, k, lengths, scale, causal) - safe[..., None])
    gp = go @ v.transpose(0, 2, 1)
    gs = q.dtype.type(scale) * p * (gp - (go * o).sum(axis=2)[..., None])
    return gs @ k, gs.transpose(0, 2, 1) @ q, p.transpose(0, 2, 1) @ go
