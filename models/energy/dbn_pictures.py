"""Pictures of a deep belief network.

The generative network: filters of the first layer, samples from the top down, reconstructions.
The classifier: filters, the codes of the top layer as a plane, their activations, and the
misclassified images.
"""

from ... import core as gg
from ...core.arrays import to_numpy
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ...core.training.system import Batch
from ..common import code_pictures
from ..common.confusion import mistakes
from ..common.images import filter_sheet, has_images, reconstruction_sheet, sample_sheet
from ..common.rows import flat
from .units import draw, independent


def sample(system, data: DataSet, n: int, rng):
    """n images: 1000 Gibbs steps of the top machine, then down by samples, at last P(v|h)."""
    top = system.layers[-1]
    v = independent(top.mu.numpy(), n, rng)
    v = top.gibbs(system.on_device(Batch(v)).x, 1000, rng)
    for k in range(len(system.layers) - 2, -1, -1):
        p = system.layers[k].visible(v)
        v = draw(rng, p) if k else p
    return sample_sheet(to_numpy(v), data, "the top machine's chain after 1000 steps, downwards")


def figures(system, data: DataSet, s: TrainingSettings) -> dict:
    """The figures of the generative network."""

    def reconstruct(x):
        return to_numpy(system.reconstruct(system.on_device(Batch(x)).x))

    rng = gg.Generator(s.seed).child("figures")
    return {
        "filters": filters(system, data),
        "samples": sample(system, data, 60 if has_images(data) else 500, rng),
        "reconstructions": reconstruction_sheet(reconstruct, data),
    }


def classifier_figures(system, data: DataSet, s: TrainingSettings) -> dict:
    """The figures of the classifier; mistakes only if the data are images."""

    def top(x):
        x = system.on_device(Batch(flat(x))).x
        return to_numpy(system.up(x, len(system.layers)))

    found = {**code_pictures.of_codes(top, data), "filters": filters(system, data)}
    if has_images(data):
        x, y = data.test.x, data.test.y
        guess = to_numpy(system.logits(system.rows(data.test)).data).argmax(axis=1)
        names = data.info.classes or tuple(map(str, range(1 + max(y.max(), guess.max()))))
        found["mistakes"] = mistakes(x, y, guess, names)
    return found


def filters(system, data: DataSet):
    """The columns of W¹ as images: what each unit of the first layer looks for."""
    return filter_sheet(system.layers[0].w.numpy().T, data, "columns of W¹")
