"""Work in parts: each part once, on the threads asked for, errors raised where it was asked for."""

import contextlib
import os
import threading
import time

import numba
import numpy as np
import pytest

from glassgrad.kernels import OPERATIONS, implementations, threads
from glassgrad.kernels.case import largest
from glassgrad.kernels.compiled import njit
from glassgrad.kernels.threads import in_parts

TWO_THREADS = pytest.mark.skipif(
    numba.config.NUMBA_NUM_THREADS < 2, reason="Numba has one thread here"
)


@njit(nogil=True)
def add_one(a, part):
    a[part] += 1


@pytest.mark.parametrize("parts", [0, 1, 2, 3, 100])
def test_every_part_is_done_once(parts):
    for _ in range(50):
        a = np.zeros(100)
        in_parts(add_one, parts, a)
        assert a.tolist() == [1.0] * parts + [0.0] * (100 - parts)


@TWO_THREADS
def test_no_more_threads_than_numba_may_use():
    meet, names = threading.Barrier(2, timeout=10), set()

    def together(part):
        meet.wait()  # passes only where two threads work at once
        names.add(threading.current_thread().name)

    before = numba.get_num_threads()
    try:
        numba.set_num_threads(2)
        in_parts(together, 2)
        assert len(names) == 2
        numba.set_num_threads(1)
        names.clear()
        in_parts(lambda part: names.add(threading.current_thread().name), 20)
        assert names == {threading.current_thread().name}
    finally:
        numba.set_num_threads(before)


def test_an_error_comes_back_to_the_caller_and_spoils_nothing():
    def fails(part):
        if part == 3:
            raise ValueError("part 3")

    for _ in range(3):
        with pytest.raises(ValueError, match="part 3"):
            in_parts(fails, 8)
    a = np.zeros(4)
    in_parts(add_one, 4, a)
    assert a.sum() == 4


@TWO_THREADS
def test_nobody_works_on_after_an_interrupt():
    """Ctrl-C comes to the caller: when it goes on, its arrays are its own again."""
    a, caller, meet = np.zeros(40), threading.current_thread(), threading.Barrier(2, timeout=10)

    def slow(part):
        if part < 2:
            meet.wait()  # both threads have begun
        if threading.current_thread() is caller:
            raise KeyboardInterrupt
        time.sleep(0.05)
        a[part] = 1

    with pytest.raises(KeyboardInterrupt):
        in_parts(slow, 40)
    done = a.sum()
    assert done == 1, "the part that was under way is waited for, no other begun"
    time.sleep(0.2)
    assert a.sum() == done
    in_parts(add_one, 40, a)
    assert a.sum() == done + 40


@TWO_THREADS
def test_whatever_a_part_raises_comes_to_the_caller():
    """SystemExit would end the thread: the caller would wait for ever."""
    caller, meet = threading.current_thread(), threading.Barrier(2, timeout=10)

    def leaves(part):
        meet.wait()
        if threading.current_thread() is not caller:
            raise SystemExit(3)

    for _ in range(3):
        with pytest.raises(SystemExit):
            in_parts(leaves, 2)


@TWO_THREADS
def test_without_another_thread_the_caller_does_all(monkeypatch):
    def refused(self):
        raise RuntimeError("can't start new thread")

    crew = threads._Crew()
    monkeypatch.setattr(threads, "_crew", lambda process: crew)
    monkeypatch.setattr(threading.Thread, "start", refused)
    a = np.zeros(8)
    in_parts(add_one, 8, a)
    assert (a == 1).all() and crew.jobs.empty()


def test_parts_may_have_parts():
    """A thread that waits for its own parts works on them itself: nothing locks up."""
    a = np.zeros((4, 8))
    in_parts(lambda part: in_parts(add_one, 8, a[part]), 4)
    assert (a == 1).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_has_its_own_threads():
    a = np.zeros(8)
    in_parts(add_one, 8, a)
    child = os.fork()
    if child == 0:
        in_parts(add_one, 8, a)
        os._exit(0 if (a == 2).all() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize("op", OPERATIONS)
def test_kernels_run_in_a_process_that_was_forked_after_them(op):
    """As in the worker of a loader: OpenMP's threads would end it."""
    calls = []
    for record in {r.pass_: r for r in implementations(op, backend="numba")}.values():
        case = largest(op, record.pass_, [record])
        calls.append((record.function, case.normal()))
    wanted = [function(*args) for function, args in calls]
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            for (function, args), result in zip(calls, wanted):
                np.testing.assert_equal(function(*args), result)
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
