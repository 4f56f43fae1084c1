"""Arrays in a file: safetensors, written atomically.

    8 bytes   length of the header, little-endian
    header    JSON: __metadata__ (strings), and for each array its dtype, shape and position
    numbers   the arrays, one after another

The format holds no code, is read by every framework and can be validated before it is used. A file
is replaced in one step (core/atomic.py). Ours begin with the SHA-256 of the whole file (computed
with zeros in its own place), so that every flipped bit is detected, in the numbers or in the
header. They also name their format, a number that increases when the content of checkpoints
changes. The checksum of format 1 covers only the arrays: its weights can be read, but training
cannot continue from it.
"""

import hashlib
import json
import zlib

import numpy as np

from ...kernels.errors import GlassgradError
from ..arrays import to_numpy
from ..atomic import write_atomic
from ..regular import open_regular
from ..tensor import values_of

FORMAT = "2"
DTYPES = {
    "float16": "F16", "float32": "F32", "float64": "F64", "int8": "I8", "int16": "I16",
    "int32": "I32", "int64": "I64", "uint8": "U8", "uint16": "U16", "uint32": "U32",
    "uint64": "U64", "bool": "BOOL",
}  # fmt: skip
DIGEST, VERSION, CRC = "glassgrad.sha256", "glassgrad.format", "glassgrad.crc32"
_BEGINNING = f'{{"__metadata__":{{"{DIGEST}":"'.encode()
_NO_DIGEST = b"0" * 64
LIMIT = 16 << 30  # bytes; a hundred times the largest system of the lectures
HEADER_LIMIT = 100_000_000  # bytes; the limit of safetensors
OUR_HEADER_LIMIT = 16 << 20  # bytes; enough for the history of 50,000 epochs


class CheckpointError(GlassgradError, OSError):
    """A checkpoint could not be written or read; the message names the file and the reason."""


def _plain(path, name, value) -> np.ndarray:
    """The value as a C-ordered array, little-endian, of a dtype that the format has."""
    if not isinstance(name, str) or name == "__metadata__":
        raise CheckpointError(f"{path}: {name!r} cannot be the name of an array")
    a = np.asarray(to_numpy(values_of(value)), order="C")
    if a.dtype.name not in DTYPES:
        raise CheckpointError(f"{path}: {name} has dtype {a.dtype}, which the format does not hold")
    return a.astype(a.dtype.newbyteorder("<"), copy=False)


def _digest(header: bytes, *numbers) -> str:
    """The SHA-256 of a file, computed with zeros in place of the digest."""
    at = len(_BEGINNING)
    header = header[:at] + _NO_DIGEST + header[at + len(_NO_DIGEST) :]
    found = hashlib.sha256(len(header).to_bytes(8, "little") + header)
    for part in numbers:
        found.update(part)
    return found.hexdigest()


def save_arrays(
    path, arrays: dict, metadata: dict[str, str] | None = None, follow: bool = True
) -> None:
    """Write arrays (or tensors, or numbers) by name, with a dictionary of strings, atomically.

    Equal contents give equal files. Raises CheckpointError if the disk is full, the folder is
    missing or not writable, a value is of a kind that the format does not hold, or `path` is not a
    regular file (or a link to one, with `follow`). What was at `path` before is then still there.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_arrays(os.path.join(folder, "a.safetensors"), {"w": np.eye(2)}, {"epoch": "3"})
    ...     arrays, metadata = load_arrays(os.path.join(folder, "a.safetensors"))
    >>> arrays["w"].tolist(), metadata
    ([[1.0, 0.0], [0.0, 1.0]], {'epoch': '3'})
    """
    arrays = {name: _plain(path, name, value) for name, value in arrays.items()}
    metadata = dict(metadata or {})
    for key, text in metadata.items():
        if not isinstance(key, str) or not isinstance(text, str) or key in (DIGEST, VERSION, CRC):
            raise CheckpointError(f"{path}: metadata must map strings to strings; got {key!r}")
    own = {DIGEST: _NO_DIGEST.decode(), VERSION: FORMAT}
    header: dict = {"__metadata__": own | dict(sorted(metadata.items()))}
    numbers, at = [], 0
    for name, a in sorted(arrays.items(), key=lambda n: (-n[1].itemsize, n[0])):  # all aligned
        header[name] = {
            "dtype": DTYPES[a.dtype.name],
            "shape": a.shape,
            "data_offsets": (at, at + a.nbytes),
        }
        numbers.append(memoryview(a.reshape(-1).view(np.uint8)))
        at += a.nbytes
    try:
        head = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise CheckpointError(
            f"{path}: a name or the metadata hold half a surrogate pair"
        ) from None
    head += b" " * (-len(head) % 8)
    if len(head) > OUR_HEADER_LIMIT or at > LIMIT - HEADER_LIMIT - 8:
        raise CheckpointError(f"{path}: {at:,} bytes with a header of {len(head):,} are too many")
    head = head.replace(_NO_DIGEST, _digest(head, *numbers).encode(), 1)
    content = b"".join((len(head).to_bytes(8, "little"), head, *numbers))
    write_atomic(path, content, CheckpointError, follow)


