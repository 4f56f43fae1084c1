"""Run folders next to each other: what is there, what differs, and the curves of several."""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from .core.regular import read_text
from .core.training.run_folder import METRICS_LIMIT, Run, RunError
from .core.training.state import is_finite_number
from .folders import lengthened, read_configuration, test_figures
from .models.common.figure_words import named
from .run_html import run_html

# keys of config.json -> what they are
DETAILS = {
    "code": "file's digest", "data": "data", "reading": "read with", "digest": "data's digest",
    "device": "device", "backend": "backend",
}  # fmt: skip


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

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        config = self.config
        settings, folder = config["settings"], self.run.folder
        return run_html(self.name, config["data"], self.history, self.figures, settings, folder)


def summary(folder: str | Path) -> Summary:
    """The summary of a run folder; RunError where it is none, or damaged."""
    run = Run.open(folder)
    config = read_configuration(run)
    result = run.read_json("result.json") if run.has("result.json") else {}
    if result:
        test_figures(result, run)
        if not is_finite_number(result.get("value")) or not isinstance(result.get("metric"), str):
            raise RunError(
                f"{run.folder / 'result.json'} is damaged: its metric is missing or wrong"
            )
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


def find(root: str | Path) -> tuple[list[Summary], list[str]]:
    """The run folders directly in a folder, by name, and why damaged ones were left out.

    Raises RunError where there is no such folder, or where it is a run folder itself.
    """
    root = Path(root)
    if not root.is_dir():
        raise RunError(f"there is no folder {root}")
    if (root / "config.json").exists():
        raise RunError(f"{root} is a run itself; the folder that it is in is {root.parent}")
    found, damaged = [], []
    for path in sorted(p for p in root.iterdir() if (p / "config.json").exists()):
        try:
            found.append(summary(path))
        except RunError as error:
            damaged.append(str(error))
    return found, damaged


def differences(summaries: list[Summary]) -> list[tuple[str, list]]:
    """(what, its value in each run) of all in which the runs differ: system, data, settings.

    A setting that a run does not have is None there.
    """
    rows = [("system", [s.name for s in summaries])]
    if len(set(rows[0][1])) == 1:  # of files of one's own with systems of one name
        rows = [("system", [s.config["recipe"] for s in summaries])]
    rows += [
        (what, [_short(s.config.get(key)) for s in summaries]) for key, what in DETAILS.items()
    ]
    names = dict.fromkeys(k for s in summaries for k in s.config["settings"])
    rows += [(k, [s.config["settings"].get(k) for s in summaries]) for k in names]
    rows.append(("lengthened", [lengthened(s.config) or None for s in summaries]))
    return [(what, values) for what, values in rows if any(v != values[0] for v in values)]


def of_all(summaries: list[Summary]) -> str:
    """The name of the system, if all runs are of one; in whose words figures are named."""
    names = {s.name for s in summaries}
    return names.pop() if len(names) == 1 else ""


def _short(value):
    """A digest in its first eight digits; options as they are given."""
    if isinstance(value, dict):
        return " ".join(f"{k}={v}" for k, v in value.items())
    digest = isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value)
    return value[:8] if digest else value


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
        ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        ax.set_title(named(name, of_all(summaries)), fontsize=10)
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.2)
    for i, label in enumerate(labels):
        axes[0].plot([], [], color=pictures.COLOURS[i % len(pictures.COLOURS)], label=label)
    fig.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return fig
