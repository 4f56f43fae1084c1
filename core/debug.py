"""One dial, ``GLASSGRAD_DEBUG``:

1  print which backend each kernel call took
2  also its time and GB/s
3  stop at the *forward* call that first makes a NaN or Inf, and show the user's line;
   outputs of CUDA kernels are NaN until they are written
4  also print the commands of the CUDA compilers and their output
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ..kernels.debug import switches
from ..kernels.errors import GlassgradError, describe
from .arrays import is_array, xp_of

clock = time.perf_counter
_PACKAGE = str(Path(__file__).resolve().parents[1])
_level = None


class NonFiniteError(GlassgradError, ArithmeticError):
    """A forward call produced the first NaN or Inf."""


def level() -> int:
    """The level in force: that of the innermost `debugging` block, else the environment's."""
    if _level is None:
        text = os.environ.get("GLASSGRAD_DEBUG", "0") or "0"
        if text not in "01234" or len(text) != 1:
            raise GlassgradError(f"GLASSGRAD_DEBUG must be one of 0, 1, 2, 3, 4; got {text!r}")
        _set(int(text))
    return _level


@contextlib.contextmanager
def debugging(new_level: int) -> Iterator[None]:
    """Set the level inside the block: ``with gg.debugging(3): ...``

    >>> import glassgrad as gg
    >>> with gg.debugging(3):
    ...     gg.log(gg.tensor([-1.0]))  # doctest: +SKIP
    Traceback (most recent call last):
    glassgrad.core.debug.NonFiniteError: log: made the first NaN; all its inputs were finite ...
    """
    if new_level not in range(5):
        raise GlassgradError(f"debugging: level must be 0, 1, 2, 3 or 4; got {new_level!r}")
    before = level()
    _set(new_level)
    try:
        yield
    finally:
        _set(before)


def _set(new_level: int) -> None:
    global _level
    _level = new_level
    switches.poisoning, switches.compilers = new_level >= 3, new_level >= 4


def user_line() -> str:
    """File, line and text of the innermost frame outside this package."""
    import linecache

    here = str(Path(__file__).parent)
    rooms = (here, *(f"{_PACKAGE}{os.sep}{room}{os.sep}" for room in ("core", "kernels")))
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(rooms):
        frame = frame.f_back
    name, number = frame.f_code.co_filename, frame.f_lineno
    return f"{name}:{number}: {linecache.getline(name, number).strip()}"


def report(name, seconds, arrays, outs, ran) -> None:
    """Print or raise what the current level asks for after one call."""
    if level() >= 3:
        for o in outs:
            if o.dtype.kind == "f" and not bool(xp_of(o).isfinite(o).all()):
                _stop(name, arrays, o)
    backend = f"{ran.backend} v{ran.version}" if ran else "array library"
    line = f"[glassgrad] {name} -> {backend}"
    if level() >= 2 and seconds is not None:
        moved = sum(a.nbytes for a in (*arrays, *outs) if is_array(a))
        line += f"  {seconds * 1e3:.3f} ms  {moved / max(seconds, 1e-9) / 1e9:.2f} GB/s"
    print(line, file=sys.stderr)


def _stop(name, arrays, out):
    xp = xp_of(out)
    kind = "NaN" if bool(xp.isnan(out).any()) else "Inf"
    before = any(
        is_array(a) and a.dtype.kind == "f" and not bool(xp.isfinite(a).all()) for a in arrays
    )
    inputs = "an input already was not finite" if before else "all its inputs were finite"
    shown = describe(**{f"arg{i}": a for i, a in enumerate(arrays) if a is not None})
    raise NonFiniteError(f"{name}: made the first {kind}; {inputs} {shown}\n  at {user_line()}")
