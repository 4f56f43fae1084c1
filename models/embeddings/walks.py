"""Random walks on a graph, of which the next step depends on the last two nodes (node2vec).

A walk came from t to v. It goes on to x, one of the nodes next to v, with a probability in
proportion to

    w_vx / p    x = t             back to where it came from
    w_vx        x next to t       it stays near
    w_vx / q    any other x       it goes away

with the weights w of the edges, 1 where there are none. A small p makes walks go back and forth, a
small q sends them out. With p = q = 1 the next step forgets t: DeepWalk.

node2vec's program keeps a table for each pair (t, v), Σ_v d_v² entries for degrees d_v: hundreds of
millions for BlogCatalog, where they draw a step in constant time. Here a candidate x is drawn in
proportion to w_vx alone, by an alias table for each node (kernels/skip_gram/alias.py), and accepted
with the probability α / max α, α = 1/p, 1 or 1/q: exactly the same distribution, and a table as
long as the list of edges. A step takes max α / E α tries, with the mean E over the candidates by
their weights: one try for p = q = 1, never more than max α / min α, which is 16 for the paper's
most unequal p = 1/4 and q = 4. That bound grows with p and q: at q = 1000 and p = 1, a node of
1000 neighbours or more, none next to t, takes hundreds of tries, and at p = .01 the limits of the
settings allow 100,000.

Walk n draws from its own part of a Philox stream: its i-th try takes the four words of block
2^32 n + i, two for the candidate, one for its acceptance. So a walk does not depend on how many
others there are, and the two versions are equal: `by_arrays`, in which all walks take a step at the
same time, and `walks_compiled`, a loop over walks on threads, which is the default.

Sources: Grover, Leskovec, "node2vec: scalable feature learning for networks", 2016; Perozzi,
Al-Rfou, Skiena, "DeepWalk: online learning of social representations", 2014; walks by rejection:
Yang, Zhang, Chen et al., "KnightKing: a fast distributed graph random walk engine", 2019.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...core.data import DataError, Graph
from ...kernels.philox.reference import philox4x32
from ...kernels.registry import current_backend
from ...kernels.skip_gram import alias_table

WHOLE = 2**32  # a probability of 1
HALF = np.uint64(32)


@dataclass(frozen=True)
class Neighbourhoods:
    """The nodes next to each node, with an alias table of its edges' weights.

    Node v has near[first[v] : first[v+1]], ascending; entry i of these is drawn as itself below the
    height keep, else as entry `other`. All int64.
    """

    first: np.ndarray
    near: np.ndarray
    keep: np.ndarray
    other: np.ndarray


def neighbourhoods(graph: Graph) -> Neighbourhoods:
    """Those of a graph; edges of weight 0 are none. Raises DataError for a negative weight."""
    edges, weights = graph.edges, graph.weights
    if weights is not None:
        if len(weights) and weights.min() < 0:
            raise DataError(f"{graph.name}: walks need weights that are not negative")
        edges, weights = edges[weights > 0], weights[weights > 0]
    both = np.concatenate([edges, edges[:, ::-1]]).astype(np.int64)
    order = np.lexsort((both[:, 1], both[:, 0]))
    first = np.zeros(graph.nodes + 1, np.int64)
    np.cumsum(np.bincount(both[:, 0], minlength=graph.nodes), out=first[1:])
    near = both[order, 1]
    place = np.arange(len(near)) - np.repeat(first[:-1], np.diff(first))
    keep, other = np.full(len(near), WHOLE), place
    if weights is not None:
        weights = np.concatenate([weights, weights])[order]
        for a, b in pairwise(first):
            if b > a:
                keep[a:b], other[a:b] = alias_table(weights[a:b])
    return Neighbourhoods(first, near, keep, other)


def acceptances(p: float, q: float) -> np.ndarray:
    """α / max α of a candidate that is t, is next to t, or neither, in units of 2^-32: int64 [3].

    >>> (acceptances(2.0, 0.5) / 2**32).tolist()
    [0.25, 0.5, 1.0]
    """
    alpha = np.array([1 / p, 1.0, 1 / q])
    return np.maximum(1, np.round(alpha / alpha.max() * WHOLE)).astype(np.int64)


def walks(
    graph: Neighbourhoods, starts: np.ndarray, length: int, p: float, q: float, seed: int
) -> np.ndarray:
    """A walk from each of the nodes `starts`, int64 [N, length]; -1 beyond the end.

    Only a walk from a node without a neighbour ends early. `seed` is that of a Philox stream.

    >>> ring = Graph("ring", 4, np.array([[0, 1], [1, 2], [2, 3], [0, 3]]))
    >>> walks(neighbourhoods(ring), np.array([0, 2]), 5, p=1e3, q=1.0, seed=1).tolist()
    [[0, 3, 2, 1, 0], [2, 3, 0, 1, 2]]
    """
    starts, bounds = np.ascontiguousarray(starts, np.int64), acceptances(p, q)
    if current_backend() == "reference":
        return by_arrays(graph, starts, length, bounds, seed)
    from .walks_compiled import by_loops  # on the host, whatever device learns from them

    return by_loops(graph, starts, length, bounds, seed)


def by_arrays(graph, starts, length: int, bounds, seed: int) -> np.ndarray:
    """As `walks`, in NumPy: every walk that is not at its end takes a try at the same time."""
    degree, nodes = np.diff(graph.first), len(graph.first) - 1
    linked = np.repeat(np.arange(nodes), degree) * nodes + graph.near  # ascending
    out = np.full((len(starts), length), -1)
    out[:, 0] = starts
    at, tries = np.zeros((2, len(starts)), np.int64)
    active = np.flatnonzero((degree[starts] > 0) & (length > 1))
    while len(active):
        here = at[active]
        v, t = out[active, here], np.where(here > 0, out[active, here - 1], -1)
        zero = np.zeros(len(active), np.uint64)
        counter = tries[active].astype(np.uint64), active.astype(np.uint64), zero, zero
        words = philox4x32(counter, (seed % 2**32, seed >> 32))
        column = ((words[0] * degree[v].astype(np.uint64)) >> HALF).astype(np.int64)
        entry = graph.first[v] + column
        own = words[1].astype(np.int64) < graph.keep[entry]
        x = graph.near[np.where(own, entry, graph.first[v] + graph.other[entry])]
        key = t * nodes + x
        found = linked[np.minimum(np.searchsorted(linked, key), len(linked) - 1)] == key
        bound = np.where(x == t, bounds[0], np.where(found, bounds[1], bounds[2]))
        free = (t < 0) | (degree[v] == 1)  # of one candidate there is nothing to refuse
        taken = free | (words[2].astype(np.int64) < bound)
        tries[active] += 1
        moved = active[taken]
        at[moved] += 1
        out[moved, at[moved]] = x[taken]
        active = active[at[active] < length - 1]
    return out
