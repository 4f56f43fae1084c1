"""Does a network only copy its input? The pictures of an autoencoder without a penalty.

Each pixel of a scrambled image comes from another image. So every pixel has its usual values, but
the pixels are no longer related: a bottleneck fails on such images, while an over-complete
autoencoder reproduces them almost exactly.
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ..common import code_pictures, row_pictures
from ..common.code_pictures import mean_error
from ..common.encoder_decoder import Autoencoder, AutoencoderSettings
from ..common.images import as_images, has_images


def scrambled(x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Rows [N, D] with each column shuffled separately: the pixels are no longer related.

    >>> scrambled(np.array([[0, 1], [2, 3], [4, 5]])).sum(axis=0).tolist()
    [6, 9]
    """
    x, rng = x.reshape(len(x), -1), gg.Generator(seed).child("scrambled")
    return np.stack([column[rng.permutation(len(x))] for column in x.T], axis=1)


def copying(system: Autoencoder, data: DataSet, seed: int = 0):
    """Scrambled test images over their reconstructions, with both errors: does it only copy?

    Of rows that are no images: how the errors of data and of scrambled rows are distributed.
    """
    x = data.test.x[:500].reshape(-1, data.test.x[0].size)
    other = scrambled(x, seed)
    y = system.reconstruct(other)
    if not has_images(data):
        pairs = {"data": (system.reconstruct(x), x), "scrambled columns": (y, other)}
        errors = {name: ((a - b) ** 2).sum(axis=1) for name, (a, b) in pairs.items()}
        return row_pictures.row_errors(errors, "does it only copy?")
    title = (
        f"scrambled / reconstruction: {mean_error(y, other):.2f} per image, on data"
        f" {mean_error(system.reconstruct(x), x):.2f}"
    )
    sheet = as_images(np.concatenate([other[:12], y[:12]]), data)
    return pictures.image_sheet(sheet, columns=len(sheet) // 2, title=title)


def figures(system: Autoencoder, data: DataSet, s: AutoencoderSettings) -> dict:
    """The figures of code_pictures.py and the test of copying."""
    return {**code_pictures.figures(system, data, s), "copying": copying(system, data, s.seed)}
