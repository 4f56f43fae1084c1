"""Train for the published numbers and compare ours with them.

  glassgrad reproduce                             every target whose data set is here
  glassgrad reproduce vae --json results.json     one system; its rows are kept in the file
  glassgrad reproduce --json results.json --table LECTURES.md

Ends with 1 if a target was missed, or if nothing could be tried.
"""

import shlex
import sys
import time
from pathlib import Path

HELP = "published numbers next to ours"


def arguments(parser) -> None:
    """Which systems, and where runs and rows go."""
    parser.add_argument("names", metavar="NAME", nargs="*", help="systems; by default all")
    parser.add_argument("--list", action="store_true", help="list the targets, train nothing")
    parser.add_argument("--out", metavar="DIR", default="runs", help="where run folders go")
    parser.add_argument("--json", metavar="FILE", help="keep the rows there, one by one")
    parser.add_argument(
        "--table",
        metavar="FILE",
        help="train nothing: put the rows of --json into this page, between its markers",
    )
    parser.add_argument("--data-dir", metavar="DIR", help="a folder to look for data in first")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--quiet", action="store_true", help="only the table")


def run(args) -> int:
    """Train for every target that can be tried; 1 where one is missed, or none was tried."""
    from .. import models
    from ..core.terminal import console, count, say
    from ..core.usage import UsageError
    from ..reproduction import Record, render

    if args.table:
        if not args.json or args.names:
            raise UsageError("--table FILE needs --json FILE, and no names: it trains nothing")
        record = Record(args.json)
        render(record, Path(args.table))
        say(f"{args.table}: {count(len(record.rows), 'row')}")
        return 0
    recipes = [models.recipe(n) for n in dict.fromkeys(args.names or models.names())]
    jobs = [(r, t) for r in recipes for t in r.targets]
    if not jobs:
        raise UsageError(f"no published number is known for {', '.join(args.names)}")
    without = [r.name for r in recipes if args.names and not r.targets]
    if without:
        print(f"glassgrad: no published number is known for {', '.join(without)}", file=sys.stderr)
    out = console()
    if args.list:
        out.print(_targets(jobs, args.data_dir))
        return 0
    record = Record(args.json)
    record.expect_writable()
    rows, done = [], {}
    for recipe, target in jobs:
        rows.append(_row(recipe, target, args, done))
        record.put(rows[-1])
    out.print(_table(rows))
    if all(r["ours"] is None for r in rows):
        print("glassgrad: nothing could be tried", file=sys.stderr)
        return 1
    return 1 if any(r["status"] in ("missed", "failed") for r in rows) else 0


def _row(recipe, target, args, done: dict) -> dict:
    """Train for one target, or take the training of another with the same settings."""
    from ..core import data, machine
    from ..core.training.recipe import mean_and_error
    from ..kernels.errors import GlassgradError

    command = ["glassgrad", "reproduce", recipe.name]
    command += ["--device", args.device] if args.device != "cpu" else []
    row = {
        "recipe": recipe.name, "target": target.name, "data": target.data,
        "metric": target.metric, "published": target.published, "bound": target.bound,
        "better": target.better, "settings": target.settings, "source": target.source,
        "note": target.note, "own": target.own, "protocol": target.protocol,
        "seeds": target.seeds, "commit": machine.commit(), "ours": None, "spread": None,
        "status": "", "seconds": None, "cpu_seconds": None,
        "date": time.strftime("%Y-%m-%d"), "command": shlex.join(command),
        "machine": {**machine.describe(), "device": args.device},
    }  # fmt: skip
    if data.available(target.data, args.data_dir) is None:
        return {**row, "status": "skipped: data not here"}
    try:
        runs = [_trained(recipe, target, seed, args, done) for seed in range(target.seeds)]
    except GlassgradError as error:
        print(f"glassgrad: {recipe.name}, {target.name}: {error}", file=sys.stderr)
        return {**row, "status": "failed"}
    all_figures, seconds, cpu_seconds = zip(*runs)
    row |= {"seconds": sum(seconds), "cpu_seconds": round(sum(cpu_seconds), 3)}
    ours, row["spread"] = mean_and_error([figures[target.metric] for figures in all_figures])
    if target.seeds == 1:
        row["spread"] = all_figures[0].get(target.spread)
    return {**row, "ours": ours, "status": "reached" if target.reached(ours) else "missed"}


def _trained(recipe, target, seed: int, args, done: dict) -> tuple[dict, float, float]:
    """Test figures, seconds and seconds of processor time of one training."""
    from ..kernels.errors import GlassgradError

    settings = {**target.settings, **({"seed": seed} if seed else {})}
    key = recipe.name, target.data, repr(sorted(settings.items()))
    if key not in done:
        done[key] = _train(recipe, target, settings, args)
    figures = done[key][0]
    if target.metric not in figures:
        raise GlassgradError(f"evaluate() gave no {target.metric!r}, only {', '.join(figures)}")
    return done[key]


def _train(recipe, target, settings: dict, args) -> tuple[dict, float, float]:
    from .. import training
    from ..core.training.loop import Silent
    from ..progress import Live

    if not args.quiet:
        seed = f", seed {settings['seed']}" if "seed" in settings else ""
        print(f"{recipe.name}: {target.name}{seed}")
    started = time.process_time()
    trained, result = training.train_and_write(
        recipe,
        target.data,
        args.data_dir,
        args.device,
        settings,
        out=args.out,
        progress=Silent() if args.quiet else Live(),
    )
    return trained.test_figures, result["seconds"], time.process_time() - started


def _targets(jobs, data_dir):
    from ..core import data
    from ..core.terminal import table
    from ..reproduction import limit

    rows = [
        (
            r.name,
            t.name,
            t.published,
            limit(vars(t)),
            t.data if data.available(t.data, data_dir) else f"{t.data} (not here)",
        )
        for r, t in jobs
    ]
    return table(rows, "system", "target", "published", "to reach", "data")


def _table(rows):
    from rich.text import Text

    from ..core.terminal import seconds, table
    from ..reproduction import limit, ours, verdict

    colours = {"reached": "green", "missed": "red", "failed": "red"}
    shown = [
        (
            f"{r['recipe']}: {r['target']}",
            r["published"],
            limit(r),
            ours(r),
            Text(verdict(r), colours.get(r["status"], "")),
            "" if r["seconds"] is None else seconds(r["seconds"]),
            r["note"],
        )
        for r in rows
    ]
    return table(shown, "target", "published", "to reach", "ours", "reached?", "time", "note")
