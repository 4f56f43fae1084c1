"""One measurement: contenders on the same arrays, checked, timed by turns, checked again.

A `Plan` is what could be measured, known by its name before any array exists; making it gives its
`Job`s; measuring a job gives its rows, one for each version of ours. On a CPU each contender makes
the job in a process of its own (apart.py), on a GPU all are in one.

A row is a dictionary, as it is kept in the record:

    name, case, mode     "conv2d.layer", "(32,64,28,64,3,1,1)", "forward"; what is measured
    backend, version     whose it is, with `idea`; a version is None where the newest one runs
    median, spread, best, runs        seconds; None where this version does not support the case
    flops, bytes         the work, and the least traffic; 0 where unknown
    roofline, bound      the part of the median that the roofline asks for, and what bounds it
    first                seconds that the first call took longer: the compiler
    error                from the reference
    peers                name -> median, spread, best, runs, error, ratio = its median / ours
    left_out             name -> why a peer that does this job has no time
    memory               of training steps: peak bytes, ours and each peer's
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from .peers import in_words
from .timing import Effort, Turn, by_turns, turn
from .verify import VerifyError, arrays, expect_form


@dataclass
class Contender:
    """One implementation of the job. `read` turns what a call returned into NumPy arrays."""

    call: Callable[[], Any]
    read: Callable[[Any], tuple] = arrays
    version: int | None = None
    idea: str = ""
    random: bool = False  # its random numbers are its own: only shapes are compared
    other: bool = False  # it solves the same task in another way: nothing is compared
    precision: str = "full"  # or "tf32": its factors are rounded to fewer bits
    check: Callable | None = None  # instead of the job's


@dataclass
class Job:
    """What is to be done, by whom, and how a result is judged.

    `check(what, results)` raises VerifyError or returns the error, and `judge` does so for peers
    where they are judged otherwise; ``expected()`` gives the right results, whose shapes a peer
    with random numbers of its own must have. Neither costs anything before it is called: a process
    that holds a peer alone never does. `absent` are the versions that do not support the case.
    """

    name: str
    case: str
    ours: list[Contender]
    check: Callable[[str, tuple], float]
    flops: int = 0
    bytes: int = 0
    mode: str = ""
    expected: Callable[[], tuple] = tuple
    peers: dict[str, Contender] = field(default_factory=dict)
    absent: list[Contender] = field(default_factory=list)
    clock: Any = None  # instead of the session's
    judge: Callable[[str, tuple], float] | None = None

    def __str__(self):
        return title(self.facts())

    def facts(self) -> dict:
        """What every row of the job has, whichever contender it is for."""
        return {
            "name": self.name,
            "case": self.case,
            "mode": self.mode,
            "flops": int(self.flops),
            "bytes": int(self.bytes),
        }

    def own(self) -> dict[str, Contender]:
        """Our contenders by the names that messages have for them: "v2", or "ours"."""
        return {f"v{c.version}" if c.version else "ours": c for c in self.ours}


@dataclass(frozen=True)
class Plan:
    """A measurement by name; `make(session)` gives its jobs one after the other."""

    name: str
    case: str
    make: Callable


class Player(Protocol):
    """A contender in a measurement, in this process or in another."""

    version: int | None
    idea: str

    def first(self) -> tuple[float, float | None]:
        """Seconds of the first call, and its error; None where there is nothing to compare."""

    def turn(self, effort: Effort) -> Turn:
        """Its turn: warm up, then time."""

    def again(self) -> None:
        """Verify again, since a race may not show in the first call."""


class Here:
    """A contender of this process."""

    def __init__(self, job: Job, key: str, contender: Contender, clock, peer: bool):
        self.job, self.key, self.contender, self.clock, self.peer = job, key, contender, clock, peer
        self.version, self.idea = contender.version, contender.idea

    def first(self):
        """Seconds of the first call, and its error."""
        started = time.perf_counter()
        result = self.contender.call()
        self.clock.wait()
        seconds = time.perf_counter() - started
        return seconds, self._judged(result, "")

    def turn(self, effort):
        """Warm up, then time, in this process."""
        return turn(self.contender.call, self.clock, effort)

    def again(self):
        """Verify once more, after timing."""
        self._judged(self.contender.call(), ", after timing")

    def _judged(self, result, when: str) -> float | None:
        c = self.contender
        if c.other:
            return None
        check = c.check or (self.job.judge if self.peer else None) or self.job.check
        what = f"{self.job}, {self.key}{when}"
        return judged(what, c.read(result), check, self.job.expected if c.random else None)


def judged(what: str, results: tuple, check: Callable, shapes: Callable | None) -> float | None:
    """The error of the results by `check`; with `shapes`, only shapes are compared."""
    if shapes is None:
        return check(what, results)
    expected = shapes()
    if len(results) != len(expected):
        raise VerifyError(f"{what}: {len(results)} results, wanted {len(expected)}")
    for got, want in zip(results, expected):
        expect_form(what, got, want)
    return None


def measure(job: Job, session) -> list[dict]:
    """The rows of a job whose contenders are all in this process."""
    clock = job.clock or session.clock
    job.expected()  # before any call, which could change the arguments
    ours = {key: Here(job, key, c, clock, False) for key, c in job.own().items()}
    peers = {key: Here(job, key, c, clock, True) for key, c in job.peers.items()}
    return play(job.facts(), ours, peers, job.absent, session)


def play(
    facts: dict,
    ours: dict[str, Player],
    peers: dict[str, Player],
    absent: list,
    session,
    left_out: dict[str, str] | None = None,
    turns: int | None = None,
) -> list[dict]:
    """Verify, warm up, time by turns and verify again; one row for each version of ours.

    A peer is not our code: whatever it raises, it is left out and the others go on.
    """
    effort, left_out = session.effort, dict(left_out or {})
    if not ours:
        return [_row(facts, c, session) for c in absent]

    def leave(key: str, error: Exception) -> None:
        if key in ours:
            raise error
        left_out[key] = in_words(error)
        why = error if isinstance(error, VerifyError) else f"{title(facts)}: {in_words(error)}"
        session.note(f"{key} was left out: {why}")

    def attempt(act: Callable[[Player], Any]) -> dict:
        """What `act` gives for each contender that is still in."""
        found = {}
        for key, player in {**ours, **peers}.items():
            if key not in left_out:
                try:
                    found[key] = act(player)
                except Exception as error:
                    leave(key, error)
        return found

    first = attempt(lambda player: player.first())
    newest = max(ours, key=lambda key: ours[key].version or 0)
    takes = {}
    for key in first:
        compared = len(first) > len(ours) and (key == newest or key in peers)
        player, own = {**ours, **peers}[key], effort if compared else effort.short()
        takes[key] = lambda player=player, own=own: player.turn(own)
    found = by_turns(takes, turns or effort.turns, leave)
    attempt(lambda player: player.again())

    rows = [_row(facts, c, session) for c in absent]
    for key, player in ours.items():
        mine, error = found[key], first[key][1]
        row = _row(facts, player, session) | asdict(mine) | {"error": error}
        row["first"] = max(0.0, first[key][0] - mine.median)
        if facts["flops"] or facts["bytes"]:
            row["roofline"] = session.roofline.share(facts["flops"], facts["bytes"], mine.median)
            row["bound"] = session.roofline.bound(facts["flops"], facts["bytes"])
        row["peers"] = {
            n: {**asdict(found[n]), "error": first[n][1], "ratio": found[n].median / mine.median}
            for n in found
            if n in peers and n not in left_out
        }
        row["left_out"] = left_out
        rows.append(row)
    return sorted(rows, key=lambda row: row["version"] or 0)


def title(facts: dict) -> str:
    """A job in words, for messages."""
    return ", ".join(filter(None, (facts["name"], facts["case"], facts["mode"])))


def _row(facts: dict, contender, session) -> dict:
    """A row before anything is timed."""
    return {
        **facts, "backend": session.backend, "version": contender.version, "idea": contender.idea,
        "median": None, "spread": None, "best": None, "runs": 0, "roofline": None, "bound": None,
        "first": None, "error": None, "peers": {}, "left_out": {}, "memory": None,
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
