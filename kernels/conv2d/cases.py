"""Shapes of convolution that tests and benchmarks share, with the work that each one is."""

from ..case import Case
from . import output_shape

# N, C, H, W, O, KH, KW, stride, padding, dilation, groups
SMALL = {
    "one pixel": (1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1),
    "plain": (2, 3, 9, 8, 4, 3, 3, 1, 0, 1, 1),
    "stride 2 padding 1": (2, 3, 9, 8, 5, 3, 3, 2, 1, 1, 1),
    "unequal everything": (3, 2, 10, 13, 3, 2, 5, (3, 2), (1, 3), (2, 1), 1),
    "dilation 2": (2, 3, 11, 12, 9, 3, 3, 1, 2, 2, 1),
    "dilation 3 stride 2": (1, 2, 15, 14, 2, 3, 2, 2, 3, 3, 1),
    "padding beyond the kernel": (2, 2, 5, 4, 3, 2, 2, 1, 3, 1, 1),
    "stride beyond the kernel": (2, 3, 11, 13, 2, 2, 1, (3, 4), 0, 1, 1),
    "rows never used": (2, 2, 10, 10, 2, 3, 3, 4, 0, 1, 1),
    "groups 2": (2, 4, 7, 8, 6, 3, 3, 1, 1, 1, 2),
    "depthwise": (2, 5, 8, 7, 5, 3, 3, 2, 1, 1, 5),
    "depthwise, two each": (1, 3, 6, 9, 6, 3, 3, 1, 1, 2, 3),
    "1x1": (2, 7, 5, 6, 9, 1, 1, 1, 0, 1, 1),
    "1x1 stride 2": (2, 4, 7, 6, 3, 1, 1, 2, 0, 1, 1),
    "kernel is the image": (3, 2, 6, 5, 4, 6, 5, 1, 0, 1, 1),
    "3x3": (1, 16, 12, 12, 64, 3, 3, 1, 1, 1, 1),
    "tail 31": (1, 2, 31, 31, 31, 3, 3, 1, 1, 1, 1),
    "tail 33": (1, 33, 33, 33, 3, 3, 3, 1, 1, 1, 1),
    "tail 127": (1, 1, 127, 127, 2, 5, 5, 1, 2, 1, 1),
    "long rows": (1, 1, 2, 1100, 1, 1, 3, 1, 0, 1, 1),
    "batch 33": (33, 3, 5, 5, 2, 3, 3, 1, 1, 1, 1),
    "3x3 all tails": (3, 33, 13, 15, 35, 3, 3, 1, (2, 0), 1, 1),
    "3x3 wide batch": (5, 40, 6, 5, 80, 3, 3, 1, 1, 1, 1),
    "5x5 tails": (2, 5, 9, 11, 37, 5, 5, 1, 2, 1, 1),
    "many maps": (1, 3, 6, 7, 145, 3, 2, (2, 1), 1, (1, 2), 1),
    "large image": (1, 33, 49, 51, 34, 3, 3, 1, 1, 1, 1),
    "empty batch": (0, 3, 6, 6, 4, 3, 3, 1, 1, 1, 1),
}
BENCH = {
    "first layer": (64, 1, 28, 28, 32, 5, 5, 1, 2, 1, 1),
    "second layer": (64, 32, 14, 14, 64, 5, 5, 1, 2, 1, 1),
    "3x3 wide": (32, 64, 28, 28, 64, 3, 3, 1, 1, 1, 1),
    "3x3 stride 2": (16, 64, 28, 28, 128, 3, 3, 2, 1, 1, 1),
    "depthwise 3x3": (16, 64, 28, 28, 64, 3, 3, 1, 1, 1, 64),
    "large images": (8, 64, 56, 56, 64, 3, 3, 1, 1, 1, 1),
    "1x1": (32, 64, 28, 28, 128, 1, 1, 1, 0, 1, 1),
    "odd sizes": (7, 31, 33, 37, 33, 3, 3, 1, 1, 1, 1),
}
# The newest version for these is Winograd's F(4x4), which multiplies by thirds
ROUNDED = {"large image", "large images"}


def _pairs(*options):
    return [o if isinstance(o, tuple) else (o, o) for o in options]


def _cases(name, bench, N, C, H, W, O, KH, KW, stride, padding, dilation, groups):
    options = (*_pairs(stride, padding, dilation), groups)
    x, w = (N, C, H, W), (O, C // groups, KH, KW)
    y = output_shape(x, w, *options)
    _, _, OH, OW = y
    products = N * O * OH * OW * (C // groups) * KH * KW
    moved = 4 * (N * C * H * W + O * (C // groups) * KH * KW + N * O * OH * OW)

    def case(pass_, make, reduction):
        label = f"{name}: N{N} C{C} H{H} W{W} O{O} k{KH}x{KW}"
        exact = name not in ROUNDED
        cost = 2 * products, moved, reduction
        return Case("conv2d", pass_, label, make, *cost, exact=exact, bench=bench)

    taps = KH * KW
    return [
        case("forward", lambda draw, dtype: (draw(*x), draw(*w), *options), C // groups * taps),
        case(
            "input_grad",
            lambda draw, dtype: (draw(*y), draw(*w), x, *options),
            O // groups * taps,
        ),
        case(
            "weight_grad",
            lambda draw, dtype: (draw(*y), draw(*x), w, *options),
            max(1, N * OH * OW),
        ),
    ]


CASES = [case for name, s in SMALL.items() for case in _cases(name, False, *s)]
CASES += [case for name, s in BENCH.items() for case in _cases(name, True, *s)]
