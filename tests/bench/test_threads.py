"""Trained weights do not depend on the number of threads, not in a single bit."""

import numba
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from glassgrad.bench.steps import STEPS, Ready


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="Numba has one thread here")
@pytest.mark.parametrize(
    "step", [pytest.param(s, marks=pytest.mark.slow) if s == "lenet" else s for s in STEPS]
)
def test_training_steps_have_the_same_bits_with_one_thread_and_with_two(step):
    found, before = [], numba.get_num_threads()
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            with threadpool_limits(threads, user_api="blas"):
                ready = Ready(STEPS[step])
                losses = [ready() for _ in range(3)]
                found.append([np.array(losses), *ready.weights()])
    finally:
        numba.set_num_threads(before)
    assert all(map(np.array_equal, *found))
