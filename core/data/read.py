"""Verified files to bytes, text and arrays. Damage is a DataError that names the file."""

import gzip
import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .files import DataError, File, find


def gunzip(raw: bytes, name: str) -> bytes:
    """The content of gzip data; DataError where it is damaged or cut off."""
    try:
        return gzip.decompress(raw)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{name}: the gzip data is damaged: {error}") from error


def read_path(path: Path) -> bytes:
    """The bytes at `path`, unpacked where the name ends in .gz."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    return gunzip(raw, str(path)) if path.suffix == ".gz" else raw


def read_bytes(file: File, data_dir: str | os.PathLike | None = None) -> bytes:
    """The verified and unpacked content of `file`."""
    return read_path(find(file, data_dir))


def decode(raw: bytes, name: str, encoding: str = "utf-8") -> str:
    """Bytes as text; DataError with the position where they are not in `encoding`."""
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: not {encoding} text at byte {error.start}") from error


def read_lines(
    file: File, data_dir: str | os.PathLike | None = None, encoding: str = "utf-8"
) -> list[str]:
    """The lines of a text file, without empty ones at the end.

    Only a line feed ends a line: `str.splitlines` would also break at the byte 0x85, which is a
    mere character in the Latin-1 sets.
    """
    text = decode(read_bytes(file, data_dir), file.path, encoding).replace("\r\n", "\n")
    return text.rstrip("\n").split("\n")


def stream_lines(path: Path) -> Iterator[str]:
    """The lines of a gzipped ASCII text one at a time, in little memory."""
    try:
        with gzip.open(path, "rt", encoding="ascii", newline="\n") as stream:
            for line in stream:
                yield line.rstrip("\n")
    except (gzip.BadGzipFile, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the text is damaged: {error}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def load_npz(path: Path, *keys: str) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name; pickled objects are refused.

    Raises DataError where the archive is damaged, a key is missing or holds Python objects.
    """
    try:
        archive = np.load(path, allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise DataError(f"{path}: a bare .npy array, not an .npz archive")
        with archive as z:
            missing = [k for k in keys if k not in z.files]
            if missing:
                raise DataError(f"{path}: no array {missing[0]!r}; there are {sorted(z.files)}")
            return {k: z[k] for k in keys or z.files}
    except DataError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, OSError) as error:
        raise DataError(f"{path}: not a sound .npz file: {error}") from error


def read_npz(file: File, data_dir: str | os.PathLike | None = None, *keys: str) -> dict:
    """The arrays of a verified .npz file."""
    return load_npz(find(file, data_dir), *keys)
