"""What networks on graphs claim: next to what the edges alone tell, and to no network at all."""

import numpy as np

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


CLAIMS = (
    *claims(
        "gcn",
        "karate",
        wrong,
        (majority_class, (0.125, 0.062, 0.062), 0.22),
        (nearest_label, (0.667, 0.333, 0.333), 0.85),
    ),
)
