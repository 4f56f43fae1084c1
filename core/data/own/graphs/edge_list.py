"""A graph of one's own: a list of edges, a line each; the labels of its nodes in another file."""

import io
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...files import DataError
from ...graph import Graph
from ...read import decode, read_path
from ...streams import check_seed
from ..lines import counted
from ..peek import head_lines
from ..tables.spelling import number
from .node_labels import found_labels, known_members
from .node_parts import expect_nodes, finished, simple

COMMENTS = ("#", "%")
SEPARATORS = ("\t", ",", ";")  # otherwise blanks
LOOK = 100  # lines that are looked at to guess what a file is
LARGEST = float(np.finfo(np.float32).max)
MOST_EDGES = 5_000_000  # about 1 GB while they are read
HEADS = frozenset(  # the first two cells of a header
    ("source", "target", "from", "to", "u", "v", "src", "dst", "node1", "node2", "id1", "id2")
)
_ATTRIBUTES = re.compile(r"\{(?:'weight': ([^\s,{}']{1,40}))?\}")  # as networkx writes them


def read_cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(number, cells) of each line that is neither empty nor a comment.

    Cells are between tabs, commas or semicolons if the first such line has them, otherwise between
    blanks. Raises DataError, with the line, for other bytes than UTF-8, a NUL and too many lines.
    """
    text = decode(read_path(path), str(path), "utf-8-sig")
    separator, count = None, 0
    for i, raw in enumerate(io.StringIO(text, newline="\n"), 1):
        line = raw.strip()
        if not line or line.startswith(COMMENTS):
            continue
        if "\0" in line:
            raise DataError(f"{path}, line {i}: a NUL character; this is no text")
        if not count:
            separator = next((s for s in SEPARATORS if s in line), None)
        count += 1
        if count > MOST_EDGES:
            raise DataError(f"{path}, line {i}: more than {MOST_EDGES:,} lines are not read")
        if separator is None and line.endswith("}") and "{" in line:
            line, _, rest = line.partition("{")
            yield i, [*line.split(), "{" + rest]
        else:
            yield i, [c.strip() for c in line.split(separator)]


def looks_like_edges(path: Path) -> bool:
    """Does a file begin as a list of edges: with source,target or such, or lines of two tokens?

    Of numbers in two columns of a .csv or .tsv file nobody knows: only their header tells.
    """
    lines = [line.strip() for line in head_lines(path, LOOK)]
    lines = [line for line in lines if line and not line.startswith(COMMENTS)]
    if not lines:
        return False
    separator = next((s for s in SEPARATORS if s in lines[0]), None)
    first = [c.strip().lower() for c in lines[0].split(separator)]
    if len(first) in (2, 3) and set(first[:2]) <= HEADS:
        return True
    plain = path.name.lower().removesuffix(".gz").endswith(".txt")
    return plain and len(lines) > 2 and all(len(line.split()) == 2 for line in lines)


@dataclass
class Listed:
    """What is known of a list while its lines are read: names in the order of their coming."""

    names: dict[str, int] = field(default_factory=dict)
    ends: array = field(default_factory=lambda: array("q"))  # two a line
    weights: array = field(default_factory=lambda: array("d"))
    width: int = 0  # cells of a line
    first: int = 0  # the line that the width is that of
    header: bool = False
    weighted: bool = False


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

    At most 5 million lines are read. Nodes come in the order of their numbers, or else of their
    names. Directions, loops and
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
    if nodes is not None:
        if not isinstance(nodes, int) or nodes < 1:
            raise DataError(f"{path}: nodes must be a whole number from 1; got {nodes!r:.40}")
        expect_nodes(path, nodes)
    found = _listed(path, nodes)
    given = found_labels(path, labels, read_cells)
    names = _names(path, found, [] if given is None else given.nodes, nodes)
    place = {name: k for k, name in enumerate(names)}
    moved = np.array([place[name] for name in found.names], np.int64)
    pairs = moved[np.frombuffer(found.ends, np.int64).reshape(-1, 2)]
    weights = np.array(found.weights, np.float32) if found.weighted else None
    edges, weights, said = simple(pairs, len(names), weights)
    parts, classes, how = known_members(path, given, names, train, seed)
    read_as = "an edge list" + (" with a header" if found.header else "")
    return finished(
        path, read_as, said, how, classes, nodes=len(names), edges=edges, weights=weights,
        node_names=tuple(names), **parts,
    )  # fmt: skip


def _listed(path: Path, nodes: int | None) -> Listed:
    found = Listed()
    for line, cells in read_cells(path):
        if not found.width:
            if not found.header and {c.lower() for c in cells[:2]} <= HEADS and len(cells) > 1:
                found.header = True
                continue
            found.width, found.first = len(cells), line
        _expect_cells(path, line, cells, found)
        for column, name in enumerate(cells[:2], 1):
            if not name:
                raise DataError(
                    f"{path}, line {line}, column {column}: the name of a node is missing"
                )
            if nodes is not None and not (_plain(name) and int(name) < nodes):
                raise DataError(
                    f"{path}, line {line}, column {column}: the node {name!r:.60} is not in"
                    f" 0 … {nodes - 1}"
                )
            found.ends.append(found.names.setdefault(name, len(found.names)))
        if found.width == 3:
            found.weights.append(_weight(path, line, cells[2]))
            found.weighted = found.weighted or cells[2] != "{}"
    if not found.width:
        raise DataError(f"{path} has no edges")
    return found


def _expect_cells(path: Path, line: int, cells: list[str], found: Listed) -> None:
    if len(cells) not in (2, 3):
        there = counted(len(cells), "cell")
        raise DataError(f"{path}, line {line}: {there}; expected u v or u v weight")
    if len(cells) != found.width:
        raise DataError(
            f"{path}, line {line}: {counted(len(cells), 'cell')}; line {found.first} has"
            f" {found.width}"
        )


def _weight(path: Path, line: int, cell: str) -> float:
    attributes = _ATTRIBUTES.fullmatch(cell)
    weight = number((attributes[1] or "1") if attributes else cell)
    if weight is None:
        raise DataError(f"{path}, line {line}, column 3: {cell!r:.60} is no weight")
    if not abs(weight) <= LARGEST:
        raise DataError(f"{path}, line {line}, column 3: the weight {cell!r:.60} is not finite")
    return weight


def _names(path: Path, found: Listed, labelled: list[str], nodes: int | None) -> list[str]:
    """All nodes, in order: those of the edges, those with a label, and 0 … nodes - 1."""
    if nodes is not None:
        return [str(k) for k in range(nodes)]
    names = found.names.keys() | set(labelled)
    expect_nodes(path, len(names))
    if all(map(_whole, names)):
        return sorted(names, key=lambda n: (int(n), n))
    return sorted(names)


def _plain(name: str) -> bool:
    """Is this a whole number from 0 up, as Python writes it?"""
    return _whole(name) and name == str(abs(int(name)))


def _whole(name: str) -> bool:
    return len(name) < 20 and name.isascii() and name.removeprefix("-").isdigit()
