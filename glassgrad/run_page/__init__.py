"""``index.html`` of a run folder: what was trained, how it went, what it took, how to go on.

The pictures are the files of the folder; everything else is inside the page.
"""

import html
import shlex
from importlib import resources
from string import Template

from .. import models
from ..core import data as datasets
from ..core.as_html import as_table
from ..core.data import DataSet
from ..core.terminal import count, number
from ..core.terminal import seconds as as_time
from ..core.training.run_folder import DPI
from ..core.training.settings import brief
from ..folders import lengthened, read_configuration
from ..models.common.figure_words import meaning, named
from ..models.lectures import LECTURES
from ..reproduction import limit
from .prose import as_html

WIDE = 7.0  # inches from which on a picture has a line of its own


def render(recipe, trained, result: dict, sizes: dict[str, tuple[float, float]], one) -> str:
    """The page.

    trained, result   what `training.write_result` gets and writes
    sizes             name -> (width, height) in inches of each picture, in the order of the page
    one               a training step, as `step.of` gives it
    """
    config = read_configuration(trained.run)
    sections = [
        ("What came out", _results(recipe, result)),
        ("Pictures", _pictures(sizes)),
        (
            "The lecture's page" if recipe.source is None else f"What {recipe.source.name} says",
            as_html(models.lecture_page(recipe)),
        ),
        ("Settings", _settings(recipe, trained)),
        ("One step of training", as_table(one.columns, one.rows, one.title)),
        ("Again, and further", _commands(recipe, trained, config)),
    ]
    return page(recipe.title, recipe.name, _lead(recipe, trained, result, config), sections)


def page(title: str, name: str, lead: str, sections: list[tuple[str, str]]) -> str:
    """A page of sections (title, HTML); empty ones are left out."""
    from .. import __version__

    folder, sections = resources.files(__package__), [s for s in sections if s[1]]
    return Template((folder / "page.html").read_text(encoding="utf-8")).substitute(
        style=(folder / "../page.css").read_text(encoding="utf-8"),
        version=__version__,
        title=html.escape(title),
        name=html.escape(name),
        lead=html.escape(lead),
        contents="".join(
            f'<a href="#s{i}">{html.escape(head)}</a>' for i, (head, _) in enumerate(sections)
        ),
        sections="".join(
            f'<section id="s{i}"><h2>{html.escape(head)}</h2>{body}</section>'
            for i, (head, body) in enumerate(sections)
        ),
    )


def _lead(recipe, trained, result, config: dict) -> str:
    """What was trained on what, and for how long."""
    data = trained.data
    examples = len(data.train) if isinstance(data, DataSet) else 0  # of one graph none
    size = f", {examples:,} examples" if examples > 1 else ""
    weights = f" with {result['parameters']:,} weights" if result["parameters"] else ""
    epochs = f"{result['epochs']} epoch{'s' * (result['epochs'] != 1)}"
    longer = lengthened(config)
    epochs += f" ({longer})" * bool(longer)
    cited = [what for key, what in LECTURES.items() if key in recipe.lecture]
    lecture = f" From {'; '.join(cited)} ({recipe.lecture})." if cited else ""
    return (
        f"{recipe.name}{weights}, trained on {trained.data_name}{size}, for {epochs} in"
        f" {as_time(result['seconds'])}.{lecture}"
    )


def _results(recipe, result) -> str:
    """The figures on held-out data, the one that sums it up first, and the published numbers."""
    order = sorted(result["test"], key=lambda k: k != result["metric"])
    facts = "".join(_figure(k, result["test"][k], recipe.name) for k in order)
    metric = html.escape(named(result["metric"], recipe.name))
    said = f"<p>On the {result['split']} split; {metric}: {result['better']} is better.</p>"
    rows = [
        (t["name"], t["published"], limit(t | {"own": False}), number(t["ours"]),
         "reached" if t["reached"] else "missed")
        for t in result["targets"]
    ]  # fmt: skip
    columns = ("published number", "published", "to reach", "ours", "")
    return f'<dl class="facts">{facts}</dl>{said}' + (as_table(columns, rows) if rows else "")


