"""One graph: nodes with sparse features and labels, and undirected edges, each listed once.

edges     int64 [E, 2], u < v, no loops
features  CSR: row n has the columns indices[indptr[n] : indptr[n+1]] with the values of data
A         the symmetric adjacency matrix [N, N]: A_uv = A_vu = weight of edge (u, v), else 0
labels    one class for each node; -1 where it is not known, and such a node is in no split
"""

from dataclasses import dataclass, field

import numpy as np

from .dataset import Info
from .files import DataError

MOST_DENSE = 4 << 30  # bytes of the features as one array


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph of `nodes` nodes. Raises DataError if its parts are inconsistent."""

    name: str
    nodes: int
    edges: np.ndarray  # int64 [E, 2]
    labels: np.ndarray | None = None  # int64 [N]; one class for each node
    label_pairs: np.ndarray | None = None  # int64 [P, 2]: node, group; any number of groups
    features: tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]] | None = (
        None  # data, indices, indptr, (N, D)
    )
    weights: np.ndarray | None = None  # float32 [E]
    edge_labels: np.ndarray | None = None  # int64 [E]
    edge_features: np.ndarray | None = None  # float32 [E, K]
    train: np.ndarray | None = None  # int64, indices of nodes
    valid: np.ndarray | None = None
    test: np.ndarray | None = None
    node_names: tuple[str, ...] = ()
    info: Info = field(default_factory=Info)

    def __post_init__(self):
        e = self.edges
        self._expect(e.ndim == 2 and e.shape[1] == 2, f"edges must be [E, 2]; got {e.shape}")
        self._inside("edges", e, self.nodes)
        loops = np.flatnonzero(e[:, 0] >= e[:, 1])
        self._expect(not loops.size, f"edge {loops[:1]} must have u < v (no loops)")
        keys = np.sort(e[:, 0] * self.nodes + e[:, 1])  # np.unique takes ten times as long
        self._expect((keys[1:] != keys[:-1]).all(), "an edge is listed twice")
        sizes = {"labels": self.nodes, "weights": len(e), "edge_labels": len(e)}
        for name, of in (sizes | {"edge_features": len(e)}).items():
            a = getattr(self, name)
            if a is not None:
                n = len(a) if a.ndim else 0
                self._expect(n == of, f"{name} must have length {of}; got {n}")
        for name in ("train", "valid", "test"):
            if getattr(self, name) is not None:
                self._inside(name, getattr(self, name), self.nodes)
        for name, what in (("weights", "a weight"), ("edge_features", "an edge feature")):
            a = getattr(self, name)
            self._expect(a is None or np.isfinite(a).all(), f"{what} is not finite")
        if self.features is not None:
            self._check_features()

    def _expect(self, ok, message: str) -> None:
        if not ok:
            raise DataError(f"graph {self.name}: {message}")

    def _inside(self, name: str, a: np.ndarray, below: int) -> None:
        self._expect(a.size == 0 or a.dtype.kind in "iu", f"{name} must hold integers")
        ok = a.size == 0 or (a.min() >= 0 and a.max() < below)
        self._expect(ok, f"{name} must lie in 0 .. {below - 1}")

    def _check_features(self) -> None:
        data, indices, indptr, shape = self.features
        self._expect(shape[0] == self.nodes, f"features have {shape[0]} rows, not {self.nodes}")
        ok = len(indptr) == self.nodes + 1 and indptr[0] == 0 and indptr[-1] == len(data)
        self._expect(ok and (np.diff(indptr) >= 0).all(), "features.indptr is not a CSR pointer")
        self._expect(len(indices) == len(data), "features.indices and .data differ in length")
        self._inside("features.indices", indices, shape[1])
        self._expect(np.isfinite(data).all(), "a feature is not finite")

    def degree(self) -> np.ndarray:
        """The number of edges at each node, int64 [N]."""
        return np.bincount(self.edges.reshape(-1), minlength=self.nodes)

    def neighbours(self) -> list[np.ndarray]:
        """The neighbours of each node in ascending order."""
        both = np.concatenate([self.edges, self.edges[:, ::-1]])
        both = both[np.lexsort((both[:, 1], both[:, 0]))]
        return np.split(both[:, 1], np.cumsum(self.degree())[:-1])

    def adjacency(self):
        """A as a SciPy CSR matrix [N, N] of float32: the weights, or ones."""
        from scipy.sparse import csr_matrix

        u, v = self.edges.T
        w = np.ones(len(u), np.float32) if self.weights is None else self.weights
        both = (np.concatenate([w, w]), (np.concatenate([u, v]), np.concatenate([v, u])))
        return csr_matrix(both, shape=(self.nodes, self.nodes), dtype=np.float32)

    def sparse_features(self):
        """The features as a SciPy CSR matrix [N, D]."""
        from scipy.sparse import csr_matrix

        self._expect(self.features is not None, "there are no features")
        data, indices, indptr, shape = self.features
        return csr_matrix((data, indices, indptr), shape=shape)

    def dense_features(self) -> np.ndarray:
        """The features as an array [N, D] of float32. Raises DataError beyond 4 GiB."""
        self._expect(self.features is not None, "there are no features")
        data, indices, indptr, shape = self.features
        size = 4 * shape[0] * shape[1]
        self._expect(size <= MOST_DENSE, f"the features as one array take {size / 2**30:.1f} GiB")
        dense = np.zeros(shape, np.float32)
        rows = np.repeat(np.arange(self.nodes), np.diff(indptr))
        np.add.at(dense, (rows, indices), data)
        return dense

    def label_matrix(self) -> np.ndarray:
        """The groups of each node as 0/1, uint8 [N, K], from `label_pairs`."""
        self._expect(self.label_pairs is not None, "there are no label pairs")
        groups = int(self.label_pairs[:, 1].max(initial=-1)) + 1
        out = np.zeros((self.nodes, groups), np.uint8)
        out[self.label_pairs[:, 0], self.label_pairs[:, 1]] = 1
        return out


def undirected(pairs: np.ndarray) -> np.ndarray:
    """The edges u < v among `pairs` [P, 2], each once, in ascending order; loops are dropped.

    >>> undirected(np.array([[2, 1], [1, 2], [0, 2], [1, 1]])).tolist()
    [[0, 2], [1, 2]]
    """
    pairs = np.sort(np.asarray(pairs, np.int64).reshape(-1, 2), axis=1)
    return np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
