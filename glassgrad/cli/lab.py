"""Run a kernel's versions in the instrumented emulator: counters, findings, maps of memory access.

glassgrad lab conv2d                              every pass and version
glassgrad lab conv2d.forward --version 2          one version, line by line
glassgrad lab lstm.sequence_forward --case "T9 N3 H33"
glassgrad lab my_blur.py                          what a file of your own registers
glassgrad lab sum.cu --arg x=random:1024 --arg y=empty:4 --arg n=1024 --grid 4 --block 256

A .cu file needs no Python: the signature is read from it, and --arg gives each argument: a number
(n=1024), the fields of a struct (z=2,3,4), or an array (x=random:1024, zeros:32x32, ones:…,
arange:…, empty:… which nobody has written, a file x=values.npy, or null). Ends with 1 where
something is found.
"""

import shlex
from errno import ENOTDIR
from pathlib import Path

HELP = "what a kernel's versions do to memory, as a table and a page"


def arguments(parser) -> None:
    """Which kernel, version and case, and where the page goes."""
    parser.add_argument("kernel", metavar="KERNEL", help="a family, a pass of it, or a file")
    parser.add_argument("entry", metavar="ENTRY", nargs="?", help="one of several in FILE.cu")
    parser.add_argument("--version", type=int, metavar="N", help="one version of it")
    parser.add_argument("--case", metavar="NAME", help="a case, by its name or a part of it")
    parser.add_argument(
        "--arg", metavar="K=V", action="append", default=[], dest="args",
        help="an argument of FILE.cu, such as n=1024 or x=random:1024",
    )  # fmt: skip
    parser.add_argument("--grid", metavar="N", help="blocks of FILE.cu, such as 4 or 4x2")
    parser.add_argument("--block", metavar="N", help="threads of a block, such as 256 or 16x16")
    parser.add_argument("--shared", type=int, metavar="BYTES", help="dynamic shared memory (0)")
    parser.add_argument("--real", choices=("float32", "float64"), help="what `real` is (float32)")
    parser.add_argument("--out", metavar="FILE", help="the page (glassgrad-lab-KERNEL.html)")
    parser.add_argument("--open", action="store_true", help="show the page in a browser")


def run(args) -> int:
    """Run the versions in the emulator, write the page; 1 where it found a fault."""
    from ..core.usage import UsageError
    from ..kernels import own
    from ..kernels.emulator.compiler import compiler
    from ..lab.single import is_file

    compiler()  # fails before anything is measured: the emulator needs it
    single = is_file(args.kernel)
    for option, value in _single_options(args):
        if value is not None and not single:
            raise UsageError(f"{option} is for a file: glassgrad lab FILE.cu")
    for option in ("version", "case"):
        if single and getattr(args, option) is not None:
            raise UsageError(f"--{option} is for registered kernels, not for {args.kernel}")
    if single:
        return _run_single(args)
    names = own.opened(args.kernel)
    page = _page(args, "-".join(names))
    from ..core.terminal import console
    from ..lab import ladders, render

    out, found = console(), []
    for ladder in ladders(args.kernel, args.version, args.case):
        found.append(ladder)
        out.print(_table(ladder), "")
        if args.version is not None:
            out.print(_lines(ladder.rungs[0].report), "")
    findings = [f for ladder in found for f in ladder.findings]
    return _end(args, page, findings, render(found, _command(args)))


def _run_single(args) -> int:
    from ..core.terminal import console
    from ..kernels.emulator.shown import launched
    from ..lab import render_single
    from ..lab import run as launch
    from .common import overrides

    page = _page(args, Path(args.kernel).stem)
    single = launch(
        args.kernel,
        args.entry,
        overrides(args.args, "--arg"),
        _sizes("--grid", args.grid),
        _sizes("--block", args.block),
        args.shared or 0,
        args.real or "float32",
    )
    out = console()
    out.print(single.signature, *dict.fromkeys(map(launched, single.report.launches)), "", sep="\n")
    if single.report.sites:
        out.print(_lines(single.report), "")
    findings = [str(f) for f in single.report.findings]
    if not findings:
        out.print("no race, nothing out of bounds, all initialised, no divergent barrier")
    return _end(args, page, findings, render_single(single, _command(args)))


