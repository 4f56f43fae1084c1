"""The reparameterised sample in NumPy: one line per formula, the noise as an array."""

import numpy as np

from ..philox.reference import normal
from ..registry import register


@register("reparam", "forward", backend="reference", idea="noise as an array")
def forward(mu, logvar, seed, offset):
    """z, kl of every input (see `reparam.forward`)."""
    eps = normal(mu.shape, seed, offset, mu.dtype)
    z = mu + np.exp(logvar / 2) * eps
    kl = -(1 + logvar - mu**2 - np.exp(logvar)).sum(axis=1) / 2
    return np.ascontiguousarray(z), kl


@register("reparam", "backward", backend="reference", idea="the same noise array again")
def backward(gz, gkl, mu, logvar, seed, offset):
    """gmu, glogvar of every input (see `reparam.backward`)."""
    eps = normal(mu.shape, seed, offset, mu.dtype)
    gmu = gz + gkl[:, None] * mu
    glogvar = gz * np.exp(logvar / 2) * eps / 2 + gkl[:, None] * (np.exp(logvar) - 1) / 2
    return np.ascontiguousarray(gmu), np.ascontiguousarray(glogvar)
