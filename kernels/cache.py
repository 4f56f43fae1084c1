"""Folders for compiled code: named by content, private to their user, the newest kept.

Machine code is run as it is read, so it may lie only where nobody else can write: in the user's
cache, by default ~/.cache/glassgrad, else in a temporary folder of this user alone.
"""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path


def fingerprint(*contents: str | bytes) -> str:
    """Sixteen hexadecimal digits of the contents, in order: another content has others.

    >>> fingerprint("ab", "c") == fingerprint("a", "bc")
    False
    """
    digest = hashlib.sha256()
    for content in contents:
        data = content.encode() if isinstance(content, str) else content
        digest.update(b"%d\n" % len(data))
        digest.update(data)
    return digest.hexdigest()[:16]


def user_folder() -> Path | None:
    """As the XDG base directory specification has it; a home that is not there is not made."""
    place = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(place):
        return Path(place) / "glassgrad"
    home = Path(os.path.expanduser("~"))
    return home / ".cache" / "glassgrad" if home.is_dir() else None


def temporary_folder() -> Path | None:
    """A temporary folder that this user alone can write, or None where somebody else laid it."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir()) / f"glassgrad-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    ours = not hasattr(os, "getuid") or (status.st_uid == user and not status.st_mode & 0o022)
    return folder if ours and not folder.is_symlink() else None


def first_writable(places: Iterable[tuple[Callable[[], Path | None], str]]) -> Path | None:
    """The first `find() / name` of the (find, name) given that can be made and written to."""
    for find, name in places:
        with contextlib.suppress(OSError):  # cannot be written: the next place
            place = find()
            if place is not None:
                folder = place / name
                folder.mkdir(parents=True, exist_ok=True)
                tempfile.TemporaryFile(dir=folder).close()
                return folder
    return None


def keep_newest(folder: Path, pattern: str, count: int) -> None:
    """Of the files and folders whose whole name has the pattern, leave the `count` used last."""
    used = {}
    for path in folder.iterdir():
        if re.fullmatch(pattern, path.name):
            with contextlib.suppress(FileNotFoundError):  # removed by another process just now
                used[path] = path.stat().st_mtime
    for path in sorted(used, key=used.get, reverse=True)[count:]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
