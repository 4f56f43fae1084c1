"""Pictures of a Boltzmann machine: couplings of pixels, weights of hidden units, samples."""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.arrays import to_numpy, xp_of
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ..common.images import as_images, filter_sheet
from .units import independent, logistic


def sample(system, data: DataSet, n: int, rng):
    """n images: the means of the pixels given all else, after 500 sweeps."""
    s = independent(system.mean.numpy(), n, rng).T
    s = xp_of(system.c.data).asarray(np.ascontiguousarray(s), system.c.dtype)
    for _ in range(500):
        system.sweep(s, rng)
    p = logistic(system.j.data @ s + system.c.data[:, None])[: system.visible].T
    return pictures.image_sheet(
        as_images(to_numpy(p), data), title="P(v_i | the rest) after 500 sweeps"
    )


def figures(system, data: DataSet, s: TrainingSettings) -> dict:
    """For images: couplings between pixels, weights of hidden units, samples."""
    if data.train.x.ndim != 4:
        return {}
    n, j = system.visible, system.j.numpy()
    middle = np.argsort(-system.mean.numpy()[:n] * (1 - system.mean.numpy()[:n]))[:60]
    found = {
        "couplings": filter_sheet(j[np.sort(middle), :n], data, "couplings of pixels to pixels"),
        "samples": sample(system, data, 60, gg.Generator(s.seed).child("figures")),
    }
    if len(j) > n:
        found["filters"] = filter_sheet(j[n:, :n], data, "couplings of hidden units to pixels")
    return found
