"""One training from end to end, as `train`, `reproduce` and `demo` run it.

load the data → prepare them → build the system → fit → figures on held-out data
"""

import contextlib
import math
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import kernels
from .core import Generator
from .core import data as datasets
from .core.arrays import module_for
from .core.data import DataSet
from .core.fit import DivergedError, Trainer, fit
from .core.recipe import Recipe, SettingError
from .core.run import Run, RunError
from .core.system import System
from .kernels.errors import DeviceError, GlassgradError


@dataclass(frozen=True)
class Trained:
    """What a training leaves; unpacks as (system, data, settings, history, test_figures)."""

    system: System
    data: DataSet
    settings: dict
    history: list[dict]
    test_figures: dict[str, float]
    data_name: str  # in the catalogue

    def __iter__(self):
        return iter(
            (self.system, self.data, self.settings, self.history, self.test_figures)
        )  # fmt: skip


def backend_for(name: str | None, device: str):
    """A context in which every kernel runs on the backend; None leaves the device's default."""
    module_for(device)
    if name is None:
        return contextlib.nullcontext()
    if (name == "cuda") != (device == "cuda"):
        raise DeviceError(
            f"backend {name!r} and device {device!r} do not go together: backend cuda needs"
            " device cuda, the others need device cpu"
        )
    return kernels.backend(name)


def load_data(recipe: Recipe, name: str, data_dir, settings: dict) -> DataSet:
    """The data set, as the recipe wants it. Sets of another kind than its own are refused."""
    kind = datasets.entry(name).kind
    known = [recipe.data, *recipe.presets]
    kinds = dict.fromkeys(datasets.entry(n).kind for n in known)
    if kind not in kinds:
        raise SettingError(
            f"{recipe.name}: cannot be trained on {name}, which is of the kind {kind!r}; expected"
            f" {' or '.join(map(repr, kinds))}, such as {', '.join(dict.fromkeys(known))}"
        )
    data = datasets.load(name, data_dir)
    return recipe.prepare(data, settings) if recipe.prepare else data


def build(recipe: Recipe, data: DataSet, settings: dict, device: str = "cpu") -> System:
    """The untrained system, its weights drawn on the CPU: every device starts from the same."""
    return recipe.build(data, settings, Generator(settings["seed"])).to(device)


def held_out(data: DataSet):
    """(name, split) that the final figures are for: test, or the next best that there is."""
    splits = dict(data.splits())
    name = next(n for n in ("test", "valid", "train") if len(splits.get(n) or ()))
    return name, splits[name]


def train(
    recipe: Recipe, data: str | None = None, data_dir: str | Path | None = None,
    device: str = "cpu", overrides: dict | None = None,
    run: Run | Callable[[dict], Run] | None = None, resume: bool = False, progress=None,
    backend: str | None = None, save_every: float = 30.0,
) -> Trained:  # fmt: skip
    """Train a recipe on a data set, by default its own, and evaluate it on the test split.

    `run` is a run folder, or a function of the settings that makes one, called when nothing but
    the training itself can fail any more. With `resume` training goes on from the run's checkpoint.
    Raises Interrupted on Ctrl-C, after saving; a second Ctrl-C stops at once.
    """
    name = data or recipe.data
    with backend_for(backend, device):
        settings = recipe.resolve(name, overrides)
        loaded = load_data(recipe, name, data_dir, settings)
        system = build(recipe, loaded, settings, device)
        with _stop_on_interrupt() as stop:
            history = fit(
                system, loaded, settings, run=(lambda: run(settings)) if callable(run) else run,
                resume=resume, progress=progress,
                save_every=save_every, stop=stop,
            )  # fmt: skip
        figures = system.evaluate(held_out(loaded)[1])
    figures = {k: float(v) for k, v in figures.items()}
    return Trained(system, loaded, settings, history, figures, name)


@contextlib.contextmanager
def _stop_on_interrupt():
    """Ctrl-C inside the block asks for a stop: yields a function that says whether it came.

    A KeyboardInterrupt anywhere inside a step would leave weights that belong to no batch, so the
    first is only noted, and `fit` stops after the step. A second one stops at once.
    """
    asked = False

    def note(number, frame):
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, note) if main else None
    try:
        yield lambda: asked
    finally:
        if main:
            signal.signal(signal.SIGINT, before)


