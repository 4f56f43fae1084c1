"""A run folder: everything about one training, written so that a kill at any moment loses nothing.

    config.json             what was requested: recipe, data, settings, versions
    metrics.csv             one row per epoch
    checkpoint.safetensors  weights, optimiser, random state, position: enough to resume bit for bit
    result.json             the test metrics, once training is over
    *.png                   the figures
    .lock                   exists while a process trains here: one at a time (core/lock.py)

Every file is replaced in one step (core/atomic.py). The folder may be named through links, which
are followed once; the files in it may not be links, pipes or devices. So nothing outside the folder
is read or written, unless somebody moves it, or a folder above it, while it is in use.
"""

import contextlib
import io
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from ...kernels.errors import GlassgradError
from .. import atomic, lock
from ..regular import REGULAR, kind, read_json, read_text
from .checkpoint import FORMAT, CheckpointError, load_arrays, save_arrays

DPI = 110  # dots of an inch of a figure
METRICS_LIMIT = 1 << 30  # bytes; ten times a million epochs
OURS = ("config.json", "metrics.csv", "checkpoint.safetensors", "result.json", "index.html",
        lock.NAME)  # fmt: skip


class RunError(GlassgradError, OSError):
    """A run folder cannot be made, read or written."""


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a file so that it has either its old or all of its new content; RunError on failure."""
    atomic.write_atomic(path, data, RunError)


def expect_writable(path: Path | str) -> None:
    """Raise RunError if a file could not be written now; the file is not touched.

    Called before training for what is written after it: a full disk or a folder in the file's
    place is better found early.
    """
    atomic.expect_writable(path, RunError)


def make_folder(folder: Path | str) -> list[Path]:
    """Make a folder, with its parents; returns those that did not exist, innermost first.

    Raises RunError if it cannot be made; then nothing of it is left.
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
    """Remove folders, innermost first, as far as they exist and are empty."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def png(figure) -> bytes:
    """A matplotlib figure as the content of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight")
    return buffer.getvalue()


