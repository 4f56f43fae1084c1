"""`with gg.trace() as t:` records every call; `print(t)` is a table, `t.dot()` a graph."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from .arrays import is_array
from .as_html import trace_html
from .observers import watchers


@dataclass(frozen=True)
class Call:
    """One call: what ran, on what, and what it cost."""

    function: str
    inputs: tuple
    outputs: tuple
    dtype: str
    flops: int
    bytes: int
    seconds: float
    backend: str
    ids: tuple  # ids of the input and output arrays, to link calls


class Trace:
    """The recorded calls of a block."""

    def __init__(self):
        self.calls: list[Call] = []
        self._alive = []  # keep the arrays alive so that their ids stay unique

    def __call__(self, function, seconds, arrays, outs, settings, ran):
        given = [a for a in arrays if is_array(a)]
        count = function.flops or (lambda arrays, outs, settings: sum(o.size for o in outs))
        self._alive += [*given, *outs]
        self.calls.append(
            Call(
                function.name,
                tuple(a.shape for a in given),
                tuple(o.shape for o in outs),
                str(outs[0].dtype),
                int(count(arrays, outs, settings)),
                sum(a.nbytes for a in given) + sum(o.nbytes for o in outs),
                seconds,
                f"{ran.backend} v{ran.version}" if ran else "array library",
                (tuple(map(id, given)), tuple(map(id, outs))),
            )
        )

    @property
    def flops(self) -> int:
        """Floating-point operations of all calls."""
        return sum(c.flops for c in self.calls)

    @property
    def seconds(self) -> float:
        """Time spent in all calls."""
        return sum(c.seconds for c in self.calls)

    def __str__(self):
        rows = [("function", "inputs", "outputs", "MFLOP", "MB", "ms", "backend")]
        rows += [
            (c.function.strip("_"), _shapes(c.inputs), _shapes(c.outputs), f"{c.flops / 1e6:.3f}",
             f"{c.bytes / 1e6:.3f}", f"{c.seconds * 1e3:.3f}", c.backend)
            for c in self.calls
        ]  # fmt: skip
        widths = [max(map(len, column)) for column in zip(*rows)]
        sides = "<<<>>><"  # numbers flush right
        lines = [
            "  ".join(f"{v:{side}{w}}" for v, side, w in zip(row, sides, widths)).rstrip()
            for row in rows
        ]
        calls = f"{len(self.calls)} call{'s' * (len(self.calls) != 1)}"
        lines.append(f"{calls}, {self.flops / 1e6:.3f} MFLOP, {self.seconds * 1e3:.3f} ms")
        return "\n".join(lines)

    def __repr__(self):
        n = len(self.calls)
        return f"<trace of {n:,} call{'s' * (n != 1)}: print it, or .dot()>"

    _repr_html_ = trace_html  # what a notebook shows

    def dot(self) -> str:
        """The calls as a Graphviz graph: functions as boxes, arrays as edges with their shapes."""
        lines = ["digraph trace {", "  node [shape=box, fontname=monospace];"]
        maker = {}
        for i, c in enumerate(self.calls):
            lines.append(f'  c{i} [label="{c.function.strip("_")}\\n{c.backend}"];')
            for shape, key in zip(c.inputs, c.ids[0]):
                if key in maker:
                    lines.append(f'  c{maker[key]} -> c{i} [label="{shape}"];')
            for key in c.ids[1]:
                maker[key] = i
        return "\n".join([*lines, "}"])


def _shapes(shapes) -> str:
    return " ".join(str(s).replace(" ", "") for s in shapes)


@contextlib.contextmanager
def trace() -> Iterator[Trace]:
    """Record every differentiable call inside the block.

    >>> import glassgrad as gg
    >>> with gg.trace() as t:
    ...     y = gg.ones((2, 3)) @ gg.ones((3, 4))
    >>> t.calls[0].flops
    48
    """
    recorder = Trace()
    watchers().append(recorder)
    try:
        yield recorder
    finally:
        watchers().remove(recorder)
        recorder._alive.clear()
