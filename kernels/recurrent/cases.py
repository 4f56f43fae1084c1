"""Sizes of cells, and how weights are drawn, for the cases of both families."""

# N, H: one number, tails around the widths of vectors, size 0
CELLS = [(1, 1), (3, 31), (31, 3), (33, 33), (5, 64), (2, 127), (0, 5), (4, 0)]
BENCH_CELLS = [(128, 128), (20, 200), (64, 1024)]


def weights(draw, rows, h):
    """[rows, h], smaller by √h: sums over h then leave the gates open."""
    return draw(rows, h) / max(h, 1) ** 0.5
