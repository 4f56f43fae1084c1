"""What is kept of a run: a JSON file with the machine, the roofline and the rows (see job.py).

Times of two machines, or of two hours on one, cannot be compared; ratios measured side by side can.
`fallen` compares a record with an older one by them.
"""

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..core.regular import read_json
from ..core.training.run_folder import RunError, write_atomic
from ..kernels.errors import GlassgradError
from .peers import ITSELF

FORMAT = 2
# a table is not reliable where ours against itself is further off, or other load is larger
OFF, BUSY = 0.05, 0.10
KEY = ("name", "case", "mode", "backend", "version")


class RecordError(GlassgradError, ValueError):
    """A file is no record, or two records have nothing to do with each other."""


@dataclass
class Record:
    """The rows of a run, and what they were measured on."""

    made: str
    machine: dict
    threads: int
    backend: str
    roofline: dict
    peers: dict  # name -> version
    missing: dict  # name -> why it is not there
    effort: str  # "full" or "quick"
    kernels: str  # which edition of them: compiled.key()
    rows: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    busy: float | None = None  # the part of the processors that other processes took
    format: int = FORMAT

    def doubts(self) -> list[str]:
        """Why its ratios are not reliable; empty where they are."""
        checks = [
            (abs(r["peers"][ITSELF]["ratio"] - 1), r) for r in self.rows if ITSELF in r["peers"]
        ]
        off, row = max(checks, key=lambda check: check[0], default=(0.0, None))
        found = []
        if off > OFF:
            ratio = row["peers"][ITSELF]["ratio"]
            found.append(f"ours against ours is {ratio:.2f} and not 1.00 in {describe(row)}")
        if (self.busy or 0.0) > BUSY:
            found.append(f"other processes took {100 * self.busy:.0f} % of the processors")
        return found

    def add(self, rows: list[dict]) -> None:
        """Add rows, each in the place of the older one of the same key."""
        new = {key_of(r): r for r in rows}
        self.rows = [new.pop(key_of(r), r) for r in self.rows] + list(new.values())

    def keep(self, older: "Record") -> None:
        """Put the older record's rows before these. RecordError if it is of another machine."""
        for name in ("machine", "threads", "backend", "effort", "kernels"):
            ours, theirs = getattr(self, name), getattr(older, name)
            if ours != theirs:
                raise RecordError(
                    f"the rows in the file were measured with another {name}: {theirs}, now {ours};"
                    " write to another file"
                )
        rows, self.rows = self.rows, list(older.rows)
        self.notes = [*dict.fromkeys([*older.notes, *self.notes])]
        self.peers, self.missing = {**older.peers, **self.peers}, {**older.missing, **self.missing}
        self.busy = max((b for b in (older.busy, self.busy) if b is not None), default=None)
        self.missing = {k: v for k, v in self.missing.items() if k not in self.peers}
        self.add(rows)

    def write(self, path: Path | str) -> None:
        """The record as JSON; RunError if the file cannot be written."""
        write_atomic(Path(path), json.dumps(asdict(self), indent=1, allow_nan=False) + "\n")


def key_of(row: dict) -> tuple:
    """What tells rows apart."""
    return tuple(row[k] for k in KEY)


def read(path: Path | str) -> Record:
    """The record in a file; RunError if it cannot be read, RecordError if it is something else."""
    content = read_json(path, RunError)
    problem = _problem(content)
    if problem:
        raise RecordError(f"{path} is no record of a benchmark: {problem}")
    return Record(**content)


def _problem(content) -> str:
    """What is wrong with the content of a file; empty if nothing."""
    kinds = {
        "made": str, "machine": dict, "threads": int, "backend": str, "roofline": dict,
        "peers": dict, "missing": dict, "effort": str, "kernels": str, "rows": list, "notes": list,
        "format": int,
    }  # fmt: skip
    if not isinstance(content, dict) or set(content) - {"busy"} != set(kinds):
        return f"it must have {', '.join(kinds)}"
    for name, kind in kinds.items():
        if not isinstance(content[name], kind):
            return f"{name} must be a {kind.__name__}"
    if content["format"] != FORMAT:
        return f"its format is {content['format']}, known is {FORMAT}"
    busy = content.get("busy")  # older files do not say
    if not (busy is None or (_size(busy) and busy <= 1)):
        return "busy must be a number from 0 to 1"
    for name, known in {"machine": MACHINE, "roofline": ("flops", "bytes")}.items():
        missing = [k for k in known if k not in content[name]]
        if missing:
            return f"{name} has no {missing[0]!r}"
    if not all(_positive(content["roofline"][k]) for k in ("flops", "bytes")):
        return "the roofline must be of positive numbers"
    for i, row in enumerate(content["rows"]):
        wrong = _wrong_column(row) if isinstance(row, dict) else "name"
        if wrong:
            return f"row {i + 1} has no proper {wrong}"
    return ""


