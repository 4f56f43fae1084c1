"""Graphs: a large one with labelled nodes (`Graph`), or many small ones (a list as x)."""

from itertools import pairwise

import numpy as np

from . import gml
from .batches import folds
from .canon import FILES
from .dataset import DataSet, Info, Split
from .download import find
from .files import DataError
from .graph import Graph, undirected
from .read import decode, read_bytes, read_lines, read_npz
from .streams import whole_number

ATOMS = ("C", "N", "O", "F", "I", "Cl", "Br")
BONDS = ("aromatic", "single", "double", "triple")


def cora(data_dir=None) -> Graph:
    """Cora: 2708 papers of 7 kinds, 5278 citations, 1433 binary word features.

    The Planetoid split: 140 papers (20 per class) for training, 500 for validation and 1000 for
    the test; the labels of the rest are not used in training. The classes have only numbers.
    Source: Sen et al. 2008; Yang et al. 2016.
    """
    file = FILES["cora/cora_planetoid.npz"]
    csr = ("x_data", "x_indices", "x_indptr", "x_shape")
    z = read_npz(file, data_dir, *csr, "labels", "edges", "train_idx", "val_idx", "test_idx")
    shape = tuple(int(s) for s in z["x_shape"])
    features = (z["x_data"], z["x_indices"], z["x_indptr"], shape)
    info = Info(
        str(find(file, data_dir).parent),
        tuple(f"class {k}" for k in range(int(z["labels"].max()) + 1)),
        note="split of Planetoid: 140/500/1000 nodes",
    )
    return Graph(
        "cora",
        shape[0],
        z["edges"],
        labels=z["labels"],
        features=features,
        train=z["train_idx"],
        valid=z["val_idx"],
        test=z["test_idx"],
        info=info,
    )


def blogcatalog(data_dir=None) -> Graph:
    """BlogCatalog: 10,312 bloggers, 333,983 friendships, any number of 39 groups for each.

    The groups are in `label_pairs` (see `Graph.label_matrix`). Source: Tang & Liu 2009.
    """
    file = FILES["blogcatalog/blogcatalog.npz"]
    z = read_npz(file, data_dir, "edges", "node_label_pairs", "n_nodes", "n_labels")
    info = Info(
        str(find(file, data_dir).parent),
        tuple(f"group {k}" for k in range(int(z["n_labels"]))),
        note="no split: the usual protocol draws the labelled nodes at random",
    )
    pairs = z["node_label_pairs"].astype(np.int64)
    edges = z["edges"].astype(np.int64)
    return Graph("blogcatalog", int(z["n_nodes"]), edges, label_pairs=pairs, info=info)


def _gml(name: str, data_dir) -> Graph:
    file = FILES[f"small_graphs/{name}.gml"]
    return gml.graph(decode(read_bytes(file, data_dir), file.path), name)


def karate(data_dir=None) -> Graph:
    """Zachary's karate club: 34 members, 78 friendships; label 0 Mr. Hi's club, 1 the officer's.

    As usual, semi-supervised learning knows one member of each club: nodes 0 and 33.
    Source: Zachary 1977.
    """
    file = FILES["small_graphs/karate_club_labels.txt"]
    g = _gml("karate", data_dir)
    number = {node: k for k, node in enumerate(g.node_names)}
    labels = np.full(g.nodes, -1, np.int64)
    for line in read_lines(file, data_dir):
        node, _, club = line.partition(" ")
        if node not in number or club not in ("0", "1"):
            raise DataError(f"{file.path}: expected a node and a club 0 or 1, got {line!r:.80}")
        labels[number[node]] = int(club)
    if (labels < 0).any():
        raise DataError(f"{file.path}: {int((labels < 0).sum())} members have no club")
    rest = np.arange(1, g.nodes - 1)
    return Graph(
        "karate",
        g.nodes,
        g.edges,
        labels=labels,
        train=np.array([0, g.nodes - 1]),
        test=rest,
        node_names=g.node_names,
        info=Info(str(find(file, data_dir).parent), ("Mr. Hi", "Officer")),
    )


def lesmis(data_dir=None) -> Graph:
    """Les Misérables: 77 characters, 254 edges weighted by scenes together. Source: Knuth 1993."""
    g = _gml("lesmis", data_dir)
    source = str(find(FILES["small_graphs/lesmis.gml"], data_dir).parent)
    return Graph(
        "lesmis",
        g.nodes,
        g.edges,
        weights=g.weights,
        node_names=g.node_names,
        info=Info(source),
    )


def _column(name: str, data_dir, columns: int = 1) -> np.ndarray:
    file = FILES[f"mutag/MUTAG_{name}.txt"]
    try:
        rows = [[int(v) for v in line.split(",")] for line in read_lines(file, data_dir)]
        table = np.array(rows, np.int64)
    except (ValueError, OverflowError) as error:  # not a number, ragged, beyond 64 bits
        raise DataError(f"{file.path}: a damaged row: {error!s:.120}") from error
    if table.ndim != 2 or table.shape[1] != columns:
        raise DataError(f"{file.path}: expected {columns} whole number(s) a line")
    return table[:, 0] if columns == 1 else table


def mutag(data_dir=None, fold: int = 0) -> DataSet:
    """MUTAG: 188 molecules as graphs; y = 1 where the compound is mutagenic (125), else 0 (63).

    x is a list of `Graph`: labels are the atoms (0 to 6: C N O F I Cl Br), edge_labels the bonds
    (0 to 3: aromatic, single, double, triple). Ten stratified folds, as for `rt_polarity`.
    Source: Debnath et al. 1991; Morris et al. 2020.
    """
    fold = whole_number("mutag", "fold", fold, 0, 9)
    arcs, of = _column("A", data_dir, 2) - 1, _column("graph_indicator", data_dir) - 1
    atoms, bonds = _column("node_labels", data_dir), _column("edge_labels", data_dir)
    y = (_column("graph_labels", data_dir) > 0).astype(np.int64)
    consistent = len(atoms) == len(of) and len(bonds) == len(arcs) and arcs.min() >= 0
    consistent = consistent and arcs.max() < len(of) and (np.diff(of) >= 0).all()
    if not consistent or of.max() != len(y) - 1 or (of[arcs[:, 0]] != of[arcs[:, 1]]).any():
        raise DataError("mutag: the files are inconsistent")
    bond = {(int(u), int(v)): int(b) for (u, v), b in zip(np.sort(arcs, axis=1), bonds)}
    starts = np.searchsorted(of, np.arange(len(y) + 1))
    graphs = []
    for n, (a, b) in enumerate(pairwise(starts)):
        own = undirected(arcs[of[arcs[:, 0]] == n])
        kinds = np.array([bond[int(u), int(v)] for u, v in own], np.int64)
        graphs.append(
            Graph(f"mutag {n}", int(b - a), own - a, labels=atoms[a:b], edge_labels=kinds)
        )
    part, last = folds(y, 10), (fold + 1) % 10
    whole = Split(graphs, y)
    splits = [whole[(part != fold) & (part != last)], whole[part == last], whole[part == fold]]
    info = Info(
        str(find(FILES["mutag/MUTAG_A.txt"], data_dir).parent),
        ("not mutagenic", "mutagenic"),
        ATOMS,
        note=f"stratified folds: test {fold}, validation {last}, training the other eight",
        extra={"folds": part, "bonds": BONDS},
    )
    return DataSet("mutag", *splits, info)
