"""Read regular files only, and only up to a size limit.

A path may name anything. Reading a named pipe may never return, /dev/zero never ends, and a link
may lead out of the intended folder. So a file is opened without blocking, and its type is checked
before a byte is read.
"""

import errno
import json
import os
import stat
from pathlib import Path
from typing import BinaryIO

REGULAR = "a regular file"
JSON_LIMIT = 16 << 20  # bytes; a configuration has 1 kB, a record of reproductions 100
_KINDS = (
    (stat.S_ISREG, REGULAR),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
)


def kind(path, error: type[Exception], follow: bool = True) -> str | None:
    """What a path names, in words; None if nothing is there. `follow` resolves links.

    Raises `error` if the system cannot tell (a failing disk, a folder without permission to
    search): a file that cannot be seen must not be reported as missing.

    >>> kind("/nowhere/at/all", OSError), kind("/", OSError)
    (None, 'a folder')
    """
    try:
        return _named(os.stat(path, follow_symlinks=follow).st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the name
        return "a link to nothing" if follow and os.path.islink(path) else None
    except OSError as reason:
        if reason.errno == errno.ELOOP:
            return "a link to itself"
        raise error(f"{path} cannot be read: {reason.strerror or reason}") from None


def _named(mode: int) -> str:
    return next((words for test, words in _KINDS if test(mode)), "a device")


def open_regular(path, limit: int, error: type[Exception], follow: bool = True) -> BinaryIO:
    """A regular file of at most `limit` bytes, open for reading; anything else raises `error`.

    Without `follow` a link is refused as well: the file must be where its path says.
    """
    found = kind(path, error, follow)
    if found not in (None, REGULAR):
        raise error(f"{path} cannot be read: it is {found}, not a regular file")
    flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NONBLOCK", 0)  # do not block on a pipe that appeared since the check
    flags |= 0 if follow else getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(path, flags)
    except (OSError, ValueError) as reason:
        text = getattr(reason, "strerror", None) or reason
        raise error(f"{path} cannot be read: {text}") from None
    state = os.fstat(handle)
    if not stat.S_ISREG(state.st_mode):
        os.close(handle)
        raise error(f"{path} cannot be read: it is {_named(state.st_mode)}, not a regular file")
    if state.st_size > limit:
        os.close(handle)
        raise error(
            f"{path} cannot be read: it has {state.st_size:,} bytes; the limit is {limit:,}"
        )
    return os.fdopen(handle, "rb")


def read_regular(path, limit: int, error: type[Exception], follow: bool = True) -> bytes:
    """The content of a regular file of at most `limit` bytes; anything else raises `error`."""
    with open_regular(path, limit, error, follow) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            content = file.read(size + 1)  # not limit + 1: Python allocates all that is asked for
        except OSError as reason:
            raise error(f"{path} cannot be read: {reason.strerror or reason}") from None
    if len(content) > size:
        raise error(f"{path} cannot be read: it is growing")
    return content


def read_text(path, limit: int, error: type[Exception], follow: bool = True) -> str:
    """The same as `read_regular`, decoded as UTF-8 text."""
    try:
        return read_regular(path, limit, error, follow).decode()
    except UnicodeDecodeError as reason:
        raise error(f"{path} is damaged: not UTF-8 text at byte {reason.start}") from None


def read_json(path: Path | str, error: type[Exception], follow: bool = True):
    """The content of a JSON file; `error` if it is missing, not regular, too large or damaged."""
    try:
        return json.loads(read_text(path, JSON_LIMIT, error, follow))
    except (ValueError, RecursionError) as reason:
        raise error(f"{path} is damaged: {reason}") from None
