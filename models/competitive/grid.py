"""The grids of a map: where its nodes are, how far apart, and which of them are neighbours.

    rectangular     the lecture's {1..M} x {1..H}: node (m, h) at x = h, y = m; its neighbours are
                    the eight around it, diagonals included
    hexagonal       every other row half a step to the right, rows √3/2 apart: the six nodes around
                    each are all at distance 1, so no direction is favoured
    torus           either of them without a border: the last row is next to the first, the last
                    column next to the first; distances go the shorter way round

Training needs only the vertical and horizontal distances v and h of each pair of nodes. From them a
neighbourhood K(v, h) becomes a table [M, M] for the kernels of kernels/som, which know no grid.

Two nodes are neighbours if r = √(v² + h²) < 1.5, which is between the neighbours' distances (at
most √2 on the rectangular, 1 on the hexagonal grid) and the next ones (2 and √3).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...core.training.settings import SettingError
from ...kernels.errors import nearest

REACH = 1.5


@dataclass(frozen=True)
class Lattice:
    """Distance of rows, shift of every other row, corners of a cell relative to its node."""

    height: float
    shift: float
    corners: tuple[tuple[float, float], ...]  # (x, y)


TALL = 1 / np.sqrt(3)  # from the node to the upper corner of a hexagon whose width is 1
LATTICES = {
    "rectangular": Lattice(1.0, 0.0, ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))),
    "hexagonal": Lattice(
        np.sqrt(3) / 2, 0.5,
        ((0.0, -TALL), (0.5, -TALL / 2), (0.5, TALL / 2), (0.0, TALL), (-0.5, TALL / 2),
         (-0.5, -TALL / 2)),
    ),
}  # fmt: skip
Kind = Literal["rectangular", "hexagonal"]


@dataclass(frozen=True)
class Grid:
    """rows x columns nodes; node number = row·columns + column.

    Raises SettingError for an unknown kind, and for a hexagonal torus with an odd number of rows:
    its first and last row would then be shifted alike.

    >>> Grid(2, 2).distance[0].round(3).tolist()
    [0.0, 1.0, 1.0, 1.414]
    >>> Grid(2, 2, "hexagonal").distance[0].round(3).tolist()
    [0.0, 1.0, 1.0, 1.732]
    >>> Grid(1, 5, torus=True).distance[0].tolist()
    [0.0, 1.0, 2.0, 2.0, 1.0]
    """

    rows: int
    columns: int
    kind: Kind = "rectangular"
    torus: bool = False

    def __post_init__(self):
        if self.kind not in LATTICES:
            known, hint = ", ".join(LATTICES), nearest(self.kind, LATTICES)
            raise SettingError(f"grid must be one of {known}; got {self.kind!r}{hint}")
        if self.torus and self.lattice.shift and self.rows % 2:
            raise SettingError(f"a hexagonal torus needs an even number of rows; got {self.rows}")

    @property
    def lattice(self) -> Lattice:
        """The geometry of this kind of grid."""
        return LATTICES[self.kind]

    @property
    def positions(self) -> np.ndarray:
        """Positions of the nodes, x to the right and y down: [M, 2]."""
        m, h = np.divmod(np.arange(self.rows * self.columns), self.columns)
        return np.stack([h + self.lattice.shift * (m % 2), self.lattice.height * m], axis=1)

    @property
    def offsets(self) -> tuple[np.ndarray, np.ndarray]:
        """Vertical and horizontal distance of each pair of nodes, v [M, M] and h [M, M]."""
        at = self.positions
        h, v = np.abs(at[:, None] - at).transpose(2, 0, 1)
        if self.torus:
            v = np.minimum(v, self.rows * self.lattice.height - v)
            h = np.minimum(h, self.columns - h)
        return v, h

    @property
    def distance(self) -> np.ndarray:
        """r [M, M], the lecture's √((m - m')² + (h - h')²) on the rectangular grid."""
        return np.hypot(*self.offsets)

    @property
    def neighbours(self) -> np.ndarray:
        """True where two nodes are neighbours: booleans [M, M]; no node is its own neighbour.

        >>> Grid(4, 4, "hexagonal", torus=True).neighbours.sum(axis=1).tolist() == [6] * 16
        True
        """
        r = self.distance
        return (r > 0) & (r < REACH)

    @property
    def cells(self) -> np.ndarray:
        """The polygon around each node, for drawing: [M, corners, 2]."""
        return self.positions[:, None] + np.array(self.lattice.corners)

    def borders(self, label: np.ndarray) -> np.ndarray:
        """The edges of cells between nodes of different labels [M], as drawn: [E, 2, 2].

        >>> Grid(1, 2).borders(np.array([0, 1])).tolist()
        [[[0.5, -0.5], [0.5, 0.5]]]
        """
        cells = self.cells
        ends = np.stack([cells, np.roll(cells, -1, axis=1)], axis=2).reshape(-1, 2, 2)
        owner = np.repeat(np.arange(len(cells)), cells.shape[1])
        met, found = {}, []
        for edge, node in zip(ends, owner):
            place = tuple(np.round(edge.mean(axis=0), 6) + 0.0)
            other = met.setdefault(place, node)
            if label[other] != label[node]:
                found.append(edge[::-1] if edge[0].sum() > edge[1].sum() else edge)
        return np.array(found).reshape(-1, 2, 2)