def _figure(name: str, value: float, system: str) -> str:
    term = named(name, system)
    meant = meaning(name, system).removeprefix(f"{term}: ")
    return (
        f"<div><dt>{html.escape(term)}</dt><dd>{number(value)}"
        f"<small>{html.escape(meant)}</small></dd></div>"
    )


def _pictures(sizes) -> str:
    parts = []
    for name, (wide, _) in sizes.items():
        kind = ' class="wide"' if wide > WIDE else ""
        size = f' style="--natural: {DPI * wide:.0f}px"'
        title = html.escape(name.replace("_", " ").replace("-", " "))
        file = html.escape(f"{name}.png", quote=True)
        picture = f'<img src="{file}" alt="{title}" loading="lazy">'
        parts.append(
            f'<figure{kind}{size}><a href="{file}">{picture}</a>'
            f"<figcaption>{title}</figcaption></figure>"
        )
    return f'<div class="figures">{"".join(parts)}</div>' if parts else ""


def _settings(recipe, trained) -> str:
    s, default = trained.settings, recipe.settings()
    kind = datasets.kind_of(trained.data)
    rows = []
    for name in s.rules():
        here, usual = brief(getattr(s, name)), brief(getattr(default, name))
        rows.append((name, here, "" if here == usual else usual, s.meaning(name, kind)))
    table = as_table(("setting", "value", "by default", "meaning"), rows)
    return f'<div class="settings">{table}</div>'


def _given(value) -> str:
    """A value as the command line takes it, every digit of it."""
    if isinstance(value, tuple):
        return "[" + ",".join(map(_given, value)) + "]"
    return repr(value) if isinstance(value, float) else str(value)


def _commands(recipe, trained, config: dict) -> str:
    """The command that repeats the run, and those that go on from it."""
    folder, source, s = str(trained.run.folder), trained.source, trained.settings
    if source is not None and source.in_memory:
        return "<p>The data were in memory: it goes on from Python, as training.train says.</p>"
    usual = recipe.resolve(trained.data_name, kind=datasets.kind_of(trained.data))
    stages = config.get("lengthened", [])
    first, *later = [stage["epochs"] for stage in stages] + [s.epochs]
    begun = s.as_dict() | {"epochs": first}
    changed = [f"{k}={_given(v)}" for k, v in begun.items() if v != getattr(usual, k)]
    parts = ["glassgrad", "train", recipe.reference]
    if source is not None:
        parts += ["--data", source.name]
        reading = [f"{k}={_reading(v)}" for k, v in source.reading.items()]
        parts += ["--read", *reading] if reading else []
        parts += ["--data-dir", source.data_dir] if source.data_dir else []
    parts += ["--backend", trained.backend] if trained.backend else []
    parts += ["--set", *changed] if changed else []
    longer = f"epochs={max(1, 2 * s.epochs)}"
    lines = [
        ("the same again", parts),
        *(
            (
                f"… stopped after {count(stage['after'], 'epoch')}, and on, RUN being its folder",
                ["glassgrad", "train", "--resume", "RUN", "--set", f"epochs={epochs}"],
            )
            for stage, epochs in zip(stages, later)
        ),
        ("for longer", ["glassgrad", "train", "--resume", folder, "--set", longer]),
        ("on other data", ["glassgrad", "evaluate", folder, "--data", "FILE"]),
    ]
    if recipe.sample:
        lines.append(("new samples", ["glassgrad", "sample", folder]))
    shown = "".join(
        f"<dt>{what}</dt><dd><code>{html.escape(shlex.join(line))}</code></dd>"
        for what, line in lines
    )
    return f'<dl class="commands">{shown}</dl>'


def _reading(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
