"""Pictures of a deep Boltzmann machine: filters, samples, Gibbs chains over time."""

from itertools import pairwise

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.arrays import to_numpy, xp_of
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ..common.images import as_images, filter_sheet
from .units import draw, independent

TIMES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # Gibbs steps after which a chain is shown


def sample(system, data: DataSet, n: int, rng):
    """n images P(v|h¹) after 1000 Gibbs steps from independent units."""
    start = independent(np.concatenate([m.numpy() for m in system.means[::2]]), n, rng)
    even = xp_of(system.c[0].data).asarray(start)
    model = system.parts(*system.free(even, 1000, rng))
    p = system.visible(draw(rng, model[1]))
    return pictures.image_sheet(
        as_images(to_numpy(p), data), title="P(v|h¹) after 1000 Gibbs steps"
    )


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
    """For images: filters of the first two layers, samples, chains, reconstructions."""
    if data.train.x.ndim != 4:
        return {}
    x, rng = system.rows(data.test, 12), gg.Generator(s.seed).child("figures")
    one, two = (k.w.numpy() for k in system.layers[:2])
    return {
        "filters": filter_sheet(one.T, data, "columns of W¹"),
        "filters_2": filter_sheet((one @ two).T, data, "columns of W¹W²"),
        "samples": sample(system, data, 60, rng),
        "chains": chains(system, data, rng.child("chains")),
        "reconstructions": pictures.reconstructions(
            as_images(to_numpy(x), data), as_images(to_numpy(system.reconstruct(x)), data)
        ),
    }
