"""Folders for compiled code: named by content, private to their user, the newest kept.

Machine code is run as it is read, so it may lie only where nobody else can write (`trust` decides
that): in the user's cache, by default ~/.cache/glassgrad, else in a temporary folder of this user
alone.
"""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from .notice import once
from .trust import Unusable, distrust, make, me, read


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
    """One for this user in the system's temporary folder."""
    user = me()
    return Path(tempfile.gettempdir()) / f"glassgrad-{'user' if user is None else user}"


def private_folder(places: Iterable[tuple[Callable[[], Path | None], str]]) -> Path | None:
    """The first `find() / name` of the (find, name) given that can be made and written to, and that
    nobody else can write to (see `trust`).

    Where one of them was not trusted, a line says so, and where the code is kept instead.
    """
    doubts, folder = [], None
    for find, name in places:
        with contextlib.suppress(OSError):  # cannot be written: the next place
            place = find()
            if place is None:
                continue
            found = place / name
            doubt = distrust(found)
            if doubt is None:
                make(found)
                doubt = distrust(found)
            if doubt is None:
                tempfile.TemporaryFile(dir=found).close()
                folder = found
                break
            doubts.append(doubt)
    if doubts:
        instead = "is not kept" if folder is None else f"is kept in {folder} instead"
        once(f"{doubts[0]}: compiled code {instead}")
    return folder


def stored(path: Path) -> bytes | None:
    """The content of a file of compiled code, or None where it must be compiled (again).

    One that must not be loaded is removed, and a line says so. OSError where it cannot be.
    """
    try:
        return read(path)
    except Unusable as why:
        remove(path, str(why))
        return None


def remove(path: Path, why: str) -> None:
    """Say why compiled code cannot be used, and remove what is there, be it a folder. OSError where
    it cannot be removed.
    """
    once(f"compiled code {path} {why}: removed, and compiled again")
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)  # a name with our hash, in our own cache
    else:
        path.unlink(missing_ok=True)


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
