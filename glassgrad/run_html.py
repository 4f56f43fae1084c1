"""What notebooks show of a run: its figures, curves, settings, and where its page is."""

import base64
from functools import partial

from .core import pictures
from .core.as_html import as_table, boxed
from .core.terminal import number, seconds
from .core.training.run_folder import png
from .core.training.settings import brief
from .models.common.figure_words import named

LAST = 5  # epochs that the table shows


def run_html(name: str, data: str, history: list, figures: dict, settings: dict, folder) -> str:
    """A finished run as HTML; of a long history the last epochs, and the curves of all."""
    epochs, took = len(history), sum(row.get("seconds", 0.0) for row in history)
    facts = [
        f"on {data}",
        f"{epochs:,} epoch{'s' * (epochs != 1)} in {seconds(took)}",
        str(folder) if folder else "not written",
    ]
    parts = []
    if figures:
        heads = [named(k, name) for k in figures]
        parts.append(as_table(heads, [map(number, figures.values())]))
    if epochs > 1:
        drawn = base64.b64encode(
            png(pictures.curves(history, named=partial(named, system=name)))
        ).decode()
        parts.append(
            f'<img alt="curves" style="max-width:100%" src="data:image/png;base64,{drawn}">'
        )
    if history:
        keys = list(dict.fromkeys(k for row in history[-LAST:] for k in row))
        rows = [[number(row[k]) if k in row else "" for k in keys] for row in history[-LAST:]]
        parts.append(as_table([named(k, name) for k in keys], rows))
    table = as_table(("setting", "value"), [(k, brief(v)) for k, v in settings.items()])
    parts.append(f"<details><summary>settings</summary>{table}</details>")
    return boxed(name, facts, *parts)
