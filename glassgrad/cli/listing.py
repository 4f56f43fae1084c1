"""List the systems of the lectures and the data sets: the families first, each on request."""

from pathlib import Path

from ..core.usage import UsageError

HELP = "systems and data sets"


def arguments(parser) -> None:
    """What to list, and where to look for data."""
    parser.add_argument(
        "what", nargs="?", help="a family, such as recurrent; or models, or data, for all of them"
    )
    parser.add_argument("--data-dir", metavar="DIR", help="a folder to look for data in first")


def run(args) -> int:
    """Print the families, or what was asked for."""
    from .. import models
    from ..core.terminal import console
    from ..kernels.errors import nearest

    out = console()
    known = (*models.FAMILIES, "models", "data")
    if args.what is None:
        out.print(_families())
        out.print(_kinds())
        out.print("glassgrad list FAMILY names its systems, glassgrad list data every data set")
    elif args.what == "data":
        out.print(_data(args.data_dir, wide=out.width >= 110))
    elif args.what == "models":
        out.print(_models(models.names(), "Systems", wide=out.width >= 110))
    elif args.what in models.FAMILIES:
        names = models.FAMILIES[args.what]
        out.print(_models(names, models.page(args.what), wide=out.width >= 110))
    elif args.what in models.MODULES:
        raise UsageError(f"{args.what} is a system: glassgrad show {args.what} describes it")
    else:
        raise UsageError(
            f"there is no family {args.what!r:.80}{nearest(args.what, known)}"
            f" (families: {', '.join(models.FAMILIES)})"
        )
    return 0


def _families():
    """A line for each family: what it is about, and how many systems it has."""
    from .. import models
    from ..core.terminal import table

    rows = [(f, str(len(names)), models.page(f)) for f, names in models.FAMILIES.items()]
    return table(
        rows,
        "family",
        "systems",
        "what they share",
        title="Families of systems",
        numbers=("systems",),
        whole=("family",),
    )


def _kinds():
    """A line for each kind of data set, with the names."""
    from ..core import data
    from ..core.terminal import table

    kinds: dict[str, list[str]] = {}
    for name in data.names():
        kinds.setdefault(data.entry(name).kind, []).append(name)
    rows = [(kind, ", ".join(names)) for kind, names in kinds.items()]
    return table(rows, "kind", "data sets", title="Data", whole=("kind",))


def _models(names, title: str, wide: bool):
    """Systems; where there is room with the published number that leads, of `reproduce`."""
    from .. import models
    from ..core.terminal import table

    rows = []
    for name in names:
        r = models.recipe(name)
        published = r.targets[0].published if r.targets else ""
        rows.append((name, r.title, r.data, *([published] * wide)))
    columns = ("name", "system", "data", *(["published"] * wide))
    return table(rows, *columns, title=title, whole=("name", "data"))


def _data(data_dir, wide: bool):
    """The data sets with their terms, which have a column of their own where there is room."""
    from ..core import data
    from ..core.terminal import table

    rows = []
    for name in data.names():
        entry, where = data.entry(name), data.available(name, data_dir)
        what = (entry.what, entry.terms) if wide else (f"{entry.what}; {entry.terms}",)
        there = _short(where or f"missing: put it in {place(entry)}")
        rows.append((name, entry.kind, *what, there))
    columns = ("what", "terms") if wide else ("what; terms",)
    return table(rows, "name", "kind", *columns, "where", title="Data sets", whole=("name", "kind"))


def _short(text: str) -> str:
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def place(entry) -> str:
    """The folder in the cache where a missing data set is looked for and downloaded to."""
    from ..core.data.files import cache_dir

    return str(cache_dir() / entry.folder)
