"""May code be loaded from here? Who owns a folder and a file, and whether the content is whole.

Machine code runs with all rights of whoever loads it. So it is loaded only where nobody but this
user and the administrator can put it:

    the folder itself      belongs to this user, and nobody else may write to it
    every folder above     belongs to this user or the administrator; others may not write to it, or
                           it is sticky, as /tmp is: there they cannot rename what is not theirs
    every link on the way  belongs to this user or the administrator
    the file               is an ordinary file of this user that nobody else may write to

A file ends with the SHA-256 of what comes before: after a crash or on a failing disk, a single
wrong bit in machine code would compute something else without a word.
"""

import contextlib
import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

DIGEST = 32  # bytes
LARGEST = 1 << 28  # bytes of a file; the largest that glassgrad writes has 2 MB
LINKS = 40  # followed on one path, as the kernel does
OTHERS = stat.S_IWGRP | stat.S_IWOTH


def me() -> int | None:
    """The user whose rights this process has; None where the system has no such numbers."""
    return os.geteuid() if hasattr(os, "geteuid") else None


def distrust(folder: Path) -> str | None:
    """Why code in `folder` might be somebody else's, as the end of a sentence; None: it is ours.

    Of a folder that does not exist, the part of its path that does is judged. OSError where the
    path cannot be followed.
    """
    if me() is None:
        return None
    administrators, last = _administrators(), None
    for path, status in _way(folder):
        owner, mode, last = status.st_uid, status.st_mode, (path, status)
        if owner != me() and owner not in administrators:
            return f"{path} belongs to {_name(owner)}"
        if stat.S_ISLNK(mode) or not mode & OTHERS or mode & stat.S_ISVTX:
            continue
        if mode & stat.S_IWOTH or not _own_group(status):
            return _writable(path, mode)
    path, status = last
    if folder.exists():  # the folder itself: nobody else at all
        if status.st_uid != me():
            return f"{path} belongs to {_name(status.st_uid)}"
        if status.st_mode & OTHERS:
            return _writable(path, status.st_mode)
        if not stat.S_ISDIR(status.st_mode):
            return f"{path} is not a folder"
    return None


def _administrators() -> set[int]:
    """Root, and whoever owns /: in a container often another number than 0. But not the number that
    stands for every user whom a container does not know.
    """
    try:
        unknown = int(Path("/proc/sys/kernel/overflowuid").read_text())
    except (OSError, ValueError):
        unknown = 65534
    return {0, *({os.lstat("/").st_uid} - {unknown})}


def _writable(path: Path, mode: int) -> str:
    return f"others can write to {path} (mode {stat.S_IMODE(mode):o})"


def _way(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every folder and link from / to `folder`, as far as there are any."""
    first, *names = Path(folder).absolute().parts
    at, links = Path(first), 0
    yield at, at.lstat()
    names.reverse()
    while names:
        name = names.pop()
        if name == "..":
            at = at.parent
            continue
        here = at / name
        try:
            status = here.lstat()
        except FileNotFoundError:
            return
        yield here, status
        if not stat.S_ISLNK(status.st_mode):
            at = here
            continue
        links += 1
        if links > LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(folder))
        target = Path(os.readlink(here)).parts
        if target and target[0] == first:
            at, target = Path(first), target[1:]
        names += reversed(target)


def _own_group(status: os.stat_result) -> bool:
    """Is its group the one that many systems give each user, with nobody else in it?"""
    import grp
    import pwd

    try:
        user, group = pwd.getpwuid(me()), grp.getgrgid(status.st_gid)
    except KeyError:
        return False
    if user.pw_uid == 0 or (group.gr_gid, group.gr_name) != (user.pw_gid, user.pw_name):
        return False
    # an account's own group does not list it
    members = {one.pw_name for one in pwd.getpwall() if one.pw_gid == group.gr_gid}
    return members.union(group.gr_mem) <= {user.pw_name}


def _name(user: int) -> str:
    import pwd

    try:
        return f"the user {pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"the user {user}"


def make(folder: Path) -> None:
    """Make the folder and those above it that are missing, each for this user alone."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)


# ------------------------------------------------------------------------------ files


class Unusable(Exception):
    """A file that must not be loaded; the message says why."""


def read(path: Path) -> bytes | None:
    """The content of a file that `write` or `seal` has made; None where there is none.

    Raises Unusable where it is damaged, not an ordinary file, or not this user's alone.
    """
    try:
        with opened(path) as (_, content):
            return content
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[int, bytes]]:
    """The descriptor and the content of such a file: what has been checked, whatever the path may
    lead to meanwhile. Raises as `read` does, and FileNotFoundError.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        number = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unusable(error.strerror) from None
    try:
        yield number, _checked(number)
    finally:
        os.close(number)


def _checked(number: int) -> bytes:
    try:
        _expect_ours(os.fstat(number))
        with os.fdopen(number, "rb", closefd=False) as file:
            data = file.read(LARGEST)
    except OSError as error:
        raise Unusable(error.strerror) from None
    if _digest(data[:-DIGEST]) != data[-DIGEST:]:
        raise Unusable("is damaged")
    return data[:-DIGEST]


def _expect_ours(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Unusable("is not an ordinary file")
    if me() is not None and status.st_uid != me():
        raise Unusable(f"belongs to {_name(status.st_uid)}")
    if me() is not None and status.st_mode & OTHERS:
        raise Unusable(f"can be written by others (mode {stat.S_IMODE(status.st_mode):o})")
    if not DIGEST <= status.st_size <= LARGEST:
        raise Unusable("is damaged")


def seal(path: Path) -> None:
    """Append the digest to a finished file and make it this user's alone."""
    path.chmod(0o700)
    with path.open("r+b") as file:
        file.write(_digest(file.read()))


def write(path: Path, content: bytes) -> None:
    """Write a file that `read` reads: whole or not at all, whoever else is writing it."""
    number, made = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content + _digest(content))
        os.replace(made, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(made)
        raise


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
