"""Graphs: a large one with labelled nodes (`Graph`), or many small ones (a list as x)."""

from dataclasses import replace

import numpy as np

from . import gml
from .canon import FILES
from .dataset import DataSet, Info
from .download import find
from .files import DataError
from .graph import Graph
from .own.graphs.planetoid import from_groups, from_planetoid
from .own.graphs.tu_folder import from_tu_files
from .read import decode, read_bytes, read_lines

ATOMS = ("C", "N", "O", "F", "I", "Cl", "Br")
MUTAG = ("A", "graph_indicator", "graph_labels", "node_labels", "edge_labels")
BONDS = ("aromatic", "single", "double", "triple")


def cora(data_dir=None) -> Graph:
    """Cora: 2708 papers of 7 kinds, 5278 citations, 1433 binary word features.

    The Planetoid split: 140 papers (20 per class) for training, 500 for validation and 1000 for
    the test; the labels of the rest are not used in training. The classes have only numbers.
    Source: Sen et al. 2008; Yang et al. 2016.
    """
    path = find(FILES["cora/cora_planetoid.npz"], data_dir)
    g = from_planetoid(path)
    note = "split of Planetoid: 140/500/1000 nodes"
    return replace(g, name="cora", info=replace(g.info, source=str(path.parent), note=note))


def blogcatalog(data_dir=None) -> Graph:
    """BlogCatalog: 10,312 bloggers, 333,983 friendships, any number of 39 groups for each.

    The groups are in `label_pairs` (see `Graph.label_matrix`). Source: Tang & Liu 2009.
    """
    path = find(FILES["blogcatalog/blogcatalog.npz"], data_dir)
    g = from_groups(path)
    return replace(g, name="blogcatalog", info=replace(g.info, source=str(path.parent)))


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


def mutag(data_dir=None, fold: int = 0) -> DataSet:
    """MUTAG: 188 molecules as graphs; y = 1 where the compound is mutagenic (125), else 0 (63).

    x is a list of `Graph`: labels are the atoms (0 to 6: C N O F I Cl Br), edge_labels the bonds
    (0 to 3: aromatic, single, double, triple). Ten stratified folds, as for `rt_polarity`.
    Source: Debnath et al. 1991; Morris et al. 2020.
    """
    files = {part: find(FILES[f"mutag/MUTAG_{part}.txt"], data_dir) for part in MUTAG}
    data = from_tu_files(files, "mutag", str(files["A"].parent), fold)
    info = replace(
        data.info,
        classes=("not mutagenic", "mutagenic"),
        feature_names=ATOMS,
        extra={"folds": data.info.extra["folds"], "bonds": BONDS},
    )
    if (data.info.classes, len(data.info.feature_names)) != (("-1", "1"), len(ATOMS)):
        raise DataError(f"{files['graph_labels']}: expected the classes -1 and 1, and 7 atoms")
    return replace(data, info=info)
