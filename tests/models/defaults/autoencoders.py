"""What autoencoders claim: images come back, and a penalty or noise has the effect of its page."""

from functools import lru_cache

import numpy as np

import glassgrad as gg
from glassgrad import training
from glassgrad.models.autoencoders import copying
from glassgrad.models.common.code_pictures import probe
from glassgrad.models.common.encoder_decoder import squared_error
from glassgrad.models.common.labels import few

from .baselines import (
    as_many_components,
    error_of_components,
    linear_map,
    majority_class,
    mean_image,
    untrained,
)
from .claims import Done, claims

# what each penalty has to be so that it does nothing
WITHOUT = {
    "sparse-autoencoder-weights": {"penalty": "code", "weight": 0.0},
    "sparse-autoencoder-code": {"weight": 0.0},
    "denoising-autoencoder": {"sigma": 0.0},
    "denoising-autoencoder-masking": {"noise": "gaussian", "sigma": 0.0},
    # without copies the sample is a quarter, so as many steps are four times the epochs
    "denoising-autoencoder-static": {"noise": "gaussian", "sigma": 0.0, "epochs": 60},
    "contractive-autoencoder": {"weight": 0.0},
    "contractive-autoencoder-deep": {"weight": 0.0, "form": "estimate", "probes": 1},
    "relational-autoencoder": {"weight": 0.0},
}


@lru_cache(maxsize=1)
def twin(done: Done):
    """The same net, trained for as many steps without the penalty or the noise."""
    changes = {**WITHOUT[done.recipe.name], "seed": done.settings.seed}
    return training.train(done.recipe, done.data_name, overrides=changes).system


def twin_without(done, metric: str) -> float:
    """A figure of the twin, measured as that of the system."""
    return float(done.figures_of(twin(done))[metric])


def noisy_images(done) -> float:
    """‖x̃ - x‖²: the noise is left as it is."""
    return done.test_figures["noise_error"]


def twin_without_noise(done) -> float:
    """The denoising error of the twin that never saw noise."""
    noise = done.system.noise.child("evaluate")
    corrupted = done.system.corrupted(gg.Tensor(done.rows), noise).numpy()
    return mean_error(twin(done).reconstruct(corrupted), done.rows)


def mean_error(y, x) -> float:
    """The mean of ‖y - x‖²."""
    return float(squared_error(gg.Tensor(y), gg.Tensor(x)).numpy().mean())


# ---------------------------------------------------------------------- what is compared


def weights(done) -> float:
    """Σ |w| over the weights of encoder and decoder."""
    return sum_of_weights(done.system)


def sum_of_weights(system) -> float:
    return float(sum(np.abs(p.numpy()).sum() for p in system.parameters()))


def weights_without_penalty(done) -> float:
    """Σ |w| of the twin."""
    return sum_of_weights(twin(done))


def active_without_penalty(done) -> float:
    """The share of codes above 0.1 of the twin."""
    return twin_without(done, "active")


def jacobian_without_penalty(done) -> float:
    """The mean ‖J_f‖ of the twin."""
    system, other = done.system, twin(done)
    other.s = system.s  # the exact norm, whatever form is cheap at weight 0
    return float(done.figures_of(other)["jacobian"])


def relations_without_penalty(done) -> float:
    """The relation error of the twin."""
    return twin_without(done, "relation_error")


def linear_map_of_few(done) -> float:
    """Per cent wrong by a linear map of the inputs to the classes, from the same few labels."""
    known = few(done.data.train, done.settings.labels)
    y = done.data.train.y[known]
    return 100 * (1 - probe(done.seen[known], y, done.rows, done.held.y))


def random_layer(done) -> float:
    """Per cent wrong of the net whose first layer was not pre-trained."""
    return done.test_figures["error_random"]


def as_many_components_as_active(done) -> float:
    """‖x̂ - x‖² of as many principal components as codes are active at a time, ε of them."""
    return error_of_components(done, round(done.settings.epsilon * done.settings.code))


def scrambled(done) -> float:
    """‖x̂ - x‖² of scrambled images: pixels as usual, but each from another image."""
    x = copying.scrambled(done.rows)
    return mean_error(done.system.reconstruct(x), x)


def mean_of_scrambled(done) -> float:
    """‖m - x‖² of the same images, m the mean of the training set."""
    x = copying.scrambled(done.rows)
    return float(((x - done.seen.mean(axis=0)) ** 2).sum(axis=1).mean())


def dead_codes(done) -> float:
    """The number of codes that vary by less than 0.01 over the held-out images."""
    return float((done.system.codes(done.held.x).std(axis=0) < 0.01).sum())


def all_codes(done) -> float:
    """The number of codes."""
    return float(done.settings.code)


