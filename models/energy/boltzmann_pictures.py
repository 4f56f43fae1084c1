"""Pictures of a Boltzmann machine: couplings of pixels, weights of hidden units, samples."""

import numpy as np

from ... import core as gg
from ...core.arrays import to_numpy, xp_of
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ..common import row_pictures
from ..common.images import filter_sheet, has_images, sample_sheet
from ..common.names import names_of
from .units import independent, logistic


def sample(system, data: DataSet, n: int, rng):
    """n images: the means of the pixels given all else, after 500 sweeps."""
    s = independent(system.mean.numpy(), n, rng).T
    s = xp_of(system.c.data).asarray(np.ascontiguousarray(s), system.c.dtype)
    for _ in range(500):
        system.sweep(s, rng)
    p = logistic(system.j.data @ s + system.c.data[:, None])[: system.visible].T
    return sample_sheet(to_numpy(p), data, "P(v_i | the rest) after 500 sweeps")


def figures(system, data: DataSet, s: TrainingSettings) -> dict:
    """Couplings between visible units, weights of hidden units, samples."""
    n, j = system.visible, system.j.numpy()
    middle = np.argsort(-system.mean.numpy()[:n] * (1 - system.mean.numpy()[:n]))[:60]
    shown, images = np.sort(middle), has_images(data)
    if images:
        couplings = filter_sheet(j[shown, :n], data, "couplings of pixels to pixels")
    else:
        shown = np.sort(middle[: row_pictures.MOST_ROWS])
        labels = [names_of(data)[i] for i in shown]
        couplings = row_pictures.matrix(j[shown, :n], data, "couplings of columns", labels)
    rng = gg.Generator(s.seed).child("figures")
    found = {"couplings": couplings, "samples": sample(system, data, 60 if images else 500, rng)}
    if len(j) > n:
        found["filters"] = filter_sheet(
            j[n:, :n],
            data,
            "couplings of hidden to visible units",
        )
    return found
