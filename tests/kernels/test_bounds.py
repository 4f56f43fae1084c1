"""Compiled loops stay inside their arrays: run as plain Python, where NumPy checks every index.

Compiled, a number read behind the last is whatever follows in memory, and often changes nothing
that a test compares. Left out are kernels that count on 32-bit arithmetic that wraps around, which
plain Python has not, and those that are too slow in it.
"""

import os
import subprocess
import sys

import pytest

from tests.mutants.child import ROOT

FAMILIES = ["batchnorm", "descent", "dropout", "embedding", "pool2d", "spmm"]
FLOPS = 3000  # an interpreter does few more: cases beyond are left to the compiled kernels
PROGRAM = f"""
import sys
from glassgrad.kernels import cases, implementations
from tests.kernels.checking import check

for record in implementations(sys.argv[1]):
    if record.backend == "numba":
        small = [c for c in cases(record.op, record.pass_) if c.flops <= {FLOPS} and not c.bench]
        done = sum(check(record, case, "float32") for case in small)
        print(record.name, done)
        assert done, record.name
"""


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_no_index_lies_outside_its_array(family):
    variables = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, family],
        cwd=ROOT, env=variables, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
