"""Pictures of a moment matching net.

samples, points    what the generator makes (game_pictures.py)
nearest            samples over the training images next to them: it should not copy
widths             √MMD² of each kernel of the mixture, of samples and of training rows, both next
                   to held-out rows; where the bars are equal, the samples are as good as real ones
reconstructions    held-out images through the autoencoder, if there is one
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.training.system import Batch
from ..common import mmd
from ..common.images import as_images, has_images, reconstruction_sheet
from . import game_pictures

SHOWN = 1000  # rows that a discrepancy is computed from
sample = game_pictures.sample


def figures(system, data: DataSet, s) -> dict:
    """The figures of this page."""
    found = game_pictures.of_samples(system, data, s.seed)
    if has_images(data):
        found["nearest"] = nearest(system, data, s.seed)
    found["widths"] = widths(system, data)
    if s.space == "codes":
        found["reconstructions"] = reconstruction_sheet(system.reconstruct, data)
    return found


def nearest_rows(made: np.ndarray, real: np.ndarray) -> np.ndarray:
    """For each made row [N, D] the nearest of the real ones [M, D]: [N, D].

    >>> nearest_rows(np.array([[0.9]]), np.array([[0.0], [1.0]]))
    array([[1.]])
    """
    squared = (real * real).sum(axis=1) - 2 * (made @ real.T)
    return real[squared.argmin(axis=1)]


def nearest(system, data: DataSet, seed: int):
    """Twelve samples, each over the training image that is next to it."""
    made = system.drawn(12, gg.Generator(seed).child("nearest"))
    real = nearest_rows(made, data.train.x.reshape(len(data.train), -1))
    pair = (as_images(x, data) for x in (made, real))
    return pictures.reconstructions(*pair, title="samples over the nearest training images")


def discrepancies(system, data: DataSet) -> dict[str, list[float]]:
    """√MMD² of each kernel, biased, between held-out rows and made or training rows."""
    split = data.test if data.test is not None and len(data.test) > 1 else data.train
    n = min(SHOWN, len(split), len(data.train))
    with gg.no_grad():
        held, train = (
            system.compared(system.on_device(Batch(p.x[:n])).x) for p in (split, data.train)
        )
        made = system.made(system.noise(n, system.draws.child("held out")))
        scales = system.widths(train)
        return {
            name: [
                max(0.0, mmd.penalty(held, rows, "rbf", (c,), biased=True).item()) ** 0.5
                for c in scales
            ]
            for name, rows in (("made", made), ("training rows", train))
        }


def widths(system, data: DataSet):
    """The discrepancy that each kernel sees."""
    found, scales = discrepancies(system, data), system.s.scales
    fig = pictures.figure(5.0, 3.2)
    ax, at = fig.subplots(), np.arange(len(scales))
    for i, ((name, values), colour) in enumerate(
        zip(found.items(), (pictures.ACCENT, pictures.COLOURS[0]))
    ):
        ax.bar(at + 0.4 * i - 0.2, values, 0.38, color=colour, label=name)
    ax.set(xticks=at, xticklabels=[f"{c:g}" for c in scales], ylabel="√MMD² to held-out rows")
    ax.set(xlabel="width of the kernel, share of the mean ‖x - x'‖²", title="what each kernel sees")
    return game_pictures.clean(fig, ax)
