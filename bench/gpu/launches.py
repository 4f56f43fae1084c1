"""What a launch costs: an empty kernel through our launcher, and through CuPy's bare one.

Ours checks every argument against the signature first (kernels/launcher.py). The time is Python's,
until the launch is asked for: `LAUNCHES` in a row, which an empty GPU keeps up with, and one wait
at the end. A kernel that runs longer than this hides it; a training step of small kernels does not.
"""

import statistics
import time
from pathlib import Path

import numpy as np

from ...core.arrays import module_for
from ...kernels.launcher import Source, _compiled

LAUNCHES, ROUNDS = 1000, 7
SIZE = 256  # elements of each array


def measure() -> dict:
    """The part "launches": seconds of one launch, medians of the rounds."""
    xp = module_for("cuda")
    wait, found = xp.cuda.Device().synchronize, {}
    for name, call in calls(xp).items():
        call()
        seconds = [one_round(call, wait, LAUNCHES) for _ in range(ROUNDS)]
        found[name] = {"median": statistics.median(seconds), "best": min(seconds)}
    for kind in ("few", "many"):
        ours, bare = (found[f"{kind}, {who}"]["median"] for who in ("ours", "bare"))
        found[f"{kind}, checks"] = {"median": ours - bare, "ratio": ours / bare}
    return {"status": "done", "launches": LAUNCHES, "calls": found}


def calls(xp) -> dict:
    """Name -> one launch: few arguments (1 array) and many (8), ours and CuPy's own."""
    source = Source(Path(__file__).with_name("empty.cu"))
    arrays = [xp.zeros(SIZE, "float32") for _ in range(8)]
    given = {"few": (*arrays[-1:], SIZE), "many": (*arrays, SIZE, SIZE, SIZE, 0.5)}
    found = {}
    for kind, args in given.items():
        kernel = f"empty_{kind}"
        bare = _compiled(source.text, kernel, "float", "int")
        sized = tuple(_sized(a) for a in args)
        found[f"{kind}, ours"] = lambda k=kernel, a=args: source.launch(k, 1, 32, *a)
        found[f"{kind}, bare"] = lambda f=bare, a=sized: f((1, 1, 1), (32, 1, 1), a, shared_mem=0)
    found["one addition of CuPy's"] = lambda: xp.add(arrays[0], arrays[1], out=arrays[2])
    return found


def _sized(value):
    """A number with the size that the kernel wants."""
    kinds = {int: np.int32, float: np.float32}
    return kinds[type(value)](value) if type(value) in kinds else value


def one_round(call, wait, launches: int) -> float:
    """Seconds of one launch, the mean of a row of them."""
    wait()
    started = time.perf_counter()
    for _ in range(launches):
        call()
    seconds = (time.perf_counter() - started) / launches
    wait()
    return seconds
