"""Where an error came up in a file of the user's own, and its traceback without ours.

Whoever has written `my_model.py` looks for its line, not for the path that led there through this
package. GLASSGRAD_DEBUG=1 shows the whole path.
"""

import linecache
import traceback
from pathlib import Path

from ..kernels import execution


def place(error: BaseException) -> str:
    """``my_model.py:19: return self.output(x)``, the innermost line of an own file that the error
    passed; empty if it passed none."""
    passed = [at for at in traceback.walk_tb(error.__traceback__) if _own(at[0])]
    if not passed:
        return ""
    frame, number = passed[-1]
    file = frame.f_code.co_filename
    return f"{from_here(file)}:{number}: {linecache.getline(file, number).strip()}"


def told(error: BaseException) -> str:
    """The traceback from the first line of an own file on, after those of its causes; empty if the
    error came from none."""
    if isinstance(error, SyntaxError) and _compiled(error):
        return "".join(traceback.format_exception_only(error))
    at = error.__traceback__
    while at is not None and not _own(at.tb_frame):
        at = at.tb_next
    if at is None:
        return ""
    cause = error.__cause__
    before = told(cause) or "".join(traceback.format_exception_only(cause)) if cause else ""
    shown = "".join(traceback.format_exception(type(error), error, at, chain=False))
    return f"{before}\nwhich is the cause of\n\n{shown}" if before else shown


def from_here(file: str) -> str:
    """A path from the current folder on, if it is below it."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file


def _own(frame) -> bool:
    return frame.f_globals.get("__name__", "").startswith(execution.PREFIX)


def _compiled(error: SyntaxError) -> bool:
    """Is it in the own file itself, which was about to be executed?"""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_code is execution.execute.__code__
