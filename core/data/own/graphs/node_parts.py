"""What readers of graphs share: edges made simple, nodes split, and both in words."""

from pathlib import Path

import numpy as np

from ...batches import order
from ...dataset import Info, Split
from ...files import DataError
from ...graph import Graph
from ..lines import counted
from ..splits import LEAST, SPLITS, untrained

MOST_NODES = 10_000_000
PER_CLASS, VALID, TEST = 20, 500, 1000  # nodes: the protocol of Planetoid, Yang et al. 2016


def simple(
    pairs: np.ndarray, nodes: int, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray | None, str]:
    """Undirected edges u < v out of pairs [P, 2], in ascending order, their weights, and the words.

    Loops are dropped, and of an edge that is listed again, in either direction, the first counts.

    >>> edges, _, said = simple(np.array([[1, 0], [0, 1], [2, 2], [1, 2]]), 3)
    >>> edges.tolist(), said
    ([[0, 1], [1, 2]], '2 undirected edges; 1 loop dropped; 1 listed in both directions')
    """
    pairs = np.asarray(pairs, np.int64).reshape(-1, 2)
    kept = np.flatnonzero(pairs[:, 0] != pairs[:, 1])
    ends = np.sort(pairs[kept], axis=1)
    keys, first, number = np.unique(
        ends[:, 0] * nodes + ends[:, 1], return_index=True, return_inverse=True
    )
    sorted_keys = np.sort(pairs[kept, 0] * nodes + pairs[kept, 1])
    directed = int((np.diff(sorted_keys, prepend=-1) != 0).sum())
    edges = ends[first].reshape(-1, 2)
    said = [counted(len(edges), "undirected edge")]
    if loops := len(pairs) - len(kept):
        said.append(f"{counted(loops, 'loop')} dropped")
    if both := directed - len(keys):
        said.append(f"{both:,} listed in both directions")
    if again := len(kept) - directed:
        said.append(f"{again:,} listed again, dropped")
    if weights is not None:
        given = np.asarray(weights)[kept]
        weights = given[first]
        if other := int((given != weights[number.reshape(-1)]).sum()):
            said.append(f"{other:,} of them with another weight: the first counts")
    return edges, weights, "; ".join(said)


def expect_nodes(path, nodes: int) -> None:
    """Raise DataError for more nodes than memory should be asked for."""
    if nodes > MOST_NODES:
        raise DataError(f"{path}: {nodes:,} nodes; at most {MOST_NODES:,} are read")


def split_nodes(labels: np.ndarray, seed: int) -> tuple[dict[str, np.ndarray], str]:
    """Nodes for training, validation and the test by `seed`, and the words for it.

    Planetoid's protocol: 20 nodes a class for training, 500 for validation, 1000 for the test. A
    graph that is too small for it: a tenth of each class, from 1 to 20 nodes, for training; of the
    rest, a third for validation, two thirds for the test. Nodes of the label -1 are in no part.

    >>> parts, said = split_nodes(np.arange(30) % 3, seed=0)
    >>> said, {name: len(part) for name, part in parts.items()}
    ('random split 3/9/18 of the nodes, seed 0', {'train': 3, 'valid': 9, 'test': 18})
    """
    known = np.flatnonzero(labels >= 0)
    if len(known) < LEAST:
        there = counted(len(known), "node")
        return {}, f"no split: {there} with a label, at least {LEAST} are needed"
    shuffled = known[order(len(known), seed)]
    counts = np.bincount(labels[known])
    counts = counts[counts > 0]
    full = counts.min() >= PER_CLASS and (len(known) >= PER_CLASS * len(counts) + VALID + TEST)
    of_class = labels[shuffled]
    by_class = np.argsort(of_class, kind="stable")
    starts = np.cumsum(counts) - counts
    place = np.arange(len(shuffled)) - np.repeat(starts, counts)  # of a node within its class
    quota = np.full(len(counts), PER_CLASS) if full else np.clip(counts // 10, 1, PER_CLASS)
    train = np.zeros(len(shuffled), bool)
    train[by_class[place < np.repeat(quota, counts)]] = True
    rest = shuffled[~train]
    valid, test = (VALID, TEST) if full else (len(rest) // 3, len(rest) - len(rest) // 3)
    parts = {
        "train": np.sort(shuffled[train]),
        "valid": np.sort(rest[:valid]),
        "test": np.sort(rest[valid : valid + test]),
    }
    sizes = "/".join(str(len(part)) for part in parts.values())
    how = f", {PER_CLASS} a class for training" if full else ""
    return parts, f"random split {sizes} of the nodes{how}, seed {seed}"


def finished(path: Path, read_as: str, edges_said: str, how: str, classes=(), **parts) -> Graph:
    """The graph of a file, with all that was understood in ``info.understood``."""
    nodes, edges = parts["nodes"], parts["edges"]
    alone = int((np.bincount(edges.reshape(-1), minlength=nodes) == 0).sum())
    lines = [
        f"{read_as} of {counted(nodes, 'node')}"
        + (f", {alone:,} of them isolated" if alone else ""),
        edges_said,
        "no weights" if parts.get("weights") is None else "weighted",
        _features(parts.get("features")),
        _labels(parts, classes),
        *_untrained(parts, classes),
        how,
    ]
    info = Info(
        str(path), tuple(classes), note=how, kind="graph", understood=tuple(filter(None, lines))
    )
    return Graph(path.name, info=info, **parts)


def _features(features) -> str:
    if features is None:
        return "no features"
    data, _, _, (_, columns) = features
    return f"{counted(columns, 'feature')} a node, {len(data):,} given in all"


def _untrained(parts: dict, classes) -> tuple[str, ...]:
    """What to say of classes that no training node is of, while another part has some."""
    labels, named = parts.get("labels"), [parts.get(p) for p in SPLITS]
    if labels is None or named[0] is None:
        return ()
    return untrained(classes, [n if n is None else Split(n, labels[n]) for n in named])


def _labels(parts: dict, classes) -> str:
    names = ", ".join(classes[:10]) + (" …" if len(classes) > 10 else "")
    if parts.get("labels") is not None:
        unknown = int((parts["labels"] < 0).sum())
        said = f"label: {counted(len(classes), 'class', 'classes')} ({names})"
        return said + (f"; {counted(unknown, 'node')} without one" if unknown else "")
    if parts.get("label_pairs") is not None:
        members = counted(len(parts["label_pairs"]), "membership")
        return f"labels: {members} in {counted(len(classes), 'group')}"
    return "no labels"
