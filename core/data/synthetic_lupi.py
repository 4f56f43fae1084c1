"""Generated tables with privileged columns: what a teacher may see in training and nobody later.

Rows [x, x*] of a classification in ℝ^d, five kinds. For all of them α ~ N(0, I_d) is drawn once a
data set, x* is known in training alone, and J, if there is one, has three of the d columns:

    lupi_clean_labels     x ~ N(0, I)    x* = ⟨α, x⟩           y = [x* + ε > 0],  ε ~ N(0, 1)
    lupi_clean_features   x = x* + ε     x* ~ N(0, I)          y = [⟨α, x*⟩ > 0], ε ~ N(0, I)
    lupi_relevant         x ~ N(0, I)    x* = x_J              y = [⟨α_J, x*⟩ > 0]
    lupi_relevant_each    x ~ N(0, I)    x* = x_J(i)           y = [⟨α_J(i), x*⟩ > 0]
    lupi_other_relevant   x ~ N(0, I)    x* = x_J(split)       y = [⟨a, x*⟩ > median]

The first four are those of the paper's text. The last is what the authors' program has in place of
the fourth: J is drawn once for each split, a once for all, so the columns that matter in training
are not those of the test.
Source: Lopez-Paz, Bottou, Schölkopf & Vapnik, "Unifying distillation and privileged information",
2016, section 6. Everything is drawn from Philox: row i of a seed does not depend on how many there
are (but for the median of `lupi_other_relevant`).
"""

import numpy as np

from .dataset import DataSet, Info, Split
from .streams import SYNTHETIC, check_seed, uniform_rows, whole_number
from .synthetic import _three

RELEVANT = 3  # columns in J
SHARED = 2**28 - 1  # the number of the row of draws that all examples share


def normal_rows(seed: int, first: int, count: int, each: int) -> np.ndarray:
    """Standard normal numbers [count, each], float64; row i is that of example first + i.

    By Box and Muller's transform: √(-2 ln(1 - u)) times cos 2πv and sin 2πv.

    >>> normal_rows(0, 5, 2, 3)[1].tolist() == normal_rows(0, 6, 1, 3)[0].tolist()
    True
    """
    half = -(-each // 2)
    u = uniform_rows(seed, SYNTHETIC, first, count, 2 * half)
    length, angle = np.sqrt(-2 * np.log1p(-u[:, :half])), 2 * np.pi * u[:, half:]
    return np.concatenate([length * np.cos(angle), length * np.sin(angle)], axis=1)[:, :each]


def shared_normal(seed: int, count: int) -> np.ndarray:
    """Standard normal numbers [count] that belong to the data set, not to one of its examples."""
    return normal_rows(seed, SHARED, 1, count)[0]


def _clean_labels(z, alpha, at):
    x, noise = z[:, : len(alpha)], z[:, -1]
    clean = x @ alpha
    return x, clean[:, None], clean + noise > 0


def _clean_features(z, alpha, at):
    clean, noise = z[:, : len(alpha)], z[:, len(alpha) :]
    return clean + noise, clean, clean @ alpha > 0


def _relevant(z, alpha, at):
    chosen = np.take_along_axis(z, at, axis=1)
    return z, chosen, (chosen * alpha[at]).sum(axis=1) > 0


def _other_relevant(z, alpha, at):
    chosen = np.take_along_axis(z, at, axis=1)
    score = chosen @ alpha[:RELEVANT]
    return z, chosen, score > (np.median(score) if len(score) else 0.0)


def _relevant_columns(scope: str, seed: int, part: int, first: int, size: int, draws: int, d: int):
    """Three of d columns for each of `size` rows, int64 [size, 3]: the same in all splits ("set"),
    in one split ("split"), or others in every row ("row").
    """
    if scope == "row":  # after the normal numbers of the row
        u = uniform_rows(seed, SYNTHETIC, first, size, draws + 1 + d)[:, -d:]
    else:
        number = SHARED - 1 - (part if scope == "split" else 0)
        u = np.repeat(uniform_rows(seed, SYNTHETIC, number, 1, d), size, axis=0)
    return np.argsort(u, axis=1, kind="stable")[:, :RELEVANT]


def _table(name: str, rule, scope: str, draws: int, d: int, sizes, seed: int) -> DataSet:
    """Rows by `rule`, which makes x, x* and y of normal numbers [N, draws], α and columns J."""
    seed = check_seed(name, seed)
    alpha, parts = shared_normal(seed, d), iter(range(3))  # `_three` makes the splits in order

    def make(first: int, size: int) -> Split:
        at = _relevant_columns(scope, seed, next(parts), first, size, draws, d)
        x, clean, y = rule(normal_rows(seed, first, size, draws), alpha, at)
        return Split(np.concatenate([x, clean], axis=1).astype(np.float32), y.astype(np.int64))

    splits = _three(make, *sizes)
    own = splits[0].x.shape[1] - d
    names = [f"x{j}" for j in range(1, d + 1)] + [f"x*{j}" for j in range(1, own + 1)]
    info = Info(
        source="generated",
        classes=("no", "yes"),
        feature_names=tuple(names),
        note=f"{d} columns and {own} privileged ones, seed {seed}",
        extra={"privileged": own},
        kind="table",
    )
    return DataSet(name, *splits, info)


def _maker(name: str, rule, first_line: str, draws, scope: str = "set"):
    def make(
        d: int = 50, train: int = 200, valid: int = 200, test: int = 10_000, seed: int = 0
    ) -> DataSet:
        size = whole_number(name, "d", d, RELEVANT, 10_000)
        return _table(name, rule, scope, draws(size), size, (train, valid, test), seed)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"""{first_line}

    x is float32 [N, d + privileged], the privileged columns last; ``info.extra["privileged"]`` is
    their number. y is int64 [N]. Raises DataError for sizes or a seed out of range.

    >>> len({name}(d=4, train=3, valid=1, test=2).train)
    3
    """
    return make


lupi_clean_labels = _maker(
    "lupi_clean_labels", _clean_labels, "x* = ⟨α, x⟩, the label before noise.", lambda d: d + 1
)
lupi_clean_features = _maker(
    "lupi_clean_features", _clean_features, "x* is x without its noise.", lambda d: 2 * d
)
lupi_relevant = _maker(
    "lupi_relevant", _relevant, "x* are the three columns that matter.", lambda d: d
)
lupi_relevant_each = _maker(
    "lupi_relevant_each",
    _relevant,
    "x* are the three columns that matter in this row.",
    lambda d: d,
    scope="row",
)
lupi_other_relevant = _maker(
    "lupi_other_relevant",
    _other_relevant,
    "x* are the three columns that matter in this split; in another split others do.",
    lambda d: d,
    scope="split",
)