def _page(args, name: str) -> Path:
    """Where the page goes; an error where it cannot."""
    from ..core.training.run_folder import expect_writable

    page = Path(args.out or f"glassgrad-lab-{name}.html")
    if page.is_dir() or not page.parent.is_dir():
        raise NotADirectoryError(ENOTDIR, "must be a file in a folder that is there", str(page))
    expect_writable(page)
    return page


def _end(args, page: Path, findings: list[str], text: str) -> int:
    """Print the findings, write the page, show it; the exit code."""
    from ..core.terminal import console, say
    from ..core.training.run_folder import write_atomic

    out = console()
    for finding in findings:
        out.print(finding, style="red")
    write_atomic(page, text)
    say(f"written: {page}")
    if args.open:
        import webbrowser

        webbrowser.open(page.absolute().as_uri())
    return 1 if findings else 0


def _sizes(option: str, text: str | None) -> tuple[int, ...] | None:
    """Sizes such as 256, 16x16 or 4,2; None where nothing is said.

    >>> _sizes("--block", "16x16")
    (16, 16)
    """
    from ..core.usage import UsageError

    if text is None:
        return None
    parts = text.replace(",", "x").split("x")
    if len(parts) > 3 or not all(p.isdecimal() and len(p) < 12 for p in parts):
        raise UsageError(f"{option} takes up to three sizes, such as 256 or 16x16; got {text!r}")
    sizes = tuple(map(int, parts))
    if 0 in sizes:
        raise UsageError(f"{option} takes sizes of at least 1; got {text!r}")
    return sizes


def _single_options(args):
    """What only a FILE.cu takes: (option, value or None)."""
    yield "a second name", args.entry
    yield "--arg", args.args or None
    for name in ("grid", "block", "shared", "real"):
        yield f"--{name}", getattr(args, name)


def _command(args) -> str:
    options = [("--version", args.version), ("--case", args.case)]
    options += [("--arg", text) for text in args.args]
    options += [(f"--{n}", getattr(args, n)) for n in ("grid", "block", "shared", "real")]
    said = [f"{name} {shlex.quote(str(value))}" for name, value in options if value is not None]
    names = [shlex.quote(n) for n in (args.kernel, args.entry) if n is not None]
    return " ".join(["glassgrad lab", *names, *said])


def _table(ladder):
    from rich.text import Text

    from ..core.terminal import amount, good, table

    rows = []
    for r in ladder.rungs:
        report = r.report
        if report is None:
            rows.append((r.record.version, f"{r.record.idea}: not on this case", *[""] * 8))
            continue
        shared = report.total("requests", "shared")
        rows.append(
            (
                r.record.version,
                r.record.idea,
                amount(report.traffic),
                f"{r.intensity:.3g}",
                *(f"{report.per_request('global', way)[0]:.3g}" for way in ("load", "store")),
                f"{report.per_request('shared')[0]:.3g}" if shared else "–",
                f"{100 * report.active:.0f} %",
                Text(f"{r.error:.0e}", "red" if r.wrong else ""),
                good(not report.findings, "none", str(len(report.findings))),
            )
        )
    columns = (
        *("v", "idea", "bytes", "flop/B", "sect/ld", "sect/st", "wave", "lanes", "error"),
        "found",
    )
    title = f"{ladder.op}.{ladder.pass_}, {ladder.case.name}"
    return table(rows, *columns, title=title, numbers=("v", *columns[2:9]), whole=columns[2:9])


def _lines(report):
    from ..core.terminal import amount, table
    from ..kernels.emulator.shown import cells

    rows = [cells(s, amount) for s in (report.lines() if report else ())]
    columns = ("line", "memory", "", "bytes", "requests", "per req.", "least", "ways", "lanes")
    return table(rows, *columns, numbers=columns[3:], whole=("line",))
