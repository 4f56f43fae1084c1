"""Run a kernel's versions in the instrumented emulator: counters, findings, maps of memory access.

glassgrad lab conv2d                              every pass and version
glassgrad lab conv2d.forward --version 2          one version, line by line
glassgrad lab lstm.sequence_forward --case "T9 N3 H33"
"""

import shlex
from errno import ENOTDIR
from pathlib import Path

HELP = "what a kernel's versions do to memory, as a table and a page"


def arguments(parser) -> None:
    """Which kernel, version and case, and where the page goes."""
    parser.add_argument("kernel", metavar="KERNEL", help="a family or one pass of it")
    parser.add_argument("--version", type=int, metavar="N", help="one version of it")
    parser.add_argument("--case", metavar="NAME", help="a case, by its name or a part of it")
    parser.add_argument("--out", metavar="FILE", help="the page (glassgrad-lab-KERNEL.html)")
    parser.add_argument("--open", action="store_true", help="show the page in a browser")


def run(args) -> int:
    """Run the versions in the emulator, write the page; 1 where it found a fault."""
    from ..core.terminal import console, say
    from ..core.training.run_folder import expect_writable, write_atomic
    from ..kernels.emulator.compiler import compiler
    from ..lab import ladders, render

    compiler()  # fails before anything is measured: the emulator needs it
    out, found = console(), []
    page = Path(args.out or f"glassgrad-lab-{args.kernel}.html")
    if page.is_dir() or not page.parent.is_dir():
        raise NotADirectoryError(ENOTDIR, "must be a file in a folder that is there", str(page))
    expect_writable(page)
    for ladder in ladders(args.kernel, args.version, args.case):
        found.append(ladder)
        out.print(_table(ladder), "")
        if args.version is not None:
            out.print(_lines(ladder.rungs[0]), "")
    findings = [f for ladder in found for f in ladder.findings]
    for finding in findings:
        out.print(finding, style="red")
    write_atomic(page, render(found, _command(args)))
    say(f"written: {page}")
    if args.open:
        import webbrowser

        webbrowser.open(page.absolute().as_uri())
    return 1 if findings else 0


def _command(args) -> str:
    options = [("--version", args.version), ("--case", args.case)]
    said = [f"{name} {shlex.quote(str(value))}" for name, value in options if value is not None]
    return " ".join(["glassgrad lab", args.kernel, *said])


def _table(ladder):
    from rich.text import Text

    from ..core.terminal import amount, good, table

    rows = []
    for r in ladder.rungs:
        if r.report is None:
            rows.append((r.record.version, f"{r.record.idea}: not on this case", *[""] * 8))
            continue
        shared = r.report.total("requests", "shared")
        rows.append(
            (
                r.record.version,
                r.record.idea,
                amount(r.traffic),
                f"{r.intensity:.3g}",
                *(f"{r.per_request('global', way)[0]:.3g}" for way in ("load", "store")),
                f"{r.per_request('shared')[0]:.3g}" if shared else "–",
                f"{100 * r.active:.0f} %",
                Text(f"{r.error:.0e}", "red" if r.wrong else ""),
                good(not r.report.findings, "none", str(len(r.report.findings))),
            )
        )
    columns = (
        "v",
        "idea",
        "bytes",
        "flop/B",
        "sect/ld",
        "sect/st",
        "wave",
        "lanes",
        "error",
        "found",
    )
    title = f"{ladder.op}.{ladder.pass_}, {ladder.case.name}"
    return table(rows, *columns, title=title, numbers=("v", *columns[2:9]), whole=columns[2:9])


def _lines(rung):
    from ..core.terminal import amount, table

    rows = [
        (
            f"{Path(s.file).name}:{s.line}",
            s.array or "shared",
            s.access,
            s.size,
            amount(s.requests),
            f"{s.per_request:.3g}",
            f"{s.ideal / s.requests:.3g}",
            s.ways if s.ways > 1 else "",
            f"{100 * s.active:.0f} %",
        )
        for s in (rung.report.lines() if rung.report else ())
    ]
    columns = ("line", "memory", "", "bytes", "requests", "per req.", "least", "ways", "lanes")
    return table(rows, *columns, numbers=columns[3:], whole=("line",))
