"""The GRU's shapes: tails around vector widths, size 0, both variants, with and without bias.

Costs are counted and arguments drawn as in `kernels/lstm/cases.py`. In the backward pass of the
library variant the product h W_nᵀ + b_n counts too: the arguments do not hold it.
"""

from ..case import Case
from ..recurrent.cases import BENCH_CELLS, CELLS, weights
from . import VARIANTS, reference

# T, N, H, bias
SEQUENCES = [
    (1, 1, 1, True),
    (3, 2, 31, False),
    (2, 31, 3, True),
    (9, 3, 33, True),  # more steps than there are sequences
    (2, 2, 127, False),
    (2, 29, 17, True),  # two threads, each with rows for several tiles, not all of one height
    (3, 8, 64, True),
    (0, 3, 4, True),
    (0, 3, 4, False),
    (3, 0, 4, True),
    (3, 2, 0, True),
]
BENCH_SEQUENCES = [(28, 128, 128, True), (35, 20, 200, True)]


def cell(n, h, variant, bench):
    """Both passes of one step: n sequences, h units."""

    def forward(draw, dtype):
        return draw(n, 3 * h), draw(n, 3 * h), draw(n, h), variant

    def backward(draw, dtype):
        xa, ha, old, _ = forward(draw, dtype)
        _, gates = reference.cell_forward(xa, ha, old, variant)
        return draw(n, h), gates, ha, old, variant

    name, library = f"N{n} H{h} {variant}", variant == "library"
    # forward: 3 functions, 3 sums (and r ha_n), 4 for h'. Reads xa, ha, h; writes h', gates.
    flops = (11 if library else 10) * n * h
    yield Case("gru", "cell_forward", name, forward, flops, 4 * 11 * n * h, bench=bench)
    # backward: a_z 5, a_n 5 or 4, straight path 1 or 2; library also a_r 4, gha_n 1.
    flops = (16 if library else 11) * n * h
    # Reads gh, h, z, n and, library, r and ha_n; writes gxa, gha, gh.
    numbers = (13 if library else 11) * n * h
    yield Case("gru", "cell_backward", name, backward, flops, 4 * numbers, bench=bench)


def sequence(t, n, h, bias, variant, bench):
    """Both passes of t steps: n sequences, h units, with or without bias of the state."""

    def forward(draw, dtype):
        bh = draw(3 * h) if bias else None
        return draw(t, n, 3 * h), draw(n, h), weights(draw, 3 * h, h), bh, variant

    def backward(draw, dtype):
        xa, h0, wh, bh, _ = forward(draw, dtype)
        hs, gates = reference.sequence_forward(xa, h0, wh, bh, variant)
        return draw(t, n, h), hs, gates, h0, wh, bh, variant

    name, library = f"T{t} N{n} H{h} {variant}{' bias' if bias else ''}", variant == "library"
    products, cells, steps, row = 6 * n * h * h, n * h, t * n * h, 3 * h if bias else 0
    yield Case(
        "gru",
        "sequence_forward",
        name,
        forward,
        t * (products + (14 if bias else 11) * cells),
        4 * (7 * steps + cells + 3 * h * h + row),
        reduction=max(1, h),
        bench=bench,
    )
    again = (2 * n * h * h + (cells if bias else 0)) if library else 0
    yield Case(
        "gru",
        "sequence_backward",
        name,
        backward,
        t * (2 * products + again + ((18 if library else 20) + (3 if bias else 0)) * cells),
        4 * (8 * steps + 2 * cells + 6 * h * h + 2 * row),
        reduction=max(1, t * n, 3 * h),
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
    for variant in VARIANTS
    for case in make(*shape, variant, bench)
]
