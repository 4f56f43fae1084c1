"""The run folder of a training: how it is made, what config.json holds, when it is taken back."""

import contextlib
import hashlib
import platform
import shlex
from pathlib import Path

import numpy as np

from . import models
from .core.terminal import count
from .core.training.loop import Interrupted
from .core.training.recipe import Recipe
from .core.training.run_folder import Run, RunError, remove_empty
from .core.training.settings import TrainingSettings
from .core.training.state import is_finite_number
from .models import own
from .sources import Source


class Folder:
    """The run folder of a training; a new one is kept only from the end of the first step on."""

    def __init__(self, run: Run | None, new):
        self.run, self.new, self.kept = run, new, run is not None
        self.known = False  # to a launcher of several ranks

    def make(self) -> Run:
        """Create the folder of a new run."""
        self.run = self.new()
        return self.run

    def __enter__(self):
        return self

    def __exit__(self, kind, error, where):
        if isinstance(error, Interrupted) and self.run:
            command = shlex.join(["glassgrad", "train", "--resume", str(self.run.folder)])
            raise Interrupted(f"stopped; go on with: {command}") from None
        if error is not None and self.run and not self.kept:
            self.run.discard()


def new_run(out: str | Path, recipe: Recipe, config: dict, held: contextlib.ExitStack) -> Run:
    """A new run folder under `out` with its config.json; RunError, and nothing left, if it fails.

    `held` takes over the lock on it, which is there before config.json: nobody else can open it.

    >>> import tempfile
    >>> from glassgrad import models
    >>> with tempfile.TemporaryDirectory() as out, contextlib.ExitStack() as held:
    ...     run = new_run(out, models.recipe("vae"), {"recipe": "vae"}, held)
    ...     run.read_json("config.json")
    {'recipe': 'vae'}
    """
    run = Run.create(out, recipe.name)
    try:
        held.enter_context(run.hold())
    except BaseException:
        remove_empty(run.made)  # where another process holds it, it is not empty
        raise
    try:
        run.write_json("config.json", config)
        if recipe.source is not None:
            run.write_bytes(recipe.source.name, recipe.code)
    except BaseException:
        run.discard()
        raise
    return run


def configuration(
    recipe: Recipe, source: Source, device: str, backend: str | None, settings: TrainingSettings
) -> dict:
    """What config.json holds: enough to train again or go on, from any folder.

    >>> from glassgrad import models
    >>> vae = models.recipe("vae")
    >>> config = configuration(vae, Source("digits"), "cpu", None, vae.resolve("digits"))
    >>> config["data"], config["settings"]["latent"]
    ('digits', 2)
    """
    from . import __version__

    code = {} if recipe.source is None else {"code": _digest(recipe.code)}
    return {
        "recipe": recipe.reference,
        **code,
        **source.as_config(),
        "device": device,
        "backend": backend,
        "settings": settings.as_dict(),
        "versions": {
            "glassgrad": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def _digest(code: bytes) -> str:
    return hashlib.sha256(code).hexdigest()


def recipe_of(config: dict, run: Run) -> Recipe:
    """The recipe of a run, from its config.json.

    That of your own file is looked for where it was when the run began, and by its name in the
    current folder, and it is executed if it is still the file that the run began with: open the
    runs of people whom you trust. The one in the run folder is a copy to read, and is never
    executed. Raises RunError where the file is in neither place.
    """
    name = config["recipe"]
    if not own.is_reference(name):
        return models.recipe(name)
    path, system = own.parts_of(name)
    if not name.startswith(str(path)):
        raise RunError(f"{run.folder / 'config.json'} is damaged: {name!r:.200} is no whole path")
    inside = run.folder.resolve()
    for place in (path, Path.cwd() / path.name):
        if place.is_file() and inside not in place.resolve().parents:
            content = own.read(place)
            if _digest(content) == config.get("code"):
                return own.load_from(place, system, content)
    state = "has changed since the run began" if path.is_file() else "is not there any more"
    copy = shlex.join(["cp", str(run.folder / path.name), str(path)])
    raise RunError(f"{path} {state}; as it was: {copy} (or a copy in the current folder)")


def read_configuration(run: Run) -> dict:
    """config.json of a run folder, as `configuration` made it; RunError where it is none."""
    config = run.read_json("config.json")
    kinds = {
        "recipe": str, "data": str, "data_dir": str | None, "device": str, "backend": str | None,
        "settings": dict,
    }  # fmt: skip
    for key, kind in kinds.items():
        if not isinstance(config, dict) or not isinstance(config.get(key, ...), kind):
            raise RunError(f"{run.folder / 'config.json'} is damaged: {key!r} is missing or wrong")
    stages = config.get("lengthened", [])
    if not isinstance(stages, list) or any(not _is_stage(stage) for stage in stages):
        raise RunError(f"{run.folder / 'config.json'} is damaged: 'lengthened' is wrong")
    return config


def recorded_settings(recipe: Recipe, config: dict) -> dict:
    """The settings of a run by name.

    One that is newer than the run has its default, with which nothing changes, and not what a
    preset of today has.
    """
    return recipe.settings().as_dict() | config["settings"]


def _is_stage(stage) -> bool:
    """Is it an entry of a lengthened run, as `lengthening.lengthen` writes it?"""
    return isinstance(stage, dict) and all(type(stage.get(k)) is int for k in ("epochs", "after"))


def lengthened(config: dict) -> str:
    """In words, how a run came to its number of epochs; empty if it was made for them.

    >>> stages = [{"epochs": 2, "after": 2}, {"epochs": 5, "after": 4}]
    >>> lengthened({"settings": {"epochs": 9}, "lengthened": stages})
    'made for 2 epochs, after 2 for 5, after 4 for 9'
    """
    stages = config.get("lengthened", [])
    made = [stage["epochs"] for stage in stages] + [config["settings"].get("epochs")]
    return f"made for {count(made[0], 'epoch')}" * bool(stages) + "".join(
        f", after {stage['after']} for {epochs}" for stage, epochs in zip(stages, made[1:])
    )


def test_figures(result, run: Run) -> dict[str, float]:
    """The test figures of what result.json holds; RunError where it is not one of ours."""
    figures = result.get("test") if isinstance(result, dict) else None
    if not isinstance(figures, dict) or not all(map(is_finite_number, figures.values())):
        raise RunError(f"{run.folder / 'result.json'} is damaged: 'test' is missing or wrong")
    return figures
