"""The versions of a kernel on one case: findings, counters, and the error against the reference."""

import functools
from dataclasses import dataclass

import numpy as np

from ..kernels import Implementation, cases, implementations, nvrtc, own
from ..kernels.case import Case, largest
from ..kernels.debug import poisoned_outputs
from ..kernels.emulator import Report, watching
from ..kernels.errors import BackendError, ValueRangeError, nearest
from ..kernels.launcher import Source
from ..kernels.registry import find, operations

CHIP = "sm_80"


@dataclass(frozen=True)
class Rung:
    """One version on the ladder's case; `report` is None where it does not support the case.

    `error` is the largest distance from the reference, relative to the largest number of each
    result; results of integers must be equal, and all of one shape and dtype, else it is infinite.
    """

    record: Implementation
    case: Case
    report: Report | None
    error: float = 0.0

    @property
    def wrong(self) -> bool:
        """Is the error more than rounding explains?"""
        return not self.error <= self.case.tolerance("float32", self.record.precision)

    @property
    def intensity(self) -> float:
        """Floating-point operations per byte between the chip and its memory."""
        return self.case.flops / self.report.traffic if self.report.traffic else 0.0

    @property
    def resources(self) -> dict[str, nvrtc.Resources]:
        """What NVIDIA's compiler gives each launched kernel on `CHIP`; empty without NVRTC."""
        module = own.imported(self.record.function.__module__)
        texts = {id(s): s.text for s in vars(module).values() if isinstance(s, Source)}
        return resources(texts.values(), self.report)


def resources(texts, report: Report) -> dict[str, nvrtc.Resources]:
    """What NVIDIA's compiler gives each launched kernel of the texts; empty without NVRTC."""
    compiled = {k: r for text in texts for k, r in _compiled(text).items()}
    return {x["kernel"]: compiled[x["kernel"]] for x in report.launches if x["kernel"] in compiled}


@functools.cache
def _compiled(text) -> dict[str, nvrtc.Resources]:
    try:
        nvrtc.library()
    except BackendError:
        return {}
    return nvrtc.compile(text, CHIP)


@dataclass(frozen=True)
class Ladder:
    """All versions of one pass of a kernel, on one case."""

    op: str
    pass_: str
    case: Case
    rungs: list[Rung]

    @property
    def ran(self) -> list[Rung]:
        """The versions that support the case."""
        return [rung for rung in self.rungs if rung.report]

    @property
    def findings(self) -> list[str]:
        """What is wrong with any of them, a sentence each."""
        found = [str(f) for rung in self.ran for f in rung.report.findings]
        return found + [
            f"{rung.record.name}: the result differs from the reference by {rung.error:.1e}"
            for rung in self.ran
            if rung.wrong
        ]


def ladders(kernel: str, version: int | None = None, case: str | None = None):
    """Measure a family ("conv2d") or one pass ("conv2d.forward"), one Ladder after the other; also
    of a file of yours ("my_blur.py").

    `case` is the name of a case or a part of it that no other has; by default the small case that
    most versions support, of those the one with the most work. Raises BackendError for an unknown
    kernel or version and ValueRangeError for an unknown case.

    >>> [ladder.pass_ for ladder in ladders("philox.bits")]
    ['bits']
    """
    records = [r for name in own.opened(kernel) for r in _records(name, version)]
    passes = list(dict.fromkeys((r.op, r.pass_) for r in records))
    chosen = {
        key: _case(*key, [r for r in records if (r.op, r.pass_) == key], case) for key in passes
    }
    if not any(chosen.values()):
        known = [c.name for op, pass_ in passes for c in cases(op, pass_)]
        known = "\n  ".join(dict.fromkeys(known))
        raise ValueRangeError(f"lab: {kernel} has no single case {case!r}; there are\n  {known}")
    for (op, pass_), found in chosen.items():
        if found:
            mine = [r for r in records if (r.op, r.pass_) == (op, pass_)]
            yield Ladder(op, pass_, found, [_rung(r, found) for r in mine])


def _records(kernel: str, version: int | None) -> list[Implementation]:
    op, dot, pass_ = kernel.partition(".")
    if op not in operations():
        hint, known = nearest(op, operations()), ", ".join(operations())
        yours = "; of yours the file, such as my_blur.py or sum.cu"
        raise BackendError(f"lab: unknown kernel {op!r}{hint} (known: {known}{yours})")
    records = implementations(op, backend="emulated")
    passes = list(dict.fromkeys(r.pass_ for r in records))
    if dot and pass_ not in passes:
        known = ", ".join(f"{op}.{p}" for p in passes)
        raise BackendError(f"lab: unknown pass {pass_!r}{nearest(pass_, passes)} (known: {known})")
    records = [r for r in records if pass_ in ("", r.pass_)]
    found = [r for r in records if version in (None, r.version)]
    if not records:
        raise BackendError(f"lab: {kernel} has no kernel that the emulator runs, only formulas")
    if not found:
        known = sorted({r.version for r in records})
        raise BackendError(f"lab: {kernel} has no version {version} (versions: {known})")
    return found


def _case(op, pass_, records, name) -> Case | None:
    if name is None:
        return largest(op, pass_, records)
    known = cases(op, pass_)
    found = [c for c in known if c.name == name] or [c for c in known if name in c.name]
    return found[0] if len(found) == 1 else None


def _rung(record: Implementation, case: Case) -> Rung:
    args = case.normal()
    if not record.supports(*args):
        return Rung(record, case, None)
    with poisoned_outputs(), watching() as report:
        got = record.function(*args)
    wanted = find(case.op, case.pass_, "reference", args).function(*args)
    return Rung(record, case, report, _error(got, wanted, case.floor))


def _error(got, wanted, floor: float) -> float:
    if isinstance(wanted, tuple | list):
        if not isinstance(got, tuple | list) or len(got) != len(wanted):
            return float("inf")
        return max((_error(g, w, floor) for g, w in zip(got, wanted)), default=0.0)
    if wanted is None:
        return 0.0 if got is None else float("inf")
    if not isinstance(got, np.ndarray) or (got.shape, got.dtype) != (wanted.shape, wanted.dtype):
        return float("inf")
    if not wanted.size:
        return 0.0
    if wanted.dtype.kind != "f":
        return 0.0 if np.array_equal(got, wanted) else float("inf")
    error = float(np.abs(got - wanted).max() / max(np.abs(wanted).max(), floor, 1e-30))
    return error if np.isfinite(error) else float("inf")
