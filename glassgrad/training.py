"""One training from end to end, as `train`, `reproduce` and `demo` run it.

load the data → prepare them → build the system → fit → figures on held-out data

>>> from glassgrad import models, training
>>> done = training.train(models.recipe("som"), "iris", overrides={"epochs": 1})
>>> done.data_name, len(done.history), done.run
('iris', 1, None)
"""

import contextlib
import math
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import kernels, launching, run_page, step
from .core import Generator
from .core.arrays import module_for
from .core.data import DataSet, Graph, kind_of
from .core.distributed import alone, current
from .core.training.agreement import expect_shards, shared_out
from .core.training.loop import DivergedError, TrainingState, fit
from .core.training.recipe import Recipe, Target
from .core.training.run_folder import Run, RunError
from .core.training.settings import TrainingSettings
from .core.training.system import System
from .folders import (
    Folder,
    configuration,
    new_run,
    read_configuration,
    recipe_of,
    recorded_settings,
    test_figures,
)  # fmt: skip
from .kernels.errors import DeviceError, GlassgradError
from .models.common.figure_words import named
from .models.own import expect_metric
from .parts import held_out, shown
from .run_html import run_html
from .sources import Source, source_of


@dataclass(frozen=True, repr=False)
class Trained:
    """What a training leaves; a notebook shows its figures and curves."""

    system: System  # with its best weights, in eval mode
    data: DataSet  # prepared
    settings: TrainingSettings
    history: list[dict]  # the figures of each epoch
    test_figures: dict[str, float]  # on the split that `held_out` names
    data_name: str  # in the catalogue, or a path, or what data in memory call themselves
    backend: str | None = None  # the one asked for; None is the device's default
    run: Run | None = None  # its folder
    source: Source | None = None  # where the data came from; None is the catalogue

    def __repr__(self):
        figures = ", ".join(f"{k} {v:.4g}" for k, v in self.test_figures.items())
        epochs = f"{len(self.history)} epoch{'s' * (len(self.history) != 1)}"
        name = type(self.system).__name__
        return f"<{name} trained on {self.data_name}, {epochs}: {figures or 'no figures yet'}>"

    def _repr_html_(self) -> str:
        name, folder = type(self.system).__name__, self.run and self.run.folder
        settings = self.settings.as_dict()
        return run_html(name, self.data_name, self.history, self.test_figures, settings, folder)


def backend_for(name: str | None, device: str):
    """A context in which every kernel runs on the backend; None leaves the device's default.

    Raises DeviceError where the device is not there or the backend cannot run on it, BackendError
    for an unknown backend.

    >>> from glassgrad.kernels.registry import current_backend
    >>> with backend_for("reference", "cpu"):
    ...     current_backend()
    'reference'
    """
    module_for(device)
    if name is None:
        return contextlib.nullcontext()
    if (name == "cuda") != (device == "cuda"):
        raise DeviceError(
            f"backend {name!r} and device {device!r} do not go together: backend cuda needs"
            " device cuda, the others need device cpu"
        )
    if device == "cuda":  # what arrays on a GPU run on anyway; the host's draws stay on the host
        return contextlib.nullcontext()
    return kernels.backend(name)


def on_host(trained: Trained):
    """The context for a finished system on the CPU: its backend, if that is one of the CPU's."""
    return backend_for(None if trained.backend == "cuda" else trained.backend, "cpu")


def load_data(
    recipe: Recipe, source: Source | DataSet | str, settings: TrainingSettings
) -> DataSet:
    """The data set as the recipe wants it: all that `Source.of` takes. Raises as `Source.load`.

    >>> from glassgrad import models
    >>> vae = models.recipe("vae")
    >>> len(load_data(vae, "digits", vae.resolve("digits")).train)
    1297
    """
    return prepared(recipe, Source.of(source).load(recipe)[1], settings)


def prepared(recipe: Recipe, data: DataSet, settings: TrainingSettings) -> DataSet:
    """The data as the system gets them: binarised, scaled or whatever its recipe does to them."""
    return recipe.prepare(data, settings) if recipe.prepare else data


def build(recipe: Recipe, data: DataSet, settings: TrainingSettings, device: str = "cpu") -> System:
    """The untrained system, its weights drawn on the CPU: every device starts from the same.

    Raises SettingError or a ShapeError for settings that make no network on these data.
    """
    return recipe.build(data, settings, Generator(settings.seed)).to(device)


