"""The communicator of MPI, through mpi4py: ranks that `mpiexec` or Slurm's `srun` has started.

Arrays go as bytes between two ranks. Nothing blocks inside the library: every wait asks again and
again (`Patience`), so that Ctrl-C is heard, ranks that share a core let each other run, and a rank
that waits for ever says so. A rank that dies is the launcher's business: `mpiexec` ends the others,
and so does `srun --kill-on-bad-exit=1`. It has never run under Slurm.
"""

import functools
import json
import math
import os
import signal
from collections.abc import Callable, Mapping

import numpy as np

from ..arrays import to_numpy, xp_of
from .communicator import DEFAULT_PATIENCE, Communicator, DistributedError, Patience, Pending

FIRST = 2048  # bytes of a gathered value that go in the first round
PATIENCE = "GLASSGRAD_PATIENCE"  # seconds before a wait for another rank is an error
LAST = 5  # seconds that the library has to end all ranks
# what launchers tell their processes: MPICH and Intel MPI, Open MPI, PMIx, Slurm's steps
SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MPI_LOCALNRANKS", "SLURM_STEP_NUM_TASKS")


def launched(environment: Mapping[str, str] = os.environ) -> bool:
    """True if a launcher of MPI has started this process, with others next to it.

    >>> launched({"PMI_SIZE": "4"}), launched({"PMI_SIZE": "1"}), launched({})
    (True, False, False)
    """
    return any(
        environment[name].isdecimal() and int(environment[name]) > 1
        for name in SIZES
        if name in environment
    )


def expect_all_seen(size: int, environment: Mapping[str, str] = os.environ) -> None:
    """Raise DistributedError where a launcher has started several ranks and MPI sees one alone.

    Each would train by itself, as rank 0, and write the same files.

    >>> expect_all_seen(4, {"SLURM_STEP_NUM_TASKS": "4"})
    """
    if size == 1 and launched(environment):
        told = ", ".join(f"{name}={environment[name]}" for name in SIZES if name in environment)
        raise DistributedError(
            f"several ranks were started ({told}), but MPI sees one alone: srun needs --mpi=pmi2"
            " (MPICH) or --mpi=pmix (Open MPI), mpiexec must belong to the library of mpi4py"
        )


def patience(environment: Mapping[str, str] = os.environ) -> float:
    """Seconds that a rank waits for another; DistributedError if the setting is none.

    >>> patience({"GLASSGRAD_PATIENCE": "60"})
    60.0
    """
    text = environment.get(PATIENCE, str(DEFAULT_PATIENCE))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise DistributedError(f"{PATIENCE} must be a number of seconds; got {text!r:.40}")
    return seconds


