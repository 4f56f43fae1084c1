"""A report as a person reads it: text for a terminal, tables for a notebook."""

import html
from pathlib import Path

COLUMNS = ("line", "memory", "access", "bytes", "requests", "per request", "least", "ways", "lanes")
MOST = 20  # lines of the source that are listed


def launched(launch: dict) -> str:
    """A launch in words.

    >>> launched({"kernel": "k", "grid": (4, 2, 1), "block": (256, 1, 1)})
    'k: 4 x 2 blocks of 256 threads'
    """
    return f"{launch['kernel']}: {geometry(launch)}"


def geometry(launch: dict, times: str = " x ") -> str:
    """The blocks and threads of a launch in words.

    >>> geometry({"grid": (1, 1, 1), "block": (32, 2, 1)})
    '1 block of 32 x 2 threads'
    """
    grid, block = (
        times.join(str(n) for i, n in enumerate(sizes) if n > 1 or i == 0)
        for sizes in (launch["grid"], launch["block"])
    )
    blocks, threads = "block" + "s" * (grid != "1"), "thread" + "s" * (block != "1")
    return f"{grid} {blocks} of {block} {threads}"


def _head(report) -> str:
    found = len(report.findings)
    said = "no finding" if not found else "1 finding" if found == 1 else f"{found} findings"
    times = len(report.launches)
    return f"{times} {'launch' if times == 1 else 'launches'}, {said}"


def _rows(report) -> tuple[list[tuple], int]:
    """The lines that move the most, in order of the source; and how many there are besides."""
    lines = report.lines()
    kept = sorted(lines, key=lambda s: (s.space != "global", -s.units))[:MOST]
    rows = [cells(s) for s in lines if any(s is k for k in kept)]
    return rows, len(lines) - len(kept)


def cells(s, count=str) -> tuple[str, ...]:
    """What a line does to memory, by `COLUMNS`; `count` writes the number of requests."""
    return (
        f"{Path(s.file).name}:{s.line}" if s.line else "?",
        s.array or "shared",
        s.access,
        str(s.size),
        count(s.requests),
        f"{s.per_request:.3g}",
        f"{s.ideal / s.requests:.3g}" if s.requests else "",
        str(s.ways) if s.ways > 1 else "",
        f"{100 * s.active:.0f} %",
    )


def as_text(report) -> str:
    """Launches, findings, and a row for each line that touches memory."""
    out = [f"Report: {_head(report)}", *dict.fromkeys(map(launched, report.launches))]
    out += [f"  {finding}" for finding in report.findings]
    rows, more = _rows(report)
    if rows:
        widths = [max(map(len, column)) for column in zip(COLUMNS, *rows)]
        for row in (COLUMNS, *rows):
            cells = (
                c.ljust(w) if i < 3 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))
            )
            out.append("  ".join(cells).rstrip())
    if more:
        out.append(f"… and {more} lines more")
    return "\n".join(out)


def as_html(report) -> str:
    """The same, for a notebook."""
    launches = "<br>".join(html.escape(s) for s in dict.fromkeys(map(launched, report.launches)))
    findings = "".join(f"<li><b>{html.escape(str(f))}</b></li>" for f in report.findings)
    rows, more = _rows(report)
    table = "".join(
        f"<tr>{''.join(f'<td>{html.escape(c)}</td>' for c in row)}</tr>" for row in rows
    )
    head = "".join(f"<th>{c}</th>" for c in COLUMNS)
    return (
        f"<div><p><b>Report</b>: {_head(report)}<br>{launches}</p>"
        + (f"<ul>{findings}</ul>" if findings else "")
        + (f"<table><thead><tr>{head}</tr></thead><tbody>{table}</tbody></table>" if rows else "")
        + (f"<p>… and {more} lines more</p>" if more else "")
        + "</div>"
    )
