"""One kernel of any `.cu` file, launched once: no Python is needed, the file says what it takes."""

import math
from dataclasses import dataclass
from pathlib import Path

from ..kernels import ceil_div, notice
from ..kernels.emulator import Report, watching
from ..kernels.errors import CompileError, ValueRangeError, expect
from ..kernels.launcher import Source
from ..kernels.source import Signature
from . import given, measure

BLOCK = 256  # threads, where nothing is said


@dataclass(frozen=True)
class Single:
    """A launch, and what was seen of it."""

    path: Path
    kernel: str
    signature: str  # as the file declares it
    grid: tuple[int, ...]
    block: tuple[int, ...]
    report: Report
    resources: dict


def is_file(name: str) -> bool:
    """Is this the name of a CUDA C file?

    >>> is_file("race.cu"), is_file("conv2d")
    (True, False)
    """
    return name.endswith(".cu")


def run(
    file: str | Path,
    kernel: str | None = None,
    arguments: dict[str, str] | None = None,
    grid: tuple[int, ...] | None = None,
    block: tuple[int, ...] | None = None,
    shared: int = 0,
    real: str = "float32",
) -> Single:
    """Launch a kernel of a file in the instrumented emulator.

    `arguments` are texts by name (given.py): ``{"n": "1024", "x": "random:1024"}``. `kernel` may be
    left out where the file has one. The block has 256 threads unless it is given, or its kernel
    bounds it; the grid as many as the largest array has blocks of numbers. `shared` are bytes of
    dynamic shared memory, `real` is the dtype of arrays of that type. Raises ValueRangeError for an
    argument that is missing, unknown or not understood, and BackendError for an unknown kernel or a
    file that cannot be compiled.
    """
    source = Source(file)
    signature = _signature(source, kernel)
    values = given.values(signature, arguments or {}, real)
    for name, sizes in (("grid", grid), ("block", block)):
        must = f"{name} must have sizes of at least 1"
        expect(not sizes or min(sizes) >= 1, "lab", must, "1 or more", sizes, ValueRangeError)
    block = block or (min(signature.bounds or BLOCK, BLOCK),)
    most = max((v.size for v in values if hasattr(v, "size")), default=1)
    grid = grid or (max(1, ceil_div(most, math.prod(block))),)
    with watching() as report:
        source.launch(signature.kernel, grid, block, *values, shared=shared)
    shown = given.declared(signature)
    try:
        taken = measure.resources([source.text], report)
    except CompileError as error:  # a header that it does not have; what was measured holds
        taken = {}
        said = next((s for s in str(error).splitlines() if "error" in s), str(error))
        notice.once(f"NVRTC cannot compile it, so registers are not shown: {said}")
    return Single(source.path, signature.kernel, shown, grid, block, report, taken)


def _signature(source: Source, kernel: str | None) -> Signature:
    known = source.text.signatures
    if kernel is not None:
        return source.text.signature(kernel)
    expect(bool(known), "lab", f"{source.path} must have a kernel", "1", 0, ValueRangeError)
    if len(known) > 1:
        names = ", ".join(known)
        hint = f"glassgrad lab {source.path.name} {next(iter(known))}"
        raise ValueRangeError(f"lab: {source.path} has the kernels {names}: say which, as {hint}")
    return source.text.signature(next(iter(known)))