class Run:
    """One run folder."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)
        self.made: list[Path] = []  # the folders that `create` made, innermost first
        self.holds = 0  # open blocks of `hold`

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
        """An existing run folder; RunError if it is not one.

        Links in the path are followed once, here: all files are then read and written in the folder
        that the path names now, even if the links change later.
        """
        run = cls(os.path.realpath(folder))
        if not run.has("config.json"):
            inside = next(run.folder.glob("*/config.json"), None) if run.folder.is_dir() else None
            hint = f"; {inside.parent.name} in it is one" if inside else ""
            raise RunError(f"{folder} is not a run folder: it has no config.json{hint}")
        return run

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other processes from training here while the block runs; may be nested.

        Raises RunError if another one trains here, or if a file of the folder is not a regular
        file. The lock is released when the process ends, however it ends.
        """
        with contextlib.ExitStack() as held:
            if not self.holds:
                self._expect_regular_files()
                try:
                    held.enter_context(lock.locked(self.folder))
                except lock.Held as other:
                    who = "another process" if other.process is None else f"process {other.process}"
                    raise RunError(f"{self.folder} is in use: {who} trains there") from None
                except OSError as error:
                    reason = error.strerror or error
                    raise RunError(f"cannot lock {self.folder}: {reason}") from None
            self.holds += 1
            try:
                yield
            finally:
                self.holds -= 1

    def discard(self) -> None:
        """Remove what `create` made if it was not used; a folder that was opened stays.

        Only inside a block of `hold`: without the lock another process may be training there.
        """
        if self.made and self.holds:
            shutil.rmtree(self.folder, ignore_errors=True)
            remove_empty(self.made)
            self.made = []

    # ----------------------------------------------------------------- files

    def has(self, name: str) -> bool:
        """True if there is a file of that name.

        Raises RunError if it is a link, a pipe or the like, or if the system cannot tell.
        """
        found = kind(self.folder / name, RunError, follow=False)
        if found not in (None, REGULAR):
            raise RunError(f"{self.folder / name} is {found}, not a regular file")
        return found is not None

    def _expect_regular_files(self) -> None:
        """Check the files that training will read or replace, before the first step."""
        try:
            names = os.listdir(self.folder)
        except OSError as error:
            raise RunError(f"cannot read {self.folder}: {error.strerror or error}") from None
        for name in sorted(names):
            if name in OURS or name.endswith(".png"):
                self.has(name)

    @property
    def checkpoint_path(self) -> Path:
        """The file of the checkpoint, whether it exists or not."""
        return self.folder / "checkpoint.safetensors"

    def write_json(self, name: str, value) -> None:
        """Write a JSON file, atomically."""
        self._write(name, json.dumps(value, indent=2, sort_keys=True) + "\n")

    def read_json(self, name: str):
        """Read a JSON file; RunError when missing or damaged."""
        return read_json(self.folder / name, RunError, follow=False)

    def _write(self, name: str, data: bytes | str) -> Path:
        path = self.folder / name
        atomic.write_atomic(path, data, RunError, follow=False)
        return path

    def write_metrics(self, history: list[dict]) -> None:
        """Write metrics.csv with all epochs so far."""
        columns = list(dict.fromkeys(k for row in history for k in row))
        lines = [",".join(columns)]
        for row in history:
            lines.append(",".join("" if k not in row else repr(row[k]) for k in columns))
        self._write("metrics.csv", "\n".join(lines) + "\n")

    def write_figure(self, name: str, figure) -> Path:
        """Write a matplotlib figure as a PNG file; returns its path."""
        return self._write(f"{name}.png", png(figure))

    def write_bytes(self, name: str, content: bytes) -> Path:
        """Write any other file, such as word vectors; returns its path."""
        return self._write(name, content)

    def write_text(self, name: str, text: str) -> Path:
        """Write a text as a .txt file; returns its path."""
        return self._write(f"{name}.txt", text)

    def write_page(self, text: str) -> Path:
        """Write index.html; returns its path."""
        return self._write("index.html", text)

    def has_checkpoint(self) -> bool:
        """True if a checkpoint was written. Raises RunError if its place is not a regular file.

        A checkpoint is written before the row of its epoch and before the result. If these exist
        without it, it was lost, which is a RunError as well.
        """
        if self.has(self.checkpoint_path.name):
            return True
        lost = f"{self.checkpoint_path} is missing, though"
        if self.has("metrics.csv"):
            rows = read_text(self.folder / "metrics.csv", METRICS_LIMIT, RunError, follow=False)
            if epochs := len(rows.splitlines()) - 1:
                were = "epoch was" if epochs == 1 else "epochs were"
                raise RunError(f"{lost} {epochs} {were} recorded")
        if self.has("result.json"):
            raise RunError(f"{lost} training is over: there is a result.json")
        return False

    def save(self, arrays: dict, progress: dict) -> None:
        """Write the checkpoint: arrays, and a dictionary of plain values."""
        save_arrays(self.checkpoint_path, arrays, {"progress": json.dumps(progress)}, follow=False)

    def load(self, resume: bool = False) -> tuple[dict, dict]:
        """What `save` wrote; CheckpointError if it is missing, damaged or of another format.

        A checkpoint of format 1, whose progress has no checksum, is accepted for its weights, but
        refused with `resume`, that is to continue training.
        """
        oldest = FORMAT if resume else "1"
        arrays, metadata = load_arrays(self.checkpoint_path, ours=True, follow=False, oldest=oldest)
        try:
            return arrays, json.loads(metadata["progress"])
        except (KeyError, ValueError, RecursionError):
            raise CheckpointError(f"{self.checkpoint_path} is not a training checkpoint") from None

    def remove_stale(self) -> None:
        """Remove the temporary files of writers that were killed."""
        atomic.remove_stale(self.folder)
