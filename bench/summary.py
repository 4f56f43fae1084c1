"""Many rows in few lines: means of ratios over a layer's cases, and memory."""

import math
from dataclasses import dataclass

from .peers import ITSELF
from .record import left_out, memory_shares

SELF_CHECK = "self-check"

COLUMNS = ["", "pass", "cases", "peer's time / ours", "least", "roof", "error", "memory"]
LEGEND = (
    "Means over the cases are geometric; least: the lowest ratio among them; roof: the part of our"
    " time that the measured roofline asks for; error: the largest, relative, of layers in the L2"
    " norm from float64, of steps in what the first one changes; memory: our peak over the peer's."
    " blas is no peer but the floor: the matrix product that an epoch of the map cannot do without."
    " self-check: ours against ours, in two processes: 1.00, but for noise."
)


@dataclass(frozen=True)
class Line:
    """The cases of one name and pass, compared with one peer."""

    name: str
    mode: str
    peer: str
    cases: int
    failed: int  # cases that the peer was left out of
    mean: float | None  # geometric, of the peer's time over ours
    least: float | None
    roofline: float  # geometric mean of the parts of the roofline
    error: float | None  # the largest
    memory: float | None  # our peak over the peer's

    def ratio(self) -> str:
        """The peer and its mean, as in the table."""
        who = SELF_CHECK if self.peer == ITSELF else self.peer
        if self.mean is None:
            return f"{who} left out"
        return f"{who} {self.mean:.2f}" + (f", {self.failed} left out" * bool(self.failed))


def summary(rows: list[dict]) -> list[Line]:
    """A line for each name, pass and peer; rows of single kernels are left out."""
    found: dict[tuple, list[dict]] = {}
    for row in rows:
        if not row["version"]:
            for peer in (*row["peers"], *left_out(row)):
                found.setdefault((row["name"], row["mode"], peer), []).append(row)
    return [_line(*key, some) for key, some in found.items()]


def _line(name: str, mode: str, peer: str, rows: list[dict]) -> Line:
    ratios = [row["peers"][peer]["ratio"] for row in rows if peer in row["peers"]]
    roof = geometric_mean([row["roofline"] for row in rows])
    errors = [row["error"] for row in rows if row["error"] is not None]
    share = memory_shares(rows[0]).get(peer)
    worst, memory = max(errors, default=None), share and 1 / share
    mean, least = (geometric_mean(ratios), min(ratios)) if ratios else (None, None)
    failed = len(rows) - len(ratios)
    return Line(name, mode, peer, len(rows), failed, mean, least, roof, worst, memory)


def means(rows: list[dict]) -> list[str]:
    """Geometric means of the ratios over each layer's cases, with the lowest of them."""
    lines = [r for r in summary(rows) if r.cases > 1 and r.mean]
    found = [
        f"{r.name}, {r.mode}: {r.peer}'s time is {r.mean:.2f} of ours in the geometric mean of"
        f" {r.cases}, {r.least:.2f} at the least"
        for r in lines
        if r.peer != ITSELF
    ]
    return found + [
        f"{r.name}, {r.mode}: {SELF_CHECK}: ours against ours is {r.mean:.2f} in the geometric mean"
        f" of {r.cases}"
        for r in lines
        if r.peer == ITSELF
    ]


def geometric_mean(values: list[float]) -> float:
    """The n-th root of the product.

    >>> geometric_mean([1.0, 4.0])
    2.0
    """
    return math.exp(sum(map(math.log, values)) / len(values))


def memory(rows: list[dict]) -> list[str]:
    """Peak memory of training steps, with each peer's."""
    found = []
    for row in rows:
        used = {k: v for k, v in (row["memory"] or {}).items() if v}
        if "ours" not in used:
            continue
        others = [
            f"{name} {v / 1e6:.1f} MB (ours is {used['ours'] / v:.2f} of it)"
            for name, v in used.items()
            if name != "ours"
        ]
        found.append(
            f"{row['name']}: peak memory of a step {used['ours'] / 1e6:.1f} MB"
            + "".join(f", {o}" for o in others)
        )
    return found
