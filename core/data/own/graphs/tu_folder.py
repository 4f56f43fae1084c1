"""Many graphs in a folder, in the format of the TU collection, as MUTAG's.

    P_A.txt                 ``u, v`` a line: an edge between nodes that are numbered from 1 through
                            all graphs
    P_graph_indicator.txt   for each node the number of its graph, from 1, in ascending order
    P_graph_labels.txt      for each graph its class; or P_graph_attributes.txt: numbers
    P_node_labels.txt       for each node a whole number; P_node_attributes.txt: numbers
    P_edge_labels.txt       for each line of P_A a whole number; P_edge_attributes.txt: numbers

P is any prefix; all but the first two may be missing. Source: C. Morris et al., "TUDataset: a
collection of benchmark datasets for learning with graphs", 2020.
"""

import os
from pathlib import Path

import numpy as np

from ...batches import folds, three_way
from ...dataset import DataSet, Info, Split
from ...files import DataError
from ...graph import Graph
from ...read import decode, read_path
from ...streams import whole_number
from ..lines import counted
from ..splits import LEAST, UNCUT, untrained
from ..tables.spelling import number
from .node_parts import expect_nodes, simple

PARTS = (
    "A", "graph_indicator", "graph_labels", "graph_attributes", "node_labels", "node_attributes",
    "edge_labels", "edge_attributes",
)  # fmt: skip
FOLDS = 10
CLASSES = 1000
LARGEST = float(np.finfo(np.float32).max)


def is_tu_folder(path: Path) -> bool:
    """Does a folder hold the two files that such a set must have?"""
    return len(_prefixes(path)) > 0


def from_tu_folder(path: str | Path, fold: int | None = 0) -> DataSet:
    """The graphs of a folder in the format of the TU collection; y the class of each graph.

    x is a list of `Graph`. Labels of nodes, edges and graphs are numbered from 0, in ascending
    order of what the file has; attributes of nodes are their `features`, those of edges their
    `edge_features`. Ten stratified folds: number `fold` is the test, the next one the validation.
    Without classes the graphs are cut in their order by a fixed permutation instead, and with
    fold=None they are not cut. Raises
    DataError, with file and line, for what cannot be read and for what does not fit together.
    """
    path = Path(path)
    prefixes = _prefixes(path)
    if len(prefixes) != 1:
        what = ", ".join(prefixes[:5]) or "none"
        raise DataError(f"{path}: expected the files of one set, P_A.txt and others; P is {what}")
    files = {part: path / f"{prefixes[0]}_{part}.txt" for part in PARTS}
    return from_tu_files(
        {k: f for k, f in files.items() if os.path.exists(f)}, path.name, str(path), fold
    )


def _prefixes(path: Path) -> list[str]:
    try:
        names = {p.name for p in path.iterdir()}
    except OSError:  # the reader says what is wrong
        return []
    ends = sorted(n.removesuffix("_A.txt") for n in names if n.endswith("_A.txt"))
    return [p for p in ends if f"{p}_graph_indicator.txt" in names]