# ------------------------------------------------------------------ run folders


def configuration(
    recipe: Recipe, data: str | None, data_dir, device: str, backend: str | None, settings: dict
) -> dict:
    """What config.json holds: enough to train again or go on."""
    import platform

    import numpy

    from . import __version__

    return {
        "recipe": recipe.name,
        "data": data or recipe.data,
        "data_dir": None if data_dir is None else str(Path(data_dir).absolute()),
        "device": device,
        "backend": backend,
        "settings": settings,
        "versions": {
            "glassgrad": __version__,
            "numpy": numpy.__version__,
            "python": platform.python_version(),
        },
    }


def read_configuration(run: Run) -> dict:
    """config.json of a run folder, checked; RunError where it is not one of ours."""
    config = run.read_json("config.json")
    kinds = {
        "recipe": str, "data": str, "data_dir": str | None, "device": str, "backend": str | None,
        "settings": dict,
    }  # fmt: skip
    for key, kind in kinds.items():
        if not isinstance(config, dict) or not isinstance(config.get(key, ...), kind):
            raise RunError(f"{run.folder / 'config.json'} is damaged: {key!r} is missing or wrong")
    return config


def load(folder: str | Path, data_dir=None) -> tuple[Recipe, Trained]:
    """A trained system from its run folder, on the CPU, with its best weights.

    The test figures are those of result.json, empty where training is not over.
    """
    from .models import recipe as find

    run = Run.open(folder)
    config = read_configuration(run)
    recipe = find(config["recipe"])
    settings = recipe.resolve(config["data"], config["settings"])
    arrays, progress = run.load()
    data = load_data(recipe, config["data"], data_dir or config["data_dir"], settings)
    trainer = Trainer(build(recipe, data, settings), data, settings)
    trainer.restore(arrays, progress)
    if trainer.best is not None:
        trainer.system.load_state_dict(trainer.best)
    trainer.system.eval()
    done = (run.folder / "result.json").is_file()
    figures = _test_figures(run) if done else {}
    return recipe, Trained(trainer.system, data, settings, trainer.history, figures, config["data"])


def _test_figures(run: Run) -> dict[str, float]:
    """The test figures of result.json; RunError where it is not one of ours."""
    result = run.read_json("result.json")
    figures = result.get("test") if isinstance(result, dict) else None
    if not isinstance(figures, dict) or not all(type(v) in (int, float) for v in figures.values()):
        raise RunError(f"{run.folder / 'result.json'} is damaged: 'test' is missing or wrong")
    return figures


def write_result(run: Run, recipe: Recipe, trained: Trained) -> dict:
    """metrics.csv, result.json and all figures of a finished training; returns the result."""
    from .core import pictures

    system, data, settings, history, figures = trained
    if not math.isfinite(figures.get(recipe.metric, 0.0)):
        raise DivergedError(
            f"{recipe.name}: {recipe.metric} on the held-out data is {figures[recipe.metric]}"
        )
    if recipe.metric not in figures:
        raise GlassgradError(
            f"{recipe.name}: evaluate() gave no {recipe.metric!r}, only {', '.join(figures)}"
        )
    result = {
        "split": held_out(data)[0],
        "test": figures,
        "metric": recipe.metric,
        "value": figures[recipe.metric],
        "better": recipe.better,
        "epochs": len(history),
        "seconds": round(sum(row["seconds"] for row in history), 3),
        "parameters": system.count(),
        "targets": [
            {
                "name": t.name, "metric": t.metric, "published": t.published, "bound": t.bound,
                "better": t.better, "ours": figures[t.metric],
                "reached": t.reached(figures[t.metric]),
            }
            for t in targets_of(recipe, trained)
        ],
    }  # fmt: skip
    if history:
        run.write_metrics(history)
        run.write_figure("curves", pictures.curves(history, title=recipe.title))
    if recipe.figures:
        system.to("cpu")
        for name, figure in recipe.figures(system, data, settings).items():
            run.write_figure(name, figure)
    run.write_json("result.json", result)
    return result


def targets_of(recipe: Recipe, trained: Trained) -> list:
    """The recipe's published numbers for this data set, whose own settings were in force."""
    return [
        t
        for t in recipe.targets
        if t.data == trained.data_name
        and t.metric in trained.test_figures
        and all(trained.settings[k] == v for k, v in t.settings.items())
    ]
