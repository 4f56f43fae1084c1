"""What one training step computes, call by call: for `show` and for the page of a run."""

from dataclasses import dataclass

from .core.arrays import is_array
from .core.terminal import amount
from .core.trace import trace
from .core.training.state import TrainingState
from .core.training.system import System
from .kernels.registry import watching


@dataclass(frozen=True)
class Step:
    """A title, the columns, a row of texts for each call, and the graph as Graphviz text."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    dot: str


def of(system: System, data, settings) -> Step:
    """The calls of the objective on one batch.

    Where no gradient is taken (a self-organising map) they are the kernels of a training step,
    which changes the system.

    >>> from glassgrad import models, training
    >>> recipe = models.recipe("mlp")
    >>> s = recipe.resolve("iris")
    >>> data = training.load_data(recipe, "iris", s)
    >>> of(training.build(recipe, data, s), data, s).columns[0]
    'function'
    """
    last = max(0, settings.epochs - 1)  # where training has stages, that of the objective
    batch = system.on_device(next(iter(system.batches(data, settings.batch, 0, last, 0))))
    if type(system).objective is System.objective:
        return _kernels(system, data, settings, batch)
    with trace() as t:
        system.objective(batch)
    found = {}
    for c in t.calls:
        key = (c.function.strip("_"), _shapes(c.inputs), _shapes(c.outputs), c.backend)
        n, flops, moved = found.get(key, (0, 0, 0))
        found[key] = n + 1, flops + c.flops, moved + c.bytes
    rows = [
        (f, str(n), a, b, amount(flops), amount(moved), where)
        for (f, a, b, where), (n, flops, moved) in found.items()
    ]
    title = f"Objective of one batch of {len(batch)}: {len(t.calls)} calls, {amount(t.flops)} FLOP"
    columns = ("function", "calls", "inputs", "outputs", "FLOP", "bytes", "backend")
    return Step(title, columns, rows, t.dot())


def _kernels(system, data, settings, batch) -> Step:
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
    dot = "\n".join([*lines, "}"])
    return Step(title, ("kernel", "inputs", "outputs", "backend"), rows, dot)


def _shapes(shapes) -> str:
    return " ".join("×".join(map(str, s)) or "·" for s in shapes)
