"""The outcome of `make gpu` as Markdown between the markers ``<!-- gpu -->`` of a page.

What ran on which device and how each part ended; the goals of targets.py with what was reached;
launches and replays; counters that are not the emulator's; then every table of the benchmark.
"""

import re
from pathlib import Path

from ...core.regular import JSON_LIMIT, read_text
from ...core.training.run_folder import RunError, write_atomic
from .. import tables
from ..record import Record
from .targets import goals

MARKED = re.compile(r"(<!-- gpu -->\n).*?(<!-- /gpu -->)", re.DOTALL)
BENCHMARKS = ("models", "layers", "bandwidth", "ladders", "kernels")
MOST_OUTSIDE = 40  # counters that are listed


def markdown(found: dict) -> str:
    """The whole outcome."""
    parts = [_machine(found), _parts(found), _goals(found), _launches(found), _replays(found)]
    parts += [_outside(found), *(_tables(found, kind) for kind in BENCHMARKS)]
    return "\n\n".join(part for part in parts if part)


def render(found: dict, page: Path) -> None:
    """Write it between the markers of a page; RunError where it has none."""
    text = read_text(page, JSON_LIMIT, RunError)
    made, count = MARKED.subn(lambda m: f"{m[1]}{markdown(found)}\n{m[2]}", text)
    if count != 1:
        raise RunError(f"{page} must have the markers <!-- gpu --> and <!-- /gpu --> once")
    write_atomic(page, made)


def _machine(found: dict) -> str:
    m = found["machine"]
    return (
        f"{m['gpu']} ({m['compute_capability']}, {m['multiprocessors']} multiprocessors,"
        f" {m['memory'] / 2**30:.0f} GiB, {m['l2'] / 2**20:.0f} MiB of L2), driver {m['driver']},"
        f" CUDA {_cuda(m['runtime_cuda'])} of at most {_cuda(m['driver_cuda'])}, CuPy {m['cupy']},"
        f" PyTorch {m['torch'] or 'none'}, NumPy {m['numpy']}, Python {m['python']}; {m['cpu']},"
        f" {m['cores']} cores, {m['os']}; {found['made']}."
    )


def _cuda(version: int) -> str:
    """CUDA's version from its number.

    >>> _cuda(13010)
    '13.1'
    """
    return f"{version // 1000}.{version % 1000 // 10}"


def _parts(found: dict) -> str:
    rows = [
        [name, part["status"], f"{part['seconds']:.0f} s", _said(name, part)]
        for name, part in found.items()
        if isinstance(part, dict) and "status" in part
    ]
    return tables.table(["part", "outcome", "time", "what it says"], rows, words=4)


def _said(name: str, part: dict) -> str:
    """A part in a few words."""
    if "why" in part:
        return part["why"]
    if name.endswith("tests") or name == "beyond":
        groups = {k: v for k, v in part.items() if isinstance(v, dict)}
        return "; ".join(
            f"{k}: {v.get('passed', 0)} passed, {v.get('failed', 0)} failed,"
            f" {v.get('skipped', 0)} skipped"
            for k, v in groups.items()
        )
    if "runs" in part:
        runs = part["runs"]
        clean = sum(r["status"] == "passed" for r in runs.values())
        bad = [k for k, r in runs.items() if r["status"] != "passed"]
        return f"{clean} of {len(runs)} clean" + (f"; not: {', '.join(bad)}" if bad else "")
    if "groups" in part:
        known = [c for g in part["groups"].values() for k in _kernels(g) for c in k.values()]
        compared = [c for c in known if c["same"] is not None]
        same = sum(c["same"] for c in compared)
        return f"{same} of {len(compared)} counters as expected"
    if "record" in part:
        return f"{len(part['record']['rows'])} rows"
    return ""


def _kernels(group: dict) -> list[dict]:
    return [v for k, v in group.get("kernels", {}).items() if k != "emulator"]


def _goals(found: dict) -> str:
    rows = [
        [g.name, g.case, "" if g.version is None else f"v{g.version}", f"{g.value:.2f}",
         f"{g.aim:.2f}", g.measure, "reached" if g.reached else "missed"]
        for g in goals(found)
    ]  # fmt: skip
    names = ["", "case", "version", "reached", "aim", "measure", ""]
    return tables.table(names, rows, words=3) if rows else ""


def _launches(found: dict) -> str:
    calls = found.get("launches", {}).get("calls", {})
    rows = [[name, tables.seconds(c["median"])] for name, c in calls.items()]
    return tables.table(["a launch", "Python's time"], rows, words=1) if rows else ""


def _replays(found: dict) -> str:
    rows = []
    for name, step in found.get("replay", {}).get("steps", {}).items():
        if step["status"] != "done":
            rows.append([name, step["why"], "", "", ""])
            continue
        times = [tables.seconds(step[k]["median"]) for k in ("eager", "replay")]
        rows.append([name, step["noise"], *times, f"{step['gain']:.2f}"])
    names = ["training step", "noise", "op by op", "as a graph", "gain"]
    return tables.table(names, rows, words=2) if rows else ""


def _outside(found: dict) -> str:
    listed = [o for k in ("counters", "all-counters") for o in found.get(k, {}).get("outside", [])]
    rows = [
        [
            o["kernel"],
            o["counter"],
            str(o["ncu"]),
            str(o["emulator"]),
            f"{100 * o['off']:+.0f} %",
            o["why"] or "not explained yet",
        ]
        for o in listed[:MOST_OUTSIDE]
    ]
    names = ["kernel", "counter", "ncu", "emulator", "off", "why"]
    more = len(listed) - len(rows)
    rest = f"\n\n{more} more are in the file." if more > 0 else ""
    return tables.table(names, rows, words=2) + rest if rows else ""


def _tables(found: dict, kind: str) -> str:
    record = found.get(kind, {}).get("record")
    return tables.markdown(Record(**record)) if record and record["rows"] else ""
