"""Rows as tables: on the terminal, and as Markdown between the markers of a page.

    <!-- bench -->                     everything          <!-- bench: layers lenet -->   a part
    ... is replaced ...
    <!-- /bench -->

A part is named as on the command line: kernels, layers, models, conv2d, fused.adam. `summary`
stands for one line for each layer and training step (summary.py).
"""

import re
from pathlib import Path

from ..core.regular import JSON_LIMIT, read_text
from ..core.training.run_folder import RunError, write_atomic
from . import summary
from .record import Record, left_out

BEGIN, END = re.compile(r"<!-- bench(?:: ([\w. -]+))? -->"), "<!-- /bench -->"


def seconds(value: float | None) -> str:
    """A time with three digits.

    >>> seconds(1.5), seconds(0.00234), seconds(12.3e-6), seconds(None)
    ('1.5 s', '2.34 ms', '12.3 µs', '–')
    """
    if value is None:
        return "–"
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e6:.3g} µs"


def rate(amount: float, time: float | None) -> str:
    """Thousand millions in a second."""
    return f"{1e-9 * amount / time:.3g}" if amount and time else "–"


def percent(share: float | None) -> str:
    """A share, in per cent.

    >>> percent(0.256), percent(None)
    ('26 %', '–')
    """
    return "–" if share is None else f"{100 * share:.0f} %"


def ratio(row: dict, peer: str) -> str:
    """The peer's time over ours, "left out" where it failed, a dash where it has no such job."""
    if peer in row["peers"]:
        return f"{row['peers'][peer]['ratio']:.2f}"
    return "left out" if peer in left_out(row) else "–"


def failures(rows: list[dict]) -> list[str]:
    """A sentence for each peer that was left out of rows, with the reason."""
    return list(
        dict.fromkeys(
            f"{', '.join(filter(None, (row['case'], row['mode'])))}: {peer} was left out: {why}"
            for row in rows
            for peer, why in left_out(row).items()
        )
    )


def error(value: float | None) -> str:
    """An error with two digits."""
    return "–" if value is None else f"{value:.1e}"


def short(mode: str) -> str:
    """``fwd+bwd`` of ``forward+backward``, as tables are narrow."""
    return mode.replace("forward", "fwd").replace("backward", "bwd")


def peers_of(rows: list[dict]) -> list[str]:
    """The peers that any of the rows is compared with, or should have been."""
    return list(dict.fromkeys(p for r in rows for p in (*r["peers"], *left_out(r))))


def groups(rows: list[dict]) -> dict[str, list[dict]]:
    """Rows of one table: the versions on one case, or all of one layer's cases."""
    found: dict[str, list[dict]] = {}
    for row in rows:
        title = f"{row['name']}, {row['case']}" if row["version"] else row["name"]
        found.setdefault(title, []).append(row)
    return found


def columns(rows: list[dict]) -> list[str]:
    """The names of a group's columns."""
    head = ["v", "idea"] if rows[0]["version"] else ["case", "pass"]
    return [*head, "median", "spread", "GFLOP/s", "GB/s", "roof", *peers_of(rows), "error"]


def cells(row: dict, peers: list[str]) -> list[str]:
    """One row of a group's table."""
    head = (
        [str(row["version"]), row["idea"]] if row["version"] else [row["case"], short(row["mode"])]
    )
    if row["median"] is None:
        return [*head, "not on this case", *[""] * (5 + len(peers))]
    time = row["median"]
    return [
        *head,
        seconds(time),
        percent(row["spread"] / time),
        rate(row["flops"], time),
        rate(row["bytes"], time),
        percent(row["roofline"]),
        *(ratio(row, p) for p in peers),
        error(row["error"]),
    ]


def compiling(rows: list[dict]) -> str:
    """How much longer the first calls took, which is not in the times."""
    first = sum(row["first"] or 0.0 for row in rows)
    return f"First calls took {first:.1f} s longer than the median: loading and compiling."


def footer(record: Record) -> list[str]:
    """Machine, threads, roofline, peers, and what is not there and why."""
    m, line = record.machine, record.roofline
    where = m.get("gpu") or f"{m['cpu']}, {m['cores']} cores"
    versions = [f"Python {m['python']}", f"NumPy {m['numpy']}", f"Numba {m['numba']}", m["blas"]]
    versions += [f"{n} {v}" for n, v in record.peers.items() if v != m["blas"]]
    found = [
        f"Measured on {where}, {record.threads} threads, backend {record.backend}:"
        f" {line['flops'] / 1e9:.0f} GFLOP/s in a matrix product,"
        f" {line['bytes'] / 1e9:.1f} GB/s in a copy. {', '.join(versions)}."
        f" Kernels {record.kernels}{', few runs' if record.effort == 'quick' else ''}."
    ]
    found += [f"– {name}: {reason}." for name, reason in record.missing.items()]
    return found + [f"Note: {note}." for note in record.notes]