def train(
    recipe: Recipe, data: str | Path | DataSet | Graph | Source | None = None,
    data_dir: str | Path | None = None, device: str = "cpu", overrides: dict | None = None,
    run: Run | None = None, out: str | Path | None = None, resume: bool = False, progress=None,
    backend: str | None = None, save_every: float = 30.0,
    held: contextlib.ExitStack | None = None,
    on_data: Callable[[Source, DataSet], None] | None = None,
) -> Trained:  # fmt: skip
    """Train a recipe on a data set, by default its own, and evaluate it on the test split.

    data       a name of the catalogue, `data_dir` is looked in first; the path of a file or
               folder; a `DataSet` or `Graph` in memory; or a `Source`, which may hold options for
               its reader. A run that is resumed must get the data that it began with; by default
               those that its config.json names
    overrides  settings that are not the recipe's, such as ``{"epochs": 3}``
    run        a run folder to write to; with `resume` training goes on from its checkpoint. Of
               several ranks the first alone writes (`core.distributed`)
    out        or: where to make a new one. An error before the end of the first step (a setting
               that the network or its objective refuses) leaves nothing of it
    progress   as core.training.loop.Silent
    backend    runs every kernel; None is the device's default
    save_every seconds between checkpoints inside an epoch
    held       takes over the lock on the run folder; by default it ends with this call
    on_data    is called with the source and the data, as they were read, before training

    Raises SettingError, DataError, DeviceError or RunError (also for a run of other data) before
    training; DivergedError where a figure stops being a number (it says more than NumPy's warnings,
    which are silenced); Interrupted on Ctrl-C, after saving. A second Ctrl-C stops at once.

    >>> from glassgrad import models
    >>> done = train(models.recipe("vae"), overrides={"epochs": 1, "hidden": (8, 8)})
    >>> sorted(done.test_figures)
    ['bound', 'kl']
    """
    if (run is not None and out is not None) or (resume and run is None):
        raise RunError("train: expected run, or out for a new one; resume needs run")
    world, recorded = current(), None
    if resume and run.has("config.json"):
        recorded = source_of(read_configuration(run), run.folder, data_dir)
    if data is None:
        data = recorded or recipe.data
    data = Source.of(data, data_dir)
    with backend_for(backend, device):
        data, raw = data.load(recipe)
        if recorded is not None:
            data.expect_same(recorded, run.folder)
        if on_data is not None:
            on_data(data, raw)
        overrides = shared_out(overrides, world) if run is None else overrides
        settings = recipe.resolve(data.name, overrides, kind_of(raw))
        expect_shards(settings.shards, world, begun=run is not None)
        with alone():  # `fit` shares out its steps alone
            loaded = prepared(recipe, raw, settings)
            system = build(recipe, loaded, settings, device)
            if recipe.source is not None:
                expect_metric(recipe, system, held_out(loaded)[1])
        config = configuration(recipe, data, device, backend, settings)
        with contextlib.ExitStack() as own:
            hold = own if held is None else held
            if not world.is_first:
                run = None  # one rank writes
            if run is not None:
                hold.enter_context(run.hold())
            folder = Folder(run, lambda: new_run(out, recipe, config, hold))
            by_launcher = launching.stop_asked()
            with folder, _stop_on_interrupt() as asked:

                def stop() -> bool:  # asked after every step
                    if folder.run and not folder.known:
                        launching.note("run", str(folder.run.folder))
                    folder.kept = folder.known = True
                    return asked() or by_launcher()

                history = fit(
                    system, loaded, settings, run=run if out is None else folder.make,
                    resume=resume, progress=progress, save_every=save_every, stop=stop,
                )  # fmt: skip
            with alone():
                figures = system.evaluate_finished(held_out(loaded)[1])
    figures = {k: float(v) for k, v in figures.items()}
    return Trained(system, loaded, settings, history, figures, data.name, backend, folder.run, data)


def train_and_write(recipe: Recipe, *args, **options) -> tuple[Trained, dict]:
    """`train` with its arguments, then `write_result`: what was trained, and its result.

    Of several ranks the first alone writes; the others' result is empty. No other process can train
    in the run folder from its making to its last file.

    >>> import tempfile
    >>> from glassgrad import models
    >>> with tempfile.TemporaryDirectory() as out:
    ...     done, result = train_and_write(
    ...         models.recipe("som"), "iris", overrides={"epochs": 1}, out=out
    ...     )
    ...     result["epochs"], done.run.has("result.json")
    (1, True)
    """
    with contextlib.ExitStack() as held:
        trained = train(recipe, *args, held=held, **options)
        if not current().is_first:
            return trained, {}
        with alone():
            return trained, write_result(trained.run, recipe, trained)


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


