"""Generated problems with long time lags: the adding problem and the temporal order problem.

Everything is drawn from Philox, so a seed gives the same data on every machine, and example i of a
seed does not depend on how many there are. Shapes: x is float32 [N, T, K], or a list of [T_n, K]
where the lengths differ. Source: Hochreiter & Schmidhuber, "Long short-term memory", 1997.
"""

import numpy as np

from .dataset import DataSet, Info, Split
from .files import DataError
from .streams import SYNTHETIC, check_seed, uniform_rows, whole_number

TEMPORAL = "EBabcdXY"


def _choice(u: np.ndarray, low, high) -> np.ndarray:
    """Integers from low to high - 1 by u in [0, 1)."""
    low, high = np.asarray(low), np.asarray(high)
    return (low + np.floor(u * (high - low))).astype(np.int64)


def _three(make, train: int, valid: int, test: int) -> list[Split]:
    sizes = [
        whole_number("synthetic", "the size of a split", n, 0, 2**27) for n in (train, valid, test)
    ]
    starts = (0, sizes[0], sizes[0] + sizes[1])
    return [make(first, size) for first, size in zip(starts, sizes)]


def adding(
    length: int = 100,
    train: int = 5000,
    valid: int = 1000,
    test: int = 1000,
    seed: int = 0,
    variant: str = "unit",
) -> DataSet:
    """The adding problem: x has columns of values and markers; y adds the two marked values.

    variant "unit" (the usual one today; Le, Jaitly & Hinton 2015), all of T = `length` steps:
        values ~ U(0, 1), marker 1 at one step of the first half and one of the second, else 0
        y = v_i + v_j in [0, 2); always answering 1 has the mean squared error 2/12 = 1/6

    variant "1997" (the paper, section 5.4), T .. T + T/10 steps:
        values ~ U(-1, 1); marker 1 at one of the first ten steps (X1) and at one of the first
        T/2 - 1 others (X2), -1 at the first and the last step, else 0; X1 counts as 0 where the
        first step itself is marked
        y = 0.5 + (X1 + X2) / 4; the paper counts a sequence as right where |error| < 0.04

    Returns x float32 [N, T, 2] (a list of [T_n, 2] for "1997") and y float32 [N, 1].

    >>> d = adding(length=4, train=2, valid=0, test=0)
    >>> d.train.x.shape, d.train.y.shape, d.train.x[:, :, 1].sum(axis=1).tolist()
    ((2, 4, 2), (2, 1), [2.0, 2.0])
    """
    low = 2 if variant == "unit" else 22
    length = whole_number("adding", "length", length, low, 2**24)
    seed = check_seed("adding", seed)
    if variant not in ("unit", "1997"):
        raise DataError(f"adding: variant must be 'unit' or '1997'; got {variant!r}")

    def unit(first: int, size: int) -> Split:
        u = uniform_rows(seed, SYNTHETIC, first, size, length + 2)
        half, rows = length // 2, np.arange(size)
        i, j = _choice(u[:, 0], 0, half), _choice(u[:, 1], half, length)
        x = np.zeros((size, length, 2), np.float32)
        x[:, :, 0] = u[:, 2:]  # the first two numbers placed the markers
        x[rows, i, 1] = x[rows, j, 1] = 1
        return Split(x, x[rows, i, :1] + x[rows, j, :1])

    def original(first: int, size: int) -> Split:
        longest = length + length // 10
        u = uniform_rows(seed, SYNTHETIC, first, size, longest + 3)
        # one row of numbers per example, whatever its length: length, X1, X2, then the values
        xs, ys = [], np.zeros((size, 1), np.float32)
        for n in range(size):
            steps = int(_choice(u[n, 0], length, longest + 1))
            i = int(_choice(u[n, 1], 0, 10))
            others = [t for t in range(length // 2) if t != i]
            j = others[int(_choice(u[n, 2], 0, len(others)))]
            x = np.zeros((steps, 2), np.float32)
            x[:, 0] = 2 * u[n, 3 : 3 + steps] - 1
            x[0, 1] = x[-1, 1] = -1
            x[i, 1] = x[j, 1] = 1
            ys[n, 0] = 0.5 + sum(x[t, 0] for t in (i, j) if t > 0) / 4
            xs.append(x)
        return Split(xs, ys)

    splits = _three(unit if variant == "unit" else original, train, valid, test)
    info = Info(
        source="generated",
        feature_names=("value", "marker"),
        note=f"variant {variant!r}, length {length}, seed {seed}",
    )
    return DataSet("adding", *splits, info)


def temporal_order(
    length: int = 100,
    symbols: int = 2,
    train: int = 5000,
    valid: int = 1000,
    test: int = 1000,
    seed: int = 0,
) -> DataSet:
    """Classify the order of the `symbols` = 2 or 3 relevant symbols: 4 or 8 classes.

    A string has L ~ uniform(T .. T + T/10) symbols, T = `length`: E first, B last, between them
    a, b, c, d at random, but X or Y at one step in T/10 .. T/5 and one in T/2 .. 3T/5 (three
    symbols: T/10 .. T/5, 33T/100 .. 43T/100, 66T/100 .. 76T/100; both ends included). The class is
    the binary number of the relevant symbols, X = 0 and Y = 1, first symbol first: XX XY YX YY.

    Returns x as a list of one-hot [L, 8] in the order E B a b c d X Y, and y int64 [N].
    Source: Hochreiter & Schmidhuber 1997, experiments 6a and 6b, whose T is 100.
    """
    length = whole_number("temporal_order", "length", length, 20, 2**24)
    symbols = whole_number("temporal_order", "symbols", symbols, 2, 3)
    seed = check_seed("temporal_order", seed)
    zones = {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}[symbols]
    longest = length + length // 10

    def make(first: int, size: int) -> Split:
        u = uniform_rows(seed, SYNTHETIC, first, size, 1 + 2 * symbols + longest)
        xs, ys = [], np.zeros(size, np.int64)
        for n in range(size):
            steps = int(_choice(u[n, 0], length, longest + 1))
            codes = _choice(u[n, -longest:][:steps], 2, 6)
            codes[0], codes[-1] = 0, 1  # E first, B last
            for k, (low, high) in enumerate(zones):
                at = _choice(u[n, 1 + k], length * low // 100, length * high // 100 + 1)
                bit = int(u[n, 1 + symbols + k] >= 0.5)
                codes[at] = 6 + bit  # X or Y
                ys[n] = 2 * ys[n] + bit  # the first symbol is the highest bit
            xs.append(np.eye(8, dtype=np.float32)[codes])
        return Split(xs, ys)

    names = tuple(f"{k:0{symbols}b}".replace("0", "X").replace("1", "Y") for k in range(2**symbols))
    info = Info(
        source="generated",
        classes=names,
        feature_names=tuple(TEMPORAL),
        note=f"{symbols} relevant symbols, length {length}, seed {seed}",
    )
    return DataSet("temporal_order", *_three(make, train, valid, test), info)
