"""NADE's shapes: tails around vector widths, rows of zeros and of any numbers, size 0; the costs.

Weights are drawn smaller by √D and √H, so that the hidden units stay off their asymptotes. Most
cases have binary rows, as the model has; some have any numbers, whose every step moves the units.
"""

from ..case import Case

SIZES = [  # N, D, H
    (1, 1, 1), (3, 5, 31), (31, 3, 33), (2, 33, 7), (4, 31, 129), (2, 127, 3), (5, 9, 300),
    (0, 3, 4), (3, 0, 4), (3, 4, 0),
]  # fmt: skip
BENCH = [(100, 784, 500), (64, 64, 64)]
PASSES = {"forward": 4, "weight_grad": 11, "input_grad": 9}  # operations, and one σ


def _make(pass_, n, d, h, binary):
    def make(draw, dtype):
        x = draw(n, d)
        x = (x > 0.8).astype(dtype) if binary else x
        w, v = draw(d, h) / max(d, 1) ** 0.5, draw(d, h) / max(h, 1) ** 0.5
        if pass_ == "forward":
            return x, w.astype(dtype), draw(h), v.astype(dtype), draw(d)
        return draw(n, d), x, w.astype(dtype), draw(h), v.astype(dtype)

    return make


def _cases(n, d, h, binary=True, bench=False):
    weights = 2 * d * h + h
    traffic = {
        "forward": 2 * n * d + weights + d,
        "weight_grad": 2 * n * d + 2 * weights,
        "input_grad": 3 * n * d + weights,
    }
    for pass_, operations in PASSES.items():
        yield Case(
            "nade",
            pass_,
            f"N{n} D{d} H{h}{'' if binary else ' any numbers'}",
            _make(pass_, n, d, h, binary),
            (operations + 1) * n * d * h,
            4 * traffic[pass_],
            reduction=max(1, n * d, h),
            bench=bench,
        )


CASES = [
    *(case for size in SIZES for case in _cases(*size)),
    *(case for size in [(3, 5, 31), (2, 33, 7)] for case in _cases(*size, binary=False)),
    *(case for size in BENCH for case in _cases(*size, bench=True)),
]
