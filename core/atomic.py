"""A file written whole or not at all.

The content goes into a temporary file beside its place, is flushed to the disk and then renamed: a
reader, or the next run after a crash, finds the old file or the new one, never a half. A writer
that is killed leaves its temporary file behind; `remove_stale` clears such files away.
"""

import contextlib
import os
import re
from pathlib import Path

from .regular import REGULAR, kind

TEMPORARY = re.compile(r"\..+\.\d+-[0-9a-f]{8}\.tmp")


def write_atomic(path, data: bytes | str, error: type[OSError], follow: bool = True) -> None:
    """Put `data` in the place of the file `path`, or raise `error` and change nothing.

    A link is followed, so that the file that it names is replaced; without `follow` it is refused,
    as everything is that is no regular file (a device, a pipe). The permissions are those of a new
    file under the user's umask.
    """
    data = data.encode() if isinstance(data, str) else data
    target = Path(os.path.realpath(path)) if follow else Path(path)
    there = kind(target, error, follow=False)
    if there not in (None, REGULAR):
        raise error(f"cannot write {path}: it is {there}, not a regular file; nothing was changed")
    beside = target.parent / f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    try:
        with open(beside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except OSError as reason:
        raise error(
            f"cannot write {path}: {reason.strerror or reason}; nothing was changed"
        ) from reason
    finally:
        with contextlib.suppress(OSError):  # it is there only after a failure
            os.unlink(beside)
    _sync_folder(target.parent)


def _sync_folder(folder) -> None:
    """Make the renaming itself durable, where folders can be opened (not on Windows)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with contextlib.suppress(OSError):  # some file systems refuse: the file is whole in any case
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_stale(folder) -> None:
    """Remove the temporary files of writers that were killed; nobody else may be writing there."""
    for path in Path(folder).iterdir():
        if TEMPORARY.fullmatch(path.name):
            with contextlib.suppress(OSError):  # a folder that is read-only: they do no harm
                path.unlink()
