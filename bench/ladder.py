"""The versions of every registered kernel, on the cases that are marked `bench`.

The emulator takes minutes for one of those; with `--backend emulated` the largest of the small
cases stands in for them.
"""

from collections.abc import Callable
from functools import cache

from ..kernels import OPERATIONS, Implementation, cases, implementations, notice
from ..kernels.case import Case
from ..kernels.errors import BackendError
from .job import Contender, Job, Plan, same_bits, with_check
from .verify import VerifyError, expect_close, reference


def plans(backend: str) -> list[Plan]:
    """A plan for each pass and case."""
    passes = dict.fromkeys((r.op, r.pass_) for r in implementations(backend="reference"))
    found = []
    for op, pass_ in passes:
        try:
            worth = _worth_timing(op, pass_, backend)
        except BackendError as error:
            if op in OPERATIONS:
                raise
            notice.once(f"{error}: it is not measured")
            continue
        found += [Plan(f"{op}.{pass_}", case.name, _maker(case)) for case in worth]
    return found


def _worth_timing(op: str, pass_: str, backend: str) -> list[Case]:
    known = cases(op, pass_)
    if backend != "emulated":
        return [c for c in known if c.bench]
    small = [c for c in known if not c.bench]
    return [max(small, key=lambda c: (c.flops, c.bytes))] if small else []


def _maker(case: Case):
    return lambda session: make(case, session)


def make(case: Case, session):
    """The job of one case: all versions, or the one that the session asks for."""
    plain = case.make(session.draw, "float32")
    expected = cache(lambda: reference(case.op, case.pass_, *plain))
    args = tuple(map(session.put, plain))
    records = [
        r
        for r in implementations(case.op, case.pass_, session.backend)
        if session.version in (None, r.version)
    ]
    able = {r.version: "float32" in r.dtypes and r.supports(*args) for r in records}
    contenders = {r.version: _contender(r, case, args, expected) for r in records}

    def coarser(precision):
        rtol = case.tolerance("float32", precision)
        return lambda what, got: expect_close(
            what, got, expected(), case.reduction, case.floor, rtol
        )

    peers = session.contenders(f"{case.op}.{case.pass_}", *args)
    if not any(able.values()):
        session.note(f"{case}: no version on {session.backend} runs it")
    yield Job(
        f"{case.op}.{case.pass_}",
        case.name,
        [c for v, c in contenders.items() if able[v]],
        lambda what, got: expect_close(what, got, expected(), case.reduction, case.floor),
        case.flops,
        case.bytes,
        expected=expected,
        peers=with_check(peers, coarser),
        absent=[c for v, c in contenders.items() if not able[v]],
    )


def _contender(record: Implementation, case: Case, args: tuple, expected: Callable) -> Contender:
    before = []

    def check(what, got):
        rtol = case.tolerance("float32", record.precision)
        error = expect_close(what, got, expected(), case.reduction, case.floor, rtol)
        if record.deterministic and before and not same_bits(got, before[0]):
            raise VerifyError(f"{what}: another result than at the first call")
        before[:] = [got]
        return error

    return Contender(
        lambda: record.function(*args), version=record.version, idea=record.idea, check=check
    )
