"""A kernel in the laboratory: every version run on one case under the instrumented emulator.

measure.py   the versions on their case, and what each did to memory, summed up
single.py    one kernel of any `.cu` file, launched once
given.py     its arguments, as texts
maps.py      one warp's access to memory drawn: sectors of global memory, banks of shared memory
page.py      all of it as one HTML page
"""

from .measure import Ladder, Rung, ladders
from .page import render, render_single
from .single import Single, run

__all__ = ["Ladder", "Rung", "Single", "ladders", "render", "render_single", "run"]
