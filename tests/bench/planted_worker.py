"""A contender's process with a made-up roofline and the fault that PLANTED has for it.

PLANTED is "who=fault,who=fault". Run in place of glassgrad.bench.worker, with the same arguments.
It answers one question more, "plant", which plants a fault in a process that is running.
"""

import json
import os
import signal
import sys
import threading
import time
import types

import numpy as np

from glassgrad.bench import roofline, worker
from glassgrad.kernels import registry


def dies(*args, **options):
    sys.stderr.write("out of luck\n")
    os._exit(3)


def crashes(*args, **options):
    os.kill(os.getpid(), signal.SIGSEGV)


def hangs(*args, **options):
    time.sleep(600)


def spins(self, key, effort, turn=worker.Table.turn):
    """A library whose threads go on after the turn."""
    found = turn(self, key, effort)
    threading.Thread(target=_for_ever, daemon=True).start()
    return found


def _for_ever():
    while True:
        pass


def off(results):
    """Results of another task."""
    return tuple(1.5 * r for r in results)


def wrong_kernel():
    """The newest version of dropout makes NaN."""
    registry.implementations("dropout", backend="numba")
    registry._records["dropout", "forward", "numba"][99] = registry.Implementation(
        "dropout", "forward", "numba", 99, "planted", True, ("float32",),
        lambda x, *args: x * np.float32("nan"), lambda *args: True,
    )  # fmt: skip


def later(call):
    """Right at the first call, wrong from the third on."""
    calls = []

    def made(file, results):
        calls.append(1)
        call(file, results if len(calls) < 2 else off(results))

    return made


FAULTS = {
    "dies at once": lambda: dies(),
    "dies": lambda: setattr(worker.Table, "turn", dies),
    "crashes": lambda: setattr(worker.Table, "call", crashes),
    "spins": lambda: setattr(worker.Table, "turn", spins),
    "hangs": lambda: setattr(worker.Table, "turn", hangs),
    "babbles": lambda: setattr(
        worker, "json", types.SimpleNamespace(dumps=lambda answer: "hello?", loads=json.loads)
    ),
    "other arrays": lambda: setattr(worker, "digest", lambda given: "0"),
    "wrong": lambda: setattr(worker, "save", lambda f, r, save=worker.save: save(f, off(r))),
    "wrong later": lambda: setattr(worker, "save", later(worker.save)),
    "wrong kernel": wrong_kernel,
}


def main(who: str, *given: str) -> None:
    """As the real one, with its fault."""
    worker.Table.plant = lambda self, fault: FAULTS[fault]() or {}
    roofline.measure = lambda *args: roofline.Roofline(1e11, 1e10)
    for name, _, fault in (part.partition("=") for part in os.environ["PLANTED"].split(",")):
        if name == who:
            FAULTS[fault]()
    worker.main(who, *given)


if __name__ == "__main__":
    main(*sys.argv[1:])
