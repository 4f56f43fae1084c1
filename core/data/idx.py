"""IDX, the format of the MNIST files: a big-endian header, then the values.

    0 0 K R    two zero bytes, the kind of the values, the number of axes R
    d_1 .. d_R int32 each, the sizes
    values     in C order, big-endian

    K   0x08 uint8   0x09 int8   0x0B int16   0x0C int32   0x0D float32   0x0E float64

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
"""

import math
import struct
from pathlib import Path

import numpy as np

from ..regular import read_regular
from .files import FILE_LIMIT, DataError
from .read import gunzip

KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_AXES = 64  # NumPy's limit; real data sets have at most 4


def parse(raw: bytes, name: str = "idx data", axes: int | None = None) -> np.ndarray:
    """The array in `raw` (gzipped or plain), in the machine's byte order.

    Raises DataError naming `name` for a wrong magic number, another number of axes than `axes`,
    and content that is shorter or longer than the header says.

    >>> parse(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    array([7, 8, 9], dtype=uint8)
    """
    if raw[:2] == b"\x1f\x8b":
        raw = gunzip(raw, name)
    if len(raw) < 4:
        raise DataError(f"{name}: an IDX header has at least 4 bytes; got {len(raw)}")
    zero, kind, rank = struct.unpack(">HBB", raw[:4])
    if zero != 0 or kind not in KINDS:
        raise DataError(f"{name}: not an IDX file; the first bytes are {raw[:4].hex(' ')}")
    if axes is not None and rank != axes:
        raise DataError(f"{name}: expected {axes} axes, got {rank}")
    if rank > MOST_AXES:
        raise DataError(f"{name}: {rank} axes; at most {MOST_AXES} are read")
    start = 4 + 4 * rank
    if len(raw) < start:
        raise DataError(f"{name}: the header is cut off: expected {start} bytes, got {len(raw)}")
    shape = struct.unpack(f">{rank}i", raw[4:start])
    if min(shape, default=0) < 0:
        raise DataError(f"{name}: a size is negative: {shape}")
    dtype = np.dtype(KINDS[kind])
    expected = math.prod(shape) * dtype.itemsize
    got = len(raw) - start
    if got != expected:
        what = "truncated" if got < expected else "too long"
        raise DataError(
            f"{name}: {what}: shape {shape} of {dtype.newbyteorder('=')} needs {expected:,} bytes"
            f" after the header, got {got:,}"
        )
    try:
        values = np.frombuffer(raw, dtype, offset=start).reshape(shape)
    except ValueError as error:  # an empty array with another size beyond NumPy's limit
        raise DataError(f"{name}: no array has the shape {shape}: {error}") from None
    return values.astype(dtype.newbyteorder("="))


def read(path: Path, axes: int | None = None) -> np.ndarray:
    """The array in an IDX file, gzipped or plain. Errors as in `parse`."""
    return parse(read_regular(path, FILE_LIMIT, DataError), str(path), axes)
