"""What classifiers of rows, images, texts, positions and recordings claim."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glassgrad.core.data.spectrogram import pictures
from glassgrad.models.common.code_pictures import probe

from .baselines import frequencies, linear_map, majority_class, wrong
from .claims import claims, flat
from .go_tables import excess, excess_of_the_table, most_frequent_point, pattern_table


def bag_of_words(done) -> float:
    """Per cent wrong of logistic regression on which words a text has.

    Its penalty is the best of four on the validation texts.
    """
    data, words = done.data, len(done.data.info.vocabulary)

    def bags(split):
        return np.array([np.bincount(x, minlength=words) > 0 for x in split.x], float)

    train, valid, held = map(bags, (data.train, data.valid, done.held))
    fitted = [
        LogisticRegression(C=c, max_iter=1000).fit(train, data.train.y) for c in (0.1, 0.3, 1, 3)
    ]
    best = max(fitted, key=lambda model: model.score(valid, data.valid.y))
    return 100 * (1 - best.score(held, done.held.y))


def wrong_with_batch_norm(done) -> float:
    """Per cent wrong at the end of the training, with batch normalisation."""
    return 100 * (1 - done.test_figures["accuracy_batch_norm"])


def points_with_batch_norm(done) -> float:
    """Points of the curve up to the best accuracy that the net without normalisation ever has."""
    plain, other = done.system.curves().accuracies
    return float(np.flatnonzero(other >= plain.max())[0] + 1)


def points_without(done) -> float:
    """Points of the curve of the net without normalisation up to its best accuracy."""
    return float(done.system.curves().accuracies[0].argmax() + 1)


def drift_with_batch_norm(done) -> float:
    """How far the inputs of the last hidden layer move, with batch normalisation."""
    return done.test_figures["drift_batch_norm"]


def drift_without(done) -> float:
    """The same of the net without."""
    return done.test_figures["drift_plain"]


def linear_map_of_pixels(done) -> float:
    """Per cent wrong by a linear map of the pixels to the classes, fitted by least squares."""
    images = done.data.info.extra["images"]
    train, held = images["train"], images["test"]
    return 100 * (1 - probe(flat(train.x), train.y, flat(held.x), held.y))


def log_mel_regression(done) -> float:
    """Per cent wrong by logistic regression on 32 x 32 log-mel energies of the same recordings."""
    line = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    x, held = (pictures(part.x).reshape(len(part), -1) for part in (done.data.train, done.held))
    return 100 * (1 - line.fit(x, done.data.train.y).score(held, done.held.y))


CLAIMS = (
    *claims("mlp", "digits", "loss", (frequencies, (0.043, 0.042, 0.041), 0.053)),
    *claims(
        "mlp",
        "digits",
        wrong,
        (majority_class, (0.036, 0.033, 0.022), 0.051),
        (linear_map, (0.667, 0.600, 0.400), 0.86),
    ),
    *claims(
        "lenet",
        "digits",
        wrong,
        (majority_class, (0.015, 0.015, 0.018), 0.026),
        (linear_map, (0.267, 0.267, 0.333), 0.4),
    ),
    *claims(
        "text-cnn",
        "enwiki_or_shakespeare",
        wrong,
        (majority_class, (0.275, 0.265, 0.255), 0.33),
        (bag_of_words, (0.815, 0.786, 0.757), 0.95),
    ),
    *claims(
        "go",
        "go_5x5",
        wrong,
        (most_frequent_point, (0.680, 0.688, 0.687), 0.73),
        (pattern_table, (0.875, 0.885, 0.883), 0.93),
    ),
    *claims("go", "go_5x5", excess, (excess_of_the_table, (0.203, 0.235, 0.208), 0.3)),
    *claims(
        "alexnet",
        "digits",
        wrong,
        (majority_class, (0.022, 0.029, 0.025), 0.04),
        (linear_map, (0.400, 0.533, 0.467), 0.68),
    ),
    *claims(
        "hog",
        "digits",
        wrong,
        (majority_class, (0.029, 0.033, 0.033), 0.045),
        (linear_map_of_pixels, (0.533, 0.600, 0.600), 0.75),
    ),
    *claims(
        "tricks",
        "digits",
        wrong_with_batch_norm,
        (majority_class, (0.022, 0.022, 0.022), 0.033),
        (linear_map, (0.400, 0.400, 0.400), 0.53),
    ),
    *claims(
        "tricks", "digits", points_with_batch_norm, (points_without, (0.246, 0.167, 0.138), 0.35)
    ),
    *claims("tricks", "digits", drift_with_batch_norm, (drift_without, (0.206, 0.126, 0.112), 0.3)),
    *claims(
        "speech",
        "fsdd_piece",
        wrong,
        (majority_class, (0.019, 0.019, 0.037), 0.06),
        (log_mel_regression, (0.200, 0.200, 0.400), 0.5),
    ),
)
