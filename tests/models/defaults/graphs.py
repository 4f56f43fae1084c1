"""What networks on graphs claim: next to what the edges alone tell, and to no network at all."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glassgrad.models.graphs.gcn_pictures import distances

from .baselines import majority_class, wrong
from .claims import claims


def nearest_label(done) -> float:
    """Per cent wrong by the class of the nearest labelled node; a tie is half of a right answer."""
    g, known = done.data.info.extra["graph"], done.data.train
    far = np.array([distances(g, np.array([node])) for node in known.x])[:, done.held.x]
    far = np.where(far < 0, g.nodes, far)
    nearest = far == far.min(axis=0)
    right = nearest & (known.y[:, None] == done.held.y)
    return 100 * float(1 - (right.sum(axis=0) / nearest.sum(axis=0)).mean())


def degrees_of(graphs) -> np.ndarray:
    """How many nodes of each graph have 0, 1, ... 8 or more neighbours, [G, 9]."""
    return np.stack([np.bincount(np.minimum(g.degree(), 8), minlength=9) for g in graphs])


def counts_of_degrees(done) -> float:
    """Per cent wrong by logistic regression on the counts of degrees."""
    line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    line.fit(degrees_of(done.data.train.x), done.data.train.y)
    return 100 * (1 - line.score(degrees_of(done.held.x), done.held.y))


CLAIMS = (
    *claims(
        "gcn",
        "karate",
        wrong,
        (majority_class, (0.125, 0.062, 0.062), 0.22),
        (nearest_label, (0.667, 0.333, 0.333), 0.85),
    ),
    *claims(
        "dgcnn",
        "rings_and_trees",
        wrong,
        (majority_class, (0.021, 0.010, 0.278), 0.38),
        (counts_of_degrees, (0.022, 0.011, 0.293), 0.4),
    ),
    *claims(
        "gnn",
        "rings_and_trees",
        wrong,
        (majority_class, (0.031, 0.041, 0.052), 0.12),
        (counts_of_degrees, (0.033, 0.043, 0.054), 0.12),
    ),
)
