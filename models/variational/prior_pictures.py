"""Pictures of an autoencoder with a prior: are the codes where the prior has its mass?

codes             held-out codes over the contours of the prior, coloured by class; of more than
                  two codes the first two, whose prior is N(0, I) as well
test              the statistics of shuffled samples, and ours among them
walk              the decoder's images along a walk through the prior
samples           decoded draws of the prior
reconstructions   images over their reconstructions
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet, order
from ...core.training.system import Batch
from ..common import code_pictures
from ..common.images import as_images, has_images, reconstruction_sheet, sample_sheet
from .prior_autoencoder import PriorAutoencoder, PriorSettings
from .priors import Normal, density


def decoded(system: PriorAutoencoder, z: np.ndarray) -> np.ndarray:
    """Images [N, D] of codes [N, K], without a tape."""
    z = system.on_device(Batch(z.astype(np.float32))).x
    with gg.no_grad():
        return system.decode(gg.Tensor(z)).numpy()


def codes_over_prior(system: PriorAutoencoder, data: DataSet, most: int = 2000):
    """Two codes of test images as points, and the prior's density as contours."""
    z = system.held_out_codes(data.test, most)[0][:, :2]
    labels = code_pictures.labels_of(data.test)
    if labels is not None:
        labels = labels[np.sort(order(len(data.test), seed=0)[:most])]
    fig = pictures.code_plot(z, labels, f"{len(z)} held-out codes over the prior")
    prior = system.prior if system.prior.size == 2 else Normal(2)
    wide = max(3.2, float(np.abs(z).max()) * 1.05)
    axis = np.linspace(-wide, wide, 240)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    p = density(prior, grid)
    mass = np.sort(p)[::-1]  # contours that hold 50, 80 and 95 % of the prior
    inside = np.cumsum(mass) / mass.sum()
    levels = sorted({float(mass[np.searchsorted(inside, q)]) for q in (0.5, 0.8, 0.95)})
    ax = fig.axes[0]
    ax.contour(
        axis,
        axis,
        p.reshape(240, 240),
        levels=levels,
        colors=pictures.INK,
        alpha=0.6,
        linewidths=0.8,
    )
    ax.set(xlim=(-wide, wide), ylim=(-wide, wide), aspect="equal")
    return fig


def null_picture(system: PriorAutoencoder, data: DataSet):
    """The null distribution of MMD² as a histogram, its 95 % quantile, and the statistic."""
    test = system.match(data.test)
    fig = pictures.figure(5.2, 3.0)
    ax = fig.subplots()
    ax.hist(test.null, bins=40, color=pictures.INK, alpha=0.5, label="shuffled")
    ax.axvline(test.null95, color=pictures.INK, ls="--", lw=1, label="95 % of them")
    ax.axvline(test.mmd2, color=pictures.ACCENT, lw=2, label="codes against prior")
    ax.set(xlabel="unbiased MMD²", title=f"MMD² = {test.mmd2:.2e}, p = {test.p:.3f}", yticks=[])
    ax.title.set_fontsize(10)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
    return fig


def walk(system: PriorAutoencoder, data: DataSet, rng, n: int = 15):
    """The decoder's images along the prior's walk."""
    z = system.prior.walk(n, n, rng)
    images = as_images(decoded(system, z), data)
    return pictures.image_sheet(images, columns=n, title="a walk through the prior", scale=0.4)


def sample(system: PriorAutoencoder, data: DataSet, n: int, rng):
    """n images decoded from draws of the prior."""
    z = system.prior.sample(n, rng)
    return sample_sheet(decoded(system, z), data, "decoded from the prior")


def figures(system: PriorAutoencoder, data: DataSet, s: PriorSettings) -> dict:
    """The figures of this page; the walk only if the data are images."""
    rng = gg.Generator(s.seed).child("figures")
    found = {"test": null_picture(system, data)}
    if s.code >= 2:
        found["codes"] = codes_over_prior(system, data)
    found["reconstructions"] = reconstruction_sheet(system.reconstruct, data)
    found["samples"] = sample(system, data, 60 if has_images(data) else 500, rng)
    if has_images(data):
        found["walk"] = walk(system, data, rng)
    return found
