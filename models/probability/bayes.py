"""Bayes' rule on tables small enough to check by hand (lecture 5, K4 20-76; lecture 4, U3 40-56).

    p(y|x) = p(x|y) p(y) / p(x),     p(x) = Σ_y p(x|y) p(y)

    p(y)     prior over classes: how often heads come; the share of people who are ill
    p(x)     prior over objects: how likely this coin is picked; this person is examined
    p(x|y)   objects of a class: tails fell, is it the five? Cancer was found, is it Ivan Ivanovich?
    p(y|x)   classes of an object: heads or tails of a five; is this person ill?

The lecture's four points (x, y): (0, 0) twice, (1, 0) and (1, 1). A generative model learns the
joint table, a discriminative one the conditional table alone ::

    p(x, y)   y=0   y=1          p(y|x)   y=0   y=1
    x=0        ½     0           x=0       1     0
    x=1        ¼     ¼           x=1       ½     ½

Slips, corrected here: U3 54 heads the second table p(x y); each of its rows has the sum 1, it is
p(y|x). K4 87 has a generative model approximate p(y|x) by q_θ(x|y); it is p(x|y), as the formula
above that line says. U3 141-147 write P(z) under three pictures of a cat: p(z=1|x) is meant.

The lectures' examples have no numbers but the cat's: a third of all pictures show a cat, p(z=1) =
1/3 (U3 147-164). Those of the coins and of the illness are ours. bayes_page.py makes a page to
play with all of them.
"""

from dataclasses import dataclass

import numpy as np

POINTS = ((0, 0), (0, 0), (1, 0), (1, 1))  # (x, y) of the lecture


def joint(points) -> np.ndarray:
    """p(x, y) of points (x, y) of whole numbers: the share of each pair, [X, Y].

    >>> joint(POINTS).tolist()
    [[0.5, 0.0], [0.25, 0.25]]
    """
    pairs = np.asarray(points)
    table = np.zeros(pairs.max(axis=0) + 1)
    np.add.at(table, tuple(pairs.T), 1 / len(pairs))
    return table


def classes_given_objects(table: np.ndarray) -> np.ndarray:
    """p(y|x) of p(x, y): each row divided by its sum p(x); NaN in a row that never comes.

    >>> classes_given_objects(joint(POINTS)).tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    with np.errstate(invalid="ignore"):
        return table / table.sum(axis=1, keepdims=True)


def objects_given_classes(table: np.ndarray) -> np.ndarray:
    """p(x|y) of p(x, y): each column divided by its sum p(y).

    >>> objects_given_classes(joint(POINTS)).round(3).tolist()
    [[0.667, 0.0], [0.333, 1.0]]
    """
    return classes_given_objects(table.T).T


def posterior(prior, likelihood) -> np.ndarray:
    """p(y|x) = p(x|y) p(y)/p(x) of p(y) [K] and p(x|y) [K], for one x.

    A third are cats; nine of ten cats show whiskers, one of five other pictures shows something
    like them:

    >>> posterior([2 / 3, 1 / 3], [0.2, 0.9]).round(3).tolist()
    [0.308, 0.692]
    """
    both = np.asarray(prior, float) * np.asarray(likelihood, float)
    return both / both.sum()


@dataclass(frozen=True)
class Objects:
    """An example in words: objects x with p(x) and p(y=1|x)."""

    key: str
    title: str
    event: str  # y = 1
    asked: str  # what p(x|y=1) says
    rows: tuple[tuple[str, float, float], ...]  # x, p(x), p(y=1|x)

    def table(self) -> np.ndarray:
        """p(x, y), [X, 2]."""
        share, event = (np.array([row[k] for row in self.rows]) for k in (1, 2))
        share = share / share.sum()
        return np.stack([share * (1 - event), share * event], axis=1)


EXAMPLES = (
    Objects(
        "coin",
        "Which coin was it?",
        "tails",
        "tails fell: which coin was it?",
        (("1 rouble", 0.5, 0.5), ("2 roubles", 0.3, 0.5), ("5 roubles, bent", 0.2, 0.8)),
    ),
    Objects(
        "cancer",
        "Who is ill?",
        "breast cancer",
        "cancer was found: who is it?",
        (("a woman", 0.5, 0.125), ("a man, Ivan Ivanovich", 0.5, 0.001)),
    ),
)
CAT = {"prior": 1 / 3, "if_cat": 0.9, "if_not": 0.2}  # p(z=1); p(whiskers|z=1), p(whiskers|z=0)
