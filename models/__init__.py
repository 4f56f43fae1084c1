"""The systems of the lectures, a file each: network, objective, recipe, picture."""

import importlib
import inspect
import os
import re
from difflib import get_close_matches

from ..core.training.recipe import Recipe
from ..kernels.errors import GlassgradError
from . import own

# family -> {recipe name: its file}; a file is imported when it is asked for
FAMILIES = {
    "competitive": {
        "wta": "wta",
        "wtm": "wtm",
        "k-means": "k_means",
        "som": "som",
        "som-dyakonov": "som",
    },
    "autoencoders": {
        "linear-autoencoder": "linear",
        "autoencoder": "two_layers",
        "autoencoder-overcomplete": "two_layers",
        "deep-autoencoder": "deep",
        "convolutional-autoencoder": "convolutional",
        "sparse-autoencoder-weights": "sparse",
        "sparse-autoencoder-code": "sparse",
        "sparse-autoencoder-kl": "sparse",
        "denoising-autoencoder": "denoising",
        "denoising-autoencoder-masking": "denoising",
        "denoising-autoencoder-static": "denoising",
        "contractive-autoencoder": "contractive",
        "contractive-autoencoder-deep": "contractive",
        "relational-autoencoder": "relational",
        "stacked-autoencoder": "stacked",
        "semi-supervised-autoencoder": "semi_supervised",
        "pretraining": "pretraining",
        "pretraining-few-labels": "pretraining",
    },
    "variational": {
        "vae": "vae",
        "vae-gaussian": "vae",
        "vae-diagonal": "vae",
        "vae-plane": "vae_prior",
        "vae-mixture": "vae_prior",
        "aae": "aae",
        "aae-mixture": "aae",
        "aae-labels": "aae",
        "aae-convolutional": "aae",
        "wae-mmd": "wae",
        "wae-gan": "wae",
    },
    "energy": {
        "helmholtz": "helmholtz",
        "boltzmann-machine": "boltzmann",
        "boltzmann-machine-visible": "boltzmann",
        "rbm": "rbm",
        "rbm-words": "words",
        "replicated-softmax": "replicated_softmax",
        "dbm": "dbm",
        "dbn": "dbn",
        "dbn-classifier": "dbn",
    },
    "sparse": {
        "sparse-coding": "sparse_coding",
        "sparse-coding-autoencoder": "psd",
        "psd": "psd",
    },
    "autoregressive": {
        "fvsbn": "fvsbn",
        "nade": "nade",
        "made": "made",
        "pixel-rnn": "pixel_rnn",
    },
    "adversarial": {
        "gan": "gan",
        "gan-product": "gan",
        "gan-ring": "gan",
        "gan-line": "jang_gan",
        "gmmn": "gmmn",
        "dcgan": "dcgan",
        "feature-matching": "feature_matching",
        "wgan": "wgan",
    },
    "perceptrons": {
        "mlp": "mlp",
        "tricks": "tricks",
    },
    "convolutional": {
        "lenet": "lenet",
        "alexnet": "alexnet",
        "hog": "hog",
        "speech": "speech",
        "text-cnn": "text_cnn",
        "go": "go",
    },
    "graphs": {
        "gcn": "gcn",
        "dgcnn": "dgcnn",
        "gnn": "dgcnn",
    },
    "regimes": {
        "lupi": "lupi",
        "distillation": "distillation",
        "multi-task": "multi_task",
        "surrogate": "surrogate",
        "efficientnet": "frozen",
        "vectoriser": "vectoriser",
        "transfer": "transfer",
        "patch-position": "patch_position",
        "few-shot": "few_shot",
    },
    "recurrent": {
        "rnn": "rnn",
        "lstm": "lstm",
        "peephole-lstm": "peephole_lstm",
        "gru": "gru",
        "translation": "translation",
        "forecast": "forecast",
        "language-model": "language_model",
        "sentiment": "sentiment",
        "music": "music",
    },
    "embeddings": {
        "word2vec": "word2vec",
        "word2vec-negative": "word2vec",
        "word2vec-library": "word2vec",
        "paragraph2vec": "paragraph2vec",
        "paragraph2vec-memory": "paragraph2vec",
        "sent2vec": "sent2vec",
        "fasttext": "fasttext",
        "fasttext-classifier": "fasttext_classifier",
        "node2vec": "node2vec",
        "graph2vec": "graph2vec",
        "starspace": "starspace",
    },
    "probability": {
        "naive-bayes": "naive_bayes",
        "naive-bayes-gaussian": "naive_bayes",
        "logistic-regression": "logistic_regression",
        "linear-svm": "linear_svm",
        "regression": "regression",
        "latent-curve": "latent_curve",
        "latent-classes": "latent_classes",
    },
}
MODULES = {
    name: f"{family}.{file}" for family, files in FAMILIES.items() for name, file in files.items()
}


class UnknownModelError(GlassgradError, LookupError):
    """No model has that name."""


def page(family: str) -> str:
    """What the systems of a family share, in a line: the first of the family's page."""
    found = importlib.import_module(f".{family}", __package__).__doc__ or ""
    return found.partition("\n")[0].rstrip(".")


def names() -> list[str]:
    """The names of all recipes, in the order of the lectures."""
    return list(MODULES)


def recipe(name: str) -> Recipe:
    """The recipe of that name, or of a file of one's own, ``file.py:Name`` (own.py).

    Raises UnknownModelError with the nearest right name, OwnModelError for a file without it.

    >>> recipe("gru").title
    'Gated recurrent unit'
    """
    if own.is_reference(name):
        return own.recipe(name)
    if name not in MODULES:
        near = get_close_matches(str(name), MODULES, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "glassgrad list has all"
        stem, *system = re.split("[:.]", str(name), maxsplit=1)
        if stem and os.path.isfile(f"{stem}.py"):
            hint = f"did you mean the file {':'.join([f'{stem}.py', *system])}?"
        raise UnknownModelError(f"unknown model {name!r:.80}; {hint}")
    module = importlib.import_module(f".{MODULES[name]}", __package__)
    return next(r for r in module.RECIPES if r.name == name)


def lecture_page(recipe: Recipe) -> str:
    """The page of a system: the head of its file, and what the class says of itself."""
    if recipe.source is None:
        module = importlib.import_module(f".{MODULES[recipe.name]}", __package__)
        return inspect.getdoc(module) or ""
    return own.page(recipe)
