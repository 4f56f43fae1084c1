"""What the commands print with: plain where the output is not a terminal, 80 columns if unknown."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from ..kernels.errors import printable


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise

    def render_str(self, text: str, **options) -> Text:
        return super().render_str(printable(text), **options)


def console(stderr: bool = False) -> Console:
    """A console on what standard output (or error) is now; it marks up nothing by itself.

    Control characters in what is printed are escaped (kernels/errors.py).
    """
    return _Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def table(
    rows: Iterable[Sequence], *columns: str, title: str | None = None,
    numbers: Sequence[str] = (), whole: Sequence[str] = (),
) -> Table | Group:  # fmt: skip
    """Rows as a table below its title; columns in `numbers` flush right.

    Text too long for its column is folded, but not in the columns in `whole`.
    """
    made = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False,
        header_style="bold",
    )  # fmt: skip
    for name in columns:
        made.add_column(
            name, justify="right" if name in numbers else "left", overflow="fold",
            no_wrap=name in whole,
        )  # fmt: skip
    for row in rows:
        made.add_row(*(c if isinstance(c, Text) else Text(printable(c)) for c in row))
    return Group(Text(title, "bold"), made) if title else made


def good(ok: bool, yes: str = "yes", no: str = "no") -> Text:
    """A word in green or red, where there are colours."""
    return Text(yes, "green") if ok else Text(no, "red")


def number(value: float) -> str:
    """A figure with four significant digits, without an exponent where it needs none.

    >>> number(0.98765), number(12345.6), number(1e-9)
    ('0.9877', '12346', '1e-09')
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, float) and 1000 <= abs(value) < 1e7:
        return f"{value:.0f}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def seconds(value: float) -> str:
    """A time as a person reads it.

    >>> seconds(0.51), seconds(75), seconds(4000)
    ('0.5 s', '1:15 min', '1:06:40 h')
    """
    if value < 60:
        return f"{value:.1f} s"
    minutes, s = divmod(round(value), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02} h" if hours else f"{m}:{s:02} min"


def count(n: int, what: str) -> str:
    """A number with its noun.

    >>> count(1, "row"), count(2, "row")
    ('1 row', '2 rows')
    """
    return f"{n} {what}{'s' * (n != 1)}"


def amount(value: float) -> str:
    """A count with its thousands as a letter.

    >>> amount(950), amount(12_345), amount(3.2e9)
    ('950', '12.3k', '3.2G')
    """
    for factor, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor:
            return f"{value / factor:.1f}{letter}"
    return f"{value:.0f}"
