"""What the measurements of a run, or of one process of it, share, and what they find."""

import contextlib
import time
from collections.abc import Iterable
from functools import cached_property

import numpy as np

from .. import kernels
from ..core import machine
from ..core.arrays import module_for
from ..kernels.numba_here import why_not
from ..kernels.registry import operations
from . import peers
from . import roofline as rooflines
from .clock import clock_for
from .job import Plan, measure
from .noise import Others
from .record import Record
from .roofline import Roofline
from .threads import fix_threads, limit_blas
from .timing import FULL, ON_GPU, Effort

MOVED = 1.1  # if the roofline changes by more than this factor during a run, a note says so


class Run:
    """Notes, roofline and record of one run, whoever measures: here, or processes of their own."""

    backend: str
    threads: int
    effort: Effort
    device: str
    missing: dict[str, str]
    roofline: Roofline

    def __init__(self):
        self.notes: list[str] = []
        self.others = Others(self.work)

    def work(self) -> float:
        """Seconds of the processors that other processes of this run have used."""
        return 0.0

    def note(self, text: str) -> None:
        """Add a remark for the reader of the tables."""
        if text not in self.notes:
            self.notes.append(text)

    def all_notes(self) -> list[str]:
        """The notes, with what others did to the machine meanwhile."""
        noise = self.others.sentence()
        return [*self.notes, *([noise] if noise else [])]

    def measure_roofline(self) -> Roofline:
        """Measure it, now."""
        raise NotImplementedError

    def versions(self) -> dict[str, str]:
        """Of the peers that take part."""
        raise NotImplementedError

    def finish(self, record: Record, rows: list[dict]) -> None:
        """Measure the roofline again, and put the rows of this run under the better of the two.

        If the machine was slow in the first minute, everything after it would look fast. A note
        gives both where they differ.
        """
        now, then = self.measure_roofline(), self.roofline
        best = Roofline(max(now.flops, then.flops), max(now.bytes, then.bytes))
        ratios = now.flops / then.flops, now.bytes / then.bytes
        if not all(1 / MOVED < r < MOVED for r in ratios):
            first, last = (
                f"{r.flops / 1e9:.0f} GFLOP/s and {r.bytes / 1e9:.1f} GB/s" for r in (then, now)
            )
            self.note(
                f"the roofline was {first} at the beginning of the run, {last} at its end; parts"
                " of it are parts of the better"
            )
        record.roofline = vars(best)
        for row in rows:
            if row["roofline"] is not None:
                row["roofline"] = best.share(row["flops"], row["bytes"], row["median"])
                row["bound"] = best.bound(row["flops"], row["bytes"])

    def close(self) -> None:
        """End what was started."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def record(self) -> Record:
        """An empty record with the machine, the versions and the settings of the run."""
        described = {**machine.describe(), "device": self.device}
        if self.device == "cuda":
            described["gpu"] = machine.gpu()[1]
        return Record(
            made=time.strftime("%Y-%m-%d"),
            machine=described,
            threads=self.threads,
            backend=self.backend,
            roofline=vars(self.roofline),
            missing=self.missing,
            effort="full" if self.effort in (FULL, ON_GPU) else "quick",
            kernels=_edition(),
            peers=self.versions(),
        )


def _edition() -> str:
    """Which edition of the compiled kernels; empty where Numba is not here to compile them."""
    if why_not():
        return ""
    from ..kernels import compiled

    return compiled.key()


class Session(Run):
    """One process's part in a run; by itself the whole of one whose contenders all are in it.

    Where `ours` is false the process holds peers alone: Numba's threads are left alone. Raises
    BackendError, DeviceError or ValueRangeError where the machine cannot do what is asked.
    """

    def __init__(
        self,
        backend: str = "numba",
        threads: int | None = None,
        effort: Effort = FULL,
        version: int | None = None,
        wanted_peers: Iterable[str] = peers.MODULES,
        ours: bool = True,
    ):
        super().__init__()
        self.backend, self.version, self.ours = backend, version, ours
        self.effort = ON_GPU if backend == "cuda" and effort == FULL else effort
        self.threads = fix_threads(threads) if ours else limit_blas(threads)
        self.xp = module_for("cuda" if backend == "cuda" else "cpu")
        self.clock = clock_for(backend)
        self.device = self.clock.device
        self.given: tuple = ()
        self.peers, self.missing = peers.load(wanted_peers, self.device, self.threads)

    def draw(self, *shape, seed: int = 0) -> np.ndarray:
        """Normally distributed float32 numbers, the same in every run."""
        return np.asarray(np.random.default_rng(seed).standard_normal(shape, dtype="float32"))

    def put(self, value):
        """An array where the backend's arrays are; anything else as it is."""
        return self.xp.asarray(value) if isinstance(value, np.ndarray) else value

    def contenders(self, name: str, *given) -> dict:
        """The peers that can do the job of that name, each made by `given`."""
        self.given, found = given, {}
        for peer, module in self.peers.items():
            try:
                found[peer] = module.contender(name, *given)
            except Exception as error:  # not our code: its failure is no reason to stop
                self.note(f"{peer} was left out: {name}: {peers.in_words(error)}")
        return {peer: c for peer, c in found.items() if c is not None}

    @cached_property
    def roofline(self) -> Roofline:
        """The roofline, measured when it is first asked for."""
        return self.measure_roofline()

    def measure_roofline(self) -> Roofline:
        """Measure the roofline now."""
        return rooflines.measure(self.xp, self.clock, self.threads, self.effort)

    def versions(self) -> dict[str, str]:
        """The version of every peer."""
        return {name: module.version(self.device) for name, module in self.peers.items()}

    def pinned(self, op: str | None = None):
        """Inside the block kernels run on the backend, those of `op` in the version asked for."""
        versions = {op: self.version} if op and self.version is not None else {}
        if self.backend == "cuda" and not versions:  # the arrays' place decides
            return contextlib.nullcontext()
        return kernels.backend(self.backend, **versions)

    def pinned_for(self, plan: Plan):
        """The same for the kernels that a plan is about."""
        op = plan.name.partition(".")[0]
        return self.pinned(op if op in operations() else None)

    def run(self, plans: Iterable[Plan]):
        """Measure the plans; gives (plan, rows) one by one."""
        for plan in plans:
            with self.pinned_for(plan):
                rows = [row for job in plan.make(self) for row in measure(job, self)]
            yield plan, rows
