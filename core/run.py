"""A run folder: everything about one training, written so that a kill at any moment loses nothing.

    config.json             what was asked for: recipe, data, settings, versions
    metrics.csv             one row for each epoch
    checkpoint.safetensors  weights, optimiser, random state, position: enough to go on, bit for bit
    result.json             the test figures, once training is over
    *.png                   the figures

Every file is replaced in one step (core/atomic.py).
"""

import json
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


class Run:
    """One run folder."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)

    @classmethod
    def create(cls, root: Path | str, name: str) -> "Run":
        """A new folder under `root`, named after the system and the time."""
        stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
        for i in range(100):
            folder = Path(root) / (stem if i == 0 else f"{stem}-{i}")
            try:
                folder.mkdir(parents=True)
                return cls(folder)
            except FileExistsError:
                if not Path(root).is_dir():
                    raise RunError(f"cannot make {folder}: {root} is not a folder") from None
            except OSError as error:
                raise RunError(f"cannot make {folder}: {error.strerror}") from None
        raise RunError(f"cannot make a new folder under {root}")

    @classmethod
    def open(cls, folder: Path | str) -> "Run":
        """An existing folder; RunError if it is none."""
        run = cls(folder)
        if not (run.folder / "config.json").is_file():
            raise RunError(f"{folder} is not a run folder: it has no config.json")
        return run

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
