"""The run folder of a training: how it is made, what config.json holds, when it is taken back."""

import contextlib
import platform
import shlex
from pathlib import Path

import numpy as np

from .core.training.loop import Interrupted
from .core.training.recipe import Recipe
from .core.training.run_folder import Run, RunError, remove_empty
from .core.training.settings import TrainingSettings
from .sources import Source


class Folder:
    """The run folder of a training; a new one is kept only from the end of the first step on."""

    def __init__(self, run: Run | None, new):
        self.run, self.new, self.kept = run, new, run is not None

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

    return {
        "recipe": recipe.name,
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
    return config
