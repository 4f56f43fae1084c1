"""Pictures of a deep belief network: filters, samples from the top down, reconstructions."""

from .. import core as gg
from ..core import pictures
from ..core.arrays import to_numpy
from ..core.data import DataSet
from ..core.system import Batch
from .energy import draw, independent
from .images import as_images, filter_sheet


def sample(system, data: DataSet, n: int, rng):
    """n images: 1000 Gibbs steps of the top machine, then down by samples, at last P(v|h)."""
    top = system.layers[-1]
    v = independent(top.mu.numpy(), n, rng)
    v = top.gibbs(system.on_device(Batch(v)).x, 1000, rng)
    for k in range(len(system.layers) - 2, -1, -1):
        p = system.layers[k].visible(v)
        v = draw(rng, p) if k else p
    return pictures.image_sheet(
        as_images(to_numpy(v), data), title="the top machine's chain after 1000 steps, downwards"
    )


def figures(system, data: DataSet, s: dict) -> dict:
    """For images: filters of the first layer and, unless fine-tuned, samples, reconstructions."""
    if data.train.x.ndim != 4:
        return {}
    found = {"filters": filter_sheet(system.layers[0].w.numpy().T, data, "columns of W¹")}
    if "finetune" not in s:
        x = system.rows(data.test, 12)
        found["samples"] = sample(system, data, 60, gg.Generator(s["seed"]).child("figures"))
        found["reconstructions"] = pictures.reconstructions(
            as_images(to_numpy(x), data), as_images(to_numpy(system.reconstruct(x)), data)
        )
    return found
