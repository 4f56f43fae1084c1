"""A compiled function on several threads: `in_parts(function, parts, *args)`.

The function is compiled with `nogil=True`, takes the number of its part last, and writes what no
other part writes. How the work is cut does not depend on the number of threads, so neither do the
results.

Numba has this built in (`parallel=True`), at a price: it compiles a function three times over (9 s
for the pooling kernels, 2 s without), and OpenMP's threads, which expect all of a team at every
barrier, wait for one that another program keeps from its core; they also end a process that was
forked after they had worked, such as the worker of a loader. These threads sleep when there is
nothing to do; waking one takes some 20 us, so that small work is better done by the caller alone:
`in_parts` does so where there is one part.

As many threads work as Numba may use (`NUMBA_NUM_THREADS`, `numba.set_num_threads`); without Numba,
which the products of BLAS do not need, as many as there are cores, or that variable says.
"""

import functools
import os
import queue
import threading

from .numba_here import why_not

PART = 1 << 15  # numbers written in a part: enough to be worth a thread's waking up
PRODUCTS = 1 << 18  # the same where each number met is a product that is added to a sum
MOST = 16  # parts: more than most machines have cores for, so that a late core delays little


def parts_for(size: int, most: int = MOST, part: int = PART) -> int:
    """In how many parts work on `size` numbers is best done: `part` numbers each, or more.

    >>> parts_for(1000), parts_for(100_000), parts_for(10_000_000), parts_for(10_000_000, most=5)
    (1, 3, 16, 5)
    """
    return max(1, min(MOST, most, size // part))


class _Crew:
    """The threads of one process, made when first needed; the caller is one of them."""

    def __init__(self):
        self.jobs, self.hands = queue.SimpleQueue(), 0

    def hire(self, hands: int) -> int:
        """Have that many threads, or as many as the system gives: how many of them there are."""
        while self.hands < hands:
            thread = threading.Thread(target=self._work, name="glassgrad-kernels", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more to be had, or the interpreter is about to end
                break
            self.hands += 1
        return min(hands, self.hands)

    def _work(self) -> None:
        while True:
            self.jobs.get().help()


class _Job:
    """Parts still to be done, handed out one after the other to whoever asks.

    It is over when every part is done, not when every thread has looked: one that wakes up late
    finds nothing to do, and nobody has waited for it.
    """

    def __init__(self, function, parts: int, args: tuple):
        self.function, self.args, self.error = function, args, None
        self.numbers, self.running, self.waiting = iter(range(parts)), 0, False
        self.lock, self.done = threading.Lock(), threading.Lock()
        self.done.acquire()

    def help(self) -> None:
        """Work on parts while the caller works on others; an error is raised in the caller."""
        while True:
            with self.lock:
                part = next(self.numbers, None)
                if part is None:
                    return
                self.running += 1
            try:
                self.function(*self.args, part)
            except BaseException as error:  # a thread that ended here would be waited for in vain
                self.error = error
            with self.lock:
                self.running -= 1
                if self.waiting and not self.running:
                    self.done.release()

    def run(self) -> None:
        """The caller's own share of the work, and the wait for the others.

        After an error or Ctrl-C nobody begins another part, and nobody is at work any more when the
        caller goes on: arrays of his are not written behind his back.
        """
        try:
            for part in self.numbers:
                self.function(*self.args, part)
        finally:
            with self.lock:
                self.numbers, self.waiting = iter(()), self.running > 0
            if self.waiting:
                self.done.acquire()
        if self.error is not None:
            raise self.error


@functools.cache
def _crew(process: int) -> _Crew:
    """A forked process has none of its parent's threads: it hires its own."""
    return _Crew()


def allowed() -> int:
    """How many threads may work."""
    if why_not():
        return int(os.environ.get("NUMBA_NUM_THREADS") or os.cpu_count() or 1)
    import numba

    return numba.get_num_threads()


def in_parts(function, parts: int, *args) -> None:
    """Call ``function(*args, part)`` for every part in 0..parts-1, several at a time.

    >>> import numpy as np
    >>> from glassgrad.kernels.compiled import njit
    >>> @njit(nogil=True)
    ... def square(a, part):
    ...     a[part] = part * part
    >>> a = np.zeros(5)
    >>> in_parts(square, 5, a)
    >>> a
    array([ 0.,  1.,  4.,  9., 16.])
    """
    hands = min(parts, allowed())
    if hands <= 1:
        for part in range(parts):
            function(*args, part)
        return
    crew, job = _crew(os.getpid()), _Job(function, parts, args)
    for _ in range(crew.hire(hands - 1)):
        crew.jobs.put(job)
    job.run()
