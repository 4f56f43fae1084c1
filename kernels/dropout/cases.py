"""Cases of dropout: tails of the 4-word block, any number of axes, size 0, p at both ends."""

import math

from ..case import Case

SEED, HIGH = 0x9E3779B97F4A7C15, 2**32 - 2


def _forward(shape: tuple, p: float = 0.5, offset: int = 0, bench: bool = False) -> Case:
    return Case(
        "dropout",
        "forward",
        f"shape {shape} p {p} offset {offset}",
        lambda draw, dtype: (draw(*shape), p, SEED, offset),
        flops=22 * math.prod(shape),
        bytes=8 * math.prod(shape),
        exact=p in (0.0, 0.5, 0.75),  # 1 / (1 - p) is a power of two
        bench=bench,
    )


CASES = [
    *(_forward(s) for s in ((0,), (1,), (31,), (33,), (127,), (3, 0), (2, 3, 5, 7))),
    *(_forward((9, 7), p) for p in (0.0, 0.1, 0.75, 1 - 2.0**-24, 2.0**-30)),
    _forward((33,), offset=HIGH),
    _forward((100, 200), bench=True),
    _forward((4096, 1024), 0.2, bench=True),
]
