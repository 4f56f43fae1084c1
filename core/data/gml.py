"""GML, a text format for graphs: nested lists of keys and values.

    graph [ directed 0  node [ id 1  label "x" ]  edge [ source 1  target 2  value 3 ] ]

A value is a number, a quoted string or a list in brackets; ``#`` starts a comment. A key may
occur many times, so a list is kept as pairs. Parsing takes time linear in the text.
Source: M. Himsolt, "GML: a portable graph file format", 1997.
"""

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from .files import DataError
from .graph import Graph

_TOKEN = re.compile(
    r"""\s+ | \#[^\n]* | (?P<string>"[^"]*") | (?P<open>\[) | (?P<close>\])
      | (?P<number>[+.0-9-][\w.+-]*) | (?P<key>[A-Za-z]\w*)""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
DEEPEST, LONGEST = 100, 400  # nested brackets; characters of a number
Pairs = list[tuple[str, Any]]


class Block(list):
    """The keys and values between two brackets, and the line of the first one."""

    line = 1


def parse(text: str, name: str = "gml data") -> Pairs:
    """The keys and values of a GML text, in order.

    Raises DataError with the line of an error. An integer beyond 64 bits and more than 100 open
    brackets are errors too.

    >>> parse('graph [ node [ id 1 label "a" ] ]')
    [('graph', [('node', [('id', 1), ('label', 'a')])])]
    """
    top: Pairs = []
    stack: list[Pairs] = [top]
    key: str | None = None
    at, line = 0, 1

    def fail(what: str):
        before = text.rfind("\n", 0, at)
        raise DataError(f"{name}, line {line}, column {at - before}: {what}")

    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            fail(f"cannot read {text[at : at + 20]!r}")
        kind, token = match.lastgroup, match.group()
        if kind == "key":  # wait for its value
            if key is not None:
                fail(f"the key {key!r:.80} has no value")
            key = token
        elif kind == "close":
            if key is not None:
                fail(f"the key {key!r:.80} has no value")
            if len(stack) == 1:
                fail("a bracket is closed that was not opened")
            stack.pop()
        elif kind is not None:
            if key is None:
                fail(f"the value {token!r:.80} has no key")
            if kind == "open":
                value: Any = Block()
                value.line = line
            elif kind == "string":
                value = token[1:-1]
            elif _NUMBER.fullmatch(token) is None:
                fail(f"cannot read {token[:20]!r}")
            else:
                value = _number(token)
                if value is None:
                    fail(f"the number {token:.20} is too large")
            stack[-1].append((key, value))
            if kind == "open":  # what follows belongs to this list, until it is closed
                stack.append(value)
                if len(stack) > DEEPEST + 1:
                    fail(f"more than {DEEPEST} brackets are open")
            key = None
        line += token.count("\n")
        at = match.end()
    if key is not None:
        fail(f"the key {key!r:.80} has no value")
    if len(stack) > 1:
        fail(f"{len(stack) - 1} bracket(s) are not closed: the file is cut off")
    return top


def _number(token: str) -> int | float | None:
    """An integer of at most 64 bits or a finite float; None for anything else."""
    if len(token) > LONGEST:
        return None
    if set(token) & set(".eE"):
        value = float(token)
        return value if math.isfinite(value) else None
    return int(token) if -(2**63) <= int(token) < 2**63 else None


@dataclass(frozen=True, eq=False)
class Contents:
    """What a GML text says about its one graph, in the order of the text."""

    directed: bool
    nodes: list[dict]  # the keys of each node
    node_names: tuple[str, ...]  # from `label` or `name`, or the id
    pairs: np.ndarray  # int64 [P, 2]: numbers of nodes, counted from 0
    weights: np.ndarray | None  # float32 [P], from `value`, else `weight`; 1 where one has none
    node_lines: list[int]


def contents(text: str, name: str = "gml data") -> Contents:
    """The one graph of a GML text as it stands, directed or not.

    Raises DataError, with the line, for errors in the text, a missing or duplicate id, an edge to
    an unknown node, and a weight that is no finite number.
    """
    found = [v for k, v in parse(text, name) if k == "graph" and isinstance(v, list)]
    if len(found) != 1:
        raise DataError(f"{name}: expected one graph, got {len(found)}")
    nodes, node_lines = _lists(found[0], "node", name)
    edges, edge_lines = _lists(found[0], "edge", name)
    number: dict[int, int] = {}
    for k, (node, line) in enumerate(zip(nodes, node_lines)):
        i = node.get("id")
        if not isinstance(i, int) or i in number:
            raise DataError(
                f"{name}, line {line}: every node needs its own id, a whole number; got {i!r:.80}"
            )
        number[i] = k
    key = "value" if any("value" in e for e in edges) else "weight"
    pairs, weights = np.empty((len(edges), 2), np.int64), np.ones(len(edges), np.float32)
    for k, (e, line) in enumerate(zip(edges, edge_lines)):
        for column, end in enumerate(("source", "target")):
            if not isinstance(e.get(end), int) or e[end] not in number:
                got = f"{e.get(end)!r:.80}"
                raise DataError(
                    f"{name}, line {line}: an edge has the {end} {got}, which is not a node"
                )
            pairs[k, column] = number[e[end]]
        if not isinstance(e.get(key, 1), int | float):
            raise DataError(
                f"{name}, line {line}: an edge has the {key} {e[key]!r:.80}, which is not a number"
            )
        with np.errstate(over="ignore"):
            weights[k] = e.get(key, 1)
        if not np.isfinite(weights[k]):
            raise DataError(f"{name}, line {line}: the weight {e[key]!r:.80} is not finite")
    labels = [n.get("label", n.get("name")) for n in nodes]
    return Contents(
        bool(dict(found[0]).get("directed", 0)),
        nodes,
        tuple(str(n["id"] if t is None else t) for n, t in zip(nodes, labels)),
        pairs,
        weights if any(key in e for e in edges) else None,
        node_lines,
    )


def _lists(pairs: Pairs, key: str, name: str) -> tuple[list[dict], list[int]]:
    values = [v for k, v in pairs if k == key]
    if not all(isinstance(v, list) for v in values):
        raise DataError(f"{name}: {key} must be a list in brackets")
    return [dict(v) for v in values], [v.line for v in values]


def graph(text: str, name: str = "gml data") -> Graph:
    """The undirected graph of a GML text; node names from `label` or `name`, weights from `value`.

    Raises DataError as `contents` does, and for a graph that is directed, a loop, or an edge listed
    twice.
    """
    found = contents(text, name)
    if found.directed:
        raise DataError(f"{name}: the graph is directed; only undirected ones are read")
    pairs = np.sort(found.pairs, axis=1)
    rank = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return Graph(
        name,
        len(found.nodes),
        pairs[rank],
        weights=None if found.weights is None else found.weights[rank],
        node_names=found.node_names,
    )
