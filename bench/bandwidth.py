"""Kernels that are bound by memory, on arrays of 256 MB, compared with the copy bandwidth.

Every array of the arguments and results counts once, an array that is changed in place twice. The
calls are those of large/; as there, a few windows of each are compared with the reference.
"""

import numpy as np

from ..kernels import Implementation
from ..kernels.arrays import xp_of
from ..kernels.case import ROUNDED
from .job import Contender, Job, Plan
from .large import Fill, Large
from .large.calls import CALLS
from .verify import VerifyError, several

SIZE = 1 << 26  # elements of the largest array


def plans() -> list[Plan]:
    """A plan for each call."""
    return [
        Plan(f"{c.op}.{c.pass_}", f"large, {c.name}", lambda session, c=c: make(c, session, SIZE))
        for c in CALLS
        if c.bandwidth
    ]


def make(call: Large, session, size: int):
    """The job of one call, its largest array of about `size` elements."""
    fill = Fill(session.xp)
    args = call.arguments(fill, size)
    known = call.wanted(args)
    ours, absent = [], []
    for record in call.records(session.backend):
        if session.version in (None, record.version):
            own = call.arguments(fill, size) if call.in_place else args
            able = record.supports(*own)
            (ours if able else absent).append(_contender(call, record, own, known))
    shown = several(ours[0].call()) if not call.in_place else args[: len(call.joins)]
    moved = sum(a.nbytes for a in (*args, *shown) if hasattr(a, "nbytes"))
    name = f"{call.op}.{call.pass_}"
    peers = {} if call.in_place else session.contenders(name, *args)
    yield Job(
        name,
        f"large, {call.name}",
        ours,
        lambda what, got: call.check(what, got, *known),
        bytes=moved,
        expected=lambda: tuple(np.broadcast_to(np.float32(0), a.shape) for a in shown),
        peers=peers,
        absent=absent,
    )


def _contender(call: Large, record: Implementation, args: tuple, known: tuple) -> Contender:
    """One version; of what is changed in place only the first result is the reference's."""
    first = []
    rtol = None if record.precision == "full" else ROUNDED[record.precision]

    def check(what, got):
        if call.in_place and first:
            if not all(bool(xp_of(a).isfinite(a).all()) for a in got):
                raise VerifyError(f"{what}: not all values are finite")
        else:
            first.append(call.check(what, got, *known, rtol))
        return first[0]

    return Contender(
        lambda: record.function(*args), several, record.version, record.idea, check=check
    )
