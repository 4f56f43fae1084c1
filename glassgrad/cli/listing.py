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
        for shown in _data(args.data_dir, wide=out.width >= 110):
            out.print(shown)
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


def _by_kind() -> dict[str, list[str]]:
    """{kind: names of its data sets}, registered ones too, as the catalogue orders kinds."""
    from ..core import data

    kinds: dict[str, list[str]] = {kind: [] for kind in data.KINDS}
    for name in data.names():
        kinds[data.entry(name).kind].append(name)
    return kinds


def _kinds():
    """A line for each kind of data: what it is, and the names of its sets."""
    from ..core import data
    from ..core.terminal import table

    rows = [
        (kind, data.KINDS[kind], ", ".join(names) or "files of your own")
        for kind, names in _by_kind().items()
    ]
    return table(rows, "kind", "what it is", "data sets", title="Data", whole=("kind",))


def _models(names, title: str, wide: bool):
    """Systems, and the kinds of data that they take; where there is room a published number, too.

    Of several numbers it is the first of `reproduce`. What takes a table takes binary rows, which
    are named only where a table is not.
    """
    from .. import models
    from ..core.terminal import table

    rows = []
    for name in names:
        r = models.recipe(name)
        published = r.targets[0].published if r.targets else ""
        takes = [kind for kind in r.takes if kind != "binary" or "table" not in r.takes]
        kinds = (", " if wide else ",\n").join(takes)  # where it is narrow, a line each
        rows.append((name, r.title, kinds, r.data, *([published] * wide)))
    columns = ("name", "system", "takes", "data", *(["published"] * wide))
    return table(rows, *columns, title=title, whole=("name", "data"))


def _data(data_dir, wide: bool) -> list:
    """A table for each kind of data; the terms have a column of their own where there is room."""
    from ..core import data
    from ..core.terminal import table

    tables = []
    for kind, names in _by_kind().items():
        rows = []
        for name in names:
            entry, where = data.entry(name), data.available(name, data_dir)
            what = (entry.what, entry.terms) if wide else (f"{entry.what}; {entry.terms}",)
            rows.append((name, *what, _short(where or f"missing: put it in {place(entry)}")))
        columns = ("what", "terms") if wide else ("what; terms",)
        title = f"{kind}: {data.KINDS[kind]}"
        if rows:
            tables += [table(rows, "name", *columns, "where", title=title, whole=("name",)), ""]
    return tables[:-1]


def _short(text: str) -> str:
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def place(entry) -> str:
    """The folder in the cache where a missing data set is looked for and downloaded to."""
    from ..core.data.files import cache_dir

    return str(cache_dir() / entry.folder)
