"""Matrix products by BLAS in parts: right, and the same bits for any number of threads."""

import contextlib
import os
import threading

import numba
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from glassgrad.kernels import product as module
from glassgrad.kernels.product import blas_at_one_thread, product

SHAPES = (
    (100, 784, 500), (1000, 784, 128), (1, 784, 1), (37, 501, 259), (500, 1000, 1000), (3, 0, 4),
    (0, 3, 4), (17, 2000, 3000),
)  # fmt: skip


def matrices(m, k, n, dtype):
    rng = np.random.default_rng(0)
    return rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)


@pytest.fixture
def four_cores(monkeypatch):
    """As many parts as on a machine with four cores, whatever this one has."""
    monkeypatch.setattr(module, "CORES", 4)


def with_threads(number, call, *args):
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(number)
        with threadpool_limits(number, user_api="blas"):
            return call(*args)
    finally:
        numba.set_num_threads(before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_the_product_and_threads_do_not_matter(shape, dtype, four_cores):
    x, y = matrices(*shape, dtype)
    want = x.astype("float64") @ y.astype("float64")
    for a, b in ((x, y), (x.T.copy().T, y), (x, y.T.copy().T)):  # by rows, by columns
        most = numba.config.NUMBA_NUM_THREADS
        one, more = (with_threads(n, product, a, b) for n in (1, most))
        assert np.array_equal(one, more) and one.dtype == dtype
        assert np.abs(one - want).max(initial=0) <= 1e-4 * shape[1] ** 0.5


def test_many_products_at_once(four_cores):
    x = np.random.default_rng(0).standard_normal((8, 200, 300))
    y = np.random.default_rng(1).standard_normal((8, 300, 250))
    want, out = np.matmul(x, y), np.empty((8, 200, 250))
    assert np.allclose(product(x, y), want)
    assert product(x, y, out) is out and np.allclose(out, want)
    assert np.allclose(product(x[0], y), np.matmul(x[0], y))


def test_one_matrix_for_many_and_stacks_of_stacks_are_in_parts(four_cores, monkeypatch):
    """Products of attention and of layers over time: BLAS alone would do them on one thread."""
    seen, whole = [], module._in_parts
    monkeypatch.setattr(
        module,
        "_in_parts",
        lambda x, y, parts, out: (seen.append(parts), whole(x, y, parts, out))[1],
    )
    rng = np.random.default_rng(0)
    many = (2, 4, 200, 300)
    for left, right in (((8, 200, 300), (300, 250)), (many, (300, 250)), (many, (2, 4, 300, 250))):
        x, y = rng.standard_normal(left), rng.standard_normal(right)
        got = product(x, y)
        assert np.allclose(got, np.matmul(x, y)) and seen.pop() == 4
    turned = np.swapaxes(rng.standard_normal((2, 4, 250, 300)), -1, -2)
    assert np.allclose(product(x, turned), np.matmul(x, turned)) and seen.pop() == 4
    for left, right in (
        ((3, 1, 4, 5), (1, 2, 5, 6)),
        ((0, 2, 4, 5), (5, 6)),
        ((2, 3, 4), (1, 4, 5)),
    ):
        x, y = rng.standard_normal(left), rng.standard_normal(right)
        assert np.allclose(product(x, y), np.matmul(x, y))


def test_small_products_stay_whole(monkeypatch):
    monkeypatch.setattr(module, "_in_parts", lambda *args: pytest.fail("in parts"))
    assert product(np.ones((10, 20)), np.ones((20, 30))).shape == (10, 30)


@pytest.mark.skipif(module._blas().set is None, reason="NumPy's BLAS is not OpenBLAS")
def test_the_number_of_blas_threads_is_given_back():
    blas = module._blas()
    with threadpool_limits(2, user_api="blas"):
        before = blas.get()
        with blas_at_one_thread():
            assert blas.get() == 1
            product(np.ones((4, 4)), np.ones((4, 4)))
            assert blas.get() == 1  # still inside
        assert blas.get() == before

        x, y = matrices(300, 300, 300, "float64")
        crowd = [
            threading.Thread(target=lambda: [product(x, y) for _ in range(50)]) for _ in "abcd"
        ]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
        assert blas.get() == before
        with pytest.raises(ValueError):
            product(np.ones((2, 3)), np.ones((2, 3)))
        assert blas.get() == before


@pytest.mark.skipif(module._blas().set is None, reason="NumPy's BLAS is not OpenBLAS")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize("inside", [False, True])
def test_a_fork_during_a_product_of_another_thread(inside):
    """The child has one thread inside or none: BLAS gets its threads back when that one leaves."""
    blas, meet, stop = module._blas(), threading.Barrier(2, timeout=10), threading.Event()

    def other():
        with blas:
            meet.wait()
            stop.wait(10)

    with threadpool_limits(2, user_api="blas"):
        before, thread = blas.get(), threading.Thread(target=other)
        thread.start()
        meet.wait()
        with blas if inside else contextlib.nullcontext():
            child = os.fork()
            if child == 0:
                right = blas.get() == (1 if inside else before)
                if inside:
                    blas.__exit__()
                os._exit(0 if right and blas.get() == before and not blas.inside else 1)
        stop.set()
        thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
