"""Histograms of gradients: which way the edges run in each cell of an image (Dalal & Triggs 2005).

    images [N, C, H, W] -> gradients [N, H, W] -> cells [N, H/cell, W/cell, bins] -> blocks [N, D]

The formulas are on the page of hog.py, which trains a classifier on the vectors.
"""

import numpy as np

BLOCK = 2  # cells of a block in each direction
MOST = 0.2  # that an entry of a normalised block may have
EPSILON = 1e-2  # ε: blocks of nothing stay nothing
PIECE = 2000  # images at a time


def gradients(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(‖g‖, θ/π in [0, 1)) of images [N, C, H, W], both [N, H, W]; at a border g is one-sided.

    >>> length, angle = gradients(np.arange(3.0).reshape(1, 1, 1, 3))
    >>> length.ravel().tolist(), angle.ravel().tolist()
    ([1.0, 2.0, 1.0], [0.0, 0.0, 0.0])
    """
    frame = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    across = frame[:, :, 1:-1, 2:] - frame[:, :, 1:-1, :-2]
    down = frame[:, :, 2:, 1:-1] - frame[:, :, :-2, 1:-1]
    length = np.hypot(across, down)
    channel = length.argmax(axis=1)[:, None]
    length, across, down = (
        np.take_along_axis(a, channel, axis=1)[:, 0] for a in (length, across, down)
    )
    return length, np.arctan2(down, across) / np.pi % 1


def cells(x: np.ndarray, cell: int, bins: int) -> np.ndarray:
    """Histograms h [N, H/cell, W/cell, bins] of images [N, C, H, W]; the rest of a cell is cut off.

    Bin b is centred at the angle πb/bins. An angle between two centres is shared between them.
    """
    length, angle = gradients(x)
    n, height, width = length.shape
    rows, columns = height // cell, width // cell
    length, angle = (a[:, : rows * cell, : columns * cell] for a in (length, angle))
    below = angle * bins
    lower = np.floor(below).astype(np.int64)
    above = below - lower
    found = np.zeros((n, rows, columns, bins), x.dtype)
    for b in range(bins):
        votes = length * ((lower % bins == b) * (1 - above) + ((lower + 1) % bins == b) * above)
        found[..., b] = votes.reshape(n, rows, cell, columns, cell).sum(axis=(2, 4))
    return found


def blocks(h: np.ndarray) -> np.ndarray:
    """Normalised blocks [N, (rows - 1)(columns - 1)·4·bins] of histograms [N, rows, columns, bins].

    >>> blocks(np.ones((1, 2, 2, 1))).round(3).tolist()
    [[0.5, 0.5, 0.5, 0.5]]
    """
    rows, columns = (size - BLOCK + 1 for size in h.shape[1:3])
    parts = [h[:, i : i + rows, j : j + columns] for i in range(BLOCK) for j in range(BLOCK)]
    v = _normalised(np.concatenate(parts, axis=3))
    return _normalised(np.minimum(v, MOST)).reshape(len(h), -1)


def _normalised(v):
    return v / np.sqrt((v * v).sum(axis=3, keepdims=True) + v.dtype.type(EPSILON**2))


def features(x: np.ndarray, cell: int, bins: int) -> np.ndarray:
    """Vectors [N, D] of images [N, C, H, W]; D = 4 · bins · (H/cell - 1)(W/cell - 1)."""
    parts = (x[i : i + PIECE] for i in range(0, len(x), PIECE))
    return np.concatenate([blocks(cells(part, cell, bins)) for part in parts])
