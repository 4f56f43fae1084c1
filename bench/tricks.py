"""The tricks of AlexNet, one by one (V2 98-112), and its depth and width: two tables.

Which of the tricks help? Each row of `tricks` is the net of models/convolutional/alexnet.py with
its shipped settings for the data, and one of them taken away ::

    tanh            a saturating activation in the place of relu
    no lrn          no local response normalisation
    pooling apart   windows of 2 x 2 that do not overlap, in the place of 3 x 3
    no dropout
    no augmentation neither crops nor flips

and of `sizes` with one level fewer or more, or half or twice as many maps in each level. Nets of
one seed see the same minibatches, so that what a row changes is measured seed by seed: `costs` is
its error less that of the first row, in points of per cent, the mean over seeds with a 95 %
interval of Student's distribution. Where the interval holds 0 the table does not say which is
better. Three seeds make it wide: 4.3 standard errors.

Tricks are judged by test images. Sizes are what one chooses, so those are judged by validation
images; their test errors are shown and not used.

    python -m glassgrad.bench.tricks --page bench/results/tricks.md --json bench/results/tricks.json
    python -m glassgrad.bench.tricks --rows sizes --data digits --seeds 3

Without --page and --json it only prints. The first takes about 40 minutes of one processor (18
trainings of 2 minutes), the second about 2.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from .. import core as gg
from ..core.data import DataSet, load
from ..core.training.loop import fit
from ..core.training.run_folder import expect_writable, write_atomic
from ..models.convolutional.alexnet import ALEXNET, Settings
from . import tables
from .intervals import Interval, interval, seeds_of

TRICKS = {
    "all tricks": {},
    "tanh": {"activation": "tanh"},
    "no lrn": {"lrn": 0.0},
    "pooling apart": {"pooling": "apart"},
    "no dropout": {"dropout": 0.0},
    "no augmentation": {"crop": 0, "flip": False},
}
JUDGES = {"tricks": "test", "sizes": "valid"}  # the split that tells the rows apart
COLUMNS = ["net", "parameters", "s", "validation error, %", "test error, %", "costs", ""]


def sizes(s: Settings) -> dict[str, dict]:
    """Nets that are shallower, deeper, narrower and wider than that of the settings.

    >>> list(sizes(Settings(channels=(4, 8))).values())[1:3]
    [{'channels': (4,)}, {'channels': (4, 8, 8)}]
    """
    c = s.channels
    fewer = {"a level fewer": {"channels": c[:-1]}} if len(c) > 1 else {}
    return {
        "as it ships": {},
        **fewer,
        "a level more": {"channels": (*c, c[-1])},
        "half as wide": {"channels": tuple(max(1, n // 2) for n in c)},
        "twice as wide": {"channels": tuple(2 * n for n in c)},
    }


def rows_of(kind: str, data: DataSet) -> dict[str, dict]:
    """Row -> what it changes: of `tricks` or of `sizes`.

    A trick that the shipped settings for these data do without has no row.
    """
    s = ALEXNET.resolve(data.name, kind="images")
    rows = TRICKS if kind == "tricks" else sizes(s)
    return {name: new for name, new in rows.items() if not new or s.changed(**new) != s}


def trained(changes: dict, data: DataSet, seed: int, **others) -> dict[str, float]:
    """One training with those changes: per cent wrong on both splits, parameters, seconds."""
    s = ALEXNET.resolve(data.name, {**changes, **others, "seed": seed}, "images")
    started = time.process_time()
    system = ALEXNET.build(data, s, gg.Generator(seed))
    fit(system, data, s)
    found = {"seconds": time.process_time() - started}
    for split in JUDGES.values():
        part = getattr(data, split)
        found[split] = 100 * float((system.logits(part.x).argmax(axis=1) != part.y).mean())
    return {**found, "parameters": sum(p.size for p in system.parameters())}


def measured(kind: str, data: DataSet, seeds: int = 3, **others):
    """Yield a dictionary for each row: its name and changes, and the figures by seed.

    `costs` are the errors on the split that judges less those of the first row, by seed; it has
    none itself. `others` are further settings of all rows, such as `epochs`.
    """
    judge, first = JUDGES[kind], None
    for name, changes in rows_of(kind, data).items():
        runs = [trained(changes, data, seed, **others) for seed in range(seeds)]
        found = {key: [run[key] for run in runs] for key in runs[0]}
        first = found if first is None else first
        costs = None if found is first else np.subtract(found[judge], first[judge]).tolist()
        yield {"name": name, "changes": changes, **found, "costs": costs}


def verdict(costs: Interval) -> str:
    """What an interval of a difference of errors says.

    >>> verdict(Interval(1.0, 0.5)), verdict(Interval(-1.0, 0.5)), verdict(Interval(1.0, 2.0))
    ('worse', 'better', 'not clear')
    """
    if abs(costs.mean) <= costs.half:
        return "not clear"
    return "worse" if costs.mean > 0 else "better"


def cells(row: dict) -> list[str]:
    """A row of `measured` as text, with dashes for what the first one has not."""
    costs = None if row["costs"] is None else interval(row["costs"])
    return [
        row["name"],
        f"{row['parameters'][0]:,}",
        f"{np.mean(row['seconds']):.0f}",
        f"{interval(row['valid']):.2f}",
        f"{interval(row['test']):.2f}",
        *(
            ("–", "–")
            if costs is None
            else (f"{costs.mean:+.2f} ± {costs.half:.2f}", verdict(costs))
        ),
    ]


def page(kind: str, rows: list[dict], data: str, command: str) -> str:
    """The table as a Markdown page."""
    title = "The tricks of AlexNet, one by one" if kind == "tricks" else "Depth and width"
    judge = {"test": "test", "valid": "validation"}[JUDGES[kind]]
    return "\n".join([
        f"# {title}: {data}", "",
        "`alexnet` with its shipped settings except for what a row names. Means over"
        f" {len(rows[0]['test'])} seeds", "with a 95 % interval of Student's distribution; s is the"
        " processor time of a training.", f"`costs` is the {judge} error less that of the first"
        " row, seed by seed, in points. Made by", "",
        f"    {command}", "",
        tables.table(COLUMNS, [cells(row) for row in rows], words=1), "",
    ])  # fmt: skip


def main(argv: list[str] | None = None) -> None:
    """Measure, print each row when it is there, and write the page and the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m glassgrad.bench.tricks", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--rows", choices=list(JUDGES), default="tricks", help="which table")
    parser.add_argument("--data", default="cifar10_jpeg_subset", help="labelled images by name")
    parser.add_argument("--seeds", type=seeds_of, default=3, help="trainings a row (default 3)")
    parser.add_argument("--epochs", type=int, help="of each training, in place of the recipe's")
    parser.add_argument("--page", type=Path, help="Markdown file that the table is written to")
    parser.add_argument("--json", type=Path, help="file for the figures of every training")
    args = parser.parse_args(argv)
    given = {k: v for k, v in vars(args).items() if v is not None}
    command = f"{parser.prog} " + " ".join(f"--{k} {v}" for k, v in given.items())
    for path in filter(None, (args.page, args.json)):
        expect_writable(path)
    others = {} if args.epochs is None else {"epochs": args.epochs}
    found = []
    for row in measured(args.rows, load(args.data), args.seeds, **others):
        found.append(row)
        print(*cells(row), sep="  ", flush=True)
    text = page(args.rows, found, args.data, command)
    print(f"\n{text}", end="")
    if args.page:
        write_atomic(args.page, text)
    if args.json:
        record = {"command": command, "data": args.data, "rows": found}
        write_atomic(args.json, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