def load(
    folder: str | Path, data_dir: str | Path | None = None, data: DataSet | Graph | None = None
) -> tuple[Recipe, Trained]:
    """A trained system from its run folder, on the CPU, with its best weights.

    The test figures are those of result.json, empty where training is not over. `data_dir` is
    looked in for the data in the place of the one in config.json; `data` takes the place of the
    data in config.json, which must be the same: it is needed where they were in memory. Raises
    RunError, SettingError or CheckpointError where the folder or a file in it is missing, damaged
    or does not fit, and RunError for other data.

    A run folder may be named through a link; the files in it must be regular ones. Runs of the
    first version (checkpoints of format 1) can be loaded, but not resumed.

    >>> load("nowhere")
    Traceback (most recent call last):
        ...
    glassgrad.core.training.run_folder.RunError: nowhere is not a run folder: it has no config.json
    """
    return load_raw(folder, data_dir, data)[:2]


def load_raw(
    folder: str | Path, data_dir: str | Path | None = None, data: DataSet | Graph | None = None
) -> tuple[Recipe, Trained, DataSet | Graph]:
    """As `load`, and the data as they were read, which `Trained` has prepared."""
    run = Run.open(folder)
    config = read_configuration(run)
    recipe = recipe_of(config, run)
    arrays, progress = run.load()
    recorded = source_of(config, run.folder, data_dir)
    source, raw = (recorded if data is None else Source.of(data)).load(recipe)
    source.expect_same(recorded, run.folder)
    settings = recipe.resolve(config["data"], recorded_settings(recipe, config), kind_of(raw))
    data = prepared(recipe, raw, settings)
    with alone():
        state = TrainingState(build(recipe, data, settings), data, settings)
    state.restore(arrays, progress)
    if state.best is not None:
        state.system.load_state_dict(state.best)
    state.system.eval()
    result = run.read_json("result.json") if run.has("result.json") else None
    figures = {} if result is None else test_figures(result, run)
    trained = Trained(
        state.system, data, settings, state.history, figures, config["data"], config["backend"],
        run, recorded,
    )  # fmt: skip
    return recipe, trained, raw


def write_result(run: Run, recipe: Recipe, trained: Trained) -> dict:
    """metrics.csv, result.json, figures, files and index.html of a training; returns the result.

    The figures are drawn on the CPU, by the backend that the training asked for if it is one of the
    CPU's. Raises DivergedError where the recipe's metric is NaN or infinite, GlassgradError where
    the system does not report it, RunError where a file cannot be written; result.json comes last.
    """
    from .core import pictures

    system, history, figures = trained.system, trained.history, trained.test_figures
    data, settings = trained.data, trained.settings
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
    with run.hold():
        drawn = {}
        if history:
            run.write_metrics(history)
        if len(history) > 1:
            heading = partial(named, system=recipe.name)
            drawn["curves"] = pictures.curves(history, title=recipe.title, named=heading)
        if recipe.figures:
            system.to("cpu")
            with on_host(trained):
                drawn |= recipe.figures(system, shown(data), settings)
        for name, figure in drawn.items():
            run.write_figure(name, figure)
        if recipe.files:
            for name, content in recipe.files(system, shown(data), settings).items():
                run.write_bytes(name, content)
        with on_host(trained):
            one = step.of(build(recipe, data, settings), data, settings)
        sizes = {name: tuple(figure.get_size_inches()) for name, figure in drawn.items()}
        run.write_page(run_page.render(recipe, trained, result, sizes, one))
        run.write_json("result.json", result)
    return result


def targets_of(recipe: Recipe, trained: Trained) -> list[Target]:
    """The recipe's published numbers that the run is an attempt at.

    It must be on their data set, as the catalogue has it, with the settings that `reproduce` would
    use: with others a figure of the same name may be another quantity, or a stage of training may
    be left out. The seed, and how often figures are taken, may be any.

    >>> from glassgrad import models
    >>> recipe = models.recipe("vae")
    >>> done = Trained(None, None, recipe.resolve("digits"), [], {"bound": 20.0}, "digits")
    >>> targets_of(recipe, done)  # its number is for MNIST
    []
    """
    source = trained.source
    if source is not None and (source.in_memory or source.reading):
        return []
    return [
        t
        for t in recipe.targets
        if t.data == trained.data_name
        and t.metric in trained.test_figures
        and _decisive(trained.settings) == _decisive(recipe.resolve(t.data, t.settings))
    ]


def _decisive(settings: TrainingSettings) -> dict:
    free = ("seed", "ais_every", "shards", "reduce")  # other noise and rounding, as another seed
    return {k: v for k, v in settings.as_dict().items() if k not in free}
