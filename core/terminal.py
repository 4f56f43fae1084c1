"""What the commands print with: laid out for a terminal's width, unfolded where there is none.

On a terminal lines break between words and between figures, never between a figure's name and its
value. In a pipe or a file nothing is folded, cut or padded, whatever COLUMNS says.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby, zip_longest

from rich import box
from rich.console import Console, Group
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from ..kernels.errors import printable
from .usage import UNFOLDED

BREAKABLE = 30  # a word longer than this (a path, an address) may be folded on a terminal
GAP = 2  # columns between two columns of a table, and between two figures of a line


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise

    def render_str(self, text: str, **options) -> Text:
        return super().render_str(printable(text), **options)


def console(stderr: bool = False) -> Console:
    """A console on what standard output (or error) is now; it marks up nothing by itself.

    Control characters in what is printed are escaped (kernels/errors.py).
    """
    plain = {"highlight": False, "markup": False, "emoji": False}
    made = _Console(stderr=stderr, **plain)
    if made.file.isatty():
        return made
    return _Console(stderr=stderr, width=UNFOLDED, force_interactive=False, **plain)


def say(text: str) -> None:
    """Print a line that nothing may fold, such as a path that is to be copied."""
    print(printable(text))


def table(
    rows: Iterable[Sequence], *columns: str, title: str | None = None,
    numbers: Sequence[str] = (), whole: Sequence[str] = (),
) -> "_Rows | Group":  # fmt: skip
    """Rows as a table below its title; columns in `numbers` flush right.

    On a terminal long text is folded between words, but not in the columns in `numbers` and
    `whole`. Where they leave no room for the rest, each row becomes a line of names and values.
    """
    made = _Rows(columns, [[_text(c) for c in row] for row in rows], numbers, whole)
    return Group(Text(title, "bold"), made) if title else made


def _text(cell) -> Text:
    return cell if isinstance(cell, Text) else Text(printable(cell))


class _Rows:
    """A table that knows how it looks at each width."""

    def __init__(self, columns, rows, numbers, whole):
        self.columns, self.rows, self.numbers, self.whole = columns, rows, numbers, whole

    def __rich_console__(self, console, options):
        widths = self._widths(options.max_width)
        if widths is None:
            for row in self.rows:
                named = zip(self.columns[1:], row[1:])
                named = (Text.assemble(f"{n} " if n else "", t) for n, t in named if t.plain)
                first = row[0].plain  # says what it is, unless it is a number
                first = f"{self.columns[0]} {first}" if first.isdigit() else first
                yield Flow([Text(first, "bold"), *named])
            return
        for line in console.render_lines(self._table(widths), options, pad=False):
            yield from _stripped(line)
            yield Segment.line()

    def _table(self, widths) -> Table:
        made = Table(
            box=box.SIMPLE_HEAD, padding=(0, GAP - 1, 0, 0), pad_edge=False, show_edge=False,
            header_style="bold",
        )  # fmt: skip
        for name, width in zip(self.columns, widths):
            justify = "right" if name in self.numbers else "left"
            made.add_column(name, justify=justify, overflow="fold", width=width)
        for row in self.rows:
            made.add_row(*row)
        return made

    def _widths(self, room: int) -> list[int] | None:
        """The width of each column; None where they do not fit side by side."""
        cells = [[Text(n), *column] for n, *column in zip_longest(self.columns, *self.rows)]
        widths = [max(line.cell_len for t in c for line in t.split()) for c in cells]
        fixed = {*self.numbers, *self.whole}
        least = [
            w if name in fixed else min(w, BREAKABLE, max(_longest_word(t) for t in c))
            for name, w, c in zip(self.columns, widths, cells)
        ]
        room -= GAP * (len(widths) - 1)
        if sum(least) > room:
            return None
        while sum(widths) > room:  # from the widest that can still give
            i = max(range(len(widths)), key=lambda i: (widths[i] > least[i], widths[i]))
            widths[i] -= 1
        return widths


def _longest_word(text: Text) -> int:
    return max((Text(word).cell_len for word in text.plain.split()), default=0)


def _stripped(line: list[Segment]) -> list[Segment]:
    """A rendered line without the blanks at its end."""
    while line and not line[-1].text.strip():
        line = line[:-1]
    return [*line[:-1], Segment(line[-1].text.rstrip(), line[-1].style)] if line else []


class Flow:
    """Parts side by side, in as many lines as they need; a line breaks between two parts only.

    A part longer than a line has lines of its own, folded between its words. Lines after the first
    are indented.
    """

    def __init__(self, parts: Iterable[str | Text], indent: int = 2):
        self.parts, self.indent = [_text(p) for p in parts], indent

    def __rich_console__(self, console, options):
        room, line = options.max_width, Text()
        for part in self.parts:
            gap = GAP if line.plain.strip() else 0
            if gap and line.cell_len + gap + part.cell_len > room:
                yield line
                line, gap = Text(" " * self.indent), 0
            line = Text.assemble(line, " " * gap, part)
            if line.cell_len > room:
                yield from _folded(line, console, room, self.indent)
                line = Text(" " * self.indent)
        if line.plain.strip():
            yield line


def _folded(text: Text, console: Console, room: int, indent: int) -> list[Text]:
    """The lines of a long one; those after the first are indented."""
    first, *rest = text.wrap(console, room)
    if rest:
        after = text.plain[len(first.plain) :]
        start = len(text.plain) - len(after.lstrip())
        rest = text[start:].wrap(console, max(room - indent, 1))
    lines = [first, *(Text.assemble(" " * indent, line) for line in rest)]
    for line in lines:
        line.rstrip()
    return lines


class Prose:
    """A page as its author broke it, where it fits; else its paragraphs fill the width.

    An indented line (a formula, a list) stays a line of its own.
    """

    def __init__(self, text: str):
        self.text = printable(text)

    def __rich_console__(self, console, options):
        lines, room = self.text.splitlines(), options.max_width
        if all(Text(line).cell_len <= room for line in lines):
            yield Text(self.text)
            return
        for indented, group in groupby(lines, lambda line: line[:1].isspace() or not line):
            for line in group if indented else [" ".join(group)]:
                depth = len(line) - len(line.lstrip())
                yield from _folded(Text(line), console, room, depth + 2 * indented)


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
