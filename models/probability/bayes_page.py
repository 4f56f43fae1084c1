"""The page on Bayes' rule: the four points, coins, an illness and a cat, to be changed by hand.

    python -m glassgrad.models.probability.bayes_page bayes.html

One HTML file with everything inside, readable without a network; bayes_page.js is all that moves.
Every number is there before the script runs, from bayes.py; the script computes the same again
where something is changed. `sections` is the page without its frame, for a larger one.

>>> text = page()
>>> text.startswith("<!doctype html>"), "src=" in text, "p(y|x)" in text
(True, False, True)
"""

import html
import json
import sys
from importlib import resources
from pathlib import Path
from string import Template

import numpy as np

from ...core.training.run_folder import RunError, write_atomic
from . import bayes


def page(style: str | None = None) -> str:
    """The whole page; `style` is a sheet in the place of its own plain one."""
    folder = resources.files(__package__)
    frame = Template((folder / "bayes_page.html").read_text(encoding="utf-8"))
    own = (folder / "bayes_page.css").read_text(encoding="utf-8")
    return frame.substitute(style=own if style is None else style + own, sections=sections())


def sections() -> str:
    """The four parts of the page with the script that moves them."""
    script = (resources.files(__package__) / "bayes_page.js").read_text(encoding="utf-8")
    parts = [_points(), *map(_objects, bayes.EXAMPLES), _cat()]
    return "\n".join([*parts, f"<script>{script}</script>"])


def _points() -> str:
    counts = (bayes.joint(bayes.POINTS) * len(bayes.POINTS)).round().astype(int)
    table = bayes.joint(bayes.POINTS)
    tables = (
        ("p(x, y)", table),
        ("p(y|x)", bayes.classes_given_objects(table)),
        ("p(x|y)", bayes.objects_given_classes(table)),
    )
    buttons = "".join(
        f"<tr><th>x = {x}</th>"
        + "".join(
            f'<td><button data-x="{x}" data-y="{y}" data-by="-1">−</button>'
            f'<b data-count="{x}{y}">{counts[x, y]}</b>'
            f'<button data-x="{x}" data-y="{y}" data-by="1">+</button></td>'
            for y in (0, 1)
        )
        + "</tr>"
        for x in (0, 1)
    )
    return f"""<section class="bayes points">
<h2>Four points, three tables</h2>
<p>The lecture's data are the points (0, 0), (0, 0), (1, 0) and (1, 1). A generative model learns
the first table, and the others follow from it: rows divided by their sums, columns by theirs. A
discriminative model learns p(y|x) alone. (The lecture's second table is headed p(x y); it is
p(y|x).) Add points and take some away.</p>
<div class="tables"><table><caption>points</caption>{HEAD}{buttons}</table>
{"".join(_table(name, values) for name, values in tables)}</div>
<p><button class="draw">draw a point from p(x, y)</button> <span class="drawn"></span> With p(y|x)
alone this cannot be done: it does not say which x comes.</p>
</section>"""


HEAD = "<tr><th></th><th>y = 0</th><th>y = 1</th></tr>"


def _table(name: str, values: np.ndarray) -> str:
    rows = "".join(
        f"<tr><th>x = {x}</th>" + "".join(f"<td>{number(v)}</td>" for v in row) + "</tr>"
        for x, row in enumerate(values)
    )
    return f'<table data-table="{name}"><caption>{name}</caption>{HEAD}{rows}</table>'


def number(value: float) -> str:
    """A probability as the page shows it.

    >>> number(0.25), number(1.0), number(float("nan"))
    ('0.250', '1.000', '–')
    """
    return "–" if np.isnan(value) else f"{value:.3f}"


def _slider(name: str, value: float, most: float = 1.0) -> str:
    return (
        f'<input type="range" data-name="{name}" min="0" max="{most:g}" step="0.001"'
        f' value="{value:.3f}"><output>{value:.3f}</output>'
    )


def _objects(example: bayes.Objects) -> str:
    table = example.table()
    back = bayes.objects_given_classes(table)[:, 1]
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{_slider('share', share)}</td>"
        f'<td>{_slider("event", event)}</td><td class="back">{number(p)}</td></tr>'
        for (name, share, event), p in zip(example.rows, back)
    )
    return f"""<section class="bayes objects" data-key="{example.key}">
<h2>{html.escape(example.title)}</h2>
<p>y = 1 is <i>{html.escape(example.event)}</i>. p(y|x) goes from the object to the class. Bayes'
rule turns it round: {html.escape(example.asked)} The numbers are ours, the lecture has none.</p>
<table><tr><th>x</th><th>p(x), in parts</th><th>p(y=1|x)</th><th>p(x|y=1)</th></tr>{rows}</table>
<p>p(y=1) = Σ p(y=1|x) p(x) = <b class="total">{number(table[:, 1].sum())}</b></p>
</section>"""


def _cat() -> str:
    cat = bayes.CAT
    after = bayes.posterior([1 - cat["prior"], cat["prior"]], [cat["if_not"], cat["if_cat"]])[1]
    data = html.escape(json.dumps(cat))
    return f"""<section class="bayes cat" data-cat="{data}">
<h2>Is it a cat?</h2>
<p>z = 1 is a cat, x is that the picture shows whiskers. A third of all pictures are of cats: the
prior p(z=1) = 1/3 is the lecture's. In the square the width of the left part is the prior, the dark
heights are p(x|z); p(z=1|x) is the left dark area as a part of all that is dark.</p>
<div class="tables"><svg viewBox="0 0 100 100" width="220" height="220" role="img"
aria-label="areas of p(z) p(x|z)"><rect class="a"/><rect class="b"/><rect class="c"/>
<rect class="d"/></svg>
<table><tr><th>p(z=1), the prior</th><td>{_slider("prior", cat["prior"])}</td></tr>
<tr><th>p(x|z=1), likelihood of a cat</th><td>{_slider("if_cat", cat["if_cat"])}</td></tr>
<tr><th>p(x|z=0), of no cat</th><td>{_slider("if_not", cat["if_not"])}</td></tr>
<tr><th>p(z=1|x), the posterior</th><td><b class="after">{number(after)}</b></td></tr></table></div>
</section>"""


def main(argv: list[str] | None = None) -> int:
    """Write the page to the file that is named."""
    given = sys.argv[1:] if argv is None else argv
    if len(given) != 1:
        print("usage: python -m glassgrad.models.probability.bayes_page FILE", file=sys.stderr)
        return 2
    try:
        write_atomic(Path(given[0]), page())
    except RunError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"written: {given[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
