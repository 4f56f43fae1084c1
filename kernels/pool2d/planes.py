"""Images as planes, one after another: pooling treats every channel of every image alike."""

import numpy as np


def planes(a):
    """[N,C,H,W] as [N*C,H,W], contiguous."""
    N, C, H, W = a.shape
    return np.ascontiguousarray(a).reshape(N * C, H, W)


def flat(a):
    """[N,C,H,W] as [N*C,H*W], contiguous."""
    N, C, H, W = a.shape
    return np.ascontiguousarray(a).reshape(N * C, H * W)
