"""A graph of one's own: a list of edges, a line each; the labels of its nodes in another file."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..files import DataError
from ..graph import Graph
from ..read import decode, read_path
from ..streams import check_seed
from .csv_rows import number
from .node_labels import found_labels, known_members
from .node_parts import expect_nodes, finished, simple

COMMENTS = ("#", "%")
SEPARATORS = ("\t", ",", ";")  # otherwise blanks
MOST_EDGES = 20_000_000
HEADS = frozenset(  # the first two cells of a header
    ("source", "target", "from", "to", "u", "v", "src", "dst", "node1", "node2", "id1", "id2")
)
_ATTRIBUTES = re.compile(r"\{(?:'weight': ([^\s,{}']{1,40}))?\}")  # as networkx writes them


@dataclass(frozen=True)
class Lines:
    """The cells of the lines of a file that are neither empty nor comments, and their numbers."""

    path: Path
    cells: list[list[str]]
    numbers: list[int]

    def where(self, row: int, column: int) -> str:
        """A cell in words, for a message."""
        return f"{self.path}, line {self.numbers[row]}, column {column + 1}"


def read_cells(path: Path) -> Lines:
    """The cells of a text file, between tabs, commas or semicolons if the first line has them.

    Raises DataError, with the line, for other bytes than UTF-8, a NUL and too many lines.
    """
    text = decode(read_path(path), str(path), "utf-8-sig")
    cells, numbers, separator = [], [], None
    for i, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith(COMMENTS):
            continue
        if "\0" in line:
            raise DataError(f"{path}, line {i}: a NUL character; this is no text")
        if not cells:
            separator = next((s for s in SEPARATORS if s in line), None)
        if len(cells) == MOST_EDGES:
            raise DataError(f"{path}, line {i}: more than {MOST_EDGES:,} lines are not read")
        if separator is None and line.endswith("}") and "{" in line:
            line, _, rest = line.partition("{")
            cells.append([*line.split(), "{" + rest])
        else:
            cells.append([c.strip() for c in line.split(separator)])
        numbers.append(i)
    return Lines(path, cells, numbers)


def from_edge_list(
    path: str | Path,
    labels: str | None = None,
    train: str | int | tuple | None = None,
    nodes: int | None = None,
    seed: int = 0,
) -> Graph:
    """The graph in a list of edges: ``u v`` or ``u v weight`` a line, of names or numbers.

    path    a text file in UTF-8 (or .gz of one); cells between blanks, tabs, commas or semicolons;
            what follows # or % at the start of a line is a comment
    labels  a file of ``node class`` a line. By default the one file next to `path` whose name
            begins as that of `path` does and has "labels" in it; "none" for none
    train   the nodes whose labels are known in training; all others are the test
    nodes   their number, where the nodes are 0 … nodes - 1 and some have no edge
    seed    of the split of the nodes, without `train`

    Nodes come in the order of their numbers, or else of their names. Directions, loops and
    repetitions are dropped. Raises DataError, with line and column, for what cannot be read.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "d.edges")
    ...     with open(path, "w") as file:
    ...         _ = file.write("# who knows whom\\nann bob\\nbob eve\\neve bob\\n")
    ...     found = from_edge_list(path)
    >>> found.node_names, found.edges.tolist(), found.info.understood[1]
    (('ann', 'bob', 'eve'), [[0, 1], [1, 2]], '2 undirected edges; 1 listed in both directions')
    """
    path = Path(path)
    seed = check_seed("from_edge_list", seed)
    lines = read_cells(path)
    head = (
        bool(lines.cells)
        and len(lines.cells[0]) >= 2
        and ({c.lower() for c in lines.cells[0][:2]} <= HEADS)
    )
    if head:
        lines = Lines(path, lines.cells[1:], lines.numbers[1:])
    if not lines.cells:
        raise DataError(f"{path} has no edges")
    weights = _weights(lines)
    given = found_labels(path, labels, read_cells)
    ends = [cell for cells in lines.cells for cell in cells[:2]]
    names = _names(path, ends, [] if given is None else given.nodes, nodes)
    place = {name: k for k, name in enumerate(names)}
    if nodes is not None:
        _expect_in_range(lines, place, nodes)
    pairs = np.array([place[end] for end in ends], np.int64).reshape(-1, 2)
    edges, weights, said = simple(pairs, len(names), weights)
    parts, classes, how = known_members(path, given, names, train, seed)
    read_as = "an edge list" + (" with a header" if head else "")
    return finished(
        path, read_as, said, how, classes, nodes=len(names), edges=edges, weights=weights,
        node_names=tuple(names), **parts,
    )  # fmt: skip


def _weights(lines: Lines) -> np.ndarray | None:
    """The third cells as float32; None where there are none."""
    width = len(lines.cells[0])
    found = []
    for row, cells in enumerate(lines.cells):
        if len(cells) not in (2, 3):
            raise DataError(
                f"{lines.path}, line {lines.numbers[row]}: {len(cells)} cells; expected u v or"
                " u v weight"
            )
        if len(cells) != width:
            raise DataError(
                f"{lines.path}, line {lines.numbers[row]}: {len(cells)} cells; line"
                f" {lines.numbers[0]} has {width}"
            )
        for column in (0, 1):
            if not cells[column]:
                raise DataError(f"{lines.where(row, column)}: the name of a node is missing")
        if width == 2:
            continue
        attributes = _ATTRIBUTES.fullmatch(cells[2])
        weight = number((attributes[1] or "1") if attributes else cells[2])
        if weight is None:
            raise DataError(f"{lines.where(row, 2)}: {cells[2]!r:.60} is no weight")
        if not abs(weight) <= np.finfo(np.float32).max:
            raise DataError(f"{lines.where(row, 2)}: the weight {cells[2]!r:.60} is not finite")
        found.append(weight)
    if width == 2 or all(cells[2] == "{}" for cells in lines.cells):
        return None
    return np.array(found, np.float32)


def _names(path: Path, ends: list[str], labelled: list[str], nodes: int | None) -> list[str]:
    """All nodes, in order: those of the edges, those with a label, and 0 … nodes - 1."""
    if nodes is not None:
        if not isinstance(nodes, int) or nodes < 1:
            raise DataError(f"{path}: nodes must be a whole number from 1; got {nodes!r:.40}")
        expect_nodes(path, nodes)
        return [str(k) for k in range(nodes)]
    names = {*ends, *labelled}
    expect_nodes(path, len(names))
    if all(map(_whole, names)):
        return sorted(names, key=lambda n: (int(n), n))
    return sorted(names)


def _whole(name: str) -> bool:
    return len(name) < 20 and name.isascii() and name.removeprefix("-").isdigit()


def _expect_in_range(lines: Lines, place: dict[str, int], nodes: int) -> None:
    for row, cells in enumerate(lines.cells):
        for column in (0, 1):
            if cells[column] not in place:
                raise DataError(
                    f"{lines.where(row, column)}: the node {cells[column]!r:.60} is not in"
                    f" 0 … {nodes - 1}"
                )
