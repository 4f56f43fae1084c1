"""Show a system: its lecture page, its modules, the graph of its objective, its settings."""

from pathlib import Path

HELP = "equations, modules, graph and settings of a system"


def arguments(parser) -> None:
    """Which system, on which data and with which settings."""
    from .common import data_arguments

    parser.add_argument(
        "name", metavar="NAME", help="a system, as `list` names it, or FILE.py:CLASS"
    )
    data_arguments(parser)
    parser.add_argument("--dot", metavar="FILE", help="write the graph for Graphviz")


def run(args) -> int:
    """Print the system's page, modules, calls, settings and targets."""
    from .. import models, step, training
    from ..core.data import kind_of
    from ..core.terminal import Flow, Prose, console, say, table
    from ..core.training.run_folder import write_atomic
    from ..models.lectures import LECTURES
    from ..reproduction import limit
    from .common import overrides, source

    recipe = models.recipe(args.name)
    found = source(args, recipe)
    name = found.name
    found, raw = found.load(recipe)
    kind = kind_of(raw)
    settings = recipe.resolve(name, overrides(args.sets), kind)
    data = training.prepared(recipe, raw, settings)
    system = training.build(recipe, data, settings)
    one = step.of(system, data, settings)
    if args.dot:
        write_atomic(Path(args.dot), one.dot)

    out = console()
    out.print(recipe.title, recipe.lecture or recipe.source, sep="\n", style="bold")
    cited = [f"{key} is {what}" for key, what in LECTURES.items() if key in recipe.lecture]
    if cited:
        out.print(f"{'; '.join(cited)} (sections: LECTURES.md)")
    out.print(f"takes {_takes(recipe)}; without --data {recipe.data}\n")
    out.print(Prose(models.lecture_page(recipe)), "")
    out.print(f"Modules, for {name}", style="bold")
    out.print(Prose(repr(system)), "")
    numbers = [c for c in ("calls", "FLOP", "bytes") if c in one.columns]
    out.print(table(one.rows, *one.columns, numbers=numbers, title=one.title))
    if args.dot:
        say(f"written: {args.dot}")
    out.print()
    out.print(Flow([f"in shards: {_shards(system)}"]), "")
    out.print(_settings(recipe, settings, kind))
    for t in recipe.targets:
        figures = f"published {t.published}", f"reached at {limit(vars(t))}"
        out.print("", Flow([f"to reach: {t.name}", *figures]), sep="\n", style="bold")
        named = (("source", t.source), ("what differs", t.protocol), ("note", t.note))
        for name, text in named:
            if text:
                out.print(Flow([f"{name}: {text}"]))
    return 0


def _shards(system) -> str:
    """What becomes of minibatches that several ranks share out."""
    from ..core.training.shards import notes, why_whole

    if why := why_whole(system):
        return f"never; {why}"
    return "; ".join(notes(system)) or "the gradient is that of the whole minibatch"


def _takes(recipe) -> str:
    """The kinds of data in words, with which of them have settings of their own."""
    own = [kind for kind in recipe.takes if kind in recipe.presets]
    said = f" (settings of its own for any {' or '.join(own)})" if own else ""
    return ", ".join(recipe.takes) + said


def _settings(recipe, settings, kind):
    from ..core.terminal import table
    from ..core.training.settings import brief

    default, rows = recipe.settings(), []
    for name in settings.rules():
        own = [f"{d}={brief(p[name])}" for d, p in recipe.presets.items() if name in p]
        here, usual = brief(getattr(settings, name)), brief(getattr(default, name))
        meaning = settings.meaning(name, kind)
        rows.append((name, here, usual, settings.may_be(name), meaning, ", ".join(own)))
    columns = ("setting", "here", "default", "may be", "meaning", "presets")
    return table(rows, *columns, title="Settings")
