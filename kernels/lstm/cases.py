"""The LSTM's shapes: tails around vector widths, size 0, with and without peepholes; and the costs.

Costs count one operation for each addition, multiplication, σ and tanh, and one number read or
written once. The arguments of the backward passes come from the reference's forward pass, so that
gates lie in (0, 1) and belong to their states; weights are drawn smaller by √H to keep the gates
open.
"""

from ..case import Case
from ..recurrent.cases import BENCH_CELLS, CELLS, weights
from . import reference

# T, N, H, peepholes
SEQUENCES = [
    (1, 1, 1, False),
    (1, 1, 1, True),
    (3, 2, 31, False),
    (2, 31, 3, True),
    (9, 3, 33, False),  # more steps than there are sequences
    (9, 3, 33, True),
    (2, 2, 127, False),
    (2, 29, 17, True),  # two threads, each with rows for several tiles, not all of one height
    (3, 8, 64, False),
    (0, 3, 4, False),
    (0, 3, 4, True),
    (3, 0, 4, True),
    (3, 2, 0, True),
]
BENCH_SEQUENCES = [(28, 128, 128, False), (28, 128, 128, True), (35, 20, 200, False)]


def cell(n, h, bench):
    """Both passes of one step: n sequences, h units."""

    def forward(draw, dtype):
        return draw(n, 4 * h), draw(n, h)

    def backward(draw, dtype):
        a, c = forward(draw, dtype)
        _, c_new, gates = reference.cell_forward(a, c)
        return draw(n, h), draw(n, h), gates, c, c_new

    name = f"N{n} H{h}"
    # forward: 5 functions, 4 operations of C' and h. Reads a, c; writes h, C', gates.
    yield Case("lstm", "cell_forward", name, forward, 9 * n * h, 4 * 11 * n * h, bench=bench)
    # backward: tanh, then 4 + 5 + 4 + 4 + 4 + 1 operations in the order of the page.
    yield Case("lstm", "cell_backward", name, backward, 23 * n * h, 4 * 13 * n * h, bench=bench)


def sequence(t, n, h, peep, bench):
    """Passes of t steps: n sequences, h units, with or without peepholes."""

    def forward(draw, dtype):
        p = weights(draw, 3 * h, h) if peep else None
        return draw(t, n, 4 * h), draw(n, h), draw(n, h), weights(draw, 4 * h, h), p

    def backward(draw, dtype, with_gcs):
        xa, h0, c0, wh, p = forward(draw, dtype)
        hs, cs, gates = reference.sequence_forward(xa, h0, c0, wh, p)
        gcs = draw(t, n, h) if with_gcs else None
        return draw(t, n, h), gcs, hs, cs, gates, h0, c0, wh, p

    name = f"T{t} N{n} H{h}{' peepholes' if peep else ''}"
    rows = 7 if peep else 4  # of weights, in units of H
    products, cells, steps = 2 * rows * n * h * h, n * h, t * n * h
    yield Case(
        "lstm",
        "sequence_forward",
        name,
        forward,
        t * (products + (9 + rows) * cells),
        4 * (10 * steps + 2 * cells + rows * h * h),
        reduction=max(1, h),
        bench=bench,
    )
    for with_gcs in (False,) if bench else (False, True):
        yield Case(
            "lstm",
            "sequence_backward",
            f"{name}{' gcs' if with_gcs else ''}",
            lambda draw, dtype, with_gcs=with_gcs: backward(draw, dtype, with_gcs),
            t * (2 * products + (24 + with_gcs + (3 if peep else 0)) * cells),
            4 * ((11 + with_gcs) * steps + 4 * cells + 2 * rows * h * h),
            reduction=max(1, t * n, 4 * h),
            bench=bench,
        )


CASES = [
    case
    for make, shapes, bench in (
        (cell, CELLS, False),
        (sequence, SEQUENCES, False),
        (cell, BENCH_CELLS, True),
        (sequence, BENCH_SEQUENCES, True),
    )
    for shape in shapes
    for case in make(*shape, bench)
]
