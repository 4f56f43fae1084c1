"""What centres and maps claim."""

import numpy as np

import glassgrad as gg
from glassgrad.models.competitive import centres, som

from .claims import claims


def distance_of(done, w) -> float:
    """Q of the centres w on the held-out rows."""
    return float((done.system.winners(done.rows, w)[1] ** 2).mean())


def random_samples(done) -> float:
    """Q of as many random samples as there are units, the mean of 50 draws."""
    x, n = done.data.train.x, len(done.system.w.numpy())
    draws = [centres.sample_weights(x, n, gg.Generator(0).child(i)) for i in range(50)]
    return float(np.mean([distance_of(done, w) for w in draws]))


def all_units(done) -> float:
    """The number of units."""
    return float(len(done.system.w.numpy()))


def plane_of_components(done) -> float:
    """Q of a grid of as many nodes, laid over the plane of the two main axes of the data."""
    nodes = (done.settings.rows, done.settings.columns)
    return distance_of(done, som.initial_weights("pca", nodes, done.data.train.x, None))


def nodes_in_any_order(done) -> float:
    """The share of pairs of nodes that are no neighbours: te of a map without an order."""
    grid = done.system.grid
    n = len(grid.neighbours)
    return 1 - float(grid.neighbours.sum() / (n * (n - 1)))


CLAIMS = (
    *claims("wta", "digits", "q", (random_samples, (0.511, 0.517, 0.527), 0.59)),
    *claims("wta", "digits", "dead", (all_units, (0.000, 0.000, 0.000), 0.1)),
    *claims("wtm", "digits", "q", (random_samples, (0.561, 0.661, 0.628), 0.75)),
    *claims("wtm", "digits", "dead", (all_units, (0.000, 0.000, 0.000), 0.1)),
    *claims("wtm", "iris", "q", (random_samples, (0.368, 0.391, 0.383), 0.45)),
    *claims("wtm", "iris", "dead", (all_units, (0.000, 0.000, 0.000), 0)),
    *claims("wtm", "house_votes_84", "q", (random_samples, (0.436, 0.437, 0.438), 0.48)),
    *claims("wtm", "house_votes_84", "dead", (all_units, (0.000, 0.000, 0.000), 0)),
    *claims("k-means", "digits", "q", (random_samples, (0.507, 0.507, 0.507), 0.56)),
    *claims("k-means", "digits", "dead", (all_units, (0.000, 0.000, 0.000), 0.1)),
    *claims("som", "digits", "q", (plane_of_components, (0.585, 0.581, 0.591), 0.65)),
    *claims("som", "digits", "te", (nodes_in_any_order, (0.022, 0.018, 0.019), 0.031)),
    *claims("som", "digits", "dead", (all_units, (0.028, 0.035, 0.042), 0.058)),
    *claims("som-dyakonov", "digits", "q", (plane_of_components, (0.507, 0.509, 0.513), 0.57)),
    *claims("som-dyakonov", "digits", "te", (nodes_in_any_order, (0.050, 0.061, 0.068), 0.088)),
    *claims("som-dyakonov", "digits", "dead", (all_units, (0.083, 0.076, 0.125), 0.17)),
)
