"""Pictures of a deep Boltzmann machine: filters, samples, Gibbs chains over time."""

from itertools import pairwise

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.arrays import to_numpy, xp_of
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ...core.training.system import Batch
from ..common.images import (
    as_images,
    filter_sheet,
    has_images,
    reconstruction_sheet,
    sample_sheet,
)
from .units import draw, independent

TIMES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # Gibbs steps after which a chain is shown


def sample(system, data: DataSet, n: int, rng):
    """n images P(v|h¹) after 1000 Gibbs steps from independent units."""
    start = independent(np.concatenate([m.numpy() for m in system.means[::2]]), n, rng)
    even = xp_of(system.c[0].data).asarray(start)
    model = system.parts(*system.free(even, 1000, rng))
    p = system.visible(draw(rng, model[1]))
    return sample_sheet(to_numpy(p), data, "P(v|h¹) after 1000 Gibbs steps")


def histories(system, even, times, rng) -> np.ndarray:
    """P(v|h¹) after `times` Gibbs steps from the even layers' states: [N, …] -> [N, times, n_0].

    `times` increase from 0, which shows the visible states themselves; `even` is changed in place.
    """
    shown = [system.parts(even, None)[0].copy()]
    for before, after in pairwise(times):
        even, odd = system.free(even, after - before, rng)
        shown.append(system.visible(draw(rng, system.parts(even, odd)[1])))
    return np.stack([to_numpy(p) for p in shown], axis=1)


def chains(system, data: DataSet, rng, rows: int = 5):
    """Gibbs chains from random bits, then as many from test images: a row each, time to the right.

    Chains from noise show how fast the machine finds images; those from data, whether they leave
    their class.
    """
    v = system.rows(data.test, rows)
    mu = system.mean_field(v, system.s.mean_field_steps)
    xp = xp_of(v)
    given = xp.concatenate([v, *(draw(rng, m) for m in mu[2::2])], axis=1)
    coin = draw(rng, xp.full(given.shape, 0.5, given.dtype))
    found = histories(system, xp.concatenate([coin, given]), TIMES, rng)
    times = ", ".join(map(str, TIMES))
    title = f"chains from noise (above) and from data\nP(v|h¹) after {times} Gibbs steps"
    sheet = as_images(found.reshape(-1, found.shape[2]), data)
    fig = pictures.image_sheet(sheet, columns=len(TIMES), title=title)
    fig.axes[0].title.set_fontsize(9)
    return fig


def figures(system, data: DataSet, s: TrainingSettings) -> dict:
    """Filters of the first two layers, samples, reconstructions; of images also chains."""
    rng, images = gg.Generator(s.seed).child("figures"), has_images(data)
    one, two = (k.w.numpy() for k in system.layers[:2])

    def reconstruct(x):
        return to_numpy(system.reconstruct(system.on_device(Batch(x)).x))

    found = {
        "filters": filter_sheet(one.T, data, "columns of W¹"),
        "filters_2": filter_sheet((one @ two).T, data, "columns of W¹W²"),
        "samples": sample(system, data, 60 if images else 500, rng),
        "reconstructions": reconstruction_sheet(reconstruct, data),
    }
    return {**found, "chains": chains(system, data, rng.child("chains"))} if images else found
