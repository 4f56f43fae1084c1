"""A stand-in for `cupy.cuda.nccl`, whose ranks are threads: bytes go from address to address.

Names and parameters are those of CuPy 14.2's wheel (`WHEEL`). What would hang with NCCL hangs here:
a receive waits for its send, unless both are in a group.
"""

import ctypes
import queue
import threading

import numpy as np

NCCL_INT8, NCCL_UINT8, NCCL_FLOAT32, NCCL_FLOAT64, NCCL_SUM = 0, 1, 7, 8, 0
DTYPES = {NCCL_FLOAT32: np.float32, NCCL_FLOAT64: np.float64}
LIMIT = 10  # seconds
WHEEL = {  # NcclCommunicator's methods in the wheel, with their parameters
    "send": ("sendbuf", "count", "datatype", "peer", "stream"),
    "recv": ("recvbuf", "count", "datatype", "peer", "stream"),
    "allReduce": ("sendbuf", "recvbuf", "count", "datatype", "op", "stream"),
}
_boxes: dict = {}
_lock, _own = threading.Lock(), threading.local()
_meetings: dict = {}


def get_unique_id():
    return bytes(range(128, 256))


def groupStart():
    _own.group = []


def groupEnd():
    calls, _own.group = _own.group, None
    for kind in ("send", "recv"):  # together: no order among them
        for name, call in calls:
            if name == kind:
                call()


def _box(a, b):
    with _lock:
        return _boxes.setdefault((a, b), queue.Queue(maxsize=64))


class NcclCommunicator:
    def __init__(self, ndev, commId, rank):
        assert commId == get_unique_id() and 0 <= rank < ndev
        self.size, self.rank = ndev, rank
        with _lock:
            self.meeting = _meetings.setdefault(ndev, threading.Barrier(ndev))
        self.meeting.wait(LIMIT)

    def _soon(self, name, call):
        group = getattr(_own, "group", None)
        call() if group is None else group.append((name, call))

    def send(self, sendbuf, count, datatype, peer, stream):
        assert sendbuf and datatype == NCCL_UINT8 and peer != self.rank and type(stream) is int
        taken = threading.Event()
        alone = getattr(_own, "group", None) is None

        def call():
            _box(self.rank, peer).put((ctypes.string_at(sendbuf, count), taken))
            if alone:  # a send alone waits until it is received
                assert taken.wait(LIMIT), "a send without a receive hangs"

        self._soon("send", call)

    def recv(self, recvbuf, count, datatype, peer, stream):
        assert recvbuf and datatype == NCCL_UINT8 and peer != self.rank and type(stream) is int

        def call():
            data, taken = _box(peer, self.rank).get(timeout=LIMIT)
            assert len(data) == count, "both sides must name the same number of bytes"
            ctypes.memmove(recvbuf, data, count)
            taken.set()

        self._soon("recv", call)

    def allReduce(self, sendbuf, recvbuf, count, datatype, op, stream):
        assert op == NCCL_SUM and type(stream) is int
        dtype = np.dtype(DTYPES[datatype])
        mine = np.frombuffer(ctypes.string_at(sendbuf, count * dtype.itemsize), dtype)
        for peer in range(self.size):
            if peer != self.rank:
                _box(self.rank, peer).put((mine, threading.Event()))
        total = mine.copy()
        for peer in range(self.size):
            if peer != self.rank:
                total += _box(peer, self.rank).get(timeout=LIMIT)[0]
        ctypes.memmove(recvbuf, total.tobytes(), total.nbytes)
