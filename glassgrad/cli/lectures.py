"""List what trains each row of the lectures: system, command, pictures, numbers.

  glassgrad lectures                                the table, without the pictures
  glassgrad lectures --table LECTURES.md README.md  write it, or its summary, between the markers of
                                                    each page

The pictures are those of a run on the system's default data; finding them takes a few minutes. Our
numbers come from the record that `glassgrad reproduce` writes.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

HELP = "what trains each row of the lectures"
BEGIN, END = "<!-- lectures -->", "<!-- /lectures -->"
SUMMARY = "<!-- families -->", "<!-- /families -->"


def arguments(parser) -> None:
    """The pages to write, and the record of our numbers."""
    parser.add_argument(
        "--table", metavar="FILE", nargs="+", default=[],
        help="write the table, or the summary by family, between the markers of these pages",
    )  # fmt: skip
    parser.add_argument(
        "--json",
        metavar="FILE",
        help="the record of our numbers; by default bench/results/reproduce.json of a checkout",
    )


def run(args) -> int:
    """Print the table, or write it into the pages."""
    from ..core.terminal import console, say, table

    record = record_rows(args.json)
    if args.table:
        pages = [Path(page) for page in args.table]
        for page in pages:  # a page without markers fails before the pictures are drawn
            around(page)
        found = lines(record, pictures)
        for page in pages:
            render(found, page, record)
            say(f"written: {page}")
        return 0
    if not record:
        say("no numbers of ours are in this copy; --json FILE names a record")
    rows = [
        (str(f.row), f.what, f.command, f.same() or " · ".join(f.numbers)) for f in lines(record)
    ]
    out = console()
    out.print(table(rows, "row", "system", "command", "numbers", whole=("command",)))
    out.print(to_come())
    return 0


class Line(NamedTuple):
    """One system in one row. A system with several rows is described in the first of its `rows`."""

    row: int
    what: str
    file: str
    command: str
    home: int  # the row in which it is described
    pictures: list[str]
    numbers: list[str]

    def same(self) -> str:
        """Where the rest is said, if not here."""
        return "" if self.row == self.home else f"as row {self.home}"


def record_rows(path: str | None) -> list[dict]:
    """The rows of the record at `path`, by default the checkout's; an installed copy has none.

    Raises RunError where the file is missing or damaged.
    """
    from .. import checkout
    from ..core.regular import kind
    from ..core.training.run_folder import RunError
    from ..reproduction import Record

    if path is None and checkout.ROOT is None:
        return []
    file = Path(path) if path else checkout.ROOT / "bench" / "results" / "reproduce.json"
    if kind(file, RunError) is None:
        raise RunError(f"{file} does not exist; glassgrad reproduce --json {file} writes it")
    return Record(file).rows


def lines(record: list[dict], drawn: Callable | None = None) -> list[Line]:
    """One line for each recipe of each row, in the order of the rows.

    record   the rows of a record of `glassgrad reproduce`
    drawn    recipe -> names of its pictures; without it there are none
    """
    from .. import models
    from ..models.lectures import ROWS

    recipes = [models.recipe(name) for name in models.names()]
    shown = {r.name: drawn(r) if drawn else [] for r in recipes}
    return [
        Line(
            row, what, f"{models.MODULES[r.name].replace('.', '/')}.py",
            f"glassgrad train {r.name}", r.rows[0], shown[r.name], numbers(r, record),
        )
        for row, what in ROWS.items()
        for r in recipes
        if row in r.rows
    ]  # fmt: skip


def pictures(recipe) -> list[str]:
    """The names of the figures that a run on the recipe's default data draws.

    The untrained system draws them, as some figures train a second system to compare with. One
    whose figures are all of its training is trained for an epoch.
    """
    from .. import training

    if recipe.figures is None:
        return []
    settings = recipe.resolve(overrides={"epochs": 0})
    data = training.load_data(recipe, recipe.data, settings)
    system = training.build(recipe, data, settings)
    system.eval()
    if drawn := list(recipe.figures(system, data, settings)):
        return drawn
    done = training.train(recipe, overrides={"epochs": 1})
    return list(recipe.figures(done.system, done.data, done.settings))


def numbers(recipe, record: list[dict]) -> list[str]:
    """For each target: its name, the published number, ours, and whether ours reaches it."""
    from ..reproduction import limit, ours, verdict

    known = {(r["recipe"], r["target"], r["data"]): r for r in record}
    found = []
    for t in recipe.targets:
        row = known.get((recipe.name, t.name, t.data))
        if row is None:
            status = "not measured yet"
        elif row["ours"] is None:
            status = row["status"]
        else:
            status = f"ours {ours(row)}, {verdict(row)} ({limit(row)})"
        found.append(f"{t.name}: {status}; published: {t.published}")
    return found


def to_come() -> str:
    """The rows without a recipe, in a sentence each: those described only, those to come."""
    from .. import models
    from ..models.lectures import DESCRIBED, ROWS

    covered = {row for name in models.names() for row in models.recipe(name).rows}
    told = [
        f"{row} {ROWS[row]} ([{file}](models/{file}))"
        for row, file in DESCRIBED.items()
        if row in ROWS
    ]
    missing = [f"{n} {what}" for n, what in ROWS.items() if n not in covered and n not in DESCRIBED]
    first = f"Described, with nothing to train: {'; '.join(told)}. " if told else ""
    last = f"Still to come: {'; '.join(missing)}." if missing else "Every other row has a system."
    return first + last


def markdown(found: Iterable[Line]) -> str:
    """The lines as a Markdown table, followed by the rows that are still to come.

    >>> line = Line(9, "linear one", "autoencoders/linear.py", "glassgrad train it", 8, ["a"], [])
    >>> print(markdown([line]).splitlines()[2])
    | 9 | linear one | [autoencoders/linear.py](models/autoencoders/linear.py) | \