def load_arrays(
    path, ours: bool = False, follow: bool = True, oldest: str = "1"
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays by name, and the metadata, of a safetensors file, ours or from another program.

    With `ours`, files of other programs and files older than format `oldest` are refused ("2", or
    "1", whose checksum leaves out the metadata). Without `follow`, links are refused. Raises
    CheckpointError if the file is missing, truncated, corrupt, of another format or not a regular
    file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    with open_regular(path, LIMIT, CheckpointError, follow) as file:
        try:
            header = _header(path, file, OUR_HEADER_LIMIT if ours else HEADER_LIMIT)
            size = file.seek(0, 2)
            file.seek(0)
            content = file.read(size)
        except OSError as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    metadata = _verified(path, content, header.get("__metadata__", {}), ours, oldest)
    try:
        # copies: the library's arrays may share the file's bytes, which are read-only
        arrays = {name: np.array(a) for name, a in load(content).items()}
    except (SafetensorError, TypeError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path}: is corrupt or holds an unknown dtype: {error}") from error
    stated = metadata.pop(CRC, None)
    if stated is not None and stated != _crc(arrays):
        raise CheckpointError(
            f"{path}: is corrupt: its checksum is {_crc(arrays)}, written as {stated}"
        )
    return arrays, metadata


def _crc(arrays: dict) -> str:
    """The checksum of format 1: of names, dtypes, shapes and values."""
    crc = 0
    for name, a in sorted(arrays.items()):
        crc = zlib.crc32(f"{name} {a.dtype.name} {a.shape} ".encode(), crc)
        crc = zlib.crc32(a.reshape(-1).view(np.uint8) if a.size else b"", crc)
    return f"{crc:08x}"


def _verified(path, content: bytes, metadata, ours: bool, oldest: str) -> dict[str, str]:
    """The metadata without our own entries, after verifying the digest."""
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise CheckpointError(f"{path}: is corrupt: its metadata are not strings")
    version, stated = metadata.pop(VERSION, None), metadata.pop(DIGEST, None)
    if version is None and stated is None:  # of another program, or of format 1
        if ours and CRC not in metadata:
            raise CheckpointError(f"{path}: has no checksum: not one of our checkpoints")
        if ours and oldest > "1":
            raise CheckpointError(
                f"{path}: has format 1, without a checksum of the progress; training continues from"
                f" format {FORMAT} only (its weights can be used, as by glassgrad sample)"
            )
        return metadata
    body = 8 + int.from_bytes(content[:8], "little")
    header = content[8:body]
    found = _digest(header, memoryview(content)[body:])
    # the digest has its place at the very beginning, where `_digest` counts zeros
    if not header.startswith(_BEGINNING + found.encode()):
        raise CheckpointError(
            f"{path}: is corrupt: its checksum is {found:.16}…, written as {stated!s:.16}…"
        )
    if version != FORMAT:
        raise CheckpointError(
            f"{path}: has format {version}; this version reads format {FORMAT} only"
        )
    return metadata


def _header(path, file, limit: int) -> dict:
    """The JSON header, or CheckpointError with the reason why there is none."""
    size = file.seek(0, 2)
    file.seek(0)
    if size < 8:
        raise CheckpointError(f"{path}: is truncated: {size} bytes, the header alone takes 8")
    length = int.from_bytes(file.read(8), "little")
    begins = file.read(1)
    if length > HEADER_LIMIT or begins not in (b"{", b""):
        raise CheckpointError(f"{path}: is not a safetensors file")
    if length > limit:
        raise CheckpointError(
            f"{path}: has a header of {length:,} bytes; a checkpoint of ours has at most {limit:,}"
        )
    if 8 + length > size:
        raise CheckpointError(
            f"{path}: is truncated: its header ends at byte {8 + length}, the file at {size}"
        )
    try:
        header = json.loads(begins + file.read(length - 1))
        ends = [v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"]
        whole = 8 + length + max(ends, default=0)
        short, long = whole > size, whole < size
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise CheckpointError(f"{path}: is corrupt: its header cannot be read") from None
    if short:
        raise CheckpointError(f"{path}: is truncated: {size} bytes of {whole}")
    if long:  # refuse before reading them: they may be many
        raise CheckpointError(f"{path}: is corrupt: {size - whole:,} bytes come after the arrays")
    return header
