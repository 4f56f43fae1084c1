"""Storages -> arrays. What a tensor says of its place is checked against its storage's length."""

import math
from collections.abc import Callable

import numpy as np

from ...kernels import notice
from ...kernels.capacity import memory
from .machine import DEEPEST, MOST_VALUES, Known, Refused
from .names import SIZES, Placed, Storage

UNPACKED, RATIO = 64 << 20, 100  # bytes of all arrays, and of arrays per byte of the file


class Arrays:
    """Makes arrays of the tensors of one file of `size` bytes.

    read   the bytes of a storage by its key
    order  of the bytes of a number: "<" or ">"
    """

    def __init__(self, size: int, read: Callable[[str], bytes], order: str = "<"):
        self.read, self.order = read, order
        self.left = min(max(UNPACKED, RATIO * size), memory())
        self.raw: dict[str, bytes] = {}

    def array(self, t: Placed) -> np.ndarray:
        """One tensor as an array of its own, in C order."""
        width = SIZES[t.storage.dtype]
        self.left -= math.prod(max(n, 1) for n in t.shape) * (2 * width if width == 2 else width)
        if self.left < 0:
            raise Refused(f"holds a tensor of shape {_short(t.shape)}, too large for such a file")
        numbers = self.numbers(t.storage)
        if 0 in t.shape:
            return np.zeros(t.shape, _widened(numbers[:0], t.storage.dtype).dtype)
        last = t.start + sum((n - 1) * s for n, s in zip(t.shape, t.strides))
        if last >= t.storage.count:
            raise Refused(
                f"is damaged: a tensor of shape {_short(t.shape)} reaches number {last} of a"
                f" storage of {t.storage.count}"
            )
        strides = [s * numbers.itemsize if n > 1 else 0 for n, s in zip(t.shape, t.strides)]
        view = np.lib.stride_tricks.as_strided(numbers[t.start :], t.shape, strides)
        found = np.ascontiguousarray(_widened(view, t.storage.dtype)).reshape(t.shape)
        if t.conj:
            np.conjugate(found, out=found)
        if t.neg:
            np.negative(found, out=found)
        return found

    def numbers(self, storage: Storage) -> np.ndarray:
        """All numbers of a storage, as they are in the file."""
        if storage.key not in self.raw:
            self.raw[storage.key] = self.read(storage.key)
        raw, dtype = self.raw[storage.key], storage.dtype
        if len(raw) != storage.count * SIZES[dtype]:
            raise Refused(
                f"is damaged: storage {storage.key:.40} has {len(raw)} bytes, not {storage.count}"
                f" {dtype}"
            )
        plain = {"bfloat16": "uint16", "bool": "uint8"}.get(dtype, dtype)
        return np.frombuffer(raw, np.dtype(plain).newbyteorder(self.order), storage.count)

    def plain(self, value):
        """The value with every tensor in it as an array, and nothing of this folder left."""
        return self._plain(value, {}, 0)[0]

    def _plain(self, value, done: dict, depth: int):
        """(the plain value, how many values it holds); `done` by id, None while under way."""
        if type(value) in (int, float, bool, str, type(None)):
            return value, 1
        if id(value) in done:
            if done[id(value)] is None:
                raise Refused("holds a value that contains itself")
            return done[id(value)]
        if depth > DEEPEST:
            raise Refused(f"is nested more than {DEEPEST} deep")
        done[id(value)] = None
        if type(value) is Placed:
            found, count = self.array(value), 1
        elif type(value) is dict:
            parts = {k: self._plain(v, done, depth + 1) for k, v in value.items()}
            found, count = {k: v for k, (v, _) in parts.items()}, sum(n for _, n in parts.values())
        elif type(value) in (list, tuple):
            parts = [self._plain(v, done, depth + 1) for v in value]
            found, count = type(value)(v for v, _ in parts), sum(n for _, n in parts)
        elif type(value) is Known and value.means is None and value.call is None:
            found, count = value.name, 1  # a dtype
        else:
            what = value.name if type(value) is Known else type(value).__name__.lower()
            raise Refused(f"holds {what} where a value is expected")
        if count > MOST_VALUES:
            raise Refused(f"holds more than {MOST_VALUES:,} values")
        done[id(value)] = found, count + 1
        return done[id(value)]


def _widened(numbers: np.ndarray, dtype: str) -> np.ndarray:
    """Numbers of a dtype that NumPy lacks in one that it has, all in the machine's byte order."""
    if dtype == "bool":
        return numbers != 0  # any other byte would be neither true nor false
    if dtype == "bfloat16":
        notice.once("bfloat16 tensors are read as float32, which holds the same numbers")
        return (numbers.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return numbers.astype(numbers.dtype.newbyteorder("="))


def _short(shape: tuple) -> str:
    text = str(shape)
    return text if len(text) <= 60 else f"{text[:57]}..."
