"""A graph as layers see it: who is next to whom, with which weight, and the features of the nodes.

    A    the adjacency matrix [N, N] of an undirected graph, A_uv = weight of the edge, or 1
    Ã    A + I, with a loop of weight 1 at each node
    D    the diagonal matrix of the sums of its rows

    norm        matrix                     h'_i is
    symmetric   D^-1/2 A D^-1/2            a sum with the weights A_ij / √(D_i D_j)
    mean        D^-1 A                     the mean over the neighbours
    sum         A                          their sum

Each with loops, where A stands for Ã, or without. A node without neighbours gets zeros. Several
graphs are one, in blocks along the diagonal (`joined`): no edge leads from one to another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ... import core as gg
from ...core.arrays import device_of, to_device
from ...core.data import Graph
from ...core.sparsity import block_diagonal
from ...core.training.settings import SettingError


class SparseMatrix(NamedTuple):
    """A sparse matrix with the values [E] as a tensor, where the parameters are."""

    pattern: gg.SparsePattern
    values: gg.Tensor


@dataclass(frozen=True, eq=False)
class SparseRows:
    """A sparse matrix with constant values [E], float32: neighbours of nodes, or their features."""

    pattern: gg.SparsePattern
    values: np.ndarray
    _kept: dict = field(default_factory=dict, repr=False)

    def on(self, like: gg.Tensor) -> SparseMatrix:
        """The matrix with values of the dtype of a tensor, on its device."""
        key = device_of(like.data), str(like.dtype)
        if key not in self._kept:
            values = gg.Tensor(to_device(self.values.astype(like.dtype), key[0]))
            self._kept[key] = SparseMatrix(self.pattern, values)
        return self._kept[key]

    def times(self, h: gg.Tensor) -> gg.Tensor:
        """The product with h [M, D]: a sum over neighbours."""
        return gg.spmm(self.on(h).values, h, self.pattern)

    def heads(self, count: int) -> gg.SparsePattern:
        """The pattern as many times along the diagonal, a block for each head of attention.

        >>> g = Graph("pair", 2, np.array([[0, 1]]))
        >>> neighbours(g, "sum", loops=False).heads(3)
        SparsePattern(6 x 6, 6 entries)
        """
        if count == 1:
            return self.pattern
        if count not in self._kept:
            self._kept[count] = block_diagonal([self.pattern] * count)
        return self._kept[count]


def neighbours(g: Graph, norm: str, loops: bool) -> SparseRows:
    """One of the matrices of the page above, by rows, each with its columns in ascending order.

    Raises SettingError for a negative weight, of which no root and no mean is taken.

    >>> path = Graph("path", 3, np.array([[0, 1], [1, 2]]))
    >>> found = neighbours(path, "mean", loops=True)
    >>> found.pattern.indices.tolist(), (6 * found.values).tolist()
    ([0, 1, 0, 1, 2, 1, 2], [3.0, 3.0, 2.0, 2.0, 2.0, 3.0, 3.0])
    """
    weights = np.ones(len(g.edges)) if g.weights is None else g.weights.astype(np.float64)
    if norm != "sum" and (weights < 0).any():
        raise SettingError(f"{g.name}: the weight of an edge is negative; form=gin or gat take it")
    (u, v), own = g.edges.T, np.arange(g.nodes if loops else 0)
    rows, columns = np.concatenate([u, v, own]), np.concatenate([v, u, own])
    values = np.concatenate([weights, weights, np.ones(len(own))])
    order = np.lexsort((columns, rows))
    rows, columns, values = rows[order], columns[order], values[order]
    degree = np.bincount(rows, weights=values, minlength=g.nodes)
    degree[degree == 0] = 1  # its entries are 0, if there are any
    if norm == "mean":
        values = values / degree[rows]
    elif norm == "symmetric":
        values = values / np.sqrt(degree[rows] * degree[columns])
    return SparseRows(_pattern(rows, columns, (g.nodes, g.nodes)), values.astype(np.float32))


def _pattern(rows, columns, shape: tuple[int, int]) -> gg.SparsePattern:
    """The pattern of entries that are sorted by row."""
    counts = np.bincount(rows, minlength=shape[0])
    return gg.SparsePattern(np.concatenate([[0], np.cumsum(counts)]), columns, shape[1])


def features(g: Graph, normalise: bool = True) -> SparseRows:
    """The features of the nodes [N, D] as sparse rows; without any, X = I: each node is its own.

    With `normalise` the absolute values of each row sum to 1, unless they are all 0.

    >>> features(Graph("pair", 2, np.array([[0, 1]]))).pattern
    SparsePattern(2 x 2, 2 entries)
    """
    if g.features is None:
        own = np.arange(g.nodes + 1)
        return SparseRows(gg.SparsePattern(own, own[:-1], g.nodes), np.ones(g.nodes, np.float32))
    data, indices, indptr, shape = g.features
    pattern, values = gg.SparsePattern(indptr, indices, shape[1]), data.astype(np.float64)
    if normalise:
        sums = np.bincount(pattern.rows, weights=np.abs(values), minlength=shape[0])
        values = values / np.where(sums == 0, 1, sums)[pattern.rows]
    return SparseRows(pattern, values.astype(np.float32))


def joined(parts: Sequence[SparseRows]) -> SparseRows:
    """Several matrices as blocks along the diagonal of one.

    >>> pair = Graph("pair", 2, np.array([[0, 1]]))
    >>> joined([neighbours(pair, "sum", loops=False)] * 2).pattern.indices.tolist()
    [1, 0, 3, 2]
    """
    values = np.concatenate([p.values for p in parts])
    return SparseRows(block_diagonal([p.pattern for p in parts]), values)
