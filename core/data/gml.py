"""GML, a text format for graphs: nested lists of keys and values.

    graph [ directed 0  node [ id 1  label "x" ]  edge [ source 1  target 2  value 3 ] ]

A value is a number, a quoted string or a list in brackets; ``#`` starts a comment. A key may
occur many times, so a list is kept as pairs. Parsing takes time linear in the text.
Source: M. Himsolt, "GML: a portable graph file format", 1997.
"""

import math
import re
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
    at = 0

    def fail(what: str):
        raise DataError(f"{name}, line {text.count(chr(10), 0, at) + 1}: {what}")

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
                value: Any = []
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


def _lists(pairs: Pairs, key: str, name: str) -> list[dict]:
    values = [v for k, v in pairs if k == key]
    if not all(isinstance(v, list) for v in values):
        raise DataError(f"{name}: {key} must be a list in brackets")
    return [dict(v) for v in values]


def graph(text: str, name: str = "gml data") -> Graph:
    """The undirected graph of a GML text; node names from `label` or `name`, weights from `value`.

    Raises DataError for errors in the text, a missing or duplicate id, an edge to an unknown node,
    a loop, or an edge listed twice.
    """
    found = [v for k, v in parse(text, name) if k == "graph" and isinstance(v, list)]
    if len(found) != 1:
        raise DataError(f"{name}: expected one graph, got {len(found)}")
    if dict(found[0]).get("directed", 0):
        raise DataError(f"{name}: the graph is directed; only undirected ones are read")
    nodes, edges = _lists(found[0], "node", name), _lists(found[0], "edge", name)
    ids = [n.get("id") for n in nodes]
    if not all(isinstance(i, int) for i in ids) or len(set(ids)) != len(ids):
        raise DataError(f"{name}: every node needs its own id, a whole number")
    number = {i: k for k, i in enumerate(ids)}
    for e in edges:
        for end in ("source", "target"):
            if not isinstance(e.get(end), int) or e[end] not in number:
                got = f"{e.get(end)!r:.80}"
                raise DataError(f"{name}: an edge has the {end} {got}, which is not a node")
        if not isinstance(e.get("value", 1), int | float):
            raise DataError(
                f"{name}: an edge has the value {e['value']!r:.80}, which is not a number"
            )
    ends = [sorted((number[e["source"]], number[e["target"]])) for e in edges]
    pairs = np.array(ends, np.int64).reshape(-1, 2)
    rank = np.lexsort((pairs[:, 1], pairs[:, 0]))
    with np.errstate(over="ignore"):  # Graph refuses a weight that is infinite in float32
        weights = np.array([e.get("value", 1) for e in edges], np.float32)[rank]
    labels = [n.get("label", n.get("name")) for n in nodes]
    return Graph(
        name,
        len(nodes),
        pairs[rank],
        weights=weights if any("value" in e for e in edges) else None,
        node_names=tuple(str(i if t is None else t) for i, t in zip(ids, labels)),
    )
