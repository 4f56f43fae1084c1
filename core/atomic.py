"""A file written whole or not at all.

The content goes into a temporary file in the same folder, is flushed to the disk and renamed: a
reader, or the next run after a crash, finds the old file or the new one, never half of one. A
writer that is killed leaves its temporary file behind; `remove_stale` deletes such files.
"""

import contextlib
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from .regular import REGULAR, kind

TEMPORARY = re.compile(r"\..+\.(\d+)-[0-9a-f]{8}\.tmp")
DAY = 24 * 3600  # seconds


def write_atomic(path, data: bytes | str, error: type[OSError], follow: bool = True) -> None:
    """Replace the file `path` by `data`, or raise `error` and change nothing.

    A link is followed and its target is replaced; without `follow` a link is refused. Anything that
    is not a regular file (a device, a pipe) is always refused. The permissions of the old file are
    kept; a file that did not exist gets those of the user's umask.
    """
    data = data.encode() if isinstance(data, str) else data
    with _temporary(path, data, error, follow) as (temporary, target):
        os.replace(temporary, target)
    _sync_folder(target.parent)


def expect_writable(path, error: type[OSError], follow: bool = True) -> None:
    """Raise `error` if `write_atomic` would fail now. The file itself is not touched.

    A block of zeros is written to a temporary file in the same folder, which is then removed.
    """
    with _temporary(path, bytes(4096), error, follow):
        pass


@contextlib.contextmanager
def _temporary(path, data: bytes, error: type[OSError], follow: bool) -> Iterator[tuple]:
    """(temporary file with the data, file that it will replace); removed after the block."""
    target = Path(os.path.realpath(path)) if follow else Path(path)
    there = kind(target, error, follow=False)
    if there not in (None, REGULAR):
        raise error(f"cannot write {path}: it is {there}, not a regular file; nothing was changed")
    temporary = target.parent / f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    try:
        with open(temporary, "xb") as file:
            if there:  # before any content is in it: others may not be allowed to read it
                os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield temporary, target
    except OSError as reason:
        raise error(
            f"cannot write {path}: {reason.strerror or reason}; nothing was changed"
        ) from reason
    finally:
        with contextlib.suppress(OSError):  # it is no longer there after the rename
            os.unlink(temporary)


def _sync_folder(folder) -> None:
    """Make the rename itself durable, where folders can be opened (not on Windows)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with contextlib.suppress(OSError):  # some file systems refuse; the file is complete anyway
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_stale(folder) -> None:
    """Remove the temporary files of writers that were killed.

    A file is stale when its process has ended. Process numbers are reused, so a file that nobody
    has written to for a day is stale as well.
    """
    for path in Path(folder).iterdir():
        if found := TEMPORARY.fullmatch(path.name):
            with contextlib.suppress(OSError):  # in a read-only folder they do no harm
                if _is_gone(int(found[1])) or time.time() - path.stat().st_mtime > DAY:
                    path.unlink()


def _is_gone(process: int) -> bool:
    """True if no process with that number is running, False if that is unknown."""
    if os.name == "nt":  # os.kill would end the process, whatever the signal
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
