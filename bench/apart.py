"""A run on the CPU: a process for each contender, and processes by turns.

In one process contenders disturb each other: waiting threads of one library spin on the cores that
another needs, and in a short turn the other's threads are still asleep. So each has a process of
its own (worker.py), whose libraries' thread pools all have the same number of threads. It makes the
arrays from their seeds; a digest shows whether they are the same as ours. Results go to our process
as files, and it judges them. While one runs the others wait on their pipes.

Our own process runs all versions of a kernel, since they are one library. `itself` is ours again in
another process, compared like any peer: the distance of its ratio from 1 is the error of a ratio.
It takes part in training steps and in the first comparison of a run.
"""

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

from . import peak_memory, peers, pipe
from .job import Plan, play, title
from .pipe import Process, ProcessError
from .roofline import Roofline
from .session import Run
from .steps import STEPS
from .threads import expect_threads
from .timing import FULL, Effort, Turn
from .verify import VerifyError

START, MAKE, FIRST, TURN = 120.0, 300.0, 600.0, 300.0  # seconds that an answer may take; FIRST
# includes compiling
STARTS = 3  # of one contender's process, after which it is out
OURS, ITSELF = "ours", peers.ITSELF


class Remote:
    """A contender of another process; `shown` is how that process describes it."""

    def __init__(self, run: "Apart", who: str, key: str, what: str, shown: dict):
        self.run, self.who, self.key, self.what, self.shown = run, who, key, what, shown
        self.version, self.idea = shown["version"], shown["idea"]

    def first(self):
        """Seconds of the first call, and its error."""
        return self._call("")

    def again(self):
        """Verify once more, after timing."""
        self._call(", after timing")

    def turn(self, effort):
        """A turn in the other process."""
        found = self.run.ask(self.who, TURN, "turn", key=self.key, effort=asdict(effort))
        return Turn(**found)

    def _call(self, when: str) -> tuple[float, float | None]:
        name = self.key if self.who == OURS else self.who
        what = f"{self.what}, {name}{when}"
        file = None if self.who == OURS else str(self.run.folder / "results.npz")
        found = self.run.ask(self.who, FIRST, "call", key=self.key, what=what, file=file)
        if file and not self.shown["other"]:
            found |= self.run.ask(
                OURS,
                MAKE,
                "judge",
                what=what,
                file=file,
                random=self.shown["random"],
                key=self.key if self.who == ITSELF else None,
            )
        return found["seconds"], found["off"]


