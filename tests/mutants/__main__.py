"""The command line: draw mutants, run them, keep the list."""

import argparse
import itertools
import random
import subprocess
import sys
from pathlib import Path

from . import results
from .child import ROOT
from .operators import mutants
from .running import TableError, judge, wrong_killers


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--of", nargs="+", default=["core/functions/*.py"], help="files, as globs")
    parser.add_argument("--seed", type=int, default=1, help="draws the same from the same source")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--again", action="store_true", help="only those that survived before")
    parser.add_argument("--list", action="store_true", help="show the mutants, run nothing")
    parser.add_argument("--to", type=Path, default=results.PATH, help="where the list is kept")
    options = parser.parse_args()
    kept = results.load(options.to)
    if options.again:
        return _again(kept, options.to)
    chosen = draw(options.of, options.seed, options.count)
    if options.list:
        print(*chosen, sep="\n")
        for row in gone(kept["mutants"]):
            print("gone:", *results.key(row))
        return 0
    run = {"of": options.of, "seed": options.seed, "count": len(chosen), "ran": 0}
    kept["runs"].append({**run, "commit": _commit()})
    known = {results.key(r) for r in kept["mutants"]}
    chosen = [m for m in chosen if m.key not in known]
    for mutant, verdict in _judged(chosen):
        kept["mutants"].append(results.row(mutant, verdict, len(kept["runs"])))
        kept["runs"][-1]["ran"] += 1
        results.save(kept, options.to)
    return _report(kept)


def draw(globs: list[str], seed: int, count: int) -> list:
    """`count` mutants, chosen by the seed, in the order of the files."""
    every = _every({p for g in globs for p in ROOT.glob(g)})
    order = random.Random(seed).sample(range(len(every)), min(count, len(every)))
    return [every[i] for i in sorted(order)]


def _every(paths) -> list:
    found = []
    for path in sorted(paths):
        if path.name != "__init__.py":
            file = path.relative_to(ROOT).as_posix()
            found += mutants(file, path.read_text(encoding="utf-8"))
    return found


def gone(rows: list[dict]) -> list[dict]:
    """Those of the list whose code has changed: today's source has no such mutant."""
    there = {m.key for m in _every({ROOT / r["file"] for r in rows})}
    return [r for r in rows if results.key(r) not in there]


def _again(kept, path) -> int:
    """Run the unexplained survivors once more; one whose code is gone leaves the list."""
    rows = {results.key(r): r for r in results.unexplained(kept)}
    there = {m.key: m for m in _every({ROOT / r["file"] for r in rows.values()})}
    for key in rows.keys() - there.keys():
        print("gone:", *key)
        kept["mutants"].remove(rows[key])
        kept["runs"][rows[key]["run"] - 1]["ran"] -= 1
    for mutant, verdict in _judged([there[key] for key in rows if key in there]):
        rows[mutant.key]["killed by"] = verdict.by
        results.save(kept, path)
    results.save(kept, path)
    return _report(kept)


def _judged(chosen):
    """(mutant, verdict), file after file: once all of a file are judged, and its killers fair."""
    number = itertools.count(1)
    for file, group in itertools.groupby(chosen, key=lambda mutant: mutant.file):
        verdicts = []
        for mutant in group:
            verdict = judge(mutant)
            end = f"killed by {verdict.by}" if verdict.by else "SURVIVED"
            place = f"{next(number)}/{len(chosen)}"
            print(f"{place}  {mutant}  {verdict.seconds:.1f} s: {end}", flush=True)
            verdicts.append((mutant, verdict))
        killers = sorted({verdict.by for _, verdict in verdicts if verdict.by})
        said = wrong_killers(file, killers)
        print(f"{file}: {len(killers)} killers {'FAIL' if said else 'pass'} without a mutant")
        if said:
            raise TableError(said)
        yield from verdicts


def _report(kept) -> int:
    rows = kept["mutants"]
    killed = sum(bool(r["killed by"]) for r in rows)
    left = results.unexplained(kept)
    reasons = [f"{sum(bool(r.get(name)) for r in rows)} {name}" for name in results.REASONS]
    print(f"{len(rows)} mutants: {killed} killed, {', '.join(reasons)},")
    print(f"{len(left)} that no test noticed")
    return 1 if left else 0


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