MACHINE = ("cpu", "cores", "python", "numpy", "numba", "blas")
TEXTS = ("name", "case", "mode", "backend", "idea")
SIZES = ("runs", "flops", "bytes")  # from 0 up
MEASURED = ("median", "spread", "best", "first", "roofline", "error")  # from 0 up, or None


def _wrong_column(row: dict) -> str:
    """The first column of a row that is not what it must be."""
    for name in TEXTS:
        if not isinstance(row.get(name), str):
            return repr(name)
    for name in (*SIZES, *MEASURED):
        value = row.get(name, ...)
        if not (_size(value) or (value is None and name in MEASURED)):
            return repr(name)
    if not isinstance(row.get("version", ...), int | None):
        return "'version'"
    if row["median"] is not None and not (row["median"] and row["spread"] is not None):
        return "'median'"
    if not isinstance(row.get("peers"), dict) or not isinstance(
        row.get("memory", ...), dict | None
    ):
        return "'peers' or 'memory'"
    if not isinstance(row.get("left_out", {}), dict):
        return "'left_out'"
    for peer, value in row["peers"].items():
        if not isinstance(value, dict) or not _positive(value.get("ratio")):
            return f"ratio to {peer!r}"
    for who, size in (row["memory"] or {}).items():
        if not (size is None or _size(size)):
            return f"memory of {who!r}"
    return ""


def _size(value) -> bool:
    """A finite number from 0 up."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value < math.inf


def _positive(value) -> bool:
    return _size(value) and value > 0


def fallen(new: Record, old: Record, factor: float) -> tuple[list[str], int]:
    """(a sentence for each ratio that fell by more than `factor`, number of rows compared).

    A row's ratios to its peers, in time and in memory, are compared, other than that of ours to
    itself; where the two records share none, its part of the roofline is. What was measured then
    but not now has fallen too: a version that no longer runs on its case, a missing row of a name
    that was measured, a peer that is installed but was left out. Raises RecordError where no row is
    in both, or where threads, backend or effort are not the same.
    """
    for name in ("threads", "backend", "effort"):
        then, now = getattr(old, name), getattr(new, name)
        if then != now:
            raise RecordError(f"{name} was {then} then and is {now} now: ratios cannot be compared")
    before = {key_of(r): r for r in old.rows if r["median"] is not None}
    names, here = {r["name"] for r in new.rows}, {key_of(r) for r in new.rows if r["median"]}
    found = [
        f"{describe(row)}: not measured any more"
        for key, row in before.items()
        if row["name"] in names and key not in here
    ]
    compared = 0
    for row in new.rows:
        other = before.get(key_of(row))
        if other is None or row["median"] is None:
            continue
        found += [
            f"{describe(row)}: {peer} was left out"
            for peer in other["peers"]
            if peer in new.peers and peer not in row["peers"] and peer != ITSELF
        ]
        pairs = {
            f"ratio to {p}": (other["peers"][p]["ratio"], v["ratio"])
            for p, v in row["peers"].items()
            if p in other["peers"] and p != ITSELF
        }
        was, now = memory_shares(other), memory_shares(row)
        pairs |= {f"{p}'s memory over ours": (was[p], now[p]) for p in was.keys() & now.keys()}
        if not pairs and row["roofline"] and other["roofline"]:
            pairs = {"part of the roofline": (other["roofline"], row["roofline"])}
        compared += bool(pairs)
        found += [
            f"{describe(row)}: {what} fell from {was:.3g} to {now:.3g}"
            for what, (was, now) in pairs.items()
            if not now >= was / factor
        ]
    if not compared:
        raise RecordError("nothing to compare: the two records share no row")
    return found, compared


def left_out(row: dict) -> dict[str, str]:
    """Why peers have no time in this row; older files do not say."""
    return row.get("left_out") or {}


def memory_shares(row: dict) -> dict[str, float]:
    """Each peer's peak memory over ours, where both were measured."""
    used = {name: size for name, size in (row["memory"] or {}).items() if size}
    ours = used.pop("ours", None)
    return {peer: size / ours for peer, size in used.items()} if ours else {}


def describe(row: dict) -> str:
    """A row in words: ``conv2d.layer (32,64,…), forward``."""
    version = f" v{row['version']}" if row["version"] else ""
    mode = f", {row['mode']}" if row["mode"] else ""
    return f"{row['name']}{version} {row['case']}{mode}"
