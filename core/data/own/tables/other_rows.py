"""The rows of another file in the columns of a training file, by their names where it has them."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...files import DataError
from ..lines import counted, listed
from .columns import Meaning, cells_of, learn, unknown
from .csv_rows import Rows
from .spelling import missing


@dataclass(frozen=True)
class OtherRows(Rows):
    """Rows of another file, and the names of its columns that are not used."""

    unused: tuple[str, ...] = ()


def same_columns(rows: Rows, other: Rows, free: Sequence[int | None] = ()) -> Rows:
    """The rows of another file in the columns of `rows`.

    With a header they are found by name: in any order, next to others that are not used. Those that
    a table leaves out, and those that are `free`, may be missing, which makes their cells empty.
    Raises DataError for another number of columns, or names what is missing.
    """
    if other.names == rows.names:
        return other
    if not rows.header:
        raise DataError(
            f"{other.path}, line {other.lines[0]}: {counted(len(other.names), 'column')};"
            f" {rows.path} has {len(rows.names)}"
        )
    place = {name: c for c, name in enumerate(other.names)}
    lost = [c for c, name in enumerate(rows.names) if name not in place and c not in free]
    lost = [rows.names[c] for c in lost if learn(rows, c).names]
    unused = tuple(name for name in other.names if name not in rows.names)
    if len(unused) == len(other.names):
        raise DataError(
            f"{other.path}, line 1: no name of a column, such as {rows.names[0]!r:.60}, is in its"
            f" first row{listed(unused, 4)}; {rows.path} has a header"
        )
    if lost:
        more = f"; it has {', '.join(map(_short, unused[:5]))} besides" if unused else ""
        raise DataError(
            f"{other.path} has no column {', '.join(map(_short, lost[:5]))}, which {rows.path}"
            f" has{more}"
        )
    order = [place.get(name) for name in rows.names]
    cells = [["" if c is None else row[c] for c in order] for row in other.cells]
    return OtherRows(
        other.path, cells, other.lines, rows.names, other.header, other.separator, unused=unused
    )


def notes(rows: Rows | None, columns: Sequence[Meaning]) -> tuple[str, ...]:
    """What is to be known of the rows of another file that a run is evaluated on, a line each.

    None where there is no other file.
    """
    if rows is None:
        return ()
    unused, said = getattr(rows, "unused", ()), []
    if unused:
        some = ", ".join(map(_short, unused[:5])) + (" …" if len(unused) > 5 else "")
        said.append(f"not used, as the run has no such column: {some}")
    for column in columns:
        if not column.names:
            continue
        gone = sum(map(missing, cells_of(rows, column.place))) if column.kinds is None else 0
        if gone:
            said.append(
                f"{column.name}: {gone:,} of {len(rows.cells):,} missing: the mean of the run's"
                " training rows"
            )
        if new := unknown(rows, column):
            some = ", ".join(map(_short, new[:5])) + (" …" if len(new) > 5 else "")
            said.append(f"{column.name}: no row of the run has {some}: 0 in all its columns")
    return tuple(said)


def _short(text: str) -> str:
    return repr(text)[:60]
