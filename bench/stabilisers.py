"""Dropout and batch normalisation on and off in the adversarial net (K4 163), as a table.

The lecture names both as what steadies a game. Which of them does, and where? Each row is the game
of models/adversarial/gan.py on the digits with its shipped settings, except for four switches ::

    generator_norm, discriminator_norm          batch normalisation in G, in D
    generator_dropout, discriminator_dropout    dropout at a rate of 0.4 in G, in D

The judges are gan.py's: entropy of the classes that a classifier sees in 10 000 samples (ln 10 =
2.303 for all equally often) and its confidence as a share of that on real images. Both are means
over seeds with a 95 % interval of Student's distribution, which is wide for three seeds. Two rows
differ where the interval of their difference, seed by seed, does not hold 0: the last column, each
row next to the game without any switch.

    python -m glassgrad.bench.stabilisers --page bench/results/stabilisers.md

writes the page, about eight minutes of processor for three seeds; without --page it only prints.
"""

import argparse
from pathlib import Path

import numpy as np

from .. import core as gg
from ..core.data import DataSet, load
from ..core.training.loop import fit
from ..core.training.run_folder import expect_writable, write_atomic
from ..models.adversarial.gan import MINIMAX
from . import tables
from .intervals import interval, seeds_of

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
COLUMNS = ["switched on", *FIGURES, "gain in entropy"]


def measured(changes: dict, data: DataSet, seeds: int = 3, **others) -> dict[str, list[float]]:
    """Entropy and confidence of a game with those switches and no others, by seed."""
    found = {name: [] for name in FIGURES}
    for seed in range(seeds):
        s = MINIMAX.resolve(data.name, {**OFF, **changes, **others, "seed": seed})
        system = MINIMAX.build(data, s, gg.Generator(seed))
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


def cells(row) -> list[str]:
    """A row of `table` as text, with a dash for the gain of the first one."""
    return ["–" if column is None else str(column) for column in row]


def page(rows, command: str, seeds: int) -> str:
    """The table as a Markdown page; `rows` as those of `table`.

    >>> from glassgrad.bench.intervals import Interval
    >>> one = Interval(2.0, 0.5)
    >>> print(page([("neither", one, one, None)], "the command", 3).splitlines()[-1])
    | neither | 2.000 ± 0.500 | 2.000 ± 0.500 | – |
    """
    return "\n".join([
        "# Stabilisers of the adversarial net, one by one", "",
        "`gan` on the digits with its shipped settings except for the switches of the first column"
        f" (dropout {RATE}). Means over {seeds} seeds with a 95 % interval of Student's",
        "distribution; the gain is that of each seed over the game without a switch. Made by", "",
        f"    {command}", "",
        tables.table(COLUMNS, [cells(row) for row in rows], words=1), "",
    ])  # fmt: skip


def main(argv: list[str] | None = None) -> None:
    """Measure, print each row when it is there, and write the page where --page says."""
    parser = argparse.ArgumentParser(
        prog="python -m glassgrad.bench.stabilisers", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--seeds", type=seeds_of, default=3, help="games a row (default 3)")
    parser.add_argument("--epochs", type=int, help="of each game, in place of the recipe's")
    parser.add_argument("--page", type=Path, help="Markdown file that the table is written to")
    args = parser.parse_args(argv)
    others = {} if args.epochs is None else {"epochs": args.epochs}
    command = f"{parser.prog} --seeds {args.seeds}"
    command += "".join(f" --{name} {value}" for name, value in others.items())
    if args.page:
        expect_writable(args.page)
        command += f" --page {args.page}"
    found = []
    for row in table(seeds=args.seeds, **others):
        found.append(row)
        print(*cells(row), sep="  ", flush=True)
    text = page(found, command, args.seeds)
    print(f"\n{text}", end="")
    if args.page:
        write_atomic(args.page, text)


if __name__ == "__main__":
    main()
