"""Say what a file or folder, or a set of the catalogue, is taken for, and draw some of it.

  glassgrad data my.csv --label species
  glassgrad data train.csv --read test=test.csv
  glassgrad data pictures/ --read size=28 --picture some.png
  glassgrad data mnist

What is printed here is what `train --data` with the same options gets.
"""

from pathlib import Path

HELP = "what a file, a folder or a data set holds"
LINES = 28  # about the data, above the table of splits
TENSORS = 30  # of a network, that are named


def arguments(parser) -> None:
    """PATH, the options of the reader, --picture."""
    from .common import reading_arguments

    parser.add_argument("data", metavar="DATA", help="a file, a folder, or a name (`list data`)")
    reading_arguments(parser)
    parser.add_argument("--data-dir", metavar="DIR", help="a folder to look for data in first")
    parser.add_argument("--picture", metavar="FILE", help="draw some of it there, as PNG")


def run(args) -> int:
    """Print what was understood and what the data hold, by their kind."""
    from ..core import data as datasets
    from ..core.data import DataSet, Graph
    from ..core.terminal import console, say
    from ..core.training.run_folder import png, write_atomic
    from ..data_picture import picture
    from ..sources import Source
    from .common import expect_ending, reading, shortened

    if args.picture:
        expect_ending(args.picture, ".png", "--picture")
    source = Source.of(args.data, args.data_dir, reading(args))
    found = source.read()
    out = console()
    if isinstance(found, DataSet | Graph):
        kind = datasets.kind_of(found)
    else:
        kind = found.info.kind or ("" if source.is_path else datasets.entry(source.name).kind)
    out.print(f"{args.data} is of the kind {kind!r}", style="bold")
    known = () if source.is_path else (datasets.describe(source.name), found.info.note)
    lines = dict.fromkeys((*known, *found.info.understood))  # a loader may say what a reader said
    out.print(*shortened(list(filter(None, lines)), LINES), sep="\n")
    for shown in _tables(found):
        out.print(shown)
    if args.picture:
        write_atomic(Path(args.picture), png(picture(found)))
        say(f"written: {args.picture}")
    return 0


def _tables(found) -> list:
    """What is printed about the data below the lines that say what they were taken for."""
    from ..core.data import DataSet, Graph
    from ..core.data.in_words import labels, shape
    from ..core.terminal import table

    if isinstance(found, DataSet):
        rows = [
            (name, f"{len(split):,}", shape(split.x), labels(split, found.info.classes))
            for name, split in found.splits()
        ]
        return [table(rows, "split", "examples", "x", "labels", numbers=("examples",))]
    if isinstance(found, Graph):
        return [table(_of_graph(found), "graph", found.name, whole=("graph",))]
    tensors = getattr(found, "tensors", None)
    if isinstance(tensors, dict):
        rows = [
            (name, str(a.dtype), " x ".join(map(str, a.shape)) or "1", f"{a.size:,}")
            for name, a in list(tensors.items())[:TENSORS]
        ]
        if len(tensors) > TENSORS:
            rows.append((f"… {len(tensors) - TENSORS} more", "", "", ""))
        rows.append(("in all", "", "", f"{sum(a.size for a in tensors.values()):,}"))
        return [table(rows, "tensor", "type", "shape", "numbers", numbers=("numbers",))]
    return []


def _of_graph(g) -> list[tuple[str, str]]:
    import numpy as np

    from ..core.data.in_words import of_each

    degree = g.degree()
    rows = [
        ("nodes", f"{g.nodes:,}"),
        ("edges", f"{len(g.edges):,}" + ("" if g.weights is None else ", with weights")),
    ]
    if g.nodes:
        rows.append(
            ("degree", f"{degree.min()} … {degree.max():,}, {degree.mean():.2f} on average,"
             f" {int((degree == 0).sum()):,} nodes without edges")
        )  # fmt: skip
    if g.features is not None:
        rows.append(("features", f"{g.features[3][1]:,} a node, {len(g.features[0]):,} not zero"))
    if g.labels is not None:
        names = g.info.classes or tuple(map(str, range(int(g.labels.max(initial=-1)) + 1)))
        rows.append(("labels", of_each(names, np.bincount(g.labels[g.labels >= 0]))))
    if g.label_pairs is not None:
        rows.append(("groups", f"{len(g.label_pairs):,} memberships in {len(g.info.classes):,}"))
    for part in ("train", "valid", "test"):
        nodes = getattr(g, part)
        if nodes is not None:
            rows.append((part, f"{len(nodes):,} nodes"))
    return rows
