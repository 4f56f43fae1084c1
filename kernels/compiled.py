"""Where compiled kernels are kept: every `cpu.py` takes `njit` from here, never from Numba.

Numba can keep machine code on disk, but decides whether a function is still the same by the file
that holds it. `dropout/cpu.py` has `philox_block` compiled into it: after a change in
`philox/cpu.py` the old code would go on running. Here the folder itself is named by everything the
code depends on,

    numba-<hash of: every kernels/**/*.py, the version of Numba, the name of this package>

so that another source is another folder. The name of the package belongs to it because the files
hold references to modules: `glassgrad.kernels` could not read what a plain `kernels` has written.

The folder lies in the first of these places that can be written:

    $NUMBA_CACHE_DIR/glassgrad-numba-<hash>            where it is set
    $XDG_CACHE_HOME/glassgrad/numba-<hash>             by default ~/.cache/glassgrad/…
    <temporary folder>/glassgrad-<user>/numba-<hash>   only if nobody else can write there

and where there is none, kernels are compiled anew in every process. The three folders used last are
kept, older ones removed. The user's own Numba functions are left alone.
"""

import contextlib
import functools
import hashlib
import os
import re
import shutil
import tempfile
import threading
from pathlib import Path

import numba
from numba import config

KEPT = 3  # folders in one place: two more checkouts or editions than the one in use
SOURCES = Path(__file__).parent
_lock = threading.Lock()


def key() -> str:
    """Sixteen hexadecimal digits that change with any kernel, Numba's version or this package."""
    digest = hashlib.sha256(f"{numba.__version__} {__package__}".encode())
    for path in sorted(SOURCES.rglob("*.py")):
        source = path.read_bytes()
        digest.update(f"\n{path.relative_to(SOURCES).as_posix()} {len(source)}\n".encode())
        digest.update(source)
    return digest.hexdigest()[:16]


def _private_temporary_folder() -> Path | None:
    """A folder of this user alone: compiled code is run as it is read, so nobody else may write."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir()) / f"glassgrad-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    ours = not hasattr(os, "getuid") or (status.st_uid == user and not status.st_mode & 0o022)
    return folder if ours and not folder.is_symlink() else None


def _user_cache_folder() -> Path | None:
    """As the XDG base directory specification has it; a home that is not there is not made."""
    place = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(place):
        return Path(place) / "glassgrad"
    home = Path(os.path.expanduser("~"))
    return home / ".cache" / "glassgrad" if home.is_dir() else None


def _explicit_folder() -> Path | None:
    return Path(config.CACHE_DIR) if config.CACHE_DIR else None


def _remove_old(place: Path, prefix: str) -> None:
    """Keep the folders used last; only names of our own making are touched."""
    used = {}
    for folder in place.iterdir():
        if re.fullmatch(rf"{prefix}[0-9a-f]{{16}}", folder.name):
            with contextlib.suppress(FileNotFoundError):  # removed by another process just now
                used[folder] = folder.stat().st_mtime
    for folder in sorted(used, key=used.get, reverse=True)[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def cache_folder() -> Path | None:
    """The folder that holds the compiled kernels of this very source, or None: nothing is kept."""
    for find, prefix in (
        (_explicit_folder, "glassgrad-numba-"),
        (_user_cache_folder, "numba-"),
        (_private_temporary_folder, "numba-"),
    ):
        try:
            place = find()
            if place is None:
                continue
            folder = place / f"{prefix}{key()}"
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            os.utime(folder)
            _remove_old(place, prefix)
        except OSError:  # cannot be written: the next place
            continue
        return folder
    return None


def njit(function=None, **options):
    """`numba.njit` whose machine code is kept in `cache_folder()`; used bare or with options.

    >>> @njit
    ... def double(x):
    ...     return 2 * x
    >>> double(21)
    42
    """
    if function is None:
        return functools.partial(njit, **options)
    folder = cache_folder()
    if folder is None or not os.path.isfile(function.__code__.co_filename):  # typed at a prompt
        return numba.njit(function, **options)
    with _lock:  # Numba reads its setting once, when a function is decorated
        before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
        try:
            return numba.njit(function, cache=True, **options)
        finally:
            config.CACHE_DIR = before
