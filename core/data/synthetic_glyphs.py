"""Generated characters: many classes, each drawn a few times by different hands.

What learning from few examples needs, and the ten digits do not have: classes by the hundred. A
class is a few curves, a drawing of it the same curves by an unsteady hand, on a sheet that lies
askew. In the manner of Omniglot (Lake, Salakhutdinov & Tenenbaum 2015), whose 1623 characters were
each drawn by 20 people. Everything is drawn from Philox: drawing i of a class does not depend on
how many classes or drawings there are.
"""

import numpy as np

from .dataset import DataSet, Info, Split
from .streams import check_seed, whole_number
from .synthetic_lupi import normal_rows

STROKES, POINTS = 3, 16  # curves of a class, and the points of each that are inked
DRAWINGS = 2**16  # the first drawing of a class is this far from that of the class before
CLASSES = 2**27  # the number of the first class's own row of draws
HAND, TURN, SIZE, MOVE = 0.035, 0.2, 0.12, 0.06  # deviations of a drawing
WIDTH = 0.055  # of the pen, a share of the sheet


def glyphs(classes: int = 100, drawings: int = 20, side: int = 16, seed: int = 0) -> DataSet:
    """Characters of three curves: x [N, 1, side, side] in [0, 1], 1 is ink; y the character.

        curve of a class      (1 - t)² a + 2 t (1 - t) b + t² c     a, b, c uniform in a square
        a drawing of it       a, b, c + hand;   then R (p - ½) + ½ + move

    hand and move are normal, R turns and scales; ink falls off with the distance from the curve as
    exp(-d²/w²). Of the `drawings` of each class the first 3/5 are for training, 1/5 for validation
    and the last 1/5 for the test, as in `omniglot`. Raises DataError for impossible sizes.

    >>> d = glyphs(classes=3, drawings=5, side=8)
    >>> d.train.x.shape, d.test.y.tolist()
    ((9, 1, 8, 8), [0, 1, 2])
    """
    classes = whole_number("glyphs", "classes", classes, 1, 4096)
    drawings = whole_number("glyphs", "drawings", drawings, 5, 4096)
    side = whole_number("glyphs", "side", side, 4, 128)
    seed = check_seed("glyphs", seed)
    x = np.concatenate([_class(seed, k, drawings, side) for k in range(classes)])
    x = x.reshape(classes, drawings, 1, side, side)
    a, b = drawings * 3 // 5, drawings * 4 // 5
    splits = (
        Split(
            np.ascontiguousarray(x[:, low:high]).reshape(-1, 1, side, side),
            np.repeat(np.arange(classes), high - low),
        )
        for low, high in ((0, a), (a, b), (b, drawings))
    )
    info = Info(
        source="generated",
        classes=tuple(f"glyph {k}" for k in range(classes)),
        image_shape=(1, side, side),
        note=f"{drawings} drawings of each of {classes} characters, seed {seed}",
        kind="images",
    )
    return DataSet("glyphs", *splits, info)


def _class(seed: int, k: int, drawings: int, side: int) -> np.ndarray:
    """The drawings of character k, float32 [drawings, side * side]."""
    corners = 2 * 3 * STROKES
    own = normal_rows(seed, CLASSES + k, 1, corners)[0].reshape(STROKES, 3, 2)
    own = 0.5 + 0.24 * np.clip(own, -1.6, 1.6)
    z = normal_rows(seed, k * DRAWINGS, drawings, corners + 4)
    corner = own + HAND * z[:, :corners].reshape(drawings, STROKES, 3, 2)
    t = np.linspace(0, 1, POINTS)[:, None, None]
    weights = np.concatenate([(1 - t) ** 2, 2 * t * (1 - t), t**2], axis=1)  # [points, 3, 1]
    points = np.einsum("pcq,nscd->nspd", weights, corner).reshape(drawings, -1, 2)
    turn, size, move = TURN * z[:, -4], np.exp(SIZE * z[:, -3]), MOVE * z[:, -2:]
    cos, sin = size * np.cos(turn), size * np.sin(turn)
    rotation = np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)
    points = (points - 0.5) @ rotation.transpose(0, 2, 1) + 0.5 + move[:, None]
    pixel = (np.arange(side) + 0.5) / side
    across = np.square(points[:, :, :1] - pixel)  # [drawings, points, side]
    down = np.square(points[:, :, 1:] - pixel)
    near = (down[:, :, :, None] + across[:, :, None, :]).min(axis=1)
    return np.exp(-near / WIDTH**2).astype(np.float32).reshape(drawings, -1)
