"""Pictures of a variational autoencoder.

samples           images decoded from z ~ p(z)
reconstructions   images over those decoded from μ(x)
similar           a test image next to images decoded from several z ~ q(z|x): similar objects
                  (V0 363-396, x ~ p(x | f(x_i, α, ε)))
codes             the two posterior means that vary most, coloured by class
manifold          with two codes: images over their plane
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ..common.images import as_images


def sample(system, data: DataSet, n: int, rng):
    """n images decoded from z ~ p(z)."""
    z = gg.Tensor(rng.normal((n, system.s.latent)) * np.float32(system.prior_sigma))
    images = as_images(system.decode(z), data)
    return pictures.image_sheet(images, title="decoded from z ~ p(z)")


def figures(system, data: DataSet, s: TrainingSettings) -> dict:
    """The figures of this page."""
    x = data.test.x[:12].reshape(-1, data.test.x[0].size)
    with gg.no_grad():
        mu, _ = system.encode(gg.Tensor(x))
        codes, _ = system.encode(gg.Tensor(data.test.x[:2000].reshape(-1, x.shape[1])))
    found = {
        "samples": sample(system, data, 60, gg.Generator(s.seed).child("sample")),
        "reconstructions": pictures.reconstructions(
            as_images(x, data), as_images(system.decode(mu), data)
        ),
        "similar": similar(system, data, gg.Generator(s.seed).child("similar")),
    }
    if system.s.latent == 2:
        found["manifold"] = manifold(system, data)
    spread = codes.numpy().var(axis=0).argsort()[::-1][:2]  # the two codes that vary most
    labels = None if data.test.y is None else data.test.y[:2000]
    found["codes"] = pictures.code_plot(codes.numpy()[:, spread], labels, "posterior means")
    return found


def similar(system, data: DataSet, rng, images: int = 8, draws: int = 9):
    """Rows of a test image and the decodings of draws from its q(z|x) = N(μ, σ² I)."""
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