def from_tu_files(files: dict[str, Path], name: str, source: str, fold: int | None = 0) -> DataSet:
    """The graphs in the files of such a set, by their part in the name. As `from_tu_folder`."""
    fold = None if fold is None else whole_number(source, "fold", fold, 0, FOLDS - 1)
    of = _whole(files["graph_indicator"])
    nodes = len(of)
    expect_nodes(files["graph_indicator"], nodes)
    graphs = _expect_in_order(files["graph_indicator"], of)
    arcs = _whole(files["A"], 2) - 1
    _expect_inside(files["A"], arcs, of)
    starts = np.searchsorted(of, np.arange(1, graphs + 2))
    edges, _, said = simple(arcs, nodes)
    row = _last_rows(arcs, edges, nodes)
    atoms, atom_names = _labels(files, "node_labels", nodes, "nodes")
    bonds, bond_names = _labels(files, "edge_labels", len(arcs), "edges")
    node_numbers = _numbers(files, "node_attributes", nodes, "nodes")
    edge_numbers = _numbers(files, "edge_attributes", len(arcs), "edges")
    cut = np.searchsorted(edges[:, 0], starts)
    x = []
    for n in range(graphs):
        a, b = starts[n : n + 2]
        own, rows = edges[cut[n] : cut[n + 1]] - a, row[cut[n] : cut[n + 1]]
        x.append(
            Graph(
                f"{name} {n}",
                int(b - a),
                own,
                labels=None if atoms is None else atoms[a:b],
                edge_labels=None if bonds is None else bonds[rows],
                features=None if node_numbers is None else _as_csr(node_numbers[a:b]),
                edge_features=None if edge_numbers is None else edge_numbers[rows],
            )
        )
    y, classes = _labels(files, "graph_labels", graphs, "graphs")
    if y is None:
        y = _numbers(files, "graph_attributes", graphs, "graphs")
    parts, how, part = _split(files["graph_indicator"], Split(x, y), bool(classes), fold)
    given = [
        (atom_names and f"{counted(len(atom_names), 'kind')} of nodes"),
        (bond_names and f"{counted(len(bond_names), 'kind')} of edges"),
        node_numbers is not None and f"{counted(node_numbers.shape[1], 'number')} a node",
        edge_numbers is not None and f"{counted(edge_numbers.shape[1], 'number')} an edge",
    ]
    understood = (
        f"{counted(graphs, 'graph')} of {nodes / graphs:.2f} nodes and"
        f" {len(edges) / graphs:.2f} edges on the average",
        said,
        ", ".join(filter(None, given)) or "no labels of nodes and edges",
        "; ".join((_label_in_words(y, classes), *untrained(classes, parts))),
        how,
    )
    info = Info(
        source,
        classes,
        atom_names,
        note=how,
        extra={"folds": part, "bonds": bond_names},
        kind="graphs",
        understood=understood,
    )
    return DataSet(name, *parts, info)


def _rows(path: Path) -> list[str]:
    text = decode(read_path(path), str(path), "utf-8-sig").replace("\r\n", "\n")
    return text.rstrip("\n").split("\n") if text.strip() else []


def _whole(path: Path, columns: int = 1) -> np.ndarray:
    """Whole numbers, int64 [N] or [N, columns]."""
    rows = []
    for i, line in enumerate(_rows(path), 1):
        cells = line.split(",")
        if len(cells) != columns:
            raise DataError(f"{path}, line {i}: {counted(len(cells), 'number')}, not {columns}")
        for column, cell in enumerate(cells, 1):
            bare = cell.strip()
            if not (len(bare) < 19 and bare.isascii() and bare.removeprefix("-").isdigit()):
                raise DataError(
                    f"{path}, line {i}, column {column}: {bare!r:.60} is no whole number"
                )
            rows.append(int(bare))
    if not rows:
        raise DataError(f"{path} has no rows")
    table = np.array(rows, np.int64)
    return table if columns == 1 else table.reshape(-1, columns)


def _numbers(files: dict, part: str, n: int, what: str) -> np.ndarray | None:
    """Numbers float32 [N, K] out of a file that may be missing."""
    if part not in files:
        return None
    path, rows = files[part], []
    lines = _rows(path)
    _expect_length(path, len(lines), n, what)
    for i, line in enumerate(lines, 1):
        row = [number(cell.strip()) for cell in line.split(",")]
        if rows and len(row) != len(rows[0]):
            raise DataError(f"{path}, line {i}: {len(row)} numbers; line 1 has {len(rows[0])}")
        for column, value in enumerate(row, 1):
            if value is None or not abs(value) <= LARGEST:
                cell = line.split(",")[column - 1].strip()
                raise DataError(
                    f"{path}, line {i}, column {column}: {cell!r:.60} is no finite number"
                )
        rows.append(row)
    return np.array(rows, np.float32)


