"""What notebooks show of tensors, networks and traces: small tables, with every text escaped.

They have no scripts and no colours of their own, so that they suit light and dark pages.
"""

import html
from collections.abc import Iterable, Sequence

import numpy as np

from .arrays import to_numpy

MOST_ROWS, MOST_COLUMNS, MOST_CALLS = 8, 10, 100
COUNTED = 1 << 20  # numbers; of larger tensors no mean is computed
SMALL = 'style="margin:2px 0;opacity:.75"'


def as_table(columns: Sequence[str], rows: Iterable, title: str = "") -> str:
    """Rows of texts as an HTML table, which scrolls where it is wider than the page.

    >>> as_table(("a",), [("<b>",)])
    '<div class="scroll"><table><tr><th>a</th></tr><tr><td>&lt;b&gt;</td></tr></table></div>'
    """
    head = "".join(f"<th>{html.escape(c)}</th>" for c in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(c))}</td>" for c in row) + "</tr>" for row in rows
    )
    said = f"<p>{html.escape(title)}</p>" if title else ""
    return f'{said}<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def boxed(title: str, facts: Iterable[str], *parts: str) -> str:
    """A title, facts in one line under it, and parts that are HTML already."""
    line = html.escape(" · ".join(f for f in facts if f))
    return f"<div><b>{html.escape(title)}</b><p {SMALL}>{line}</p>{''.join(parts)}</div>"


# ------------------------------------------------------------------------------ tensors


def _ends(n: int, most: int) -> list[int | None]:
    """The places of an axis that are shown: all, or those at both ends around None.

    >>> _ends(3, 4), _ends(9, 4)
    ([0, 1, 2], [0, 1, None, 7, 8])
    """
    if n <= most:
        return list(range(n))
    return [*range(most // 2), None, *range(n - most // 2, n)]


def _number(value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _grid(plane) -> str:
    """A matrix as a table, its ends only where it is large; the array may lie on a GPU."""
    rows, columns = _ends(plane.shape[0], MOST_ROWS), _ends(plane.shape[1], MOST_COLUMNS)
    head = ["", *("…" if c is None else str(c) for c in columns)]
    shown = []
    places = [c for c in columns if c is not None]  # of a long row no others become numbers
    for r in rows:
        cells = {} if r is None else dict(zip(places, to_numpy(plane[r, places]).tolist()))
        line = ["…" if r is None or c is None else _number(cells[c]) for c in columns]
        shown.append(["…" if r is None else str(r), *line])
    return as_table(head, shown)


def _spread(array) -> str:
    """Least, mean and largest number, and how many are not finite."""
    if not array.size or array.size > COUNTED or array.dtype.kind == "b":
        return ""
    values = to_numpy(array).astype(np.float64)
    odd = values.size - int(np.isfinite(values).sum())
    if odd == values.size:
        return f"{odd} not finite"
    values = values[np.isfinite(values)]
    text = f"{values.min():.4g} … {values.max():.4g}, mean {values.mean():.4g}"
    return text + (f", {odd} not finite" if odd else "")


def tensor_html(t) -> str:
    """Shape, dtype, where it comes from, its spread; and its numbers, those of the first plane."""
    a = t.data
    shape = " × ".join(map(str, t.shape))
    origin = f"from {t.node.function.name}" if t.node is not None else ""
    tracked = "requires grad" if t.requires_grad and not origin else ""
    facts = [shape, str(t.dtype), t.device if t.device != "cpu" else "", origin, tracked]
    facts.append(_spread(a))
    if not t.ndim:
        return boxed(f"tensor({_number(t.item())})", facts[1:-1])
    if not t.size:
        return boxed("tensor", facts)
    lead = (0,) * max(0, t.ndim - 2)
    plane = a[lead] if lead else a
    note = f"<p {SMALL}>[{', '.join('0' for _ in lead)}, :, :]</p>" if lead else ""
    return boxed("tensor", facts, note, _grid(plane.reshape((1,) * (2 - plane.ndim) + plane.shape)))


# ----------------------------------------------------------------------------- networks


def module_html(net) -> str:
    """A row for each part of a network: where, which layer, its settings, its parameters."""
    n = net.count()
    rows = []
    for name, part in net.named_modules():
        inside = {k for k, _ in part.named_children()}
        own = [
            f"{key} [{', '.join(map(str, t.shape))}]"
            for key, t in part.named_parameters()
            if key.partition(".")[0] not in {k.partition(".")[0] for k in inside}
        ]
        depth = " " * 3 * (name.count(".") + bool(name))
        kind = f"{depth}{type(part).__name__}"
        rows.append((name or "·", kind, part.extra(), ", ".join(own), f"{part.count():,}"))
    columns = ("part", "layer", "settings", "parameters", "numbers")
    mode = "training" if net.training else "evaluation"
    return boxed(
        type(net).__name__,
        [f"{n:,} parameter{'s' * (n != 1)}", f"{mode} mode"],
        as_table(columns, rows),
    )


# ------------------------------------------------------------------------------- traces


def trace_html(trace) -> str:
    """A row for each call, and the sums."""
    calls = trace.calls
    rows = [
        (c.function.strip("_"), _shapes(c.inputs), _shapes(c.outputs), f"{c.flops / 1e6:.3f}",
         f"{c.bytes / 1e6:.3f}", f"{c.seconds * 1e3:.3f}", c.backend)
        for c in calls[:MOST_CALLS]
    ]  # fmt: skip
    if len(calls) > MOST_CALLS:
        rows.append((f"and {len(calls) - MOST_CALLS:,} more", *[""] * 6))
    facts = [
        f"{len(calls):,} call{'s' * (len(calls) != 1)}",
        f"{trace.flops / 1e6:.3f} MFLOP",
        f"{trace.seconds * 1e3:.3f} ms",
    ]
    columns = ("function", "inputs", "outputs", "MFLOP", "MB", "ms", "backend")
    return boxed("trace", facts, as_table(columns, rows))


def _shapes(shapes) -> str:
    return " ".join(str(s).replace(" ", "") for s in shapes)
