"""The time that every CUDA kernel should take on an H100, computed before anything was measured.

    python -m glassgrad.bench.predictions        writes the tables of bench/results/notes.md

A time is a fixed cost of launches, plus the longest of what passes through memory, through the
second-level cache and through the schedulers, plus pure waiting:

    time = 3.0 us + 1.2 us (launches - 1) + serial
         + max(bytes / (0.95 copy), L2 bytes / L2 rate, instructions / (0.75 of the schedulers))

notes.md says where the numbers come from, and gives the reason for each row.
"""

from dataclasses import dataclass

SMS, CLOCK = 132, 1.75e9  # multiprocessors; cycles a second under load
COPY, L2 = 3.0e12, 5.5e12  # bytes a second, read and written together
PRODUCT = 50e12  # float32 operations a second of cuBLAS, no tensor cores
ISSUE = SMS * 4 * CLOCK  # instructions of a warp a second
BUSY, STREAM = 0.75, 0.95  # parts of the schedulers' and of the copy's rate that a kernel reaches
LAUNCH, NEXT = 3.0, 1.2  # microseconds: the first launch between two events, each further one
JOURNEY, BARRIER, CELL = (
    700,
    2600,
    1100,
)  # cycles: to L2 and back; all blocks meet; gates and states


@dataclass(frozen=True)
class Row:
    """A version: launches, bytes through memory and L2, instructions of warps, microseconds."""

    version: int
    why: str
    moved: float = 0
    instructions: float = 0
    launches: int = 1
    l2: float = 0
    serial: float = 0

    def time(self) -> float:
        """Microseconds."""
        work = max(self.moved / (STREAM * COPY), self.l2 / L2, self.instructions / (BUSY * ISSUE))
        return LAUNCH + NEXT * (self.launches - 1) + 1e6 * work + self.serial


def microseconds(cycles: float) -> float:
    """Of so many cycles of one multiprocessor's clock under load."""
    return 1e6 * cycles / CLOCK


def table(cases: dict) -> str:
    """{case: (least bytes, operations, rows)} as Markdown."""
    lines = [
        "| case | least MB | GFLOP | floor µs | v | predicted µs | roof | limited by |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for case, (least, flops, rows) in cases.items():
        floor = 1e6 * max(least / COPY, flops / PRODUCT)
        said = f"{case} | {least / 1e6:.3g} | {flops / 1e9:.3g} | {floor:.3g}"
        for row in rows:
            t = row.time()
            lines.append(
                f"| {said} | {row.version} | {t:.3g} | {100 * floor / t:.0f} % | {row.why} |"
            )
            said = " | | | "
    return "\n".join(lines)
