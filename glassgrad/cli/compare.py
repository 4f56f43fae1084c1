"""Compare runs: what differs in their settings, their figures, and their curves on one page.

glassgrad compare runs/mlp-20250101-120000 runs/mlp-20250101-120100
glassgrad compare runs/mlp-* --out rates.html
"""

from pathlib import Path

HELP = "runs next to each other, as a table and a page"


def arguments(parser) -> None:
    """Which runs, and where the page goes."""
    parser.add_argument("runs", metavar="RUN", nargs="+", help="run folders, two or more")
    parser.add_argument("--out", metavar="FILE.html", default="compare.html", help="the page")


def run(args) -> int:
    """Print what differs and the figures, and write the page."""
    from ..comparison import page, tables
    from ..core.terminal import console, say, table
    from ..core.training.run_folder import expect_writable, write_atomic
    from ..core.usage import UsageError
    from ..runs import summary
    from .common import expect_ending

    if len(args.runs) < 2:
        raise UsageError("compare needs two runs or more")
    expect_ending(args.out, ".html")
    out = Path(args.out)
    expect_writable(out)
    summaries = [summary(folder) for folder in args.runs]
    shown = console()
    for one in tables(summaries):
        shown.print(table(one.rows, *one.columns, title=one.title))
        shown.print()
    write_atomic(out, page(summaries))
    say(f"written: {out}")
    return 0
