"""Run folders next to each other: what is there, what differs, and the curves of several."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from .core.regular import read_text
from .core.training.run_folder import METRICS_LIMIT, Run, RunError
from .core.training.state import is_finite_number
from .folders import read_configuration


@dataclass(frozen=True)
class Summary:
    """What the small files of a run folder say; `result` is empty where training is not over."""

    run: Run
    config: dict
    result: dict
    history: list[dict[str, float]]

    @property
    def name(self) -> str:
        """The name of the system, without the path of an own file."""
        return self.config["recipe"].rpartition(":")[2]

    @property
    def label(self) -> str:
        """The name of the folder."""
        return self.run.folder.name

    @property
    def figures(self) -> dict[str, float]:
        """The figures on held-out data; none where training is not over."""
        return self.result["test"] if self.result else {}


def summary(folder: str | Path) -> Summary:
    """The summary of a run folder; RunError where it is none, or damaged."""
    run = Run.open(folder)
    config = read_configuration(run)
    result = run.read_json("result.json") if run.has("result.json") else {}
    figures = result.get("test", {}) if isinstance(result, dict) else None
    if not isinstance(figures, dict) or not all(map(is_finite_number, figures.values())):
        raise RunError(f"{run.folder / 'result.json'} is damaged: 'test' is missing or wrong")
    return Summary(run, config, result, _history(run))


def _history(run: Run) -> list[dict[str, float]]:
    """The rows of metrics.csv; none where no epoch is over."""
    if not run.has("metrics.csv"):
        return []
    path = run.folder / "metrics.csv"
    rows = csv.DictReader(io.StringIO(read_text(path, METRICS_LIMIT, RunError, follow=False)))
    try:
        found = [{k: float(v) for k, v in row.items() if v} for row in rows]
    except (TypeError, ValueError):
        raise RunError(f"{path} is damaged: a cell is no number") from None
    return [row | {"epoch": int(row["epoch"])} for row in found if "epoch" in row]


def find(root: str | Path) -> list[Summary]:
    """The run folders directly in a folder, by name; damaged ones are left out.

    Raises RunError where there is no such folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise RunError(f"there is no folder {root}")
    found = []
    for path in sorted(p for p in root.iterdir() if p.is_dir()):
        try:
            found.append(summary(path))
        except RunError:
            continue
    return found


def differences(summaries: list[Summary]) -> list[tuple[str, list]]:
    """(what, its value in each run) of all in which the runs differ: system, data, settings.

    A setting that a run does not have is None there.
    """
    rows = [(key, [s.config.get(key) for s in summaries]) for key in ("recipe", "data", "backend")]
    rows[0] = "system", [s.name for s in summaries]
    names = dict.fromkeys(k for s in summaries for k in s.config["settings"])
    rows += [(k, [s.config["settings"].get(k) for s in summaries]) for k in names]
    return [(what, values) for what, values in rows if any(v != values[0] for v in values)]


def overlaid(summaries: list[Summary], labels: list[str]):
    """The curves of several runs, a panel for each figure and a colour for each run."""
    from .core import pictures

    names = dict.fromkeys(
        k.removeprefix("valid_")
        for s in summaries
        for row in s.history
        for k in row
        if k not in ("epoch", "seconds")
    )
    if not names:
        return None
    columns = min(len(names), 3)
    rows = -(-len(names) // columns)
    fig = pictures.figure(3.8 * columns + 0.4, 2.7 * rows + 0.5)
    axes = fig.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    for ax, name in zip(axes, names):
        for i, one in enumerate(summaries):
            for key, line in ((f"valid_{name}", "-"), (name, "--")):
                seen = [(row["epoch"], row[key]) for row in one.history if key in row]
                if seen:
                    colour = pictures.COLOURS[i % len(pictures.COLOURS)]
                    ax.plot(*zip(*seen), line, color=colour, marker=None if len(seen) > 1 else "o")
        ax.set(xlabel="epoch")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_title(name.replace("_", " "), fontsize=10)
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.2)
    for i, label in enumerate(labels):
        axes[0].plot([], [], color=pictures.COLOURS[i % len(pictures.COLOURS)], label=label)
    fig.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return fig
