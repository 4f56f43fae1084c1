"""One process at a time in a folder: a lock that dies with its holder.

The lock is the kernel's (flock on the file `.lock`), not the file itself: a file that a killed
process left behind is not locked, and the next process reuses it.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ..kernels.errors import printable
from ..kernels.notice import once

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

NAME = ".lock"
_ABSENT = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EBADF)


class Held(Exception):
    """Another process holds the lock; `process` is its number, or None if unknown."""

    def __init__(self, process: int | None):
        super().__init__(process)
        self.process = process


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder inside the block.

    Raises Held if another process has it, OSError if its file cannot be created. If the file
    system has no locks, a line on standard error says so and the block runs without one.
    """
    path = Path(folder) / NAME
    handle = _acquire(path) if fcntl else _no_lock(path, "this system has no flock")
    try:
        yield
    finally:
        if handle is not None:
            _remove(handle, path)
            os.close(handle)


def _acquire(path: Path) -> int | None:
    """An open, locked file; None if the file system has no locks."""
    while True:
        handle = _open(path)
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, handle)
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(errno.EEXIST, f"{NAME} is not a regular file")
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Held(_number(os.pread(handle, 20, 0))) from None
            except OSError as reason:
                if reason.errno not in _ABSENT:
                    raise
                _remove(handle, path)
                return _no_lock(path, reason.strerror)
            if _is_at(handle, path):
                # on a full disk or another user's file only the message of Held lacks the number
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, 0)
                    os.pwrite(handle, str(os.getpid()).encode(), 0)
                undo.pop_all()
                return handle
        # its holder removed it between opening and locking; another may have replaced it


def _open(path: Path) -> int:
    """Open the lock file, creating it if it does not exist."""
    flags = os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o666)
    except PermissionError:  # another user's file: read permission is enough to lock it
        return os.open(path, os.O_RDONLY | flags)


def _remove(handle: int, path: Path) -> None:
    """Remove the file of a lock that we hold, unless the path now leads to another file.

    That happens when the folder was renamed and another took its name; its lock may be in use.
    """
    with contextlib.suppress(OSError):  # the folder may be gone, or read-only by now
        if _is_at(handle, path):
            path.unlink()


def _is_at(handle: int, path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False))
    return False


def _number(text: bytes) -> int | None:
    return int(text) if text.isdigit() else None


def _no_lock(path: Path, why: str) -> None:
    once(
        f"{printable(path.parent)} cannot be locked ({why}): make sure that no other process"
        " trains in it"
    )
