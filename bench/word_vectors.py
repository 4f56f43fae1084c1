"""Word vectors next to gensim's: the speed of training, and the quality.

bench/words.py times one epoch of equal pairs. Here both libraries train to the end, each in its own
way, on the same pieces of the same text with the same settings (`word2vec-library`, preset
enwiki_a), and one judge reads both tables (models/embeddings/judging.py): ρ of WordSim-353, and the
share of analogies that are right ::

    gensim, one worker      glassgrad, in order, one thread
    gensim, two workers     glassgrad, two threads that race

Each training is a process of its own, held to as many processors; they alternate. gensim has a
thread more, which hands out the text. Words are those of the text, thinned out or not; the clock
runs from the first step to the last, and compiling is over by then. Threads that race never give
the same vectors twice.

    python -m glassgrad.bench.word_vectors --page bench/results/word_vectors.md

trains three times on one thread, in about 25 minutes, and writes the page; `--threads 2` runs the
racing pair, `--data enwiki_piece` both on the piece of the corpus that ships.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import core as gg
from ..core import machine
from ..core.data import DataSet, load
from ..core.training.loop import fit
from ..core.training.run_folder import expect_writable, write_atomic
from ..models.embeddings import judging
from ..models.embeddings.word2vec import LIBRARY_RECIPE
from . import tables
from .intervals import interval, seeds_of
from .peers import gensim_words, not_installed
from .threads import fix_threads

WHO = ("gensim", "glassgrad")
SHORT = 20  # pieces of the text that compiling is done with
FIGURES = {"words": "words a second", "rho": "ρ", "analogies": "analogies, %"}


def settings(**changes):
    """Those of both: of `word2vec-library` on enwiki_a, except for `changes`."""
    return LIBRARY_RECIPE.resolve("enwiki_a", changes)


def ours(data: DataSet, s) -> tuple[np.ndarray, float]:
    """(vectors [V,D], seconds) of a training of glassgrad's."""
    train = data.train
    few = DataSet(data.name, train[:SHORT], None, None, data.info)
    fit(LIBRARY_RECIPE.build(few, s, gg.Generator(s.seed)), few, replace(s, epochs=1))
    system = LIBRARY_RECIPE.build(data, s, gg.Generator(s.seed))
    start = time.perf_counter()
    fit(system, data, s)
    return system.w.numpy(), time.perf_counter() - start


def trained(who: str, name: str, seed: int, threads: int, **changes) -> dict[str, float]:
    """Words a second, ρ and the share of right analogies of one training, in this process."""
    s = settings(**{"seed": seed, "racing": threads > 1, **changes})
    data = LIBRARY_RECIPE.prepare(load(name), s)
    vectors, seconds = gensim_words.trained(data, s, threads) if who == "gensim" else ours(data, s)
    words = s.epochs * sum(map(len, data.train.x))
    found = judging.judge(vectors, data.info.vocabulary)
    return {"words": words / seconds, "rho": found.rho, "analogies": found.right}


def in_a_process(who: str, name: str, seed: int, threads: int) -> dict[str, float]:
    """`trained` in a process of its own."""
    given = [who, name, str(seed), str(threads)]
    command = [sys.executable, "-m", "glassgrad.bench.word_vectors", "--one", *given]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def hold_to(threads: int) -> None:
    """Give this process so many threads, and where the system can, so many processors."""
    fix_threads(threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def page(found: dict[str, list[dict]], threads: int, command: str, name: str) -> str:
    """The table as a Markdown page: means over seeds, with their intervals.

    >>> one = {"words": 2e5, "rho": 0.5, "analogies": 30.0}
    >>> print(page({"gensim": [one, one]}, 1, "the command", "enwiki_a").splitlines()[-1])
    | gensim | 200000 ± 0 | 0.500 ± 0.000 | 30.0 ± 0.0 |
    """
    form = {"words": ".0f", "rho": ".3f", "analogies": ".1f"}
    rows = [
        [who, *(format(interval([one[f] for one in of]), form[f]) for f in FIGURES)]
        for who, of in found.items()
    ]
    seeds, s = len(next(iter(found.values()))), settings()
    how = "two racing threads each" if threads > 1 else "one thread each, glassgrad's in text order"
    return "\n".join([
        "# Word vectors next to gensim's", "",
        f"Skip-gram with {s.negatives} negatives on {name}: {s.size} numbers, window {s.window},"
        f" {s.epochs} epochs, words that come {s.min_count} times or more, sample {s.sample:g};",
        f"{how}. Means over {seeds} seeds with a 95 % interval of Student's distribution.",
        f"Measured on {machine.in_words(machine.describe())}, gensim"
        f" {machine.version('gensim')}, on {time.strftime('%Y-%m-%d')}. Made by", "",
        f"    {command}", "",
        tables.table(["program", *FIGURES.values()], rows, words=1), "",
    ])  # fmt: skip


def main(argv: list[str] | None = None) -> None:
    """Train both in turn, print each figure when it is there, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m glassgrad.bench.word_vectors", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("--seeds", type=seeds_of, default=3, help="trainings of each (default 3)")
    add("--threads", type=int, choices=(1, 2), default=1, help="of each (default 1)")
    add("--data", default="enwiki_a", help="the text (default enwiki_a)")
    add("--page", type=Path, help="Markdown file that the table is written to")
    add("--one", nargs=4, help=argparse.SUPPRESS)  # what one process trains
    args = parser.parse_args(argv)
    if args.one:
        who, name, seed, threads = args.one
        hold_to(int(threads))
        print(json.dumps(trained(who, name, int(seed), int(threads))))
        return
    if why := not_installed("gensim"):
        parser.error(why)
    load(args.data)  # what is wrong with it is said now
    command = f"{parser.prog} --data {args.data} --seeds {args.seeds} --threads {args.threads}"
    if args.page:
        expect_writable(args.page)
        command += f" --page {args.page}"
    found: dict[str, list[dict]] = {who: [] for who in WHO}
    for seed in range(args.seeds):
        for who in WHO:
            one = in_a_process(who, args.data, seed, args.threads)
            found[who].append(one)
            print(who, seed, *(f"{one[f]:.5g} {what}" for f, what in FIGURES.items()), flush=True)
    text = page(found, args.threads, command, args.data)
    print(f"\n{text}", end="")
    if args.page:
        write_atomic(args.page, text)


if __name__ == "__main__":
    main()
