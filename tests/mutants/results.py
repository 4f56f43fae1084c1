"""results.json: the mutants that were run, a line each, with the reasons of those that survive."""

import json
from pathlib import Path

REASONS = "equivalent", "speed only"  # a survivor has one of them; __init__.py defines both
PATH = Path(__file__).parent / "results.json"


def load(path: Path = PATH) -> dict:
    """{"runs": [...], "mutants": [...]}; empty where there is no list yet."""
    if not path.exists():
        return {"runs": [], "mutants": []}
    return json.loads(path.read_text(encoding="utf-8"))


def save(results: dict, path: Path = PATH) -> None:
    """One line for each run and each mutant, so that a change is a line of a diff."""

    def lines(rows):
        return ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)

    runs, mutants = lines(results["runs"]), lines(results["mutants"])
    text = f'{{"runs": [\n{runs}\n], "mutants": [\n{mutants}\n]}}\n'
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def row(mutant, verdict, run: int) -> dict:
    """What is kept of one mutant."""
    return {
        "run": run, "file": mutant.file, "function": mutant.function, "operator": mutant.operator,
        "line": mutant.line, "before": mutant.before, "after": mutant.after, "nth": mutant.nth,
        "killed by": verdict.by,
    }  # fmt: skip


def key(row: dict) -> tuple:
    return tuple(row[k] for k in ("file", "function", "operator", "line", "before", "after", "nth"))


def unexplained(results: dict) -> list[dict]:
    """The mutants that no test killed and no reason excuses."""
    return [r for r in results["mutants"] if not r["killed by"] and not excused(r)]


def excused(row: dict) -> bool:
    """Is there a reason why no test can notice it?"""
    return any(row.get(reason) for reason in REASONS)
