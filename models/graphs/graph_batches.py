"""Many graphs at once: what their nodes know, and all of them as one graph in blocks.

A node knows its label, of L, its features, if it has any, and, with `degrees`, how many neighbours
it has. All that is one row of numbers, most of them 0 ::

    x_i = [label one-hot | features | degree one-hot]

n nodes of G graphs, one after another, make a matrix X [n, D]; their neighbourhoods are blocks
along the diagonal of one matrix [n, n]; `first` [G + 1] says where the nodes of each graph begin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from ... import core as gg
from ...core.data import DataError, Graph
from .neighbourhoods import SparseRows, joined, neighbours


@dataclass(frozen=True)
class Joined:
    """G graphs as one: features [n, D], neighbourhoods [n, n], and the first node of each."""

    x: SparseRows
    at: SparseRows
    first: np.ndarray  # int64 [G + 1]

    def sums(self, mean: bool) -> SparseRows:
        """The matrix [G, n] that adds up, or averages, the nodes of each graph."""
        sizes = np.diff(self.first)
        values = np.repeat(1 / np.maximum(sizes, 1) if mean else np.ones(len(sizes)), sizes)
        pattern = gg.SparsePattern(self.first, np.arange(self.first[-1]), int(self.first[-1]))
        return SparseRows(pattern, values.astype(np.float32))


class Encoder:
    """What the nodes of some graphs know, as numbers; sizes are those of the training graphs.

    A label or a degree beyond them has no column of its own: the label is no number at all, the
    degree counts as the largest. What a graph gives is kept as long as the graph is.
    """

    def __init__(self, graphs: Sequence[Graph], degrees: bool, norm: str, loops: bool):
        labels = [g.labels.max(initial=-1) for g in graphs if g.labels is not None]
        self.labels = 1 + int(max(labels, default=-1))
        self.features = max((g.features[3][1] for g in graphs if g.features), default=0)
        largest = max((g.degree().max(initial=0) for g in graphs), default=0)
        self.degrees = 1 + int(largest) if degrees else 0
        self.norm, self.loops = norm, loops
        self.size = max(1, self.labels + self.features + self.degrees)
        self._kept = WeakKeyDictionary()

    def one(self, g: Graph) -> tuple[SparseRows, SparseRows]:
        """(features, neighbourhoods) of one graph. Raises DataError for other features."""
        if g not in self._kept:
            self._kept[g] = self._features(g), neighbours(g, self.norm, self.loops)
        return self._kept[g]

    def _features(self, g: Graph) -> SparseRows:
        own = np.arange(g.nodes)
        rows, columns, values = [], [], []

        def add(at, column, value):
            rows.append(at), columns.append(column), values.append(value)

        if g.labels is not None:
            known = own[(g.labels >= 0) & (g.labels < self.labels)]
            add(known, g.labels[known], np.ones(len(known)))
        width = g.features[3][1] if g.features is not None else 0
        if width != self.features:
            raise DataError(f"{g.name} has {width} features, not {self.features}")
        if g.features is not None:
            data, indices, indptr, _ = g.features
            add(np.repeat(own, np.diff(indptr)), self.labels + indices, data)
        if self.degrees:
            degree = np.minimum(g.degree(), self.degrees - 1)
            add(own, self.labels + self.features + degree, np.ones(g.nodes))
        if not self.labels + self.features + self.degrees:
            add(own, np.zeros(g.nodes, np.int64), np.ones(g.nodes))
        rows, columns, values = map(np.concatenate, (rows, columns, values))
        order = np.lexsort((columns, rows))
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=g.nodes))])
        pattern = gg.SparsePattern(indptr, columns[order], self.size)
        return SparseRows(pattern, values[order].astype(np.float32))

    def __call__(self, graphs: Sequence[Graph]) -> Joined:
        """All of them as one."""
        features, matrices = zip(*map(self.one, graphs))
        ends = np.cumsum([0, *(f.pattern.entries for f in features)])
        indptr = [f.pattern.indptr[1:] + end for f, end in zip(features, ends)]
        pattern = gg.SparsePattern(
            np.concatenate([[0], *indptr]),
            np.concatenate([f.pattern.indices for f in features]),
            self.size,
        )
        x = SparseRows(pattern, np.concatenate([f.values for f in features]))
        first = np.cumsum([0, *(g.nodes for g in graphs)])
        return Joined(x, joined(matrices), first)
