"""Dropout and batch normalisation on and off in the adversarial net (K4 163), as a table.

The lecture names both as what steadies a game. Which of them does, and where? Each row is the game
of gan.py on the digits with its shipped settings, except for the four switches ::

    generator_norm, discriminator_norm          batch normalisation in G, in D
    generator_dropout, discriminator_dropout    dropout at a rate of 0.4 in G, in D

The judges are gan.py's: entropy of the classes that a classifier sees in 10 000 samples (ln 10 =
2.303 for all equally often) and its confidence as a share of that on real images. Both are means
over seeds with a 95 % interval of Student's distribution, which is wide for three seeds. Two rows
differ where the interval of their difference, seed by seed, does not hold 0: the last column, each
row next to the game without any switch.

    python -m glassgrad.models.adversarial.stabilisers [SEEDS [EPOCHS]]

prints it, about five minutes of processor for three seeds.
"""

import sys
from typing import NamedTuple

import numpy as np

from ... import core as gg
from ...core.data import DataSet, load
from ...core.training.loop import fit
from ...kernels.errors import ValueRangeError, expect
from .. import recipe

RATE = 0.4  # of dropout
OFF = {
    "generator_norm": False, "discriminator_norm": False,
    "generator_dropout": 0.0, "discriminator_dropout": 0.0,
}  # fmt: skip
ROWS = {
    "neither": {},
    "norm in G": {"generator_norm": True},
    "norm in D": {"discriminator_norm": True},
    "norm in both": {"generator_norm": True, "discriminator_norm": True},
    "dropout in G": {"generator_dropout": RATE},
    "dropout in D": {"discriminator_dropout": RATE},
    "norm in G, dropout in D": {"generator_norm": True, "discriminator_dropout": RATE},
}
FIGURES = ("entropy", "confidence")


class Interval(NamedTuple):
    """A mean and half the width of its 95 % interval."""

    mean: float
    half: float

    def __str__(self):
        return f"{self.mean:.3f} ± {self.half:.3f}"


def interval(values) -> Interval:
    """The mean of values of different seeds, with the 95 % interval of Student's distribution.

    Raises ValueRangeError for fewer than two.

    >>> str(interval([1.0, 2.0, 3.0]))  # 4.303 · 1/√3
    '2.000 ± 2.484'
    """
    from scipy.stats import t

    v = np.asarray(values, np.float64)
    expect(v.size >= 2, "interval", "there must be two values or more", "≥ 2", v.size,
           ValueRangeError)  # fmt: skip
    half = t.ppf(0.975, v.size - 1) * v.std(ddof=1) / np.sqrt(v.size)
    return Interval(float(v.mean()), float(half))


def measured(changes: dict, data: DataSet, seeds: int = 3, **others) -> dict[str, list[float]]:
    """Entropy and confidence of a game with those switches and no others, by seed."""
    gan, found = recipe("gan"), {name: [] for name in FIGURES}
    for seed in range(seeds):
        s = gan.resolve(data.name, {**OFF, **changes, **others, "seed": seed})
        system = gan.build(data, s, gg.Generator(seed))
        fit(system, data, s)
        system.eval()
        figures = system.figures_of(system.drawn(s.samples), data.test)
        for name in FIGURES:
            found[name].append(figures[name])
    return found


def table(data: DataSet | None = None, seeds: int = 3, rows=ROWS, **others):
    """Yield (name, entropy, confidence, gain) of each row, all intervals; gain is in entropy.

    `others` are further settings of all rows, such as `epochs`. The first row is what the others
    are compared with: its gain is None.
    """
    data, first = load("digits") if data is None else data, None
    for name, changes in rows.items():
        found = measured(changes, data, seeds, **others)
        first = found if first is None else first
        gain = None
        if found is not first:
            gain = interval(np.subtract(found["entropy"], first["entropy"]))
        yield name, interval(found["entropy"]), interval(found["confidence"]), gain


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:3]]
    more = {"epochs": numbers[1]} if len(numbers) > 1 else {}
    print(f"{'switched on':24}  {'entropy':15}  {'confidence':15}  gain in entropy")
    for name, *columns in table(seeds=numbers[0] if numbers else 3, **more):
        print(
            f"{name:24}  " + "  ".join(f"{'' if c is None else c!s:15}" for c in columns),
            flush=True,
        )
