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
it trusts whatever it reads. Here the name is a hash of all that the code is compiled from
(`meaning`) and for, and a digest covers the content: a file is whole, or it is removed and made
again. The files used last are kept, older ones removed.
"""

import contextlib
import functools
import os
import sys
from pathlib import Path

import numba
from numba import config, types

from . import compiling
from .cache import (
    fingerprint,
    keep_newest,
    private_folder,
    remove,
    stored,
    temporary_folder,
    user_folder,
)
from .meaning import SOURCES, Unknown, content, meaning
from .notice import once
from .numba_parts import Cache, CompileResult, Dispatcher, dumps, event, expect_parts, loads
from .trust import write

KEPT = 3  # folders in one place: two more checkouts or editions than the one in use
FILES = 3000  # in a folder; all that the tests compile are 300


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


class Kept(Cache):
    """The compiled signatures of one function, as Numba's dispatchers ask for them."""

    def __init__(self, dispatcher: Dispatcher):
        function = dispatcher.py_func
        file = function.__code__.co_filename
        self.dispatcher = dispatcher
        self.name = f"{function.__module__}.{function.__qualname__}"
        # what is typed at a prompt has no file, and is not kept
        self.folder = cache_folder() if os.path.isfile(file) else None
        if self.folder is not None:
            content(file)  # as it is now, when the function is made of it

    @property
    def cache_path(self):
        """The folder that Numba names where it says what it keeps; None: nothing is kept."""
        return self.folder

    def enable(self):
        """Numba's; here it is always on."""

    disable = enable

    def flush(self):
        """Numba's; the folder goes as a whole."""

    def _place(self, signature, codegen) -> tuple[Path, str] | None:
        """The file and what it is compiled for; None where the code must not be kept."""
        if self.folder is None:
            return None
        try:  # globals may have changed since the last signature: Numba takes them as they are now
            takes = [
                meaning(t.dispatcher if isinstance(t, types.Dispatcher) else t) for t in signature
            ]
            target = f"{self.name} {meaning(self.dispatcher)} {takes} {codegen.magic_tuple()}"
        except Unknown:
            return None
        function = self.name.removeprefix(f"{__package__}.").replace("<locals>", "-")
        return self.folder / f"{function}-{fingerprint(target)}.code", target

    def load_overload(self, sig, target_context):
        """The compiled function from the disk, or None."""
        found = self._stored(sig, target_context)
        if found is None:
            compiling.expect_allowed(self.name)
        return found

    def _stored(self, sig, target_context):
        target_context.refresh()
        place = self._place(sig, target_context.codegen())
        if place is None:
            return None
        path, target = place
        try:
            data = stored(path)
            if data is None:
                return None
            try:
                written, payload = loads(data)
                found = CompileResult._rebuild(target_context, *payload)
            except Exception as error:  # whatever it is, compiling helps
                remove(path, f"cannot be loaded ({type(error).__name__}: {error})")
                return None
            if written != target:
                remove(path, "is another function's")
                return None
        except OSError as error:
            self._cannot("cannot be replaced", path, error)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return found

    def _cannot(self, what: str, path: Path, error: OSError) -> None:
        why = error.strerror or type(error).__name__
        once(
            f"compiled code {path} {what} ({why}): compiled in every process",
            key=f"{what} {self.folder}",
        )

    def save_overload(self, sig, cres):
        """Keep it, if the disk has room and the code does not depend on this process."""
        place = self._place(sig, cres.codegen)
        if place is None or cres.lifted or cres.library.has_dynamic_globals:
            return
        path, target = place
        data = dumps((target, cres._reduce()))
        try:
            write(path, data)
        except OSError as error:
            self._cannot("cannot be written", path, error)
            return
        with contextlib.suppress(OSError):
            keep_newest(self.folder, r".*\.code|\.new-.*", FILES)


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
        expect_parts(made, "_cache", "targetoptions")
        made._cache = Kept(made)
    return made
