"""One process at a time in a folder: a lock that dies with its holder.

The lock is the kernel's (flock on the file `.lock`), not the file itself: nobody holds the file
that a killed process left behind, and the next one takes it over.
"""

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

NAME = ".lock"
_ABSENT = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EBADF)


class Held(Exception):
    """Somebody else holds the lock; `process` is their number, where it is known."""

    def __init__(self, process: int | None):
        super().__init__(process)
        self.process = process


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder inside the block.

    Raises Held where somebody else has it, OSError where its file cannot be made. Where the file
    system has no locks, a line on standard error says so and the block runs without one.
    """
    path = Path(folder) / NAME
    handle = _acquire(path) if fcntl else _no_lock(path, "this system has no flock")
    try:
        yield
    finally:
        if handle is not None:
            with contextlib.suppress(OSError):  # the folder may be gone, or read-only by now
                path.unlink()
            os.close(handle)


def _acquire(path: Path) -> int | None:
    """An open file with the lock on it; None where the file system has none."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
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
                path.unlink(missing_ok=True)
                return _no_lock(path, reason.strerror)
            if _is_at(handle, path):
                with contextlib.suppress(OSError):  # a full disk: only the message is poorer
                    os.ftruncate(handle, 0)
                    os.pwrite(handle, str(os.getpid()).encode(), 0)
                undo.pop_all()
                return handle
        # its holder removed it between opening and locking: there may be a new one


def _is_at(handle: int, path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False))
    return False


def _number(text: bytes) -> int | None:
    return int(text) if text.isdigit() else None


def _no_lock(path: Path, why: str) -> None:
    from ..kernels.errors import printable

    print(
        f"glassgrad: {printable(path.parent)} cannot be locked ({why}): make sure that no other"
        " process trains in it",
        file=sys.stderr,
    )
