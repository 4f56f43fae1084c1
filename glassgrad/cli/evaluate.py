"""Evaluate a finished run on data that it has not seen.

  glassgrad evaluate runs/mlp-20250101-120000
  glassgrad evaluate runs/mlp-20250101-120000 --data new.csv
  glassgrad evaluate runs/lenet-20250101-120000 --data fashion_mnist --split test

Without --data it is the run's own held-out part. Other data must be of the same kind and shape,
with the same columns and classes. Nothing is learnt from them: columns are scaled, and words are
numbered, as the run's training part says. Of a file or folder all examples count.
"""

HELP = "figures of a finished run on other data"
LINES = 15  # about the data


def arguments(parser) -> None:
    """The run, the data, and which part of them."""
    from .common import reading_arguments

    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument(
        "--data", metavar="D", help="data set, file or folder; by default the run's held-out part"
    )
    reading_arguments(parser)
    parser.add_argument("--data-dir", metavar="DIR", help="a folder to look for data in first")
    parser.add_argument(
        "--split", choices=("train", "valid", "test", "whole"),
        help="this part (of a file or folder: whole; otherwise: test)",
    )  # fmt: skip


def run(args) -> int:
    """Evaluate, and print the figures next to those of the run's held-out part."""
    from ..core.terminal import console, count, number, table
    from ..core.usage import UsageError
    from ..evaluation import evaluate
    from ..parts import held_out
    from ..sources import Source
    from .common import reading, shortened

    options = reading(args)
    if args.data is None and options:
        raise UsageError("--label and --read say how other data are read: they need --data")
    data = None if args.data is None else Source.of(args.data, args.data_dir, options)
    found = evaluate(args.run, data, args.data_dir, args.split)
    out = console()
    if found.said:
        out.print(*shortened(found.said, LINES), sep="\n")
    own = found.trained.test_figures
    rows = [(k, number(v), number(own[k]) if k in own else "") for k, v in found.figures.items()]
    part = "" if found.part == "whole" else f" ({found.part})"
    title = (
        f"{found.recipe.name} of {found.trained.run.folder} on {found.name}:"
        f" {count(found.examples, 'example')}{part}"
    )
    columns = ("figure", "value", f"own {held_out(found.trained.data)[0]} part")
    out.print(table(rows, *columns, numbers=columns[1:], title=title))
    return 0
