"""Graphs in .npz files: with features and a class each, as Cora's; or with groups of nodes."""

from pathlib import Path

import numpy as np

from ...files import DataError
from ...graph import Graph
from ...read import load_npz
from ...streams import check_seed
from ..npz_keys import csr, expect_keys, integers
from .node_parts import expect_nodes, finished, simple, split_nodes

PLANETOID = ("x_data", "x_indices", "x_indptr", "x_shape", "labels", "edges")
GROUPS = ("edges", "node_label_pairs", "n_nodes", "n_labels")
SPLIT = {"train": "train_idx", "valid": "val_idx", "test": "test_idx"}
MOST_COLUMNS = 10_000_000
CLASSES = 10_000


def from_planetoid(path: str | Path, seed: int = 0) -> Graph:
    """A graph whose nodes have sparse features and a class each, in the .npz format of `cora`.

    x_data, x_indices, x_indptr, x_shape   features [N, D] as CSR
    labels [N], edges [E, 2]               whole numbers from 0 up
    train_idx, val_idx, test_idx           the split; without train_idx the nodes are split by
                                           `seed`, as `split_nodes` says

    Edges in both directions, loops and repetitions are made simple. Raises DataError, with the
    row, for anything out of range.
    """
    path = Path(path)
    z = load_npz(path)
    expect_keys(path, z, PLANETOID)
    shape = tuple(int(s) for s in integers(path, "x_shape", z["x_shape"], (2,)))
    nodes, columns = shape
    expect_nodes(path, nodes)
    if columns > MOST_COLUMNS:
        raise DataError(f"{path}: {columns:,} features; at most {MOST_COLUMNS:,} are read")
    features = csr(path, "x_", z["x_data"], z["x_indices"], z["x_indptr"], nodes, columns)
    features = (features[0].astype(np.float32, copy=False), *features[1:], shape)
    labels = integers(path, "labels", z["labels"], (nodes,), -1, CLASSES)
    if not nodes or labels.max() < 0:
        raise DataError(f"{path}: no node has a label")
    edges, _, said = simple(integers(path, "edges", z["edges"], (None, 2), 0, nodes), nodes)
    if SPLIT["train"] in z:
        parts = {
            part: integers(path, key, z[key], (None,), 0, nodes)
            for part, key in SPLIT.items()
            if key in z
        }
        _apart(path, parts, labels)
        how = "split as the file says: " + ", ".join(f"{p} {len(i)}" for p, i in parts.items())
    else:
        parts, how = split_nodes(labels, check_seed("from_planetoid", seed))
    classes = tuple(f"class {k}" for k in range(int(labels.max()) + 1))
    return finished(
        path, "a graph", said, how, classes, nodes=nodes, edges=edges, labels=labels,
        features=features, **parts,
    )  # fmt: skip


def _apart(path: Path, parts: dict[str, np.ndarray], labels: np.ndarray) -> None:
    """Raise DataError for a node that is in two parts, twice in one, or has no label."""
    seen = np.zeros(len(labels), bool)
    for part, nodes in parts.items():
        for row, node in enumerate(nodes):
            if seen[node] or labels[node] < 0:
                why = "is in the split already" if seen[node] else "has no label"
                raise DataError(f"{path}, {SPLIT[part]}, row {row}: the node {node} {why}")
            seen[node] = True


def from_groups(path: str | Path) -> Graph:
    """A graph whose nodes are in any number of groups, in the .npz format of `blogcatalog`.

    edges [E, 2], node_label_pairs [P, 2] of node and group, n_nodes and n_labels. There is no
    split: the usual protocol draws the labelled nodes at random. Raises DataError, with the row,
    for anything out of range.
    """
    path = Path(path)
    z = load_npz(path, *GROUPS)
    nodes, groups = (int(integers(path, k, z[k], ())) for k in ("n_nodes", "n_labels"))
    expect_nodes(path, nodes)
    if groups > CLASSES:
        raise DataError(f"{path}: {groups:,} groups; at most {CLASSES:,} are read")
    edges, _, said = simple(integers(path, "edges", z["edges"], (None, 2), 0, nodes), nodes)
    pairs = integers(path, "node_label_pairs", z["node_label_pairs"], (None, 2), 0)
    for column, (what, most) in enumerate((("node", nodes), ("group", groups))):
        for row in np.flatnonzero(pairs[:, column] >= most)[:1]:
            raise DataError(
                f"{path}, node_label_pairs, row {row}: the {what} {pairs[row, column]} is not in"
                f" 0 … {most - 1}"
            )
    names = tuple(f"group {k}" for k in range(groups))
    how = "no split: the usual protocol draws the labelled nodes at random"
    return finished(path, "a graph", said, how, names, nodes=nodes, edges=edges, label_pairs=pairs)
