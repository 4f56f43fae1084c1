"""Arrays in a file: safetensors, written whole or not at all.

The format (8 bytes of header length, a JSON header, the raw numbers) holds no code, is read by
every framework and can be checked before it is believed. A file is replaced in one step
(core/atomic.py). What we write carries a checksum of names and numbers in its metadata, so that a
flipped bit is found too.
"""

import zlib
from pathlib import Path

import numpy as np

from ..kernels.errors import GlassgradError
from .arrays import to_numpy
from .atomic import write_atomic
from .tensor import values_of

CHECKSUM = "glassgrad.crc32"
DTYPES = (
    "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16",
    "uint32", "uint64", "bool",
)  # fmt: skip


class CheckpointError(GlassgradError, OSError):
    """A checkpoint could not be written or read; the message names the file and the reason."""


def _crc(arrays: dict) -> str:
    """A checksum over names, dtypes, shapes and values, whatever the order."""
    crc = 0
    for name in sorted(arrays):
        a = arrays[name]
        crc = zlib.crc32(f"{name} {a.dtype.name} {a.shape} ".encode(), crc)
        crc = zlib.crc32(a.reshape(-1).view(np.uint8) if a.size else b"", crc)
    return f"{crc:08x}"


def _plain(path, name, value) -> np.ndarray:
    """The value as a C-ordered array of the machine's byte order, of a dtype the format has."""
    if not isinstance(name, str) or name == "__metadata__":
        raise CheckpointError(f"{path}: {name!r} cannot be the name of an array")
    a = np.asarray(to_numpy(values_of(value)), order="C")
    if a.dtype.name not in DTYPES:
        raise CheckpointError(f"{path}: {name} has dtype {a.dtype}, which the format does not hold")
    return a.astype(a.dtype.newbyteorder("="), copy=False)


def save_arrays(path, arrays: dict, metadata: dict[str, str] | None = None) -> None:
    """Write arrays (or tensors, or numbers) by name, with a dictionary of strings, atomically.

    Raises CheckpointError when the disk is full, the folder missing or not writable, a value of a
    kind that the format does not hold; what was at `path` before is then still there.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_arrays(os.path.join(folder, "a.safetensors"), {"w": np.eye(2)}, {"epoch": "3"})
    ...     arrays, metadata = load_arrays(os.path.join(folder, "a.safetensors"))
    >>> arrays["w"].tolist(), metadata
    ([[1.0, 0.0], [0.0, 1.0]], {'epoch': '3'})
    """
    from safetensors.numpy import save

    arrays = {name: _plain(path, name, value) for name, value in arrays.items()}
    metadata = dict(metadata or {})
    for key, text in metadata.items():
        if not isinstance(key, str) or not isinstance(text, str) or key == CHECKSUM:
            raise CheckpointError(f"{path}: metadata must map strings to strings; got {key!r}")
    content = save(arrays, {**metadata, CHECKSUM: _crc(arrays)})
    write_atomic(path, content, CheckpointError)


def load_arrays(path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays by name, and the metadata, of a safetensors file, ours or another's.

    Raises CheckpointError when the file is missing, truncated, corrupt or of another format.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: could not be read: {error.strerror or error}") from error
    header = _header(path, content)
    try:
        # copies: what comes out of the library may share the file's bytes, which are read-only
        arrays = {name: np.array(a) for name, a in load(content).items()}
    except (SafetensorError, TypeError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path}: is corrupt or holds an unknown dtype: {error}") from error
    metadata = dict(header.get("__metadata__", {}))
    stated = metadata.pop(CHECKSUM, None)
    if stated is not None and stated != _crc(arrays):
        raise CheckpointError(
            f"{path}: is corrupt: its checksum is {_crc(arrays)}, written as {stated}"
        )
    return arrays, metadata


def _header(path, content: bytes) -> dict:
    """The JSON header, with the reason in words when there is none."""
    import json

    size = len(content)
    if size < 8:
        raise CheckpointError(f"{path}: is truncated: {size} bytes, the header alone takes 8")
    length = int.from_bytes(content[:8], "little")
    if length > 100_000_000 or content[8:9] not in (b"{", b""):
        raise CheckpointError(f"{path}: is not a safetensors file")
    if 8 + length > size:
        raise CheckpointError(
            f"{path}: is truncated: its header ends at byte {8 + length}, the file at {size}"
        )
    try:
        header = json.loads(content[8 : 8 + length])
        ends = [v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"]
        whole = 8 + length + max(ends, default=0)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise CheckpointError(f"{path}: is corrupt: its header cannot be read") from None
    if whole > size:
        raise CheckpointError(f"{path}: is truncated: {size} bytes of {whole}")
    return header
