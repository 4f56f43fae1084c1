"""A look at the beginning of a file or folder: enough to guess what it holds. Never raises."""

import bz2
import gzip
import zipfile
import zlib
from pathlib import Path

from ...regular import open_regular
from ..files import FILE_LIMIT, DataError

HEAD = 64 << 10  # bytes
OPEN = {".gz": gzip.open, ".bz2": bz2.open}


def head(path: Path) -> tuple[bytes, bool]:
    """(the first 64 kB, unpacked; is this all?). Nothing of what cannot be read."""
    try:
        with open_regular(path, FILE_LIMIT, DataError) as file:
            opener = OPEN.get(path.suffix.lower())
            if opener is None:
                found = file.read(HEAD + 1)
            else:
                with opener(file) as stream:
                    found = stream.read(HEAD + 1)
    except (DataError, OSError, EOFError, zlib.error, ValueError):
        return b"", True
    return found[:HEAD], len(found) <= HEAD


def head_text(path: Path) -> str:
    """The whole lines of the first 64 kB, in UTF-8 or, where they are not, in Latin-1."""
    raw, whole = head(path)
    if not whole:  # neither half a line nor half a character
        raw = raw[: raw.rfind(b"\n") + 1]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text.replace("\r\n", "\n")


def head_lines(path: Path, most: int = 200) -> list[str]:
    """The first lines that are not empty."""
    return [line for line in head_text(path).split("\n") if line.strip()][:most]


def names_in_npz(path: Path) -> list[str]:
    """The names of the arrays of an .npz file."""
    try:
        with open_regular(path, FILE_LIMIT, DataError) as file, zipfile.ZipFile(file) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except Exception:  # zipfile raises a dozen classes for a damaged file; the reader names it
        return []
