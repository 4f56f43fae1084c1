"""What vectors of nodes are worth: which nodes are joined, and to which groups they belong.

    edges      how often the cosine of two nodes with an edge is larger than that of two without, a
               tie counting half: .5 is chance. The edges are those that were walked on
    macro_f1   F1 = 2 TP / (2 TP + FP + FN) of each group, the mean over the groups
    micro_f1   F1 of all groups together; with one group a node it is the share of right answers

For the groups half of the labelled nodes (`share`) are drawn for a logistic regression on their
vectors, one group against the rest (logistic.py), which then answers for the others; the mean over
`splits` draws. A node may be in several groups. As in the papers, how many it is in is taken as
known: that many groups with the largest scores are the answer.

Source: Grover, Leskovec 2016, section 4.3; Tang, Liu, "Relational learning via latent social
dimensions", 2009.
"""

import numpy as np

from ...core.data import Graph
from ..common.neighbours import unit_length
from .logistic import one_vs_rest

PAIRS = 20_000  # edges that are compared, at most


def groups_of(graph: Graph) -> np.ndarray | None:
    """The groups of each node as 0/1, uint8 [N, K]; None for a graph without two of them."""
    if graph.label_pairs is not None:
        y = graph.label_matrix()
    elif graph.labels is not None and len(graph.labels):
        kinds = np.arange(max(0, int(graph.labels.max()) + 1))
        y = (graph.labels[:, None] == kinds).astype(np.uint8)
    else:
        return None
    return y if (y.sum(axis=0) > 0).sum() > 1 else None


def f1(y: np.ndarray, guess: np.ndarray) -> tuple[float, float]:
    """(macro, micro) F1 of groups y, guess [N, K]; a group without members or guesses has 0.

    >>> f1(np.array([[1, 0], [1, 1]]), np.array([[1, 0], [0, 1]]))
    (0.8333333333333333, 0.8)
    """
    y, guess = y != 0, guess != 0
    true = (y & guess).sum(axis=0)
    both = y.sum(axis=0) + guess.sum(axis=0)  # 2 TP + FP + FN
    each = 2 * true / np.maximum(both, 1)
    return float(each.mean()), float(2 * true.sum() / max(1, both.sum()))


def as_many(scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The counts[n] groups with the largest scores of each row, as 0/1: [N, K].

    >>> as_many(np.array([[0.1, 0.3, 0.2]]), np.array([2])).tolist()
    [[0, 1, 1]]
    """
    rank = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
    return (rank < counts[:, None]).astype(np.uint8)


def of_groups(x: np.ndarray, y: np.ndarray, share: float, splits: int, rng) -> dict[str, float]:
    """`macro_f1` and `micro_f1` of vectors x [N, D] with groups y [N, K]: the mean over splits."""
    known = np.flatnonzero(y.sum(axis=1))
    y, x, found = y[known], np.asarray(x, np.float64)[known], []
    y = y[:, y.sum(axis=0) > 0]
    half = min(max(1, round(share * len(known))), len(known) - 1)
    for _ in range(splits):
        order = rng.permutation(len(known))
        train, test = order[:half], order[half:]
        w, b = one_vs_rest(x[train], y[train])
        found.append(f1(y[test], as_many(x[test] @ w + b, y[test].sum(axis=1))))
    macro, micro = np.mean(found, axis=0)
    return {"macro_f1": float(macro), "micro_f1": float(micro)}


def of_edges(x: np.ndarray, graph: Graph, rng) -> float:
    """`edges` of vectors x [N, D]: each of 20,000 edges at most, with a pair without one."""
    edges, n = graph.edges, graph.nodes
    edges = edges[rng.permutation(len(edges))[:PAIRS]]
    keys = graph.edges[:, 0] * n + graph.edges[:, 1]
    u, v = np.sort(rng.integers(n, 40 * len(edges)).reshape(2, -1), axis=0)
    free = (u != v) & ~np.isin(u * n + v, keys)
    u, v = u[free][: len(edges)], v[free][: len(edges)]
    x, edges = unit_length(np.asarray(x, np.float64)), edges[: len(u)]
    if not len(u):  # there is no edge, or every pair has one
        return 0.5
    joined = (x[edges[:, 0]] * x[edges[:, 1]]).sum(axis=1)
    apart = (x[u] * x[v]).sum(axis=1)
    return float(((joined > apart) + 0.5 * (joined == apart)).mean())
