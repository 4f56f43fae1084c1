"""One measurement: contenders on the same arrays, checked, timed by turns, checked again.

A `Plan` is what could be measured, known by its name before any array exists; making it gives its
`Job`s; measuring a job gives its rows, one for each version of ours. A row is a dictionary, as it
is kept in the record:

    name, case, mode     "conv2d.layer", "(32,64,28,64,3,1,1)", "forward"; what is measured
    backend, version     whose it is, with `idea`; a version is None where the newest one runs
    median, spread, best, runs        seconds; None where this version does not support the case
    flops, bytes         the work, and the least traffic; 0 where unknown
    roofline, bound      the part of the median that the roofline asks for, and what bounds it
    first                seconds that the first call took longer: the compiler
    error                from the reference
    peers                name -> median, spread, best, runs, error, ratio = its median / ours
    memory               of training steps: peak bytes, ours and each peer's
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from .peers import in_words
from .timing import alternate
from .verify import VerifyError, arrays, expect_form


@dataclass
class Contender:
    """Something that does the job. `read` turns what a call returned into NumPy arrays."""

    call: Callable[[], Any]
    read: Callable[[Any], tuple] = arrays
    version: int | None = None
    idea: str = ""
    random: bool = False  # its random numbers are its own: only shapes are compared
    other: bool = False  # it solves the same task in another way: nothing is compared
    precision: str = "full"  # or "tf32": its factors are rounded to fewer bits
    check: Callable | None = None  # instead of the job's
    memory: int | None = None


@dataclass
class Job:
    """What is to be done, by whom, and how a result is judged.

    `check(what, results)` raises VerifyError or returns the error; `expected` are the right
    results, whose shapes a peer with random numbers of its own must have. `absent` are the
    versions that do not support the case.
    """

    name: str
    case: str
    ours: list[Contender]
    check: Callable[[str, tuple], float]
    flops: int = 0
    bytes: int = 0
    mode: str = ""
    expected: tuple = ()
    peers: dict[str, Contender] = field(default_factory=dict)
    absent: list[Contender] = field(default_factory=list)
    clock: Any = None  # instead of the session's

    def __str__(self):
        return f"{self.name}, {self.case}{', ' if self.mode else ''}{self.mode}"


@dataclass(frozen=True)
class Plan:
    """A measurement by name; `make(session)` gives its jobs one after the other."""

    name: str
    case: str
    make: Callable


def measure(job: Job, session) -> list[dict]:
    """Verify, warm up, time and verify again; one row for each version of ours."""
    errors, first, peers = {}, {}, {}
    clock = job.clock or session.clock
    for key, contender in _everybody(job).items():
        try:
            first[key], errors[key] = _first_call(job, key, contender, clock)
        except Exception as error:  # a peer is not our code: whatever it raises, we go on
            if key not in job.peers:
                raise
            why = error if isinstance(error, VerifyError) else f"{job}: {in_words(error)}"
            session.note(f"{key} was left out: {why}")
        else:
            peers |= {key: contender} if key in job.peers else {}
    calls = {key: c.call for key, c in _everybody(job, peers).items()}
    found = alternate(calls, clock, session.effort)
    for key, contender in _everybody(job, {}).items():
        check = contender.check or job.check
        check(f"{job}, {key}, after timing", contender.read(contender.call()))
    rows = [_row(job, c, session) for c in job.absent]
    for key, contender in _everybody(job, {}).items():
        ours = found[key]
        row = _row(job, contender, session) | asdict(ours) | {"error": errors[key]}
        row["first"] = max(0.0, first[key] - ours.median)
        if job.flops or job.bytes:
            row["roofline"] = session.roofline.share(job.flops, job.bytes, ours.median)
            row["bound"] = session.roofline.bound(job.flops, job.bytes)
        row["peers"] = {
            n: {**asdict(found[n]), "error": errors[n], "ratio": found[n].median / ours.median}
            for n in peers
        }  # fmt: skip
        memory = {n: c.memory for n, c in {"ours": contender, **peers}.items()}
        row["memory"] = memory if any(memory.values()) else None
        rows.append(row)
    return sorted(rows, key=lambda row: row["version"] or 0)


def _everybody(job: Job, peers: dict | None = None) -> dict[str, Contender]:
    ours = {f"v{c.version}" if c.version else "ours": c for c in job.ours}
    return {**ours, **(job.peers if peers is None else peers)}


def _first_call(job: Job, key: str, contender: Contender, clock) -> tuple[float, float | None]:
    """Seconds of the first call, and its error; None where there is nothing to compare."""
    started = time.perf_counter()
    result = contender.call()
    clock.wait()
    seconds = time.perf_counter() - started
    if contender.other:
        return seconds, None
    what, results = f"{job}, {key}", contender.read(result)
    if not contender.random:
        return seconds, (contender.check or job.check)(what, results)
    if len(results) != len(job.expected):
        raise VerifyError(f"{what}: {len(results)} results, wanted {len(job.expected)}")
    for got, want in zip(results, job.expected):
        expect_form(what, got, want)
    return seconds, None


def _row(job: Job, contender: Contender, session) -> dict:
    """What a row says before anything was timed."""
    return {
        "name": job.name, "case": job.case, "mode": job.mode, "backend": session.backend,
        "version": contender.version, "idea": contender.idea, "median": None, "spread": None,
        "best": None, "runs": 0, "flops": int(job.flops), "bytes": int(job.bytes),
        "roofline": None, "bound": None, "first": None, "error": None, "peers": {}, "memory": None,
    }  # fmt: skip


def with_check(peers: dict[str, Contender], check: Callable) -> dict[str, Contender]:
    """The peers, those of reduced precision judged by ``check(precision)`` in place of the job's.

    >>> found = with_check({"a": Contender(len), "b": Contender(len, precision="tf32")}, str.upper)
    >>> found["a"].check, found["b"].check
    (None, 'TF32')
    """
    return {
        name: c if c.precision == "full" else replace(c, check=check(c.precision))
        for name, c in peers.items()
    }


def same_bits(a: tuple, b: tuple) -> bool:
    """Are all arrays equal to the last bit?"""
    return all(x is y or np.array_equal(x, y) for x, y in zip(a, b, strict=True))
