"""Shapes of pooling that tests and benchmarks share, with the work that each one is."""

from ..case import Case
from . import output_shape
from .reference import max_forward

# N, C, H, W, kernel, stride, padding
SMALL = {
    "one pixel": (1, 1, 1, 1, (1, 1), (1, 1), (0, 0)),
    "plain 2": (2, 3, 8, 6, (2, 2), (2, 2), (0, 0)),
    "rows never used": (2, 3, 9, 7, (2, 2), (2, 2), (0, 0)),
    "overlapping": (2, 2, 9, 8, (3, 3), (2, 2), (1, 1)),
    "overlapping by all but one": (1, 2, 6, 7, (4, 4), (1, 1), (2, 2)),
    "unequal everything": (3, 2, 9, 12, (2, 4), (1, 3), (1, 2)),
    "gaps": (2, 2, 11, 10, (2, 1), (4, 3), (0, 0)),
    "whole plane": (2, 3, 4, 8, (4, 8), (4, 8), (0, 0)),
    "wider than the image": (2, 2, 2, 3, (4, 4), (1, 2), (2, 2)),
    "halves": (2, 16, 12, 16, (2, 2), (2, 2), (0, 0)),
    "tail 31": (1, 2, 31, 31, (2, 2), (2, 2), (1, 1)),
    "tail 33": (1, 33, 33, 33, (2, 2), (2, 2), (0, 0)),
    "tail 127": (1, 1, 127, 127, (3, 3), (2, 2), (1, 1)),
    "batch 127": (127, 1, 5, 4, (2, 2), (1, 1), (0, 0)),
    "empty batch": (0, 3, 6, 6, (2, 2), (2, 2), (0, 0)),
    "no channels": (2, 0, 6, 6, (2, 2), (2, 2), (0, 0)),
}
BENCH = {
    "after the first layer": (64, 32, 28, 28, (2, 2), (2, 2), (0, 0)),
    "overlapping 3x3": (32, 64, 56, 56, (3, 3), (2, 2), (1, 1)),
    "odd sizes": (16, 31, 33, 37, (2, 2), (2, 2), (0, 0)),
}


def _cases(name, bench, N, C, H, W, kernel, stride, padding):
    options = (kernel, stride, padding)
    x = (N, C, H, W)
    y = output_shape(x, *options)
    ins, outs, area = N * C * H * W, N * C * y[2] * y[3], kernel[0] * kernel[1]
    k, s, p = (f"{a}x{b}" for a, b in options)
    label = f"{name}: N{N} C{C} H{H} W{W} k{k} s{s} p{p}"

    def index(draw):
        return max_forward(draw(*x), *options)[1]

    def case(pass_, make, flops, moved, reduction=1, exact=True):
        return Case("pool2d", pass_, label, make, flops, moved, reduction, exact, bench)

    halves = area & (area - 1) == 0  # dividing by a power of two rounds nothing
    return [
        case("max_forward", lambda draw, d: (draw(*x), *options), outs * area, 4 * ins + 12 * outs),
        case(
            "max_backward",
            lambda draw, d: (draw(*y), index(draw), x),
            outs,
            4 * ins + 12 * outs,
            area,
        ),
        case("max_gather", lambda draw, d: (draw(*x), index(draw)), 0, 16 * outs),
        case(
            "avg_forward",
            lambda draw, d: (draw(*x), *options),
            outs * area,
            4 * (ins + outs),
            area,
            halves,
        ),
        case(
            "avg_backward",
            lambda draw, d: (draw(*y), x, *options),
            outs * area,
            4 * (ins + outs),
            area,
            halves,
        ),
    ]


CASES = [case for name, s in SMALL.items() for case in _cases(name, False, *s)]
CASES += [case for name, s in BENCH.items() for case in _cases(name, True, *s)]
