"""Published numbers and ours: the rows of a record, kept in a JSON file, rendered as Markdown.

A row is one target of a recipe. Rows are written one by one, each replacing the older row of the
same target, so that several invocations build one table and a crash keeps what was there.
"""

import json
from pathlib import Path

from .core.regular import kind, read_json, read_text
from .core.training.run_folder import RunError, expect_writable, write_atomic
from .core.training.state import is_finite_number

BEGIN, END = "<!-- reproduce -->", "<!-- /reproduce -->"
KEY = ("recipe", "target", "data")
MACHINE = ("cpu", "cores", "os", "python", "numpy", "numba", "blas")  # the columns of a table
PAGE_LIMIT = 64 << 20  # bytes


class Record:
    """The rows of one JSON file; without a file they are only in memory."""

    def __init__(self, path: Path | str | None = None):
        self.path = None if path is None else Path(path)
        self.rows: list[dict] = []
        if self.path is not None and kind(self.path, RunError) is not None:
            self.rows = self._read()

    def _read(self) -> list[dict]:
        content = read_json(self.path, RunError)
        rows = content.get("rows") if isinstance(content, dict) else None
        if not isinstance(rows, list) or not all(map(_is_row, rows)):
            raise RunError(f"{self.path} is damaged or no record of reproductions")
        return rows

    def put(self, row: dict) -> None:
        """Add the row, or put it in the place of the older one of the same target.

        A target that was skipped leaves an older figure as it is; one that failed does not.
        """
        place = next((i for i, r in enumerate(self.rows) if _key(r) == _key(row)), None)
        if place is None:
            self.rows.append(row)
        elif row["status"].startswith("skipped") and self.rows[place]["ours"] is not None:
            return
        else:
            self.rows[place] = row
        if self.path is not None:
            write_atomic(self.path, json.dumps({"rows": self.rows}, indent=1) + "\n")

    def expect_writable(self) -> None:
        """Fail now rather than after an hour of training."""
        if self.path is not None:
            expect_writable(self.path)


def _is_row(row) -> bool:
    """Has it all that a table shows, of the right kind?"""
    if not isinstance(row, dict):
        return False
    texts, machine = (*KEY, "published", "better", "status"), row.get("machine")
    numbers = [row.get("bound"), *(row.get(k) or 0 for k in ("spread", "cpu_seconds"))]
    numbers += [0 if row.get(k, ...) is None else row.get(k) for k in ("ours", "seconds")]
    return (
        all(isinstance(row.get(k), str) for k in texts)
        and all(map(is_finite_number, numbers))
        and isinstance(machine, dict)
        and (not machine or set(MACHINE) <= set(machine))
    )


def _key(row: dict) -> tuple:
    return tuple(row[k] for k in KEY)


def markdown(rows: list[dict]) -> str:
    """The rows as a Markdown table, and below it the machine, or each of several by its number.

    Systems are in the order of the catalogue, whenever each was run.

    >>> row = dict(recipe="vae", target="bound", published="86.8", bound=86.8, better="lower",
    ...            ours=94.1, status="missed", seconds=61.0, cpu_seconds=90.0, data="mnist",
    ...            note="", machine={}, protocol="k = 1", seeds=1, commit="0a1b")
    >>> print(markdown([row]).splitlines()[2])
    | vae | bound | 86.8 | ≤ 86.8 | 94.1 | short by 7.3 | k = 1 | 1 | 0a1b | 1:01 min / 1:30 min |
    """
    from .core.terminal import seconds
    from .models import MODULES

    place = {name: i for i, name in enumerate(MODULES)}
    rows = sorted(rows, key=lambda r: place.get(r["recipe"], len(place)))
    lines = [
        "| system | target | published | to reach | ours | | what differs | seeds | commit |"
        " time / of processors |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    machines = list(dict.fromkeys(filter(None, map(_machine, rows))))
    mark = {m: f" [{i}]" if len(machines) > 1 else "" for i, m in enumerate(machines, start=1)}
    for r in rows:
        times = [r[k] for k in ("seconds", "cpu_seconds") if r.get(k) is not None]
        took = " / ".join(map(seconds, times)) + mark.get(_machine(r), "")
        cells = (
            r["recipe"], r["target"], r["published"], limit(r), ours(r), verdict(r),
            r.get("protocol", ""), r.get("seeds", 1), r.get("commit") or "", took,
        )  # fmt: skip
        lines.append("| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |")
    return "\n".join([*lines, *(f"\nMeasured on{mark[m]} {m}." for m in machines)])


def ours(row: dict) -> str:
    """Our figure, with its standard error where it is an estimate.

    >>> ours({"ours": 86.25, "spread": 0.125}), ours({"ours": None})
    ('86.25 ± 0.125', '')
    """
    from .core.terminal import number

    if row["ours"] is None:
        return ""
    spread = row.get("spread")
    return number(row["ours"]) + ("" if spread is None else f" ± {number(spread)}")


def limit(row: dict) -> str:
    """``≤ 86.76``, which is published, or ``ours: ≥ 0.98``, where nothing comparable is.

    >>> limit({"better": "higher", "bound": 0.98, "own": True})
    'ours: ≥ 0.98'
    """
    edge = f"{'≤' if row['better'] == 'lower' else '≥'} {row['bound']:g}"
    return f"ours: {edge}" if row.get("own") else edge


def verdict(row: dict) -> str:
    """ "reached", by how much it is not, or why there is no figure.

    >>> verdict({"status": "missed", "ours": 1.5, "bound": 1.25})
    'short by 0.25'
    """
    from .core.terminal import number

    if row["status"] != "missed":
        return row["status"]
    return f"short by {number(abs(row['ours'] - row['bound']))}"


def _machine(row: dict) -> str:
    from .core.machine import in_words

    m = row["machine"]
    return f"{in_words(m)}, {m['blas']}" if m else ""  # skipped, or failed


def render(record: Record, page: Path) -> None:
    """Put the table between the markers of a page, which must have both."""
    text = read_text(page, PAGE_LIMIT, RunError)
    start, end = text.find(BEGIN), text.find(END)
    if start < 0 or end < start:
        raise RunError(f"{page} has no markers {BEGIN} and {END}, in this order")
    table = f"{BEGIN}\n{markdown(record.rows)}\n"
    write_atomic(page, text[:start] + table + text[end:])
