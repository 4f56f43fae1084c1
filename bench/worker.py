"""A contender's process: it makes the jobs itself and runs what it is asked for.

    python -m glassgrad.bench.worker WHO BACKEND THREADS VERSION

WHO is `ours`, `itself` or a peer. Questions are lines of JSON on stdin, answers go to stdout; what
libraries print goes to stderr. Between two questions the process waits on its pipe, which costs the
running contender nothing. It ends with its parent, or when the pipe is closed.
"""

import ctypes
import hashlib
import json
import os
import signal
import sys
import time
from dataclasses import asdict

import numpy as np

from ..kernels import own
from . import peers, suite
from .job import Contender, Job, judged
from .session import Session
from .threads import allow_all
from .timing import Effort, turn
from .verify import VerifyError


class Table:
    """The questions that the process answers: one method each, with its arguments from JSON."""

    def __init__(self, who: str, backend: str, threads: int, version: int | None, files=()):
        self.who, self.ours = who, who in ("ours", peers.ITSELF)
        if self.ours:
            allow_all()  # a file may import Numba
        for file in files:
            own.opened(file)
        wanted = [] if self.ours else [who]
        self.session = Session(
            backend, threads, version=version, wanted_peers=wanted, ours=self.ours
        )
        if self.session.missing:
            raise RuntimeError(self.session.missing[who])
        self.plans = {(p.name, p.case): p for p in suite.select(backend=backend)}
        self.jobs, self.job, self.mine = iter(()), None, {}

    def pinned(self):
        """Inside the block kernels run as the plan wants it."""
        return self.session.pinned_for(self.current)

    def hello(self) -> dict:
        """Threads, and the version of a peer."""
        session = self.session
        return {"threads": session.threads, "version": session.versions().get(self.who)}

    def roofline(self, effort: dict) -> dict:
        """Measured now."""
        self.session.effort = Effort(**effort)
        return vars(self.session.measure_roofline())

    def plan(self, name: str, case: str) -> dict:
        """Begin with the jobs of a plan."""
        self.current = self.plans[name, case]
        self.job, self.mine = None, {}  # its memory is free for the next
        self.jobs = iter(self.current.make(self.session))
        return {}

    def next(self) -> dict:
        """Make the next job of the plan: what it is, by whom, and a digest of its arrays."""
        with self.pinned():
            job: Job | None = next(self.jobs, None)
        if job is None:
            return {"facts": None}
        self.job = job
        if self.ours:
            self.mine = job.own()
            with self.pinned():
                job.expected()  # before any call, which could change the arguments
        else:
            self.mine = {k: c for k, c in job.peers.items() if k == self.who}
            if self.session.notes:  # it raised where it should have made its contender
                raise RuntimeError(self.session.notes.pop().partition(f"{job.name}: ")[2])
        return {
            "facts": job.facts(),
            "digest": digest(self.session.given),
            "mine": {key: _shown(c) for key, c in self.mine.items()},
            "absent": [_shown(c) for c in job.absent],
        }

    def call(self, key: str, what: str, file: str | None) -> dict:
        """One call: its seconds; its results go to the file, or are judged if there is none."""
        contender, off = self.mine[key], None
        started = time.perf_counter()
        with self.pinned():
            result = contender.call()
            seconds = time.perf_counter() - started
            if file and not contender.other:
                save(file, contender.read(result))
            elif not file:
                off = (contender.check or self.job.check)(what, contender.read(result))
        return {"seconds": seconds, "off": off}

    def turn(self, key: str, effort: dict) -> dict:
        """Warm up and time, alone."""
        clock = self.job.clock or self.session.clock
        with self.pinned():
            return asdict(turn(self.mine[key].call, clock, Effort(**effort)))

    def judge(self, what: str, file: str, key: str | None, random: bool) -> dict:
        """Is the result in a file right? That of our contender `key`, or of a peer."""
        job = self.job
        check = (self.mine[key].check if key else job.judge) or job.check
        with self.pinned():
            return {"off": judged(what, load(file), check, job.expected if random else None)}


def _shown(contender: Contender) -> dict:
    return {k: getattr(contender, k) for k in ("version", "idea", "random", "other")}


def save(file: str, results: tuple) -> None:
    """Arrays, or None, as an .npz file."""
    np.savez(file, *(np.empty(0, "V1") if r is None else np.asarray(r) for r in results))


def load(file: str) -> tuple:
    """What `save` wrote."""
    with np.load(file, allow_pickle=False) as found:
        arrays = [found[f"arr_{i}"] for i in range(len(found.files))]
    return tuple(None if a.dtype.kind == "V" else a for a in arrays)


def digest(given) -> str:
    """A hash of all numbers that a contender works on.

    >>> digest([np.zeros(2), 1]) == digest([np.zeros(2), 1]) != digest([np.ones(2), 1])
    True
    """
    found = hashlib.sha256()

    def add(value) -> None:
        if isinstance(value, np.ndarray):
            found.update(f"{value.dtype}{value.shape}".encode())
            found.update(np.ascontiguousarray(value))
        elif isinstance(value, list | tuple):
            for item in value:
                add(item)
        else:
            add(value.arrays()) if hasattr(value, "arrays") else found.update(repr(value).encode())

    add(given)
    return found.hexdigest()


def end_with_parent() -> None:
    """On Linux the kernel ends this process when the run is killed; elsewhere its pipe does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def main(who: str, backend: str, threads: str, version: str) -> None:
    """Answer until the pipe is closed."""
    end_with_parent()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # so that nothing else is written between the answers

    def answer(make) -> None:
        try:
            found = make()
        except Exception as error:  # the run decides what it means
            wrong = isinstance(error, VerifyError)
            found = {"error": str(error) if wrong else peers.in_words(error), "wrong": wrong}
        answers.write(json.dumps({**found, "work": sum(os.times()[:4])}) + "\n")
        answers.flush()

    def ask(line: str) -> dict:
        nonlocal table
        what = json.loads(line)
        do = what.pop("do")
        if do == "hello":
            number = int(version) if version else None
            table = Table(who, backend, int(threads), number, what.pop("files", ()))
        return getattr(table, do)(**what)

    table = None
    for line in sys.stdin:
        answer(lambda line=line: ask(line))


if __name__ == "__main__":
    main(*sys.argv[1:])
