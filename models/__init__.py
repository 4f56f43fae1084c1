"""The systems of the lectures, a file each: network, objective, recipe, picture."""

import importlib

from ..core.recipe import Recipe
from ..kernels.errors import GlassgradError, nearest

# recipe name -> module; modules are imported when asked for
MODULES = {
    "wta": "wta",
    "wtm": "wtm",
    "k-means": "k_means",
    "som": "som",
    "som-dyakonov": "som",
    "linear-autoencoder": "linear_autoencoder",
    "autoencoder": "autoencoder",
    "autoencoder-overcomplete": "autoencoder",
    "deep-autoencoder": "deep_autoencoder",
    "convolutional-autoencoder": "convolutional_autoencoder",
    "sparse-autoencoder-weights": "sparse_autoencoder",
    "sparse-autoencoder-code": "sparse_autoencoder",
    "sparse-autoencoder-kl": "sparse_autoencoder",
    "denoising-autoencoder": "denoising_autoencoder",
    "denoising-autoencoder-masking": "denoising_autoencoder",
    "denoising-autoencoder-static": "denoising_autoencoder",
    "contractive-autoencoder": "contractive_autoencoder",
    "contractive-autoencoder-deep": "contractive_autoencoder",
    "relational-autoencoder": "relational_autoencoder",
    "stacked-autoencoder": "stacked_autoencoder",
    "semi-supervised-autoencoder": "semi_supervised_autoencoder",
    "pretraining": "pretraining",
    "pretraining-few-labels": "pretraining",
    "vae": "vae",
    "vae-gaussian": "vae",
    "vae-diagonal": "vae",
    "aae": "aae",
    "aae-mixture": "aae",
    "aae-labels": "aae",
    "aae-convolutional": "aae",
    "wae-mmd": "wae",
    "wae-gan": "wae",
    "helmholtz": "helmholtz",
    "boltzmann-machine": "boltzmann",
    "boltzmann-machine-visible": "boltzmann",
    "rbm": "rbm",
    "dbm": "dbm",
    "dbn": "dbn",
    "dbn-classifier": "dbn",
    "sparse-coding": "sparse_coding",
    "sparse-coding-autoencoder": "psd",
    "psd": "psd",
    "fvsbn": "fvsbn",
    "nade": "nade",
    "made": "made",
    "pixel-rnn": "pixel_rnn",
    "lenet": "lenet",
    "rnn": "rnn",
    "lstm": "lstm",
    "peephole-lstm": "peephole_lstm",
    "gru": "gru",
}


class UnknownModelError(GlassgradError, LookupError):
    """No model has that name."""


def names() -> list[str]:
    """The names of all recipes, in the order of the lectures."""
    return list(MODULES)


def recipe(name: str) -> Recipe:
    """The recipe of that name; UnknownModelError with the nearest right one otherwise.

    >>> recipe("gru").title
    'Gated recurrent unit'
    """
    if name not in MODULES:
        known = f"(known: {', '.join(MODULES)})"
        raise UnknownModelError(f"unknown model {name!r:.80}{nearest(name, MODULES)} {known}")
    module = importlib.import_module(f".{MODULES[name]}", __package__)
    return next(r for r in module.RECIPES if r.name == name)
