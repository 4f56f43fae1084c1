"""Where compiled kernels are kept: every `cpu.py` takes `njit` from here, never from Numba.

Numba can keep machine code on disk, but decides whether a function is still the same by the file
that holds it. `dropout/cpu.py` has `fill_words` compiled into it: after a change in
`philox/cpu.py` the old code would go on running. Here the folder itself is named by everything the
code depends on,

    numba-<hash of: every kernels/**/*.py, the versions of Python and Numba, this package>

so that another source is another folder. The name of this package belongs to it because the files
hold references to modules: `glassgrad.kernels` could not read what a plain `kernels` has written.

The folder lies in the first of these places that can be written, and that nobody else can write to
(`trust`):

    $NUMBA_CACHE_DIR/glassgrad-numba-<hash>            where it is set
    $XDG_CACHE_HOME/glassgrad/numba-<hash>             by default ~/.cache/glassgrad/…
    <temporary folder>/glassgrad-<user>/numba-<hash>

and where there is none, kernels are compiled in every process. The three folders used last are
kept, older ones removed. The user's own Numba functions are left alone.

In the folder lies one file for each function and signature (`Kept`). Numba's own cache has an index
and numbers its files, so that two processes may take the same number for different signatures, and
it believes whatever it reads. Here the name is a hash of all that the code is compiled for, and a
digest covers the content: a file is whole, or it is removed and made again.
"""

import contextlib
import functools
import os
import sys
from pathlib import Path

import numba
from numba import config
from numba.core import event
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps, loads

from . import compiling
from .cache import (
    fingerprint,
    keep_newest,
    private_folder,
    stored,
    temporary_folder,
    user_folder,
)
from .trust import write

KEPT = 3  # folders in one place: two more checkouts or editions than the one in use
SOURCES = Path(__file__).parent


def key() -> str:
    """Sixteen hexadecimal digits that change with any kernel, the versions or this package."""
    contents = [numba.__version__, sys.implementation.cache_tag, __package__]
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
    folder = private_folder(places)
    if folder is not None:
        with contextlib.suppress(OSError):  # another user's files among them stay
            os.utime(folder)
            keep_newest(folder.parent, folder.name[:-16] + "[0-9a-f]{16}", KEPT)
    return folder


class Kept(_Cache):
    """The compiled signatures of one function, as Numba's dispatchers ask for them."""

    def __init__(self, dispatcher: Dispatcher):
        function = dispatcher.py_func
        file = function.__code__.co_filename
        self.name = f"{function.__module__}.{function.__qualname__}"
        # what is typed at a prompt has no file, and is not kept
        self.folder = cache_folder() if os.path.isfile(file) else None
        self.fixed = () if self.folder is None else (self.name, *_meaning(dispatcher, file))

    @property
    def cache_path(self):
        return self.folder

    def enable(self):
        """Numba's; here it is always on."""

    disable = enable

    def flush(self):
        """Numba's; the folder goes as a whole."""

    def _place(self, signature, codegen) -> tuple[Path, str]:
        target = str((signature, codegen.magic_tuple()))
        function = self.name.removeprefix(f"{__package__}.").replace("<locals>", "-")
        return self.folder / f"{function}-{fingerprint(*self.fixed, target)}.code", target

    def load_overload(self, sig, target_context):
        """The compiled function from the disk, or None."""
        found = None if self.folder is None else self._stored(sig, target_context)
        if found is None:
            compiling.expect_allowed(self.name)
        return found

    def _stored(self, sig, target_context):
        target_context.refresh()
        path, target = self._place(sig, target_context.codegen())
        with contextlib.suppress(Exception):  # whatever it is, compiling helps
            content = stored(path)
            if content is not None:
                written, payload = loads(content)
                if written == target:
                    return CompileResult._rebuild(target_context, *payload)
        return None

    def save_overload(self, sig, cres):
        """Keep it, if the disk has room and the code does not depend on this process."""
        if self.folder is None or cres.lifted or cres.library.has_dynamic_globals:
            return
        path, target = self._place(sig, cres.codegen)
        with contextlib.suppress(OSError):
            write(path, dumps((target, cres._reduce())))


def _meaning(dispatcher: Dispatcher, file: str) -> tuple[bytes | str, ...]:
    """What the code of a function depends on, apart from the sources in this package's folder."""
    function = dispatcher.py_func
    options = {
        name: sorted(value) if isinstance(value, set | frozenset) else value
        for name, value in dispatcher.targetoptions.items()
    }
    cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
    source = "" if Path(file).is_relative_to(SOURCES) else _content(file)
    return function.__code__.co_code, dumps(cells), str(sorted(options.items())), source


@functools.cache
def _content(file: str) -> bytes:
    return Path(file).read_bytes()


class _Compiling(event.Listener):
    """Numba compiles a function: what `compiling` tells the user."""

    def on_start(self, event):
        dispatcher = event.data["dispatcher"]
        if isinstance(dispatcher._cache, Kept):
            place = dispatcher._cache
            compiling.begin(place.name.removeprefix(f"{__package__}."), place.folder is not None)

    def on_end(self, event):
        dispatcher = event.data["dispatcher"]
        if isinstance(dispatcher._cache, Kept):
            compiling.end()


event.register("numba:compile", _Compiling())


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
    # nobody calls a kernel by a C pointer: without that wrapper there is less to compile
    made = numba.njit(function, no_cfunc_wrapper=True, **options)
    if isinstance(made, Dispatcher):  # NUMBA_DISABLE_JIT leaves the function as it is
        made._cache = Kept(made)
    return made
