"""The communicator of NCCL, through CuPy: a GPU for each rank, and arrays that stay on it.

MPI starts the ranks, carries their small values and ends them; NCCL carries arrays from GPU to GPU.
The additions are the engine's own, in the order of the tree, as everywhere. Arrays of the host go
through MPI.

**It has never run.** NCCL takes one rank a GPU, and no machine with two of them was at hand. The
calls are those of CuPy 14's wheel, by their names and parameters, and the tests run them on a
stand-in, which moves bytes between addresses.
"""

import socket
from collections.abc import Callable

from ..arrays import is_cupy, xp_of
from .communicator import Communicator, DistributedError, Pending


class NCCL(Communicator):
    """The ranks of another communicator, whose arrays on GPUs go through NCCL.

    Raises DistributedError if a machine has more ranks than GPUs.
    """

    def __init__(self, base: Communicator, library=None):
        import cupy

        if library is None:
            from cupy.cuda import nccl as library
        self.base, self._nccl, self._cuda = base, library, cupy.cuda
        self.rank, self.size = base.rank, base.size
        hosts = base.gather(socket.gethostname())
        here = [rank for rank, host in enumerate(hosts) if host == hosts[self.rank]]
        devices = cupy.cuda.runtime.getDeviceCount()
        if len(here) > devices:
            raise DistributedError(
                f"{hosts[self.rank]} has {len(here)} ranks and {devices} GPUs: NCCL takes one rank"
                " a GPU"
            )
        cupy.cuda.Device(here.index(self.rank)).use()
        name = library.get_unique_id() if base.is_first else None
        kind = "bytes" if isinstance(name, bytes) else "numbers"  # of older versions: a tuple
        kind, numbers = base.gather(None if name is None else [kind, [int(n) for n in name]])[0]
        name = bytes(numbers) if kind == "bytes" else tuple(numbers)
        self._ranks = library.NcclCommunicator(self.size, name, self.rank)
        self._sums = cupy.cuda.Stream(non_blocking=True)

    def _bytes(self, array) -> tuple:
        """(address, number of bytes, NCCL's name of a byte) of a contiguous array."""
        return array.data.ptr, array.nbytes, self._nccl.NCCL_UINT8

    def _done(self) -> None:
        self._cuda.get_current_stream().synchronize()

    def _stream(self) -> int:
        return self._cuda.get_current_stream().ptr

    def send(self, array, to: int) -> None:
        """Send a contiguous array; returns when it may be changed again."""
        if not is_cupy(array):
            return self.base.send(array, to)
        array = xp_of(array).ascontiguousarray(array)
        self._ranks.send(*self._bytes(array), to, self._stream())
        self._done()
        self.bytes_sent += array.nbytes

    def receive(self, like, sender: int):
        """A new array of the shape and dtype of `like`, from another rank."""
        if not is_cupy(like):
            return self.base.receive(like, sender)
        found = xp_of(like).empty(like.shape, like.dtype)
        self._ranks.recv(*self._bytes(found), sender, self._stream())
        self._done()
        return found

    def swap(self, array, like, other: int):
        """Send an array to another rank while it sends one as large as `like`: that one."""
        if not is_cupy(array):
            return self.base.swap(array, like, other)
        array = xp_of(array).ascontiguousarray(array)
        found = xp_of(like).empty(like.shape, like.dtype)
        self._nccl.groupStart()  # alone, each of the two calls would wait for the other
        self._ranks.send(*self._bytes(array), other, self._stream())
        self._ranks.recv(*self._bytes(found), other, self._stream())
        self._nccl.groupEnd()
        self._done()
        self.bytes_sent += array.nbytes
        return found

    def fast_sum(self, array):
        """Σ over the ranks of their arrays, by NCCL's own all-reduce."""
        pending = self.begin_fast_sum(array)
        self.until(pending.done, "the sum over all ranks")
        return pending.value()

    def begin_fast_sum(self, array) -> Pending:
        """`fast_sum` on a stream of its own, next to what the GPU computes meanwhile."""
        if not is_cupy(array):
            return self.base.begin_fast_sum(array)
        array = xp_of(array).ascontiguousarray(array)
        found = xp_of(array).empty(array.shape, array.dtype)
        ready, here = self._cuda.Event(), self._cuda.Event()
        ready.record(self._cuda.get_current_stream())
        self._sums.wait_event(ready)
        kind = getattr(self._nccl, f"NCCL_{array.dtype.name.upper()}")
        numbers = array.data.ptr, found.data.ptr, array.size, kind, self._nccl.NCCL_SUM
        self._ranks.allReduce(*numbers, self._sums.ptr)
        here.record(self._sums)
        self.bytes_sent += array.nbytes
        kept = [array, found]  # which the memory pool must not give to others meanwhile
        return Pending(lambda: here.done, lambda: kept[1])

    def sends_early(self, fast: bool) -> bool:
        """True of its own sums; exchanges of several arrays need one order on all ranks."""
        return fast

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Return when done() is true; DistributedError if that takes too long."""
        self.base.until(done, what)

    def gather(self, value) -> list:
        """The values of all ranks in their order, on every rank: whatever JSON can write."""
        return self.base.gather(value)

    def finish(self) -> None:
        """Wait until all ranks are done, however long rank 0 draws its pictures."""
        self.base.finish()

    def abort(self, code: int) -> None:
        """End all ranks, at once, with this exit code."""
        self.base.abort(code)