class MPI(Communicator):
    """All ranks of an MPI program. Raises DistributedError without mpi4py or a library of MPI."""

    def __init__(self):
        try:
            from mpi4py import MPI as library
        except ImportError:
            raise DistributedError(
                "several ranks need mpi4py: pip install 'glassgrad[mpi]'"
            ) from None
        except RuntimeError as error:  # no library behind it
            reason = str(error).splitlines()[0]
            raise DistributedError(
                f"mpi4py finds no MPI library ({reason:.100}): pip install mpich"
            ) from None
        self._library, self._world = library, library.COMM_WORLD
        self.rank, self.size = self._world.rank, self._world.size
        expect_all_seen(self.size)
        self._patience = Patience(patience(), f"rank {self.rank}")

    def _wait(self, requests: list, what: str) -> None:
        self.until(lambda: self._library.Request.Testall(requests), what)

    def _out(self, array) -> np.ndarray:
        """The array as bytes in the memory of the host."""
        host = np.ascontiguousarray(to_numpy(array))
        self.bytes_sent += host.nbytes
        return host.reshape(-1).view(np.uint8)

    def send(self, array, to: int) -> None:
        """Send a contiguous array; returns when it may be changed again."""
        self._wait([self._world.Isend(self._out(array), to)], f"rank {to} to take an array")

    def receive(self, like, sender: int):
        """A new array of the shape and dtype of `like`, from another rank."""
        found = np.empty(like.shape, like.dtype)
        request = self._world.Irecv(found.reshape(-1).view(np.uint8), sender)
        self._wait([request], f"an array of rank {sender}")
        return xp_of(like).asarray(found)

    def swap(self, array, like, other: int):
        """Send an array to another rank while it sends one as large as `like`: that one."""
        pending = self.begin_swap(array, like, other)
        self.until(pending.done, f"an array of rank {other}")
        return pending.value()

    def begin_swap(self, array, like, other: int, tag: int = 0) -> Pending:
        """`swap`, whose end is not waited for; swaps of other tags may overtake it."""
        found = np.empty(like.shape, like.dtype)
        coming = self._world.Irecv(found.reshape(-1).view(np.uint8), other, tag)
        going = self._world.Isend(self._out(array), other, tag)
        return self._pending([coming, going], xp_of(like), found)

    def _pending(self, requests: list, xp, found: np.ndarray) -> Pending:
        done = functools.partial(self._library.Request.Testall, requests)
        return Pending(done, lambda: xp.asarray(found))

    def gather(self, value) -> list:
        """The values of all ranks in their order, on every rank: whatever JSON can write."""
        text = json.dumps(value).encode()
        mine = np.zeros(FIRST, np.uint8)
        mine[:8] = np.frombuffer(len(text).to_bytes(8, "little"), np.uint8)
        begins = text[: FIRST - 8]
        mine[8 : 8 + len(begins)] = np.frombuffer(begins, np.uint8)
        all_of = np.empty((self.size, FIRST), np.uint8)
        what = "a value of every rank"
        self._wait([self._world.Iallgather(mine, all_of)], what)
        sizes = [int.from_bytes(row[:8].tobytes(), "little") for row in all_of]
        texts = [row[8 : 8 + n].tobytes() for row, n in zip(all_of, sizes)]
        if max(sizes) > FIRST - 8:
            rests = [max(0, n - (FIRST - 8)) for n in sizes]
            more = np.empty(sum(rests), np.uint8)
            rest = np.frombuffer(text[FIRST - 8 :], np.uint8)
            self._wait([self._world.Iallgatherv(rest, (more, rests))], what)
            at = np.cumsum([0, *rests])
            texts = [a + more[at[r] : at[r + 1]].tobytes() for r, a in enumerate(texts)]
        return [json.loads(t) for t in texts]

    def fast_sum(self, array):
        """Σ over the ranks of their arrays, by MPI's own all-reduce: its order is its affair."""
        pending = self.begin_fast_sum(array)
        self.until(pending.done, "the sum over all ranks")
        return pending.value()

    def begin_fast_sum(self, array) -> Pending:
        """`fast_sum`, whose end is not waited for. All ranks begin their sums in the same order."""
        mine = np.ascontiguousarray(to_numpy(array))
        found = np.empty_like(mine)
        self.bytes_sent += mine.nbytes
        return self._pending([self._world.Iallreduce(mine, found)], xp_of(array), found)

    def collect(self, array, sizes: list[int]) -> list:
        """The arrays [n] of all ranks on every rank; sizes: the n of each."""
        found = np.empty(sum(sizes), array.dtype)
        counts, mine = [n * found.itemsize for n in sizes], self._out(array)
        request = self._world.Iallgatherv(mine, (found.view(np.uint8), counts))
        self.until(request.Test, "an array of every rank")
        return xp_of(array).split(xp_of(array).asarray(found), np.cumsum(sizes)[:-1].tolist())

    def sends_early(self, fast: bool) -> bool:
        """True: MPI sends in the background, as far as it is asked now and then."""
        return True

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Return when done() is true; DistributedError if that takes too long."""
        self._patience.until(done, what)

    def finish(self) -> None:
        """Wait until all ranks are done, however long rank 0 draws its pictures."""
        request = self._world.Ibarrier()
        Patience(math.inf, "").until(request.Test, "")

    def abort(self, code: int) -> None:
        """End all ranks, at once, with this exit code."""
        if hasattr(signal, "alarm"):
            signal.alarm(LAST)  # where the network is cut, the library may wait for ever
        self._world.Abort(code)
        os._exit(code)  # the library may take its time to end this process
