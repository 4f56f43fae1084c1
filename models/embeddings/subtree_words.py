"""A graph as a bag of words: what each of its nodes sees, up to a depth (Weisfeiler and Lehman).

    word of node v at depth 0       its label; where nodes have none, how many edges it has
    word of node v at depth d       (its word at depth d - 1, those of the nodes next to it, sorted)

A word of depth d stands for the tree that one sees when one walks d steps from v in all directions.
Two nodes get the same word if these trees are equal, so that a word is part of a graph's shape. The
document of a graph has the words of all of its nodes at the depths 0 to h.

Labels of edges are not looked at, as in graph2vec.

Sources: Shervashidze, Schweitzer, van Leeuwen, Mehlhorn, Borgwardt, "Weisfeiler-Lehman graph
kernels", 2011; Weisfeiler, Lehman, 1968.
"""

from collections.abc import Iterable

import numpy as np

from ...core.data import Graph


class SubtreeWords:
    """The words of some graphs, numbered as they come; of other graphs those that are among them.

    `depth` holds the depth of each word, `counts` how often it was met.

    >>> path = Graph("path", 3, np.array([[0, 1], [1, 2]]))
    >>> words = SubtreeWords([path], 1)
    >>> words.document(path).tolist(), words.depth, words.counts.tolist()
    ([0, 1, 0, 2, 3, 2], [0, 0, 1, 1], [2, 1, 2, 1])
    """

    def __init__(self, graphs: Iterable[Graph], depth: int):
        self.most, self.number = depth, {}
        self.depth: list[int] = []
        found = [self._words(g, learn=True) for g in graphs]
        self.counts = np.bincount(np.concatenate(found), minlength=len(self.depth))

    def document(self, graph: Graph) -> np.ndarray:
        """The words of a graph by number, depth after depth, int64 [M], without unknown ones."""
        found = self._words(graph, learn=False)
        return found[found >= 0]

    def _words(self, graph: Graph, learn: bool) -> np.ndarray:
        near = graph.neighbours()
        seen = graph.degree() if graph.labels is None else graph.labels
        keys: list[tuple] = [(0, int(label)) for label in seen]
        found = []
        for depth in range(self.most + 1):
            if depth:  # a node that sees what nobody has seen is unknown from there on
                own = found[-1]
                keys = [(depth, w, *sorted(own[n] for n in near[v])) for v, w in enumerate(own)]
            found.append([self._numbered(key, depth, learn) for key in keys])
        return np.array(found, np.int64).reshape(-1)

    def _numbered(self, key: tuple, depth: int, learn: bool) -> int:
        if key not in self.number:
            if not learn or -1 in key[1:]:
                return -1
            self.number[key] = len(self.depth)
            self.depth.append(depth)
        return self.number[key]
