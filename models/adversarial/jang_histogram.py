"""Histograms on the line from -5 to 5: how far a game's numbers are from the data.

edges e_0 = -5 … e_40 = 5,  share of a bin = numbers in it / all numbers
distance(a, b) = ½ Σ |share of a - share of b|        0 for equal, 1 for disjoint histograms
"""

import numpy as np

RANGE = 5.0  # of the noise, of pre-training and of what G can reach
BINS = 40
EDGES = np.linspace(-RANGE, RANGE, BINS + 1)


def histogram_distance(a: np.ndarray, b: np.ndarray) -> float:
    """½ Σ |share of a - share of b| over 40 bins from -5 to 5; what lies outside is in the last.

    >>> histogram_distance(np.zeros(3), np.zeros(9)), histogram_distance(np.zeros(3), np.ones(9))
    (0.0, 1.0)
    """

    def shares(x):
        inside = np.clip(x, -RANGE, RANGE)
        return np.histogram(inside, EDGES)[0] / len(x)

    return float(0.5 * np.abs(shares(a) - shares(b)).sum())
