"""What ``glassgrad bench scale`` does: start the workers, fit the model, show and keep it."""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ...core import machine
from ...core.distributed import DistributedError
from ...core.terminal import amount, console, say, table
from ...core.training.run_folder import make_folder, write_atomic
from ...launching import THREADS, command
from .model import NETWORK, RANKS, Link, Step, efficiency, fit, limit, parts

# (ranks, threads of each): one thread, what the second one brings, what a second rank brings
CASES = ((1, 1), (1, 2), (2, 1))


def run(args) -> int:
    """Measure on one and two ranks; print, and write what was asked for."""
    repeat = 5 if args.quick else 40
    found = [measured(ranks, threads, repeat) for ranks, threads in CASES]
    result = summary(*found)
    report(result)
    if args.json:
        write_atomic(Path(args.json), json.dumps(result, indent=1) + "\n")
        say(f"written: {args.json}")
    if args.figures:
        from ..figures import png
        from .picture import draw

        make_folder(Path(args.figures))
        steps = {name: Step(**row["model"]) for name, row in result["systems"].items()}
        links = {"measured here": Link(**result["link"]), "10 Gbit/s, 30 µs (assumed)": NETWORK}
        path = Path(args.figures) / "scale.png"
        write_atomic(path, png(draw(steps, links)))
        say(f"written: {path}")
    return 0


def measured(ranks: int, threads: int, repeat: int) -> dict:
    """What so many ranks measure, each with so many threads. Raises DistributedError."""
    line = [sys.executable, "-m", "glassgrad.bench.scale.worker"]
    line = command(ranks, line) if ranks > 1 else line
    environment = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "found.json"
        done = subprocess.run(
            [*line, str(file), str(repeat), str(threads)], env=environment, text=True,
            capture_output=True,
        )  # fmt: skip
        if done.returncode or not file.exists():
            lines = done.stderr.strip().splitlines() or ["nothing was said"]
            raise DistributedError(f"scale: {ranks} ranks ended with an error: {lines[-1]:.300}")
        return json.loads(file.read_text(encoding="utf-8"))


def summary(one: dict, threads: dict, two: dict) -> dict:
    """What is kept: the measurements, the link, and each system's model and curves."""
    link, systems = fit(*zip(*two["messages"])), {}
    for name, (single, double) in one["systems"].items():
        pair, threaded = two["systems"][name][0], threads["systems"][name][1]
        gradient = max(double["step"] - single["step"], 0.0)
        update = max(single["step"] - gradient, 0.0)
        step = Step(gradient, update, single["minibatch"], pair["sent"], hearing=two["hearing"])
        messages = sum(parts(step, link, 2)[what] for what in ("figures", "sum"))
        step = dataclasses.replace(step, reduction=max(pair["reduction"] - messages, 0.0))
        predicted = parts(step, link, 2)
        del predicted["minibatch"]
        systems[name] = {
            "model": dataclasses.asdict(step),
            "one_thread": double["step"],
            "two_threads": threaded["step"],
            "two_ranks": pair["step"],
            "predicted_two_ranks": sum(predicted.values()),
            "sent": pair["sent"],
            "efficiency": {
                where: {way: [efficiency(step, place, p, way) for p in RANKS]
                        for way in ("ordered", "ring", "at the root")}
                for where, place in (("here", link), ("network", NETWORK))
            },
            "limit": {str(p): limit(step, NETWORK, p) for p in RANKS[1:]},
        }  # fmt: skip
    return {
        "machine": machine.cpu_model(),
        "load": os.getloadavg()[0],
        "ranks": RANKS,
        "messages": two["messages"],
        "link": dataclasses.asdict(link),
        "megabytes": {"one process": one["megabytes"], "two ranks": two["megabytes"]},
        "systems": systems,
    }


def report(result: dict) -> None:
    """Print the measurements, and what they predict."""
    out, link = console(), result["link"]
    out.print(
        f"{result['machine']}; load {result['load']:.1f}; a message of n bytes takes"
        f" {1e6 * link['alpha']:.3g} µs + n / {1 / link['beta'] / 1e9 if link['beta'] else 0:.3g}"
        " GB/s"
    )
    rows = [
        (name, *(f"{1e3 * row[key]:.3g} ms" for key in
                 ("one_thread", "two_threads", "two_ranks", "predicted_two_ranks")),
         f"{row['one_thread'] / row['two_ranks']:.2f}",
         f"{row['one_thread'] / row['two_threads']:.2f}", f"{amount(row['sent'])}B")
        for name, row in result["systems"].items()
    ]  # fmt: skip
    columns = ("step", "one thread", "two threads", "two ranks", "predicted", "ranks gain",
               "threads gain", "sent")  # fmt: skip
    out.print(table(rows, *columns, numbers=columns[1:], title="A step of two shards"))
    shown = [p for p in RANKS if p in (2, 8, 64, 256, 1024)]
    rows = [
        (name, where, *(f"{100 * row['efficiency'][where]['ordered'][RANKS.index(p)]:.0f} %"
                        for p in shown), row["limit"]["1024"])
        for name, row in result["systems"].items() for where in ("here", "network")
    ]  # fmt: skip
    columns = ("efficiency", "link", *map(str, shown), "limited by")
    title = "Predicted for more ranks, a shard each (the network is assumed: 10 Gbit/s, 30 µs)"
    out.print(table(rows, *columns, numbers=columns[2:-1], title=title))