CLAIMS = (
    *claims(
        "linear-autoencoder",
        "digits",
        "error_gap",
        (untrained("error_gap"), (0.000, 0.000, 0.000), 0.1),
    ),
    *claims(
        "linear-autoencoder", "digits", "sine", (untrained("sine"), (0.000, 0.000, 0.000), 0.1)
    ),
    *claims(
        "autoencoder",
        "digits",
        "squared_error",
        (mean_image, (0.123, 0.138, 0.148), 0.18),
        (as_many_components, (0.804, 0.899, 0.969), 0.985),
    ),
    *claims(
        "autoencoder-overcomplete",
        "digits",
        "squared_error",
        (mean_image, (0.018, 0.018, 0.018), 0.026),
    ),
    *claims(
        "autoencoder-overcomplete",
        "digits",
        scrambled,
        (mean_of_scrambled, (0.087, 0.086, 0.085), 0.104),
    ),
    *claims(
        "deep-autoencoder",
        "digits",
        "squared_error",
        (mean_image, (0.420, 0.411, 0.412), 0.47),
        (as_many_components, (0.590, 0.577, 0.579), 0.65),
    ),
    *claims(
        "convolutional-autoencoder",
        "digits",
        "squared_error",
        (mean_image, (0.155, 0.151, 0.127), 0.19),
    ),
    *claims(
        "sparse-autoencoder-weights",
        "digits",
        "squared_error",
        (mean_image, (0.148, 0.149, 0.147), 0.17),
    ),
    *claims(
        "sparse-autoencoder-weights",
        "digits",
        weights,
        (weights_without_penalty, (0.534, 0.536, 0.532), 0.59),
    ),
    *claims(
        "sparse-autoencoder-code",
        "digits",
        "squared_error",
        (mean_image, (0.108, 0.114, 0.111), 0.14),
    ),
    *claims(
        "sparse-autoencoder-code",
        "digits",
        "active",
        (active_without_penalty, (0.326, 0.332, 0.329), 0.37),
    ),
    *claims(
        "sparse-autoencoder-code", "digits", dead_codes, (all_codes, (0.220, 0.250, 0.200), 0.31)
    ),
    *claims(
        "sparse-autoencoder-kl",
        "digits",
        "squared_error",
        (mean_image, (0.419, 0.442, 0.411), 0.5),
        (as_many_components_as_active, (0.915, 0.966, 0.898), 0.983),
    ),
    *claims(
        "sparse-autoencoder-kl",
        "digits",
        "off_epsilon",
        (untrained("off_epsilon"), (0.009, 0.010, 0.009), 0.017),
    ),
    *claims("sparse-autoencoder-kl", "digits", dead_codes, (all_codes, (0.000, 0.000, 0.000), 0.1)),
    *claims(
        "denoising-autoencoder",
        "digits",
        "denoising_error",
        (noisy_images, (0.217, 0.214, 0.220), 0.26),
        (mean_image, (0.267, 0.268, 0.271), 0.32),
        (twin_without_noise, (0.752, 0.763, 0.745), 0.86),
    ),
    *claims(
        "denoising-autoencoder-masking",
        "digits",
        "denoising_error",
        (noisy_images, (0.340, 0.353, 0.353), 0.4),
        (mean_image, (0.336, 0.341, 0.338), 0.38),
        (twin_without_noise, (0.625, 0.648, 0.620), 0.72),
    ),
    *claims(
        "denoising-autoencoder-static",
        "digits",
        "denoising_error",
        (noisy_images, (0.230, 0.227, 0.234), 0.27),
        (mean_image, (0.284, 0.285, 0.288), 0.33),
        (twin_without_noise, (0.798, 0.810, 0.792), 0.88),
    ),
    *claims(
        "contractive-autoencoder",
        "digits",
        "squared_error",
        (mean_image, (0.200, 0.198, 0.198), 0.23),
    ),
    *claims(
        "contractive-autoencoder",
        "digits",
        "jacobian",
        (jacobian_without_penalty, (0.251, 0.256, 0.253), 0.29),
    ),
    *claims(
        "contractive-autoencoder-deep",
        "digits",
        "squared_error",
        (mean_image, (0.431, 0.370, 0.410), 0.51),
    ),
    *claims(
        "contractive-autoencoder-deep",
        "digits",
        "jacobian",
        (jacobian_without_penalty, (0.352, 0.423, 0.459), 0.56),
    ),
    *claims(
        "relational-autoencoder",
        "digits",
        "relation_error",
        (relations_without_penalty, (0.635, 0.618, 0.603), 0.71),
    ),
    *claims(
        "relational-autoencoder",
        "digits",
        "squared_error",
        (mean_image, (0.182, 0.193, 0.185), 0.22),
    ),
    *claims(
        "stacked-autoencoder",
        "digits",
        "error",
        (majority_class, (0.029, 0.025, 0.025), 0.039),
        (linear_map, (0.533, 0.467, 0.467), 0.62),
    ),
    *claims(
        "stacked-autoencoder", "digits", "squared_error", (mean_image, (0.417, 0.424, 0.416), 0.47)
    ),
    *claims(
        "semi-supervised-autoencoder",
        "digits",
        "error",
        (majority_class, (0.073, 0.080, 0.076), 0.095),
        (linear_map_of_few, (0.417, 0.458, 0.438), 0.53),
    ),
    *claims(
        "semi-supervised-autoencoder",
        "digits",
        "squared_error",
        (mean_image, (0.083, 0.085, 0.084), 0.098),
    ),
    *claims(
        "pretraining",
        "digits",
        "error",
        (majority_class, (0.051, 0.050, 0.048), 0.062),
        (linear_map, (0.933, 0.917, 0.883), 0.967),
    ),
    *claims(
        "pretraining-few-labels",
        "digits",
        "error_contractive",
        (majority_class, (0.076, 0.084, 0.073), 0.102),
        (linear_map_of_few, (0.438, 0.479, 0.417), 0.56),
        (random_layer, (0.808, 0.852, 0.870), 0.935),
    ),
)
