"""Everything that can be measured, by name.

conv2d            all of a family: its passes' versions, and the layer
conv2d.forward    the versions of one pass        conv2d.layer   the layer through the engine
fused             the passes bound by memory      fused.adam     one of them
lenet             a training step
kernels layers models                             all of a kind

Kernels of your own, once their file is opened, have names like ours.
"""

from collections.abc import Callable
from dataclasses import replace

from ..kernels import implementations
from ..kernels.errors import BackendError, GlassgradError, nearest
from ..kernels.registry import operations
from . import bandwidth, fused, ladder, layers, nearest_node, som, steps, words
from .job import Plan


class UnknownBenchError(GlassgradError, LookupError):
    """No measurement has that name, or no case fits."""


def plans(backend: str = "numba") -> dict[str, list[Plan]]:
    """All plans by kind, in the order in which they run; in the emulator kernels alone."""
    if backend == "emulated":
        return {"kernels": ladder.plans(backend)}
    # first, since a run on a borrowed GPU may be cut short
    on_gpu = [*nearest_node.plans(), *bandwidth.plans()] if backend == "cuda" else []
    return {
        "kernels": [*on_gpu, *ladder.plans(backend)],
        "layers": [*layers.plans(), *som.plans(), *words.plans(), *fused.plans()],
        "models": steps.plans(),
    }


def select(
    names=(),
    backend: str = "numba",
    case: str | None = None,
    version: int | None = None,
    without: str | None = None,
    newer: bool = False,
) -> list[Plan]:
    """The plans that the names stand for, each once; by default all.

    `case` is a part of the names of the cases wanted, `without` of those that are not. With `newer`
    the first version of a kernel does not run where another one does the case. Raises
    UnknownBenchError with the nearest right name, and BackendError where no kernel has the version.
    """
    kinds = plans(backend)
    known = _names(kinds)
    for name in names:
        if name not in known:
            hint = nearest(name, known)
            raise UnknownBenchError(f"bench: unknown {name!r}{hint} (known: {', '.join(known)})")
    wanted = {id(p) for name in names or kinds for p in known[name]}
    found = [p for every in kinds.values() for p in every if id(p) in wanted]
    if version is not None:
        found = _with_version(found, backend, version)
    if without is not None:
        found = [p for p in found if without not in p.case]
    if case is not None:
        cases = dict.fromkeys(p.case for p in found)
        found = [p for p in found if case in p.case]
        if not found:
            listed = "\n  ".join(cases)
            raise UnknownBenchError(
                f"bench: no case has {case!r} in its name; there are\n  {listed}"
            )
    return [replace(p, make=_newer(p.make)) for p in found] if newer else found


def _newer(make: Callable) -> Callable:
    """The jobs without version 1, unless it is the only one."""

    def made(session):
        for job in make(session):
            job.ours = [c for c in job.ours if c.version != 1] or job.ours
            yield job

    return made


def _names(kinds: dict) -> dict[str, list[Plan]]:
    """Every name that `select` knows, with its plans: kinds, families, single ones."""
    known: dict[str, list[Plan]] = dict(kinds)
    for plan in (p for found in kinds.values() for p in found):
        family = plan.name.partition(".")[0]
        for name in dict.fromkeys((family, plan.name)):
            known.setdefault(name, []).append(plan)
    return known


def _with_version(found: list[Plan], backend: str, version: int) -> list[Plan]:
    """The plans of kernels and layers whose pass, or whose operation, has the version."""
    kept = []
    for plan in found:
        op, _, pass_ = plan.name.partition(".")
        if op in operations():
            exact = [r for r in implementations(op, pass_, backend) if r.version == version]
            layer = pass_ in ("layer", "epoch")
            any_pass = [r for r in implementations(op, backend=backend) if r.version == version]
            kept += [plan] if exact or (layer and any_pass) else []
    if not kept:
        shown = ", ".join(dict.fromkeys(p.name for p in found))
        raise BackendError(f"bench: none of {shown} has version {version} on {backend}")
    return kept