def _labels(files: dict, part: str, n: int, what: str):
    """(labels int64 [N] from 0, their names); (None, ()) where the file is missing."""
    if part not in files:
        return None, ()
    found = _whole(files[part])
    _expect_length(files[part], len(found), n, what)
    kinds, labels = np.unique(found, return_inverse=True)
    if len(kinds) > CLASSES:
        raise DataError(f"{files[part]}: {len(kinds):,} different labels; at most {CLASSES}")
    return labels.reshape(-1).astype(np.int64), tuple(map(str, kinds))


def _expect_length(path: Path, got: int, expected: int, what: str) -> None:
    if got != expected:
        raise DataError(f"{path}: {got:,} lines for {expected:,} {what}")


def _expect_in_order(path: Path, of: np.ndarray) -> int:
    """The number of graphs. Raises DataError unless they are 1, 1, …, 2, 2, … without a gap."""
    before = np.concatenate([[0], of[:-1]])
    for i in np.flatnonzero((of < before) | (of > before + 1))[:1]:
        raise DataError(
            f"{path}, line {i + 1}: graph {of[i]} after graph {before[i]}; they must ascend from 1"
            " without a gap"
        )
    if of[0] != 1:
        raise DataError(f"{path}, line 1: the first graph must be 1; got {of[0]}")
    return int(of[-1])


def _expect_inside(path: Path, arcs: np.ndarray, of: np.ndarray) -> None:
    for i, column in np.argwhere((arcs < 0) | (arcs >= len(of)))[:1]:
        raise DataError(
            f"{path}, line {i + 1}, column {column + 1}: there is no node"
            f" {arcs[i, column] + 1}; there are 1 … {len(of)}"
        )
    a, b = of[arcs].T
    for i in np.flatnonzero(a != b)[:1]:
        raise DataError(f"{path}, line {i + 1}: an edge between the graphs {a[i]} and {b[i]}")


def _last_rows(arcs: np.ndarray, edges: np.ndarray, nodes: int) -> np.ndarray:
    """For each edge the last line of `arcs` that lists it, in either direction."""
    low, high = np.sort(arcs, axis=1).T
    keys = low * nodes + high
    rank = np.argsort(keys, kind="stable")
    wanted = edges[:, 0] * nodes + edges[:, 1]
    return rank[np.searchsorted(keys[rank], wanted, side="right") - 1]


def _as_csr(a: np.ndarray):
    """A dense matrix in the form that `Graph` keeps features in."""
    n, d = a.shape
    columns = np.tile(np.arange(d, dtype=np.int32), n)
    return a.reshape(-1), columns, np.arange(0, n * d + 1, d, dtype=np.int64), (n, d)


def _split(path: Path, whole: Split, classes: bool, fold: int | None):
    """(train, valid, test), the words for it, and the fold of each graph."""
    n = len(whole)
    if fold is None:
        return (whole, None, None), UNCUT, None
    if n < LEAST:
        raise DataError(f"{path}: {n} graphs are too few to split; at least {LEAST} are needed")
    if not classes:
        valid, test = n // 10, n // 5
        how = f"random split {n - valid - test}/{valid}/{test}, seed 0"
        return three_way(whole.x, whole.y, valid, test), how, None
    part, last = folds(whole.y, FOLDS), (fold + 1) % FOLDS
    parts = [whole[(part != fold) & (part != last)], whole[part == last], whole[part == fold]]
    how = f"stratified folds: test {fold}, validation {last}, training the other eight"
    return parts, how, part


def _label_in_words(y, classes) -> str:
    if y is None:
        return "no label"
    if not classes:
        return f"label: {counted(y.shape[1], 'number')} to be predicted"
    counts = ", ".join(f"{c}: {n}" for c, n in zip(classes, np.bincount(y)[:10]))
    kinds = counted(len(classes), "class", "classes")
    return f"label: {kinds} ({counts}{' …' if len(classes) > 10 else ''})"
