"""Say what a file or folder, or a set of the catalogue, is taken for, and draw some of it.

  glassgrad data my.csv --label species
  glassgrad data pictures/ --read size=28
  glassgrad data my.txt --read level=word
  glassgrad data mnist

What is printed here is what `train --data` with the same options gets.
"""

from pathlib import Path

HELP = "what a file, a folder or a data set holds"


def arguments(parser) -> None:
    """PATH, the options of the reader, --picture."""
    from .common import reading_arguments

    parser.add_argument("data", metavar="DATA", help="a file, a folder, or a name (`list data`)")
    reading_arguments(parser)
    parser.add_argument("--data-dir", metavar="DIR", help="a folder to look for data in first")
    parser.add_argument("--picture", metavar="FILE", help="draw some of it there, as PNG")


def run(args) -> int:
    """Print what was understood and the sizes of the splits."""
    from ..core import data as datasets
    from ..core.data import DataSet
    from ..core.terminal import console, say, table
    from ..core.training.run_folder import png, write_atomic
    from ..core.usage import UsageError
    from ..data_picture import picture
    from ..sources import Source
    from .common import reading

    source = Source.of(args.data, args.data_dir, reading(args))
    found = source.read()
    out = console()
    if not isinstance(found, DataSet):
        out.print(datasets.describe(source.name))
        return 0
    out.print(f"{args.data} is of the kind {found.info.kind!r}", style="bold")
    lines = found.info.understood or (datasets.describe(source.name), found.info.note)
    out.print(*lines, sep="\n")
    rows = [
        (name, f"{len(split):,}", _shape(split.x), _labels(found, split))
        for name, split in found.splits()
    ]
    out.print(table(rows, "split", "examples", "x", "labels", numbers=("examples",)))
    if args.picture:
        figure = picture(found)
        if figure is None:
            raise UsageError(f"there is no picture for data of the kind {found.info.kind!r}")
        write_atomic(Path(args.picture), png(figure))
        say(f"written: {args.picture}")
    return 0


def _shape(x) -> str:
    if isinstance(x, list):
        return f"{len(x):,} sequences"
    return f"{x.dtype} {list(x.shape)}"


def _labels(data, split) -> str:
    import numpy as np

    if split.y is None:
        return "none"
    if isinstance(split.y, list) or split.y.dtype.kind != "i" or not data.info.classes:
        return _shape(split.y)
    counts = np.bincount(split.y.ravel(), minlength=len(data.info.classes))
    shown = [f"{name} {n}" for name, n in zip(data.info.classes, counts)]
    return ", ".join(shown[:10]) + (" …" if len(shown) > 10 else "")
