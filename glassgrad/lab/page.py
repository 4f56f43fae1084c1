"""The laboratory's page: the ladder with its counters, then every line that touches memory."""

import functools
import html
from importlib import resources
from pathlib import Path
from string import Template

from ..core.terminal import amount, count
from ..kernels.emulator.report import Finding, Report, Site
from ..kernels.emulator.shown import geometry
from . import maps
from .measure import CHIP, Ladder, Rung
from .single import Single

AROUND = 2  # lines shown before and after a finding's


def render(ladders: list[Ladder], command: str) -> str:
    """The whole page as HTML; `command` is the call that made it."""
    ops = list(dict.fromkeys(ladder.op for ladder in ladders))
    names = [ladder.pass_ if len(ops) == 1 else _name(ladder) for ladder in ladders]
    links = (f'<a href="#{_name(x)}">{name}</a>' for x, name in zip(ladders, names))
    return _page(
        kernel=", ".join(ops) if len(ladders) > 1 else _name(ladders[0]),
        ran="Each version of the kernel ran on one case",
        verdict=_verdict(ladders),
        contents="".join(links),
        sections="".join(map(_section, ladders)),
        command=html.escape(command),
        note=" Arrays are float32.",
    )


def render_single(single: Single, command: str) -> str:
    """The page of one kernel of a file."""
    report, found = single.report, single.report.findings
    right = "No race, nothing out of bounds, all initialised, no divergent barrier."
    verdict = f'<b class="bad">{count(len(found), "finding")}.</b>' if found else ""
    return _page(
        kernel=html.escape(single.kernel),
        ran="The kernel ran once",
        verdict=verdict or f'<b class="fine">{right}</b>',
        contents="",
        sections=f"""
<section>
  <h2>{html.escape(single.path.name)}</h2>
  <p class="lecture"><code>{html.escape(single.signature)}</code></p>
  <div class="scroll">{_table(COUNTED, KINDS[:1] + KINDS[2:10], [_counted(report)])}</div>
  {_details(report, single.resources)}
</section>""",
        command=html.escape(command),
        note="",
    )


def _page(**parts) -> str:
    from .. import __version__

    folder = resources.files(__package__)
    style = (folder / "../page.css").read_text(encoding="utf-8")
    return Template((folder / "page.html").read_text(encoding="utf-8")).substitute(
        parts,
        style=style + (folder / "page.css").read_text(encoding="utf-8"),
        legend=maps.legend(),
        version=__version__,
    )


def _name(ladder: Ladder) -> str:
    """Of an operation's pass: two operations of a file may both have a pass `forward`."""
    return f"{ladder.op}.{ladder.pass_}"


def _verdict(ladders: list[Ladder]) -> str:
    found = [f for ladder in ladders for f in ladder.findings]
    if found:
        return f'<b class="bad">{count(len(found), "finding")}.</b>'
    if not any(rung.report.launches for ladder in ladders for rung in ladder.ran):
        return "<b>No version launches a kernel on this case.</b>"
    said = "Every result equals the reference; no race, nothing out of bounds, all initialised."
    return f'<b class="fine">{said}</b>'


def _section(ladder: Ladder) -> str:
    alone = len(ladder.rungs) == 1
    versions = "".join(_version(r, alone) for r in ladder.ran)
    case = ladder.case
    return f"""
<section id="{_name(ladder)}">
  <h2>{_name(ladder)}</h2>
  <p class="lecture">{html.escape(case.name)}: {amount(case.flops)} floating-point operations,
  at least {amount(case.bytes)} bytes to read and write</p>
  <div class="scroll">{_table(COLUMNS, KINDS, _steps(ladder))}</div>
  {versions}
</section>"""


# ------------------------------------------------------------------ the ladder

COUNTED = ("launches", "bytes moved", "sectors a load", "sectors a store", "shared requests",
           "wavefronts a request", "worst bank conflict", "lanes active")  # fmt: skip
COLUMNS = ("version", "idea", *COUNTED[:2], "operations a byte", *COUNTED[2:], "error", "findings")
KINDS = ("", " class='idea'", *[" class='n'"] * 11)


def _steps(ladder: Ladder):
    most = max((r.report.traffic for r in ladder.ran), default=0)
    for rung in ladder.rungs:
        head = f"v{rung.record.version}", html.escape(rung.record.idea)
        if rung.report is None:
            yield *head, "does not support this case", *[""] * (len(COLUMNS) - 3)
            continue
        width = 100 * rung.report.traffic / most if most else 0
        launches, moved, *counted = _counted(rung.report)
        yield (
            *head,
            launches,
            f'{moved}<span class="bar" style="width:{width:.0f}%"></span>',
            f"{rung.intensity:.3g}",
            *counted,
            f'<b class="bad">{rung.error:.1e}</b>' if rung.wrong else f"{rung.error:.1e}",
            len(rung.report.findings) or '<span class="fine">none</span>',
        )