`glassgrad train it` | as row 8 |  |
    """
    made = ["| row | system | file | command | pictures | numbers |", "|---|---|---|---|---|---|"]
    for f in found:
        rest = (f.same(), "") if f.same() else (", ".join(f.pictures), "<br>".join(f.numbers))
        cells = (f.row, f.what, f"[{f.file}](models/{f.file})", f"`{f.command}`", *rest)
        made.append("| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |")
    return "\n".join([*made, "", to_come()])


def summary(record: Iterable[dict]) -> str:
    """A line for each family as a Markdown table: what its systems share, and what was reached."""
    from .. import models

    made = ["| family | systems | what they share | numbers reached |", "|---|---|---|---|"]
    for family, names in models.FAMILIES.items():
        rows = [r for r in record if r["recipe"] in names]
        reached = sum(r["status"] == "reached" for r in rows)
        shown = f"{reached} of {len(rows)}" if rows else "–"
        page = f"[{family}](models/{family}/__init__.py)"
        made.append(f"| {page} | {len(names)} | {models.page(family)} | {shown} |")
    return "\n".join(made)


def around(page: Path) -> tuple[str, str, str, str]:
    """(text before, marker, marker, text after) of the part of a page that is written here.

    That is the table, or its summary by family. RunError where the page has the markers of neither.
    """
    from ..core.regular import read_text
    from ..core.training.run_folder import RunError
    from ..reproduction import PAGE_LIMIT

    text = read_text(page, PAGE_LIMIT, RunError)
    for begin, end in ((BEGIN, END), SUMMARY):
        start, stop = text.find(begin), text.find(end)
        if 0 <= start < stop:
            return text[:start], begin, end, text[stop + len(end) :]
    raise RunError(f"{page} has no markers {BEGIN} and {END}, or {' and '.join(SUMMARY)}")


def render(found: Iterable[Line], page: Path, record: Iterable[dict]) -> None:
    """Write the table, or the summary, between the markers of a page, atomically."""
    from ..core.training.run_folder import write_atomic

    before, begin, end, after = around(page)
    made = markdown(found) if begin == BEGIN else summary(record)
    write_atomic(page, f"{before}{begin}\n{made}\n{end}{after}")
