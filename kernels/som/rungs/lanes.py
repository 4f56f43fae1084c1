"""What the versions 2 share: the nodes in blocks of 32 lanes, and distances over all of them.

With w as blocks [M / 32, D, 32] the inner loop runs over nodes, not over features: it fills vector
registers for any D, and each distance remains one sum in a fixed order, so that equal nodes tie.
The last block is filled up with infinity, which never wins.
"""

import numpy as np

from ...compiled import njit

LANES = 32
GROUP = 4  # samples that share what is loaded of a block
CONTRACT = {"contract"}  # t * t + a as one instruction: no effect on NaN, infinity or exact sums


def in_blocks(w):
    """w [M, D] as blocks [M / 32, D, 32]."""
    nodes, features = w.shape
    count = -(-nodes // LANES)
    padded = np.full((count * LANES, features), np.inf, w.dtype)
    padded[:nodes] = w
    return np.ascontiguousarray(padded.reshape(count, LANES, features).transpose(0, 2, 1))


def from_blocks(blocks, nodes):
    """The first `nodes` rows of w [M, D], from its blocks."""
    count, features, _ = blocks.shape
    w = blocks.transpose(0, 2, 1).reshape(count * LANES, features)
    return np.ascontiguousarray(w[:nodes])


@njit(fastmath=CONTRACT)
def add_squares(x_n, block, d2):
    """d2[l] = |x_n - node l of the block|^2, four features per pass over the lanes."""
    features = len(x_n)
    for lane in range(LANES):
        d2[lane] = 0
    # d2 is read and written once for four features
    whole = features // 4 * 4
    for j in range(0, whole, 4):
        x0, x1, x2, x3 = x_n[j], x_n[j + 1], x_n[j + 2], x_n[j + 3]
        for lane in range(LANES):
            t0, t1 = x0 - block[j, lane], x1 - block[j + 1, lane]
            t2, t3 = x2 - block[j + 2, lane], x3 - block[j + 3, lane]
            d2[lane] = d2[lane] + t0 * t0 + t1 * t1 + t2 * t2 + t3 * t3
    for j in range(whole, features):
        for lane in range(LANES):
            t = x_n[j] - block[j, lane]
            d2[lane] += t * t


@njit(fastmath=CONTRACT, error_model="numpy")
def add_squares_of_four(x, block, d2):
    """d2[4 * 32] = |x_n - node l of the block|^2 for four samples x [4, D].

    The block is flat, and d2 is: LLVM sees two arrays, whose overlap it can rule out.
    """
    xa, xb, xc, xd = x[0], x[1], x[2], x[3]
    features = x.shape[1]
    for lane in range(GROUP * LANES):
        d2[lane] = 0
    whole = features // 4 * 4
    for j in range(0, whole, 4):
        # 16 numbers of the samples, each the same in all lanes
        a0, a1, a2, a3 = xa[j], xa[j + 1], xa[j + 2], xa[j + 3]
        b0, b1, b2, b3 = xb[j], xb[j + 1], xb[j + 2], xb[j + 3]
        c0, c1, c2, c3 = xc[j], xc[j + 1], xc[j + 2], xc[j + 3]
        e0, e1, e2, e3 = xd[j], xd[j + 1], xd[j + 2], xd[j + 3]
        w = block[j * LANES : (j + 4) * LANES]
        for i in range(LANES):
            # four numbers of node i, each of which serves four sums
            w0, w1, w2, w3 = w[i], w[LANES + i], w[2 * LANES + i], w[3 * LANES + i]
            t0, t1, t2, t3 = a0 - w0, a1 - w1, a2 - w2, a3 - w3
            d2[i] = d2[i] + t0 * t0 + t1 * t1 + t2 * t2 + t3 * t3
            t0, t1, t2, t3 = b0 - w0, b1 - w1, b2 - w2, b3 - w3
            d2[LANES + i] = d2[LANES + i] + t0 * t0 + t1 * t1 + t2 * t2 + t3 * t3
            t0, t1, t2, t3 = c0 - w0, c1 - w1, c2 - w2, c3 - w3
            d2[2 * LANES + i] = d2[2 * LANES + i] + t0 * t0 + t1 * t1 + t2 * t2 + t3 * t3
            t0, t1, t2, t3 = e0 - w0, e1 - w1, e2 - w2, e3 - w3
            d2[3 * LANES + i] = d2[3 * LANES + i] + t0 * t0 + t1 * t1 + t2 * t2 + t3 * t3
    for j in range(whole, features):
        for i in range(LANES):
            w0 = block[j * LANES + i]
            t0, t1, t2, t3 = xa[j] - w0, xb[j] - w0, xc[j] - w0, xd[j] - w0
            d2[i] += t0 * t0
            d2[LANES + i] += t1 * t1
            d2[2 * LANES + i] += t2 * t2
            d2[3 * LANES + i] += t3 * t3
