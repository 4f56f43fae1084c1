"""Verified files to bytes, text and arrays. Damage is a DataError that names the file."""

import bz2
import gzip
import io
import math
import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..regular import open_regular, read_regular
from .download import find
from .files import FILE_LIMIT, MOST_RATIO, UNPACKED_LIMIT, DataError, File, unpacked

LONGEST_LINE = 16 << 20  # characters


def gunzip(raw: bytes, name: str) -> bytes:
    """The content of gzip data; DataError if it is damaged, cut off or absurdly large."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            return b"".join(unpacked(stream, len(raw)))
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{name}: the gzip data is damaged: {error}") from error


def bunzip(raw: bytes, name: str) -> bytes:
    """The content of bzip2 data; DataError if it is damaged, cut off or absurdly large."""
    try:
        with bz2.BZ2File(io.BytesIO(raw)) as stream:
            return b"".join(unpacked(stream, len(raw)))
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{name}: the bzip2 data is damaged: {error}") from error


def read_path(path: Path) -> bytes:
    """The bytes of the file at `path`, unpacked if the name ends in .gz or .bz2."""
    raw = read_regular(path, FILE_LIMIT, DataError)
    unpack = {".gz": gunzip, ".bz2": bunzip}.get(path.suffix.lower())
    return unpack(raw, str(path)) if unpack else raw


def read_bytes(file: File, data_dir: str | os.PathLike | None = None) -> bytes:
    """The verified and unpacked content of `file`."""
    return read_path(find(file, data_dir))


def decode(raw: bytes, name: str, encoding: str = "utf-8") -> str:
    """Bytes as text; DataError with the position of the first byte that is not in `encoding`."""
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line, known = raw.count(b"\n", 0, error.start) + 1, encoding.removesuffix("-sig")
        hint = "; if it is text of another encoding, save it as UTF-8" * (known == "utf-8")
        where = f"at byte {error.start}, line {line}"
        raise DataError(f"{name}: not {known} text {where}{hint}") from error


def read_lines(
    file: File, data_dir: str | os.PathLike | None = None, encoding: str = "utf-8"
) -> list[str]:
    """The lines of a text file, without empty ones at the end.

    Only a line feed ends a line: `str.splitlines` would also break at the byte 0x85, which is an
    ordinary character in the Latin-1 sets.
    """
    text = decode(read_bytes(file, data_dir), file.path, encoding).replace("\r\n", "\n")
    return text.rstrip("\n").split("\n")


def stream_lines(path: Path) -> Iterator[str]:
    """The lines of a gzipped ASCII text, read one at a time to save memory.

    Raises DataError, with the line number, if the text is damaged or a line has more than 16
    million characters.
    """
    number = 0
    with open_regular(path, FILE_LIMIT, DataError) as file:
        left = max(UNPACKED_LIMIT, MOST_RATIO * os.fstat(file.fileno()).st_size)
        try:
            with gzip.open(file, "rt", encoding="ascii", newline="\n") as stream:
                while line := stream.readline(LONGEST_LINE + 1):
                    number, left = number + 1, left - len(line)
                    if len(line) > LONGEST_LINE or left < 0:
                        what = "this line" if left >= 0 else "what the file unpacks to"
                        raise DataError(f"{path}, line {number}: {what} is too long")
                    yield line.rstrip("\n")
        except (gzip.BadGzipFile, EOFError, zlib.error, UnicodeDecodeError) as error:
            raise DataError(f"{path}, after line {number}: the text is damaged: {error}") from error
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def load_npz(path: Path, *keys: str) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name: numbers and text; pickled objects are refused.

    Raises DataError if the archive is damaged, encrypted or compressed by a method that NumPy does
    not write, if a key is missing, if an array holds neither numbers nor text, or if all arrays
    together would unpack to more than 64 MB and more than a hundred times the size of the file.
    """
    with open_regular(path, FILE_LIMIT, DataError) as file:
        size = os.fstat(file.fileno()).st_size
        if file.read(6) == b"\x93NUMPY":
            raise DataError(f"{path}: a bare .npy array, not an .npz archive")
        try:
            with zipfile.ZipFile(file) as archive:
                members = {m.filename.removesuffix(".npy"): m for m in archive.infolist()}
                missing = [k for k in keys if k not in members]
                if missing:
                    raise DataError(f"no array {missing[0]!r}; there are {sorted(members)}")
                wanted = {k: members[k] for k in keys or members}
                total = sum(m.file_size for m in wanted.values())
                if total > max(UNPACKED_LIMIT, MOST_RATIO * size):
                    raise DataError(f"{size:,} bytes would unpack to {total:,}")
                return {k: _member(archive, m) for k, m in wanted.items()}
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
        except Exception as error:  # zipfile and NumPy raise a dozen classes for a damaged file
            raise DataError(f"{path}: not a valid .npz file: {error}") from error


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """One array of an archive; checked before allocating, as its header may lie about its size."""
    name = info.filename
    if info.flag_bits & 1:
        raise DataError(f"{name} is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{name} is packed by method {info.compress_type}; only 0 and 8 are read")
    with archive.open(info) as stream:
        return _array(stream, name, info.file_size)