class Apart(Run):
    """One run; end it with `close`, or use it in a ``with``.

    Raises ProcessError where our own process does not start, ValueRangeError for more threads
    than there are cores.
    """

    device = "cpu"

    def __init__(
        self,
        backend: str = "numba",
        threads: int | None = None,
        effort: Effort = FULL,
        version: int | None = None,
        wanted_peers: Iterable[str] = peers.NAMES,
        plans: Iterable[Plan] = (),
        files: Iterable[str] = (),
    ):
        self.files = list(files)  # of kernels that are not ours
        self.backend, self.version, self.effort = backend, version, effort
        self.processes: dict[str, Process] = {}
        super().__init__()
        self.threads = expect_threads(threads)
        self.missing, self.known, self.starts = {}, {}, {}
        self.checked = False  # has `itself` been compared?
        names = {p.name for p in plans}
        self.wanted = [w for w in wanted_peers if w == ITSELF or self._able(w, names)]
        self.folder = Path(tempfile.mkdtemp(prefix="glassgrad-bench-"))
        try:
            self._start_all()
            self.roofline = self.measure_roofline()
        except BaseException:
            self.close()
            raise

    def _able(self, who: str, names: set[str]) -> bool:
        """Is the peer here, and has it anything to do?"""
        module = peers.module_of(who)
        if not names & module.JOBS:
            return False
        try:
            reason = module.why_not(self.device)
        except Exception as error:  # whatever a broken installation raises
            reason = peers.in_words(error)
        if reason:
            self.missing[who] = reason
        return not reason

    def _start_all(self) -> None:
        """Start every process, all at once, and wait until they have loaded their libraries."""
        for who in (OURS, *self.wanted):
            self._start(who)
        for who in (OURS, *self.wanted):
            try:
                self.known[who] = self.processes[who].hear(START)["version"]
            except ProcessError as error:
                if who == OURS:
                    raise
                self._lost(who, error)

    def _start(self, who: str) -> None:
        argv = pipe.command(who, self.backend, self.threads, self.version or "")
        library = OURS if who == ITSELF else who
        # ours reports compiling to the user; a peer's output is kept for the case that it fails
        self.processes[who] = Process(argv, peak_memory.environment(library), heard=who != OURS)
        self.starts[who] = self.starts.get(who, 0) + 1
        self.processes[who].tell("hello", files=self.files)

    def _lost(self, who: str, error: ProcessError) -> None:
        self.missing[who] = str(error)
        self.wanted.remove(who)
        self.processes.pop(who).close(at_once=True)

    def ask(self, who: str, limit: float, do: str, **what) -> dict:
        """The answer of a contender's process."""
        return self.processes[who].ask(limit, do, **what)

    def work(self) -> float:
        """Processor seconds of all processes."""
        return sum(p.work for p in self.processes.values())

    def versions(self) -> dict[str, str]:
        """The version of every peer that still takes part."""
        return {who: v for who, v in self.known.items() if v and who in self.wanted}

    def measure_roofline(self) -> Roofline:
        """The roofline as our own process measures it."""
        return Roofline(**self.ask(OURS, MAKE, "roofline", effort=asdict(self.effort)))

    def close(self) -> None:
        """End every process and delete the files of results."""
        for process in self.processes.values():
            process.close()
        self.processes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, plans: Iterable[Plan]):
        """Measure the plans; gives (plan, rows) one by one."""
        for plan in plans:
            rows, takes = [], self._take_part(plan)
            self.ask(OURS, MAKE, "plan", name=plan.name, case=plan.case)
            while ours := self.ask(OURS, FIRST, "next"):
                if not ours["facts"]:
                    break
                rows += self._job(plan, ours, takes)
            yield plan, rows

    def _take_part(self, plan: Plan) -> dict[str, str]:
        """The peers of a plan, each with why it cannot take part, or an empty string."""
        found = {}
        for who in list(self.wanted):
            if who == ITSELF:
                takes = plan.name in STEPS or not self.checked
            else:
                takes = plan.name in peers.module_of(who).JOBS
            if takes:
                found[who] = self._attempt(who, MAKE, "plan", name=plan.name, case=plan.case)[1]
        return found

    def _attempt(self, who: str, limit: float, do: str, **what) -> tuple[dict | None, str]:
        """(the answer, "") of a peer, or (None, why there is none).

        A peer whose failure is known starts again. One that died since its last answer does not:
        asking it gives the reason, and a new process would not know the plan.
        """
        try:
            if self.processes[who].closed:
                if self.starts[who] >= STARTS:
                    raise ProcessError(f"its process failed {STARTS} times")
                self._start(who)
                self.processes[who].hear(START)
            return self.ask(who, limit, do, **what), ""
        except (ProcessError, VerifyError) as error:
            return None, str(error)

    def _job(self, plan: Plan, ours: dict, takes: dict[str, str]) -> list[dict]:
        """The rows of one job."""
        facts, what, left_out, players = ours["facts"], title(ours["facts"]), {}, {}
        for who in takes:
            answer, why = None, takes[who]
            if not why:
                answer, why = self._attempt(who, FIRST, "next")
            if answer and answer["digest"] != ours["digest"]:
                why = "its arrays are not ours"
            if why:
                takes[who] = left_out[who] = why  # in the plan's other jobs too: it is out of step
                self.note(f"{who} was left out: {what}: {why}")
            elif answer["mine"]:
                key = max(answer["mine"], key=lambda k: answer["mine"][k]["version"] or 0)
                players[who] = Remote(self, who, key, what, answer["mine"][key])
        if set(players) == {ITSELF} and plan.name not in STEPS:
            players = {}
        mine = {k: Remote(self, OURS, k, what, shown) for k, shown in ours["mine"].items()}
        absent = [SimpleNamespace(**shown) for shown in ours["absent"]]
        turns = self.effort.steps if plan.name in STEPS else None
        rows = play(facts, mine, players, absent, self, left_out, turns)
        for row in rows:  # it runs the newest version: no check of the others
            if ITSELF in players and row["version"] != players[ITSELF].version:
                row["peers"].pop(ITSELF, None)
        self.checked |= any(ITSELF in row["peers"] for row in rows)
        takes |= {who: why for who, why in _reasons(rows).items() if not self.processes[who].alive}
        if plan.name in STEPS:
            self._memory(plan.name, rows)
        return rows

    def _memory(self, step: str, rows: list[dict]) -> None:
        """Peak memory of a step, ours and each peer's that has a time and no compiler."""
        for row in rows:
            compared = [p for p in row["peers"] if p != ITSELF]
            measured = [OURS, *(p for p in compared if not peak_memory.compiles(p))]
            found = {who: peak_memory.peak(step, who, self) for who in measured}
            row["memory"] = found if any(found.values()) else None


def _reasons(rows: list[dict]) -> dict[str, str]:
    """Peer -> why it was left out of rows."""
    return {who: why for row in rows for who, why in row["left_out"].items()}
