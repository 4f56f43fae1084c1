"""A graph of one's own in GML."""

from collections import Counter
from pathlib import Path

from ... import gml
from ...files import DataError
from ...graph import Graph
from ...read import decode, read_path
from ...streams import check_seed
from .edge_list import read_cells
from .node_labels import Labelled, found_labels, known_members
from .node_parts import expect_nodes, finished, simple

CLASS = "value"  # the key of a node that holds its class in the well-known collection of M. Newman


def from_gml(
    path: str | Path,
    labels: str | None = None,
    train: str | int | tuple | None = None,
    seed: int = 0,
) -> Graph:
    """The graph in a .gml file (or .gz of one), in UTF-8: names, weights, and labels of its nodes.

    labels  a key of the nodes, such as ``club``, or a file of ``node class`` a line. By default
            the one file next to `path` whose name begins as that of `path` does and has "labels"
            in it, or else the key ``value``, if every node has it; "none" for none
    train   the nodes whose labels are known in training; all others are the test
    seed    of the split of the nodes, without `train`

    Directions, loops and repetitions are dropped. Raises DataError, with the line, for what
    cannot be read.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "d.gml")
    ...     with open(path, "w") as file:
    ...         _ = file.write("graph [ directed 1 node [ id 1 ] node [ id 7 ] "
    ...                        "edge [ source 7 target 1 value 3 ] ]")
    ...     found = from_gml(path)
    >>> found.node_names, found.weights.tolist(), found.info.understood[0]
    (('1', '7'), [3.0], 'a GML graph, directed, made undirected, of 2 nodes')
    """
    path = Path(path)
    seed = check_seed("from_gml", seed)
    found = gml.contents(decode(read_path(path), str(path), "utf-8-sig"), str(path))
    names = list(found.node_names)
    if not names:
        raise DataError(f"{path} has no nodes")
    expect_nodes(path, len(names))
    edges, weights, said = simple(found.pairs, len(names), found.weights)
    given = None
    if labels != "none":
        given = _of_nodes(path, found, labels) or found_labels(path, labels, read_cells)
        given = given or _of_nodes(path, found, CLASS)
    if given is not None and len(set(names)) < len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise DataError(f"{path}: two nodes are named {twice!r:.60}; labels need different names")
    parts, classes, how = known_members(path, given, names, train, seed)
    read_as = "a GML graph" + (", directed, made undirected," if found.directed else "")
    return finished(
        path, read_as, said, how, classes, nodes=len(names), edges=edges, weights=weights,
        node_names=found.node_names, **parts,
    )  # fmt: skip


def _of_nodes(path: Path, found: gml.Contents, key: str | None) -> Labelled | None:
    """The labels that the nodes carry under `key`; None if not all of them do."""
    there = [n[key] for n in found.nodes if key in n]
    plain = len(there) == len(found.nodes) and all(isinstance(v, int | str) for v in there)
    if not there or (key == CLASS and not plain):
        return None
    for node, line in zip(found.nodes, found.node_lines):
        if not isinstance(node.get(key, 0), int | str):
            raise DataError(
                f"{path}, line {line}: {key} is {node[key]!r:.60}, which is no label of a node"
            )
    rows = [i for i, node in enumerate(found.nodes) if key in node]
    return Labelled(
        path,
        [found.node_names[i] for i in rows],
        [str(found.nodes[i][key]) for i in rows],
        [found.node_lines[i] for i in rows],
    )