def load_npy(path: Path) -> np.ndarray:
    """The array of an .npy file: numbers or texts. Raises DataError for any other file."""
    with open_regular(path, FILE_LIMIT, DataError) as file:
        try:
            return _array(file, str(path), os.fstat(file.fileno()).st_size)
        except DataError:
            raise
        except Exception as error:  # of a damaged header NumPy says so in several kinds of errors
            raise DataError(f"{path}: not a valid .npy file: {error}") from error


def npy_header(stream, name: str, size: int) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """(shape, in Fortran's order, dtype, where the numbers start) of an .npy file of `size` bytes.

    Raises DataError for any other file, and for one of another length than its header says.
    """
    try:
        shape, fortran, dtype = _header(stream, name)
    except DataError:
        raise
    except Exception as error:  # of a damaged header NumPy says so in several kinds of errors
        raise DataError(f"{name}: not a valid .npy file: {error}") from error
    expected, start = math.prod(shape) * dtype.itemsize, stream.tell()
    if start + expected != size:
        raise DataError(f"{name}: shape {shape} of {dtype} needs {expected:,} bytes")
    return shape, fortran, dtype, start


def npz_bytes(path: Path) -> int:
    """Bytes of all arrays of an .npz file as float32, by their headers; 0 for a damaged file."""
    try:
        with open_regular(path, FILE_LIMIT, DataError) as file, zipfile.ZipFile(file) as archive:
            total = 0
            for member in archive.infolist():
                with archive.open(member) as stream:
                    dtype = _header(stream, member.filename)[2]
                    total += 4 * ((member.file_size - stream.tell()) // max(1, dtype.itemsize))
            return total
    except Exception:  # `load_npz` says what is wrong with it
        return 0


def _header(stream, name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(stream)
    if version not in NPY_HEADERS:
        raise DataError(f"{name} has version {version} of the .npy format; 1 and 2 are read")
    shape, fortran, dtype = NPY_HEADERS[version](stream)
    if dtype.kind not in "biufcSU":
        kind = "Python objects, which are pickled" if dtype.hasobject else f"the dtype {dtype}"
        raise DataError(f"{name} holds {kind}; only numbers and texts are read")
    return shape, fortran, dtype


def _array(stream, name: str, size: int) -> np.ndarray:
    """The array in a stream of `size` bytes at most."""
    shape, fortran, dtype = _header(stream, name)
    expected = math.prod(shape) * dtype.itemsize
    # one byte more than expected shows a longer file without reading all of it
    raw = bytearray(stream.read(max(0, min(expected, size)) + 1))
    if len(raw) != expected:
        raise DataError(f"{name}: shape {shape} of {dtype} needs {expected:,} bytes")
    order = "F" if fortran else "C"
    return np.frombuffer(raw, dtype).reshape(shape, order=order)


NPY_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npz(file: File, data_dir: str | os.PathLike | None = None, *keys: str) -> dict:
    """The arrays of a verified .npz file."""
    return load_npz(find(file, data_dir), *keys)
