"""Several runs next to each other: what differs, their figures, their curves; as a page, too."""

from dataclasses import dataclass

from . import run_page
from .core.as_html import as_table
from .core.terminal import number
from .models.common.figure_words import named
from .runs import Summary, differences, of_all, overlaid


@dataclass(frozen=True)
class Table:
    """A title, columns, and rows of texts."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def labels(summaries: list[Summary]) -> list[str]:
    """A name for each run: that of its folder, with the folder above where two are alike."""
    found = [s.label for s in summaries]
    return [
        name if found.count(name) == 1 else str(s.run.folder) for name, s in zip(found, summaries)
    ]


def tables(summaries: list[Summary]) -> list[Table]:
    """What differs in system, data and settings; and the figures on held-out data."""
    columns = ("", *labels(summaries))
    rows = [(what, *map(_text, values)) for what, values in differences(summaries)]
    figures = dict.fromkeys(k for s in summaries for k in s.figures)
    system = of_all(summaries)
    found = [
        (named(k, system), *(number(s.figures[k]) if k in s.figures else "" for s in summaries))
        for k in figures
    ]
    found += [
        ("epochs trained", *(str(len(s.history)) for s in summaries)),
        (
            "seconds",
            *(number(sum(row.get("seconds", 0.0) for row in s.history)) for s in summaries),
        ),
    ]
    return [
        Table("What differs", columns, rows or [("nothing", *[""] * len(summaries))]),
        Table("Figures on held-out data", columns, found),
    ]


def _text(value) -> str:
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return "–" if value is None else number(value)


def page(summaries: list[Summary]) -> str:
    """The tables and the overlaid curves as one HTML file with everything inside."""
    from .demo.page import svg

    curves = overlaid(summaries, labels(summaries))
    sections = [(one.title, as_table(one.columns, one.rows)) for one in tables(summaries)]
    if curves is not None:
        drawn = f'<figure class="wide">{svg(curves)}<figcaption>validation solid, training dashed'
        sections.append(("Curves", f"{drawn}</figcaption></figure>"))
    names = ", ".join(dict.fromkeys(s.name for s in summaries))
    title = f"{len(summaries)} runs side by side"
    return run_page.page(title, "glassgrad compare", f"Runs of {names}.", sections)
