"""CUDA C in float32 against the formula in float64: on a GPU, and in the emulator.

test_contract.py holds each version against the reference in its own dtype, which makes the same
roundings; here the reference makes none. The emulator, which is slow, runs the cases with the most
numbers to add up alone.
"""

import numpy as np
import pytest

from glassgrad.bench.verify import arrays, expect_close, reference
from glassgrad.kernels import OPERATIONS, backend, cases, implementations
from glassgrad.testing.device_functions import allowance, double
from tests.kernels.checking import why_no_emulator, why_no_gpu

MARKS = {
    "cuda": [pytest.mark.gpu, pytest.mark.skipif(bool(why_no_gpu()), reason=why_no_gpu() or "GPU")],
    "emulated": [
        pytest.mark.skipif(bool(why_no_emulator()), reason=why_no_emulator() or "a compiler")
    ],
}
RECORDS = [
    pytest.param(r, id=r.name, marks=MARKS[r.backend])
    for op in OPERATIONS
    for b in MARKS
    for r in implementations(op, backend=b)
    if "float32" in r.dtypes
]


@pytest.mark.parametrize("record", RECORDS)
def test_near_the_formula_in_double_precision(record):
    small = [c for c in cases(record.op, record.pass_) if not c.bench]
    able = [c for c in small if record.supports(*c.normal("float32"))]
    assert able, f"{record.name} runs no case"
    if record.backend == "emulated":
        able = sorted(able, key=lambda c: c.reduction)[-2:]
    for case in able:
        plain = args = case.normal("float32")
        if record.backend == "cuda":
            import cupy

            args = [cupy.asarray(a) if isinstance(a, np.ndarray) else a for a in plain]
        with backend(record.backend):
            result = record.function(*args)
        got = arrays(result)
        want = reference(record.op, record.pass_, *map(double, plain))
        rtol = case.tolerance("float32", record.precision)
        on_gpu = record.backend == "cuda"
        more = allowance(record.op, record.pass_, plain, "float32") if on_gpu else ()
        expect_close(f"{record.name} on {case}", got, want, case.reduction, case.floor, rtol, more)
