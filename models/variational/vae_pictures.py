"""Pictures of a variational autoencoder.

samples           images decoded from z ~ p(z)
reconstructions   images over those decoded from μ(x)
similar           a test image next to images decoded from several z ~ q(z|x): similar objects;
                  each is the mean of p(x|z), where V0 397 draws from it, which would add the
                  decoder's noise to every pixel
codes             the two posterior means that vary most, coloured by class
manifold          with two codes: images over their plane
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ..common.code_pictures import labels_of
from ..common.images import as_images, has_images, reconstruction_sheet, sample_sheet


def sample(system, data: DataSet, n: int, rng):
    """n images decoded from z ~ p(z)."""
    z = gg.Tensor(rng.normal((n, system.s.latent)) * np.float32(system.prior_sigma))
    return sample_sheet(system.decode(z), data, "decoded from z ~ p(z)")


def figures(system, data: DataSet, s: TrainingSettings) -> dict:
    """The figures of this page; those of similar images and of the manifold only for images."""

    def means(x):
        with gg.no_grad():
            return system.encode(gg.Tensor(x.reshape(len(x), -1)))[0]

    images, codes = has_images(data), means(data.test.x[:2000])
    rng = gg.Generator(s.seed).child("sample")
    found = {
        "samples": sample(system, data, 60 if images else 500, rng),
        "reconstructions": reconstruction_sheet(lambda x: system.decode(means(x)), data),
    }
    if images:
        found["similar"] = similar(system, data, gg.Generator(s.seed).child("similar"))
    if images and system.s.latent == 2:
        found["manifold"] = manifold(system, data)
    spread = codes.numpy().var(axis=0).argsort()[::-1][:2]  # the two codes that vary most
    labels = labels_of(data.test)
    labels = None if labels is None else labels[:2000]
    plane = codes.numpy()[:, spread]
    plane = plane if plane.shape[1] == 2 else np.pad(plane, ((0, 0), (0, 1)))
    found["codes"] = pictures.code_plot(plane, labels, "posterior means")
    return found


def similar(system, data: DataSet, rng, images: int = 8, draws: int = 9):
    """Rows of a test image and the decodings of draws from its q(z|x) = N(μ, diag σ²)."""
    x = data.test.x[:images].reshape(-1, data.test.x[0].size)
    with gg.no_grad():
        mu, logvar = (np.repeat(t.numpy(), draws, axis=0) for t in system.encode(gg.Tensor(x)))
    z = mu + np.exp(logvar / 2) * rng.normal(mu.shape, mu.dtype)
    like = system.decode(gg.Tensor(z)).reshape(len(x), draws, -1)
    sheet = np.concatenate([x[:, None], like], axis=1).reshape(-1, x.shape[1])
    title = "an image, then decoded from z ~ q(z|image)"
    return pictures.image_sheet(as_images(sheet, data), columns=1 + draws, title=title)


def manifold(system, data: DataSet, n: int = 15):
    """Images over the plane of two codes, at the quantiles of the prior (Kingma & Welling 2014)."""
    from scipy.stats import norm

    q = (system.prior_sigma * norm.ppf(np.linspace(0.03, 0.97, n))).astype(np.float32)
    z = np.stack([np.tile(q, n), np.repeat(-q, n)], axis=1)
    images = as_images(system.decode(gg.Tensor(z)), data)
    return pictures.image_sheet(images, columns=n, title="the plane of the two codes", scale=0.4)
