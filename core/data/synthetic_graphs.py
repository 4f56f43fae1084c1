"""Generated graphs to tell apart as a whole: is there a ring, or is it a tree?

Everything is drawn from Philox, as in `synthetic`: a seed gives the same graphs on every machine,
and graph i of a seed does not depend on how many there are.
"""

import numpy as np

from .dataset import DataSet, Info, Split
from .graph import Graph
from .streams import SYNTHETIC, check_seed, uniform_rows, whole_number
from .synthetic import _choice, _three

RING = (3, 8)  # nodes of the ring, or of the branch that it was cut open to


def tree_of(code: np.ndarray) -> np.ndarray:
    """The edges [m - 1, 2] of the tree on m = len(code) + 2 nodes that a Prüfer code stands for.

    Codes and labelled trees are in one-to-one correspondence: a uniform code is a uniform tree.
    A node occurs in the code once less than it has edges; the smallest leaf goes first.
    Source: Prüfer 1918.

    >>> tree_of(np.array([3, 3, 3])).tolist()
    [[0, 3], [1, 3], [2, 3], [3, 4]]
    """
    left = np.bincount(code, minlength=len(code) + 2) + 1  # edges that each node still needs
    edges = []
    for node in code.tolist():
        leaf = int(np.flatnonzero(left == 1)[0])
        edges.append((leaf, node))
        left[leaf] = 0
        left[node] -= 1
    edges.append(tuple(np.flatnonzero(left == 1).tolist()))
    return np.array(edges, np.int64).reshape(-1, 2)


def rings_and_trees(
    nodes: tuple[int, int] = (12, 40),
    train: int = 600,
    valid: int = 200,
    test: int = 200,
    seed: int = 0,
) -> DataSet:
    """Graphs without a ring (y = 0, trees) and with one (y = 1), by structure alone.

    Both kinds begin with a uniform random tree of n - k nodes and a path of k nodes, and one more
    edge at the last node of the path:

        ring   to the first node of the path: a ring of k nodes, next to the tree
        tree   to a node of the tree: the path is a branch of it

    with n ~ uniform(`nodes`, both ends included) and k ~ uniform(3 .. 8). Nodes are numbered at
    random and have no features (all labels are 0).

    Every graph has n - 1 edges, and n, k and the class are drawn independently, so counts of nodes
    and edges say nothing at all, to any classifier. Degrees say little, as only two of them change:
    logistic regression on their counts names 56.8 % of 2000 graphs, a random forest 54.1 %, trained
    on 6000. The counts of Weisfeiler-Leman colours after 2, 4 and 6 rounds give 74, 98 and 99.7 %,
    trained on 600: a node has to hear from that far away.

    x is a list of `Graph`, y int64; ``info.extra["k"]`` has k for each split.

    >>> d = rings_and_trees(train=4, valid=0, test=0, seed=1)
    >>> [(g.nodes, len(g.edges)) for g in d.train.x], d.train.y.tolist()
    ([(35, 34), (14, 13), (24, 23), (40, 39)], [1, 0, 1, 0])
    """
    low, high = _range(nodes)
    seed = check_seed("rings_and_trees", seed)
    sizes = []  # k of each split; `_three` makes them in order

    def make(first: int, size: int) -> Split:
        u = uniform_rows(seed, SYNTHETIC, first, size, 4 + 2 * high)
        graphs, y = [], (u[:, 0] >= 0.5).astype(np.int64)
        n, k = _choice(u[:, 1], low, high + 1), _choice(u[:, 2], RING[0], RING[1] + 1)
        for i in range(size):
            edges = _joined(int(n[i]), int(k[i]), bool(y[i]), u[i, 3], u[i, 4 : 4 + high])
            number = np.argsort(u[i, 4 + high :][: n[i]], kind="stable")
            edges = np.sort(number[edges], axis=1)
            edges = edges[np.lexsort((edges[:, 1], edges[:, 0]))]
            name = f"rings_and_trees {first + i}"
            graphs.append(Graph(name, int(n[i]), edges, labels=np.zeros(n[i], np.int64)))
        sizes.append(k)
        return Split(graphs, y)

    splits = _three(make, train, valid, test)
    info = Info(
        source="generated",
        classes=("tree", "ring"),
        feature_names=("node",),
        note=f"{low} to {high} nodes, one edge less than nodes in every graph, seed {seed}",
        extra={"k": dict(zip(("train", "valid", "test"), sizes))},
    )
    return DataSet("rings_and_trees", *splits, info)


def _range(nodes) -> tuple[int, int]:
    """Both ends of the range of sizes; a tree of two nodes has to be left next to the path."""
    low, high = nodes if isinstance(nodes, tuple | list) and len(nodes) == 2 else (nodes, nodes)
    low = whole_number("rings_and_trees", "nodes", low, RING[1] + 2, 10_000)
    return low, whole_number("rings_and_trees", "nodes", high, low, 10_000)


def _joined(n: int, k: int, ring: bool, u: float, code: np.ndarray) -> np.ndarray:
    """Edges of a tree on 0 .. n-k-1 and a path on n-k .. n-1, and of the edge at its end."""
    m = n - k
    tree = tree_of(_choice(code[: m - 2], 0, m))
    path = np.stack([np.arange(m, n - 1), np.arange(m + 1, n)], axis=1)
    end = m if ring else int(_choice(u, 0, m))
    return np.concatenate([tree, path, [[end, n - 1]]])
