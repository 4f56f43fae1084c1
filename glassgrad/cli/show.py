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
    from .. import models, training
    from ..core.data import kind_of
    from ..core.terminal import Flow, Prose, console, say
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
    calls, dot = graph(system, data, settings)
    if args.dot:
        write_atomic(Path(args.dot), dot)

    out = console()
    out.print(recipe.title, recipe.lecture or recipe.source, sep="\n", style="bold")
    cited = [f"{key} is {what}" for key, what in LECTURES.items() if key in recipe.lecture]
    if cited:
        out.print(f"{'; '.join(cited)} (sections: LECTURES.md)")
    out.print(f"takes {_takes(recipe)}; without --data {recipe.data}\n")
    out.print(Prose(models.lecture_page(recipe)), "")
    out.print(f"Modules, for {name}", style="bold")
    out.print(Prose(repr(system)), "")
    out.print(calls)
    if args.dot:
        say(f"written: {args.dot}")
    out.print()
    out.print(_settings(recipe, settings, kind))
    for t in recipe.targets:
        figures = f"published {t.published}", f"reached at {limit(vars(t))}"
        out.print("", Flow([f"to reach: {t.name}", *figures]), sep="\n", style="bold")
        named = (("source", t.source), ("what differs", t.protocol), ("note", t.note))
        for name, text in named:
            if text:
                out.print(Flow([f"{name}: {text}"]))
    return 0


def _takes(recipe) -> str:
    """The kinds of data in words, with which of them have settings of their own."""
    own = [kind for kind in recipe.takes if kind in recipe.presets]
    said = f" (settings of its own for any {' or '.join(own)})" if own else ""
    return ", ".join(recipe.takes) + said


def graph(system, data, settings):
    """(table of the calls, Graphviz text) of the objective on one batch.

    Where no gradient is taken (a self-organising map) it is the kernels of one training step.
    """
    from ..core.terminal import amount, table
    from ..core.trace import trace
    from ..core.training.system import System

    last = max(0, settings.epochs - 1)  # where training has stages, that of the objective
    batch = system.on_device(next(iter(system.batches(data, settings.batch, 0, last, 0))))
    if type(system).objective is System.objective:
        return _kernels_of_a_step(system, data, settings, batch)
    with trace() as t:
        system.objective(batch)
    rows = {}
    for c in t.calls:
        key = (c.function.strip("_"), _shapes(c.inputs), _shapes(c.outputs), c.backend)
        n, flops, moved = rows.get(key, (0, 0, 0))
        rows[key] = n + 1, flops + c.flops, moved + c.bytes
    made = table(
        ((f, n, a, b, amount(fl), amount(by), where)
         for (f, a, b, where), (n, fl, by) in rows.items()),
        "function", "calls", "inputs", "outputs", "FLOP", "bytes", "backend",
        numbers=("calls", "FLOP", "bytes"),
        title=f"Objective of one batch of {len(batch)}: {len(t.calls)} calls,"
        f" {amount(t.flops)} FLOP",
    )  # fmt: skip
    return made, t.dot()


def _kernels_of_a_step(system, data, settings, batch):
    from ..core.arrays import is_array
    from ..core.terminal import table
    from ..core.training.loop import TrainingState
    from ..kernels.registry import watching

    rows = []

    def watch(record, args):
        result = record.function(*args)
        outs = result if isinstance(result, tuple) else (result,)
        rows.append(
            (
                f"{record.op}.{record.pass_}",
                _shapes(a.shape for a in args if is_array(a)),
                _shapes(o.shape for o in outs if is_array(o)),
                f"{record.backend} v{record.version}",
            )
        )
        return result

    state = TrainingState(system, data, settings)
    with watching(watch):
        system.train_step(batch, state)
    lines = ["digraph step {", "  node [shape=box, fontname=monospace];"]
    lines += [f'  k{i} [label="{f}\\n{where}"];' for i, (f, _, _, where) in enumerate(rows)]
    lines += [f"  k{i} -> k{i + 1};" for i in range(len(rows) - 1)]
    title = f"Kernels of one step of {len(batch)} (no gradient is taken)"
    made = table(rows, "kernel", "inputs", "outputs", "backend", title=title)
    return made, "\n".join([*lines, "}"])


def _shapes(shapes) -> str:
    return " ".join("×".join(map(str, s)) or "·" for s in shapes)


def _settings(recipe, settings, kind):
    from ..core.terminal import table

    default, rows = recipe.settings(), []
    for name, rule in settings.rules().items():
        own = [f"{d}={_value(p[name])}" for d, p in recipe.presets.items() if name in p]
        here, usual = _value(getattr(settings, name)), _value(getattr(default, name))
        why = settings.idle(name, kind)
        meaning = f"{rule.help} (no effect {why})" if why else rule.help
        rows.append((name, here, usual, settings.may_be(name), meaning, ", ".join(own)))
    columns = ("setting", "here", "default", "may be", "meaning", "presets")
    return table(rows, *columns, title="Settings")


def _value(value) -> str:
    if isinstance(value, tuple):
        return "[" + ",".join(map(_value, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)
