"""Every CUDA kernel under the instrumented emulator: no race, in bounds, initialised, converged.

That their results equal the reference is the contract test's matter; here every load and store of
every version is watched on every small case, with outputs that say where nobody has written: in
float32 as it lies each time, in float64, in slices and at the larger sizes with the slow tests.
"""

import numpy as np
import pytest

from glassgrad.kernels import cases, implementations
from glassgrad.kernels.debug import poisoned_outputs
from glassgrad.kernels.emulator import watching
from tests.kernels.checking import arguments, why_no_emulator
from tests.tools import LAYOUTS

NONE = why_no_emulator()
pytestmark = pytest.mark.skipif(bool(NONE), reason=NONE or "a compiler is there")
RECORDS = implementations(backend="emulated")
slow = pytest.mark.slow
SMALL = 1_000_000  # operations: under watch a second each
LARGE = 5_000_000  # seconds each; once is enough, in float32 as it lies
HUGE = 20_000_000  # for tiles and bands; the first two versions of a family have none so large
KINDS = [
    pytest.param("float32", "contiguous", 0, SMALL, id="float32-contiguous"),
    pytest.param("float32", "contiguous", SMALL, np.inf, id="float32-large", marks=slow),
    pytest.param("float64", "contiguous", 0, LARGE, id="float64-contiguous", marks=slow),
    pytest.param("float32", "sliced", 0, LARGE, id="float32-sliced", marks=slow),
]


@pytest.mark.parametrize("dtype, layout, above, most", KINDS)
@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.name)
def test_no_finding_on_any_case(record, dtype, layout, above, most):
    if dtype not in record.dtypes:
        pytest.skip(f"not for {dtype}")
    launches = 0
    for case in sorted(cases(record.op, record.pass_), key=lambda c: c.flops):
        args = arguments(case, dtype, integers=True)
        simple = record.version <= 2 and case.flops > HUGE
        wanted = above <= case.flops < most or not (above or launches)  # the smallest in any case
        if case.bench or simple or not wanted or not record.supports(*args):
            continue
        args = [LAYOUTS[layout](a) if isinstance(a, np.ndarray) else a for a in args]
        with poisoned_outputs(), watching() as report:
            record.function(*args)
        assert not report.findings, f"{case}: {report.findings[0]}"
        launches += len(report.launches)
    assert launches or above, "no small case launches it: the test has seen no kernel"


def test_every_family_has_cuda_kernels_for_every_pass():
    for reference in implementations(backend="reference"):
        mine = [r for r in RECORDS if (r.op, r.pass_) == (reference.op, reference.pass_)]
        assert mine, f"{reference.op}.{reference.pass_} has no CUDA kernel"
        assert any("float64" in r.dtypes for r in mine), f"{reference.op}: no float64"
