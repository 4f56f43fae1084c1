"""The labels of nodes, from a file next to the graph, and which of them are known in training."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...files import DataError
from ..lines import counted
from .node_parts import split_nodes

CLASSES = 10_000
HEADS = frozenset({"node", "id", "name", "node_id", "nodeid"})  # the first cell of a header


@dataclass(frozen=True)
class Labelled:
    """Nodes and their labels as texts, as long as each other; and where each pair stands."""

    path: Path
    nodes: list[str]
    labels: list[str]
    lines: list[int]


def found_labels(path: Path, labels: str | None, read_cells) -> Labelled | None:
    """The pairs of node and label in the file of labels; None where there is none.

    Raises DataError, with the line, for a line that is no pair, and where several files next to
    `path` may be meant.
    """
    if labels == "none":
        return None
    if labels is None:
        stem = path.name.removesuffix(".gz").rpartition(".")[0]
        try:
            near = [p for p in path.parent.iterdir() if p.name.startswith(stem) and p != path]
        except OSError as error:
            raise DataError(f"{path.parent} cannot be read: {error.strerror or error}") from None
        near = sorted(p for p in near if stem and "labels" in p.name[len(stem) :])
        if len(near) > 1:
            names = ", ".join(p.name for p in near[:5])
            raise DataError(f"{path}: which file has the labels? give labels=FILE: {names}")
        if not near:
            return None
        file = near[0]
    else:
        file = Path(str(labels))
        if not os.path.exists(file):
            file = path.parent / file
        if not os.path.exists(file):
            raise DataError(f"{path}: there is no file {str(labels)!r:.80} of labels")
    found = Labelled(file, [], [], [])
    for k, (line, cells) in enumerate(read_cells(file)):
        if k == 0 and cells[0].lower() in HEADS:
            continue
        if len(cells) != 2 or not all(cells):
            there = counted(len(cells), "cell")
            raise DataError(f"{file}, line {line}: {there}; expected a node and a label")
        found.nodes.append(cells[0])
        found.labels.append(cells[1])
        found.lines.append(line)
    if not found.nodes:
        raise DataError(f"{file} has no labels")
    return found


def known_members(
    path: Path, given: Labelled | None, names: list[str], train, seed: int
) -> tuple[dict, tuple[str, ...], str]:
    """The parts of a `Graph` that labels give, the names of the classes, and how it is split.

    A node that is listed several times is in several groups: then there is no split. Raises
    DataError, with the line, for a node that is not in the graph.
    """
    if given is None:
        if train is not None:
            raise DataError(f"{path}: train needs labels; there are none")
        return {}, (), "no split: there are no labels"
    place = {name: k for k, name in enumerate(names)}
    for node, line in zip(given.nodes, given.lines):
        if node not in place:
            raise DataError(f"{given.path}, line {line}: there is no node {node!r:.60}")
    kinds = set(given.labels)
    if len(kinds) > CLASSES:
        raise DataError(f"{given.path}: {len(kinds):,} different labels; is this a file of labels?")
    whole = all(k.isascii() and k.isdigit() and len(k) < 10 for k in kinds)
    classes = sorted(kinds, key=lambda k: (int(k), k)) if whole else sorted(kinds)
    number = {kind: k for k, kind in enumerate(classes)}
    pairs = np.array([(place[n], number[k]) for n, k in zip(given.nodes, given.labels)], np.int64)
    pairs = np.unique(pairs, axis=0)
    if len(np.unique(pairs[:, 0])) < len(pairs):
        if train is not None:
            raise DataError(f"{given.path}: train needs one label a node; some have several")
        how = "no split: the usual protocol draws the labelled nodes at random"
        return {"label_pairs": pairs}, tuple(classes), how
    labels = np.full(len(names), -1, np.int64)
    labels[pairs[:, 0]] = pairs[:, 1]
    parts, how = (
        split_nodes(labels, seed) if train is None else by_names(path, place, labels, train)
    )
    return {"labels": labels, **parts}, tuple(classes), how


def by_names(path: Path, place: dict[str, int], labels: np.ndarray, train) -> tuple[dict, str]:
    """The nodes named in `train` for training, all others that have a label for the test.

    `train` is a name, several, or a text of names with commas. Raises DataError for a name that is
    no node, or one without a label.
    """
    named = train.split(",") if isinstance(train, str) else train
    named = [str(n).strip() for n in (named if isinstance(named, list | tuple) else [named])]
    for node in named:
        if node not in place or labels[place[node]] < 0:
            raise DataError(f"{path}: train names {node!r:.60}, which is no node with a label")
    chosen = np.unique([place[node] for node in named])
    rest = np.setdiff1d(np.flatnonzero(labels >= 0), chosen)
    how = f"{len(chosen)} nodes named for training, the other {len(rest)} for the test"
    return {"train": chosen, "test": rest}, how
