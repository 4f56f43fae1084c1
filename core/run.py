"""A run folder: everything about one training, written so that a kill at any moment loses nothing.

    config.json             what was asked for: recipe, data, settings, versions
    metrics.csv             one row for each epoch
    checkpoint.safetensors  weights, optimiser, random state, position: enough to go on, bit for bit
    result.json             the test figures, once training is over
    *.png                   the figures

Every file is replaced in one step (core/atomic.py).
"""

import contextlib
import json
import os
import shutil
import time
from pathlib import Path

from ..kernels.errors import GlassgradError
from . import atomic
from .state import CheckpointError, load_arrays, save_arrays


class RunError(GlassgradError, OSError):
    """A run folder cannot be made, read or written."""


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a file so that either the old or the whole new content is there; RunError if not."""
    atomic.write_atomic(path, data, RunError)


def expect_writable(path: Path | str) -> None:
    """RunError where a file could not be written now; nothing is changed.

    For what is written after an hour of training: a full disk or a folder in the file's place is
    better found before it.
    """
    path = Path(path)
    try:
        write_atomic(path, path.read_bytes())
    except FileNotFoundError:
        write_atomic(path, b"")
        path.unlink()
    except RunError:
        raise
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from None


def make_folder(folder: Path | str) -> list[Path]:
    """Make a folder, with its parents; returns those that were not there, innermost first.

    RunError where it cannot be made: nothing is left of it then.
    """
    folder = Path(folder)
    made = [p for p in (folder, *folder.parents) if not os.path.lexists(p)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remove_empty(made)
        in_the_way = next((p for p in (folder, *folder.parents) if os.path.isfile(p)), None)
        reason = f"{in_the_way} is not a folder" if in_the_way else error.strerror
        raise RunError(f"cannot make {folder}: {reason}") from None
    return made


def remove_empty(folders: list[Path]) -> None:
    """Remove folders, innermost first, as far as they are there and empty."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


class Run:
    """One run folder."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)
        self.made: list[Path] = []  # the folders that `create` made, innermost first

    @classmethod
    def create(cls, root: Path | str, name: str) -> "Run":
        """A new folder under `root`, named after the system and the time; RunError if it fails."""
        parents = make_folder(root)
        stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
        for i in range(100):
            run = cls(Path(root) / (stem if i == 0 else f"{stem}-{i}"))
            try:
                run.folder.mkdir()
            except FileExistsError:
                continue
            except OSError as error:
                remove_empty(parents)
                raise RunError(f"cannot make {run.folder}: {error.strerror}") from None
            run.made = [run.folder, *parents]
            return run
        raise RunError(f"cannot make a new folder under {root}")

    @classmethod
    def open(cls, folder: Path | str) -> "Run":
        """An existing folder; RunError if it is none."""
        run = cls(folder)
        if not (run.folder / "config.json").is_file():
            raise RunError(f"{folder} is not a run folder: it has no config.json")
        return run

    def discard(self) -> None:
        """Take back what `create` made, when nothing came of it; an opened folder stays."""
        if self.made:
            shutil.rmtree(self.folder, ignore_errors=True)
            remove_empty(self.made)
            self.made = []

    # ----------------------------------------------------------------- files

    @property
    def checkpoint_path(self) -> Path:
        return self.folder / "checkpoint.safetensors"

    def write_json(self, name: str, value) -> None:
        """Write a JSON file, atomically."""
        write_atomic(self.folder / name, json.dumps(value, indent=2, sort_keys=True) + "\n")

    def read_json(self, name: str):
        """Read a JSON file; RunError when missing or damaged."""
        path = self.folder / name
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"{path} is missing") from None
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror or error}") from None
        except (ValueError, RecursionError) as error:
            raise RunError(f"{path} is damaged: {error}") from None

    def write_metrics(self, history: list[dict]) -> None:
        """metrics.csv from all epochs so far."""
        columns = list(dict.fromkeys(k for row in history for k in row))
        lines = [",".join(columns)]
        for row in history:
            lines.append(",".join("" if k not in row else repr(row[k]) for k in columns))
        write_atomic(self.folder / "metrics.csv", "\n".join(lines) + "\n")

    def write_figure(self, name: str, figure) -> Path:
        """A matplotlib figure as PNG."""
        import io

        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
        path = self.folder / f"{name}.png"
        write_atomic(path, buffer.getvalue())
        return path

    def save(self, arrays: dict, progress: dict) -> None:
        """The checkpoint: arrays, and a dictionary of plain values."""
        save_arrays(self.checkpoint_path, arrays, {"progress": json.dumps(progress)})

    def load(self) -> tuple[dict, dict]:
        """What `save` wrote; CheckpointError when missing or damaged."""
        arrays, metadata = load_arrays(self.checkpoint_path)
        try:
            return arrays, json.loads(metadata["progress"])
        except (KeyError, ValueError, RecursionError):
            raise CheckpointError(f"{self.checkpoint_path} is not a training checkpoint") from None

    def remove_stale(self) -> None:
        """Remove what a writer that was killed left behind; only for the one who trains here."""
        atomic.remove_stale(self.folder)
