"""Gradient of the average, version 2: gy spread along a line, which rows of gx then receive.

**What version 1 wastes.** It adds to the KH KW pixels of one window after another, in runs of KW:
too short for vector registers, so that its machine code adds one number an instruction (on x86
`addss`). ``glassgrad bench pool2d.avg_backward`` shows both versions in GFLOP/s.

**One line a row of windows.** All rows of pixels under a row of windows receive the same numbers
from it. They are added up once, along one line that stays in the first-level cache, and the line is
then added to KH rows. That is KW + KH SW additions an output, not always fewer than KH KW, but each
is part of a loop over a whole row, which takes a register full at a time (`addps`).
"""

import numpy as np

from ...compiled import njit
from ...elementary import vectorised
from ...registry import register
from ...threads import in_parts, parts_for
from ..planes import planes
from .runs import add, copy, fill, over


@vectorised
def _add_strided(values, total, step):
    """total[j step] += values[j]. A step of two is written out, so that it becomes vectors."""
    if step == 2:
        for j in range(min(values.size, (total.size + 1) // 2)):
            total[2 * j] += values[j]
    else:
        for j in range(values.size):
            total[j * step] += values[j]


@njit(nogil=True)
def _avg_backward(gy, gx, window, parts, part):
    """A row of windows is first spread along a line, which every row below it then receives."""
    KH, KW, SH, SW, PH, PW = window
    M, H, W = gx.shape
    _, OH, OW = gy.shape
    area = gy.dtype.type(KH * KW)
    share, line = np.empty(OW, gy.dtype), np.empty(max(W + 2 * PW, 1), gy.dtype)
    for m in range(part * M // parts, (part + 1) * M // parts):
        fill(gx[m].reshape(-1), 0)
        for i in range(OH):
            copy(gy[m, i], share)
            over(share, area)
            fill(line, 0)
            for v in range(KW):
                _add_strided(share, line[v:], SW)
            for r in range(max(i * SH - PH, 0), min(i * SH - PH + KH, H)):
                add(line[PW:], gx[m, r])


@register("pool2d", "avg_backward", backend="numba", version=2, idea="gy along a line, then down")
def avg_backward_v2(gy, x_shape, kernel, stride, padding):
    """gx of `x_shape` [N,C,H,W] from gy [N,C,OH,OW]; planes on threads."""
    gx = np.empty(x_shape, gy.dtype)
    parts = parts_for(gx.size, x_shape[0] * x_shape[1])
    in_parts(_avg_backward, parts, planes(gy), planes(gx), (*kernel, *stride, *padding), parts)
    return gx