LEGEND = (
    "Columns named after a peer hold its time over ours, each measured in a process of its own by"
    " turns (on a GPU in one); itself is ours in a second process: 1.00, but for noise. spread:"
    " largest less smallest median of the turns, over the median; roof: the part of the median that"
    " the measured roofline asks for, beyond 100 % where"
    " arrays stay in the caches or Winograd's convolution leaves products out; error: relative, of"
    " layers in the L2 norm from float64, of steps in what the first one changes."
)


def kind(name: str) -> str:
    """Which kind of measurement a row's name is of.

    >>> kind("conv2d.forward"), kind("conv2d.layer"), kind("fused.adam"), kind("vae")
    ('kernels', 'layers', 'layers', 'models')
    """
    family, _, part = name.partition(".")
    if not part:
        return "models"
    return "layers" if part in ("layer", "epoch") or family == "fused" else "kernels"


def chosen(rows: list[dict], names: list[str]) -> list[dict]:
    """The rows that the names stand for; all where there are none."""
    if not names:
        return rows
    return [
        r for r in rows if {r["name"], r["name"].partition(".")[0], kind(r["name"])} & set(names)
    ]


def warning(record: Record) -> list[str]:
    """A line where the ratios are not reliable."""
    doubts = record.doubts()
    return [f"Do not rely on these ratios: {'; '.join(doubts)}."] if doubts else []


def markdown(record: Record, names: list[str] | None = None) -> str:
    """Every group as a Markdown table, then means, memory and the footer; doubts come first."""
    parts = [f"**{line}**" for line in warning(record)]
    if names == ["summary"]:
        return "\n\n".join([*parts, _summary(record), *footer(record)])
    every = chosen(record.rows, names or [])
    without = [n for n in names or [] if not chosen(record.rows, [n])]
    if without or not every:
        raise RunError(f"there are no results of {' '.join(without or ['anything'])}")
    for title, rows in groups(every).items():
        peers = peers_of(rows)
        shown = table(columns(rows), [cells(r, peers) for r in rows])
        parts.append(f"**{title}**\n\n{shown}")
        parts += [f"- {line}." for line in failures(rows)]
    for extra in (summary.means(every), summary.memory(every)):
        parts += ["\n".join(f"- {line}" for line in extra)] if extra else []
    return "\n\n".join([*parts, LEGEND, *footer(record)])


def _summary(record: Record) -> str:
    """One line for each layer, map, pass and training step, and each of its peers."""
    rows = [
        [
            r.name,
            short(r.mode),
            str(r.cases),
            r.ratio(),
            f"{r.least:.2f}" if r.cases > 1 and r.least else "",
            percent(r.roofline),
            error(r.error),
            "" if r.memory is None else f"{r.memory:.2f}",
        ]
        for r in summary.summary(record.rows)
    ]
    return f"{table(summary.COLUMNS, rows)}\n\n{summary.LEGEND}"


def table(names: list[str], rows: list[list[str]], words: int = 2) -> str:
    """Markdown: so many columns of words, the rest numbers."""
    rule = ["---"] * words + ["---:"] * (len(names) - words)
    return "\n".join(map(_line, [names, rule, *rows]))


def _line(values) -> str:
    return "| " + " | ".join(str(v).replace("|", "\\|") for v in values) + " |"


def expect_markers(page: Path) -> list[tuple[str, list[str] | None]]:
    """The page in pieces: (text, None) as it stands, (opening marker, names) where a table goes.

    RunError for a page without markers, or with one that is not closed before the next.
    """
    text = read_text(page, JSON_LIMIT, RunError)
    pieces, at = [], 0
    for begin in BEGIN.finditer(text):
        end, following = text.find(END, begin.end()), BEGIN.search(text, begin.end())
        if end < 0 or (following and following.start() < end):
            raise RunError(f"{page}: {begin[0]} is not closed by {END}")
        pieces += [(text[at : begin.start()], None), (begin[0], (begin[1] or "").split())]
        at = end
    if not pieces:
        raise RunError(f"{page} has no markers <!-- bench --> and {END}, in this order")
    return [*pieces, (text[at:], None)]


def render(record: Record, page: Path) -> None:
    """Put the tables between all the markers of a page."""
    write_atomic(
        page,
        "".join(
            text if names is None else f"{text}\n{markdown(record, names)}\n"
            for text, names in expect_markers(page)
        ),
    )
