"""What a finished run says of single examples, as a table in a file.

  glassgrad predict runs/mlp-20250101-120000 --data new.csv --out said.csv

Data are read as `evaluate` reads them. Of classes the table has the likeliest one and the
probability of each, of quantities their values, of autoencoders codes and errors, of maps winners.
Without --out the first examples are printed.
"""

from pathlib import Path

HELP = "what a finished run says of new examples"
ROWS, COLUMNS = 10, 8  # that are printed


def arguments(parser) -> None:
    """The run, the data, and where the table goes."""
    from .evaluate import arguments as those_of_evaluate

    those_of_evaluate(parser)
    parser.add_argument("--out", metavar="FILE.csv", help="write all examples there")


def run(args) -> int:
    """Predict, and write or print the table."""
    from ..core.terminal import console, count, number, say, table
    from ..core.training.run_folder import expect_writable, write_atomic
    from ..core.usage import UsageError
    from ..prediction import predict
    from ..sources import Source
    from .common import expect_ending, reading, shortened
    from .evaluate import LINES

    options = reading(args)
    if args.data is None and options:
        raise UsageError("--label and --read say how other data are read: they need --data")
    if args.out:
        expect_ending(args.out, ".csv")
        expect_writable(Path(args.out))
    data = None if args.data is None else Source.of(args.data, args.data_dir, options)
    found = predict(args.run, data, args.data_dir, args.split)
    out = console()
    if found.said:
        out.print(*shortened(found.said, LINES), sep="\n")
    examples = len(next(iter(found.columns.values())))
    if args.out:
        write_atomic(Path(args.out), found.as_csv())
        say(f"written: {args.out}, {count(examples, 'example')}")
        return 0
    names = list(found.columns)[:COLUMNS]
    rows = [tuple(map(number, row)) for row in zip(*(found.columns[n][:ROWS] for n in names))]
    more = f"; {count(len(found.columns), 'column')} and all examples with --out FILE.csv"
    title = f"{found.name}: {count(min(ROWS, examples), 'example')} of {examples:,}{more}"
    out.print(table(rows, *names, title=title))
    return 0
