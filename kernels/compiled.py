"""Where compiled kernels are kept: every `cpu.py` takes `njit` from here, never from Numba.

Numba can keep machine code on disk, but decides whether a function is still the same by the file
that holds it. `dropout/cpu.py` has `fill_words` compiled into it: after a change in
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
import os
import threading
from pathlib import Path

import numba
from numba import config

from .cache import fingerprint, first_writable, keep_newest, temporary_folder, user_folder

KEPT = 3  # folders in one place: two more checkouts or editions than the one in use
SOURCES = Path(__file__).parent
_lock = threading.Lock()


def key() -> str:
    """Sixteen hexadecimal digits that change with any kernel, Numba's version or this package."""
    contents = [numba.__version__, __package__]
    for path in sorted(SOURCES.rglob("*.py")):
        contents += [path.relative_to(SOURCES).as_posix(), path.read_bytes()]
    return fingerprint(*contents)


def _explicit_folder() -> Path | None:
    return Path(config.CACHE_DIR) if config.CACHE_DIR else None


@functools.cache
def cache_folder() -> Path | None:
    """The folder that holds the compiled kernels of this very source, or None: nothing is kept."""
    name = f"numba-{key()}"
    places = (_explicit_folder, f"glassgrad-{name}"), (user_folder, name), (temporary_folder, name)
    folder = first_writable(places)
    if folder is not None:
        with contextlib.suppress(OSError):  # another user's files among them stay
            os.utime(folder)
            keep_newest(folder.parent, folder.name[:-16] + "[0-9a-f]{16}", KEPT)
    return folder


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
