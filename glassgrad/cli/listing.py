"""List the systems of the lectures and the data sets."""

from pathlib import Path

HELP = "systems and data sets"


def arguments(parser) -> None:
    parser.add_argument(
        "what", nargs="?", choices=("models", "data"), help="only the systems, or only the data"
    )
    parser.add_argument("--data-dir", metavar="DIR", help="a folder to look for data in first")


def run(args) -> int:
    from .output import console

    out = console()
    if args.what != "data":
        out.print(_models(wide=out.width >= 110))
    if args.what != "models":
        out.print(_data(args.data_dir, wide=out.width >= 110))
    return 0


def _models(wide: bool):
    """The systems; where there is room with the published number that leads, of `reproduce`."""
    from .. import models
    from .output import table

    rows = []
    for name in models.names():
        r = models.recipe(name)
        published = r.targets[0].published if r.targets else ""
        rows.append((name, r.title, ranges(r.rows), r.data, *([published] * wide)))
    columns = ("name", "system", "rows", "data", *(["published"] * wide))
    return table(rows, *columns, title="Systems", whole=("name", "rows", "data"))


def _data(data_dir, wide: bool):
    """The data sets with their terms, which have a column of their own where there is room."""
    from ..core import data
    from .output import table

    rows = []
    for name in data.names():
        entry, where = data.entry(name), data.available(name, data_dir)
        what = (entry.what, entry.terms) if wide else (f"{entry.what}; {entry.terms}",)
        there = _short(where or f"missing: put it in {place(entry)}")
        rows.append((name, entry.kind, *what, there))
    columns = ("what", "terms") if wide else ("what; terms",)
    return table(
        rows, "name", "kind", *columns, "where", title="Data sets", whole=("name", "kind")
    )  # fmt: skip


def _short(text: str) -> str:
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def place(entry) -> str:
    """The folder in the cache where a missing data set is looked for and downloaded to."""
    from ..core.data.files import cache_dir

    return str(cache_dir() / entry.folder)


def ranges(numbers) -> str:
    """Row numbers in short.

    >>> ranges((3, 5, 6, 7))
    '3, 5-7'
    """
    parts = []
    for n in sorted(numbers):
        if parts and n == parts[-1][1] + 1:
            parts[-1][1] = n
        else:
            parts.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)