def _counted(report: Report) -> tuple:
    """The cells of a report below `COUNTED`."""
    shared = report.total("requests", "shared")
    return (
        len(report.launches),
        amount(report.traffic),
        _of_least(*report.per_request("global", "load")),
        _of_least(*report.per_request("global", "store")),
        amount(shared) if shared else "–",
        _of_least(*report.per_request("shared")) if shared else "–",
        f"{report.ways} ways" if report.ways > 1 else "none" if shared else "–",
        f"{100 * report.active:.0f} %",
    )


def _of_least(measured: float, least: float) -> str:
    """Both in a cell, the least where it is not what was measured."""
    more = measured > 1.005 * least
    return f"{measured:.3g}" + (f"<br><small>least {least:.3g}</small>" if more else "")


def _table(columns, kinds, rows) -> str:
    """Rows of HTML below their column names. Cells know the name too: on a narrow screen each has
    a line of its own.
    """
    head = "".join(f"<th{k}>{c}</th>" for k, c in zip(kinds, columns))
    body = "".join(
        "<tr>"
        + "".join(f'<td{k} data-name="{c}">{v}</td>' for c, k, v in zip(columns, kinds, row))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


# ------------------------------------------------------------------ one version

LINES = ("line", "what stands there", "memory", "requests", "sectors or wavefronts a request",
         "least possible", "lanes active", "the first request of a warp")  # fmt: skip
LINE_KINDS = ("", "", " class='whole'", *[" class='n'"] * 4, "")


def _version(rung: Rung, opened: bool) -> str:
    return f"""
<details{" open" if opened or rung.report.findings else ""}>
  <summary><b>v{rung.record.version}</b> {html.escape(rung.record.idea)}</summary>
  {_details(rung.report, rung.resources)}
</details>"""


def _details(report: Report, resources: dict) -> str:
    """Launches, findings, and every line that touches memory."""
    launches = dict.fromkeys(map(_launch, report.launches))
    taken = "".join(f"<br><code>{k}</code> {_taken(r)}" for k, r in resources.items())
    findings = "".join(map(_finding, report.findings))
    rows = map(_line, sorted(report.lines(), key=lambda s: -s.units * _weight(s)))
    return f"""
  <p class="lecture">{"; ".join(launches)}{taken}</p>
  {findings}
  <div class="scroll">{_table(LINES, LINE_KINDS, rows)}</div>"""


def _launch(x) -> str:
    return f"<code>{x['kernel']}</code> {geometry(x, ' × ')}"


def _taken(r) -> str:
    spills = f"spills {r.spilled} bytes" if r.spilled else "spills nothing"
    return (
        f"takes {r.registers} registers a thread, {r.shared} bytes of static shared memory a"
        f" block, {spills} ({CHIP}, NVRTC)"
    )


def _weight(site: Site) -> int:
    """Global memory first: it is what most kernels wait for."""
    return 1_000_000 if site.space == "global" else 1


def _line(site: Site) -> tuple:
    where = f"{Path(site.file).name}:{site.line}" if site.line else ""
    access = f"{site.access}, {site.size} bytes a lane"
    memory = f"<code>{site.array}</code>" if site.space == "global" else "shared"
    conflict = f"<br>{site.ways} ways" if site.ways > 1 else ""
    least = site.ideal / site.requests
    return (
        where,
        f"<pre>{html.escape(_source(site.file, site.line))}</pre>",
        f"{memory}<br>{access}",
        amount(site.requests),
        f"{site.per_request:.3g}{conflict}",
        f"{least:.3g}",
        f"{100 * site.active:.0f} %",
        maps.of(site),
    )


def _finding(finding: Finding) -> str:
    lines = []
    for number in range(finding.line - AROUND, finding.line + AROUND + 1) if finding.line else ():
        text = html.escape(f"{number:5}  {_source(finding.file, number, strip=False)}")
        lines.append(f'<span class="here">{text}</span>' if number == finding.line else text)
    source = "\n".join(lines)
    return f'<div class="finding"><p>{html.escape(str(finding))}</p><pre>{source}</pre></div>'


@functools.cache
def _text(file: str) -> list[str]:
    return Path(file).read_text(encoding="utf-8").splitlines()


def _source(file: str, line: int, strip: bool = True) -> str:
    if not line or not 0 < line <= len(_text(file)):
        return ""
    text = _text(file)[line - 1]
    return text.strip() if strip else text
