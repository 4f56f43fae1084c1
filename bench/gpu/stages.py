"""The parts of `make gpu`: what each is, how long it may take, in which of two commands it runs.

    first    about 3½ minutes: is everything right? It compiles all kernels into CuPy's cache
    second   about 6 minutes: how fast is it, and do NVIDIA's tools agree?

The most valuable come first in each. What has no stage runs by name alone (``--only``).
"""

from collections.abc import Callable
from dataclasses import dataclass

from ...kernels import implementations
from . import counters, parts

FIRST, SECOND = "first", "second"
WATCHED = ("lstm", "gru", "som", "conv2d")  # kernels that wait for each other, or share the most
LADDERS = ("conv2d", "lstm", "gru", "pool2d", "som")
COUNTED = ("textbook", "lstm", "conv2d")
ROOM = {FIRST: 210, SECOND: 360}  # seconds of a stage


@dataclass(frozen=True)
class Part:
    """``run(limit, clock)`` gives an outcome: a "status" and what was found."""

    what: str
    seconds: int
    stage: str | None
    run: Callable[[float, Callable], dict]


def _ladders(limit: float, clock) -> dict:
    names = dict.fromkeys(f"{r.op}.{r.pass_}" for op in LADDERS for r in implementations(op))
    return parts.bench(*names, "--without", "large,", "--newer")(limit, clock)


PARTS = {
    "once": Part(
        "every kernel on its largest small case, a process an operation", 80, FIRST, parts.once
    ),
    "tests": Part("contract and float64 tests", 95, FIRST, parts.tests("contract")),
    "launches": Part("what a launch costs", 20, FIRST, parts.apart("launches")),
    "layers": Part(
        "LSTM, GRU and convolution layers, with cuDNN", 80, SECOND,
        parts.bench("lstm.layer", "gru.layer", "conv2d.layer"),
    ),
    "bandwidth": Part(
        "kernels bound by memory, on 256 MB", 55, SECOND,
        parts.bench("kernels", "--case", "large,", "--newer"),
    ),
    "ladders": Part(f"versions of {', '.join(LADDERS)} but the first", 95, SECOND, _ladders),
    "counters": Part(
        f"ncu's counters: {', '.join(COUNTED)}", 45, SECOND, counters.measure(COUNTED)
    ),
    "sanitizer": Part(
        f"memcheck and racecheck: {', '.join(WATCHED)}", 60, SECOND,
        parts.sanitizer(("memcheck", "racecheck"), WATCHED),
    ),
    "models": Part("training steps", 25, SECOND, parts.bench("models")),
    "all-tests": Part("every GPU test but those beyond 2^31", 480, None, parts.tests("all")),
    "beyond": Part("arrays beyond 2^31 elements", 300, None, parts.tests("beyond")),
    "all-counters": Part("ncu's counters of every family", 150, None, counters.measure()),
    "all-sanitizer": Part("compute-sanitizer's four tools, every family", 300, None,
                          parts.sanitizer()),
    "replay": Part("training steps as CUDA graphs", 60, None, parts.apart("replay")),
    "kernels": Part("every version on every case", 400, None, parts.bench("kernels")),
}  # fmt: skip


def of(stages) -> list[str]:
    """The parts of some stages, in order.

    >>> of([FIRST])
    ['once', 'tests', 'launches']
    """
    return [name for stage in stages for name, part in PARTS.items() if part.stage == stage]
