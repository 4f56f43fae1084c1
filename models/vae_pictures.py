"""Pictures of a variational autoencoder: samples, reconstructions, codes, the plane of two."""

import numpy as np

from .. import core as gg
from ..core import pictures
from ..core.data import DataSet
from .images import as_images


def sample(system, data: DataSet, n: int, rng):
    """n images decoded from z ~ p(z)."""
    z = gg.Tensor(rng.normal((n, system.s["latent"])) * np.float32(system.prior_sigma))
    images = as_images(system.decode(z), data)
    return pictures.image_sheet(images, title="decoded from z ~ p(z)")


def figures(system, data: DataSet, s: dict) -> dict:
    """Samples, reconstructions, and what the codes look like."""
    x = data.test.x[:12].reshape(-1, data.test.x[0].size)
    with gg.no_grad():
        mu, _ = system.encode(gg.Tensor(x))
        codes, _ = system.encode(gg.Tensor(data.test.x[:2000].reshape(-1, x.shape[1])))
    found = {
        "samples": sample(system, data, 60, gg.Generator(s["seed"]).child("sample")),
        "reconstructions": pictures.reconstructions(
            as_images(x, data), as_images(system.decode(mu), data)
        ),
    }
    if s["latent"] == 2:
        found["manifold"] = manifold(system, data)
    spread = codes.numpy().var(axis=0).argsort()[::-1][:2]  # the two codes that vary most
    labels = None if data.test.y is None else data.test.y[:2000]
    found["codes"] = pictures.code_plot(codes.numpy()[:, spread], labels, "posterior means")
    return found


def manifold(system, data: DataSet, n: int = 15):
    """Images over the plane of two codes, at the quantiles of the prior (Kingma & Welling 2014)."""
    from scipy.stats import norm

    q = (system.prior_sigma * norm.ppf(np.linspace(0.03, 0.97, n))).astype(np.float32)
    z = np.stack([np.tile(q, n), np.repeat(-q, n)], axis=1)
    images = as_images(system.decode(gg.Tensor(z)), data)
    return pictures.image_sheet(images, columns=n, title="the plane of the two codes", scale=0.4)
