"""Pictures of a restricted Boltzmann machine: filters, samples, Gibbs chains, free energies."""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.arrays import to_numpy
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


def chains(system, data: DataSet, rng, every: int = 100, columns: int = 11):
    """Gibbs chains from test images, a row each, one picture every `every` steps."""
    v = system.rows(data.test, 8).copy()
    shown = [v.copy()]
    for _ in range(columns - 1):
        h = draw(rng, system.hidden(system.gibbs(v, every - 1, rng)))
        p = system.visible(h)
        shown.append(p)
        v = draw(rng, p)
    sheet = np.stack([to_numpy(k) for k in shown], axis=1).reshape(-1, v.shape[1])
    return pictures.image_sheet(
        as_images(sheet, data), columns=columns, title=f"Gibbs chains, every {every} steps"
    )


def free_energies(system, data: DataSet):
    """Histograms of F over training and validation images."""
    fig = pictures.figure(5.5, 3.4)
    ax = fig.subplots()
    parts = {"training": data.train, "validation": data.valid or data.test}
    found = {}
    for name, split in parts.items():
        v = system.rows(split, 2000)
        if system.s.binarise == "sampled":  # validation and test images are already binary
            v = draw(system.noise.child("figures"), v)
        found[name] = to_numpy(system.free(v)[0])
    low, high = min(f.min() for f in found.values()), max(f.max() for f in found.values())
    for colour, (name, f) in zip(pictures.COLOURS, found.items()):
        ax.hist(
            f,
            np.linspace(low, high, 41),
            density=True,
            histtype="step",
            color=colour,
            label=f"{name}, mean {f.mean():.1f}",
        )
    ax.set(xlabel="free energy F(v), nats", yticks=[], title="free energies")
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.legend(frameon=False)
    return fig


def sample(system, data: DataSet, n: int, rng):
    """n images P(v|h), each the end of a Gibbs chain of 1000 steps from independent pixels."""
    v = system.on_device(Batch(independent(system.mu.numpy(), n, rng))).x
    p = system.visible(draw(rng, system.hidden(system.gibbs(v, 999, rng))))
    return sample_sheet(to_numpy(p), data, "P(v|h) after 1000 Gibbs steps")


def figures(system, data: DataSet, s: TrainingSettings) -> dict:
    """Free energies, filters, samples, reconstructions; of images also Gibbs chains."""
    rng, images = gg.Generator(s.seed).child("figures"), has_images(data)

    def reconstruct(x):
        return to_numpy(system.visible(system.hidden(system.on_device(Batch(x)).x)))

    found = {
        "free_energies": free_energies(system, data),
        "filters": filter_sheet(system.w.numpy().T, data, "columns of W"),
        "samples": sample(system, data, 60 if images else 500, rng),
    }
    if images:
        found["chains"] = chains(system, data, rng)
    return {**found, "reconstructions": reconstruction_sheet(reconstruct, data)}
