"""The contract of test_contract.py for the implementations in one mutated file alone.

To collect the cases of every operation takes longer than most mutants live. The checks are the same
ones; those of the pass that the mutated function is named after come first, and float32 before
float64, so that little is compiled before the mutant is found. child.py says which file it is.
"""

import os

import pytest

from glassgrad.kernels import cases, implementations
from tests.kernels.checking import check

MODULE, _, FUNCTION = os.environ["GLASSGRAD_MUTANT"].partition(":")
OP = MODULE.split(".")[2]


def _records():
    """The implementations in the mutated file, or those it helps; a reference next to version 1."""
    numba = [r for r in implementations(OP) if r.backend == "numba"]
    mine = [r for r in numba if r.function.__module__ == MODULE]
    helps = ".rungs." in MODULE  # what several versions share
    mine = mine or [r for r in numba if helps or r.version == 1]
    part = FUNCTION.strip("_")
    return sorted(mine, key=lambda r: not (r.pass_ in part or part in r.pass_))


def _checks():
    """(record, case, dtype, layout, integers), as in test_contract.py."""
    for n in range(2):
        for record in _records():
            for case in cases(OP):
                if case.pass_ != record.pass_ or case.bench or n >= len(record.dtypes):
                    continue
                dtype = record.dtypes[n]
                yield record, case, dtype, "contiguous", False
                if case.exact:
                    yield record, case, dtype, "contiguous", True
                if n == 0:
                    yield record, case, dtype, "transposed", case.exact
                    yield record, case, dtype, "sliced", case.exact


def _id(value):
    return str(getattr(value, "name", value))


@pytest.mark.parametrize("record, case, dtype, layout, integers", _checks(), ids=_id)
def test_keeps_the_contract(record, case, dtype, layout, integers):
    check(record, case, dtype, layout, integers)
