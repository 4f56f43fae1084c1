"""The emulator is far quicker than Numba's CUDA simulator, on the same kernel."""

import importlib

import pytest

from tests.kernels.checking import why_no_emulator


@pytest.mark.slow
@pytest.mark.skipif(bool(why_no_emulator()), reason=why_no_emulator() or "a compiler is there")
def test_fifty_times_the_simulator():
    measure = importlib.import_module("glassgrad.bench.emulator.__main__").measure
    found = measure(32, rounds=1)
    assert found["times_faster"] >= 50, found["seconds"]
