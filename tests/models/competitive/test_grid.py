"""The grids of a map against positions counted by hand and images of a torus laid side by side."""

from typing import get_args

import numpy as np
import pytest

from glassgrad.core.training.settings import SettingError
from glassgrad.models.competitive.grid import LATTICES, Grid, Kind

KINDS = get_args(Kind)


def test_the_rectangular_grid_is_the_lectures_metric():
    r = Grid(3, 4).distance
    for a in range(3):
        for b in range(4):
            for m in range(3):
                for h in range(4):
                    want = np.sqrt((m - a) ** 2 + (h - b) ** 2)
                    assert r[a * 4 + b, m * 4 + h] == pytest.approx(want)


@pytest.mark.parametrize("kind", KINDS)
def test_a_torus_is_the_nearest_of_its_images(kind):
    grid = Grid(4, 5, kind, torus=True)
    at = Grid(4, 5, kind).positions
    period = np.array([5.0, 4 * grid.lattice.height])
    images = [at + period * (i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    want = np.min([np.linalg.norm(at[:, None] - image, axis=2) for image in images], axis=0)
    assert np.allclose(grid.distance, want)
    assert np.ptp(np.sort(want, axis=1), axis=0).max() < 1e-9  # every node sees the same world


@pytest.mark.parametrize(("kind", "count"), [("rectangular", 8), ("hexagonal", 6)])
def test_neighbours(kind, count):
    open_, closed = Grid(6, 5, kind), Grid(6, 5, kind, torus=True)
    inside = [m * 5 + h for m in range(1, 5) for h in range(1, 4)]
    assert (open_.neighbours[inside].sum(axis=1) == count).all()
    assert (closed.neighbours.sum(axis=1) == count).all()
    for grid in (open_, closed):
        assert (grid.neighbours == grid.neighbours.T).all() and not grid.neighbours.diagonal().any()
    assert open_.neighbours[0].sum() == {"rectangular": 3, "hexagonal": 2}[kind]
    assert not open_.neighbours[0, 25] and closed.neighbours[0, 25]  # first row and last row


def test_hexagonal_neighbours_are_all_at_the_same_distance():
    grid = Grid(6, 5, "hexagonal", torus=True)
    assert np.allclose(grid.distance[grid.neighbours], 1)
    assert {int(k) for k in np.flatnonzero(Grid(3, 3, "hexagonal").neighbours[4])} == {
        1, 2, 3, 5, 7, 8
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_cells_fill_the_plane_without_overlap(kind):
    cells, rng = Grid(4, 4, kind).cells, np.random.default_rng(0)
    points = rng.uniform(0.6, 1.9, (500, 2))

    def inside(corners):
        edge = np.roll(corners, -1, axis=0) - corners
        away = points[:, None] - corners
        return (edge[:, 0] * away[:, :, 1] - edge[:, 1] * away[:, :, 0] >= 0).all(axis=1)

    assert (np.sum([inside(c) for c in cells], axis=0) == 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_borders_part_nodes_of_different_labels(kind):
    grid = Grid(4, 3, kind)
    assert grid.borders(np.zeros(12)).shape == (0, 2, 2)
    lone = np.arange(12) == 4
    edges = grid.borders(lone)
    assert len(edges) == grid.cells.shape[1]  # all round the one node
    assert np.allclose(edges.reshape(-1, 2).mean(axis=0), grid.positions[4])
    halves = grid.borders(np.arange(12) >= 6)
    assert len(halves) == {"rectangular": 3, "hexagonal": 5}[kind]


def test_what_is_no_grid_is_refused():
    with pytest.raises(SettingError, match=r"one of rectangular, hexagonal;.* mean 'hexagonal'"):
        Grid(3, 3, "hexagon")
    with pytest.raises(SettingError, match="hexagonal torus needs an even number of rows; got 3"):
        Grid(3, 4, "hexagonal", torus=True)
    assert Grid(3, 4, torus=True).rows == 3
    assert tuple(LATTICES) == KINDS == ("rectangular", "hexagonal")
