"""`find`: the verified path of a data file, downloaded into the cache if it is not found.

The bytes go into a temporary file in the target's folder, are verified, and only then renamed: a
killed or failed download never leaves a file under the final name.
"""

import errno
import gzip
import io
import os
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from ...kernels.errors import printable
from ..regular import REGULAR, kind
from .files import CHUNK, DataError, File, cached, places, source_of, verify

TIMEOUT = 10.0  # seconds without an answer
ARCHIVE_LIMIT = 256 << 20  # bytes; a generous limit, as the sizes of archives are not recorded


def fetch(file: File, target: Path) -> Path:
    """Download `file` to `target` from the first of its addresses that works; return the path.

    Raises DataError with one reason per address, or immediately if the folder is not writable.
    """
    reasons = []
    for url in file.urls:
        print(f"glassgrad: downloading {url} to {printable(target)}", file=sys.stderr)
        try:
            _fetch_one(file, url, target)
            return target
        except DataError as error:
            reasons.append(f"{url}: {error}")
        except OSError as error:
            raise DataError(f"cannot write {target}: {_disk_reason(error)}") from error
    raise DataError("; ".join(reasons))


def _disk_reason(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the disk is full; free some space, or name another folder in XDG_CACHE_HOME"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"the folder is read-only ({error.strerror}); name another one in XDG_CACHE_HOME"
    return error.strerror or str(error)


def _fetch_one(file: File, url: str, target: Path) -> None:
    address, _, member = url.partition("#")
    # the exact size is unknown for an archive, and for a file that may be repacked
    limit = ARCHIVE_LIMIT if member or file.unpacked_md5 else file.size
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{file.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            body = _receive(address, limit, io.BytesIO() if member else out)
            if member:
                packed_later = file.name.endswith(".gz")
                most = ARCHIVE_LIMIT if packed_later or file.unpacked_md5 else file.size
                _unpack(body, member, most, out)
            out.flush()
            os.fsync(out.fileno())
        if file.name.endswith(".gz") and not address.endswith(".gz"):
            _pack(part)
        verify(file, part, f"what {url} sent")
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _receive(address: str, limit: int, out):
    """Copy the answer of `address` into `out`; more than `limit` bytes are an error."""
    import urllib.request  # slow to import, and not needed by those who have the files

    total = 0
    with _network(lambda: urllib.request.urlopen(address, timeout=TIMEOUT)) as answer:
        while chunk := _network(lambda: answer.read(CHUNK)):
            total += len(chunk)
            if total > limit:
                raise DataError(f"more than the expected {limit:,} bytes came")
            out.write(chunk)
    return out


def _network(step: Callable):
    """The result of `step`, with its errors marked as network errors, not disk errors."""
    from http.client import HTTPException

    try:
        return step()
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise DataError(f"no answer: {reason}") from error


def _unpack(archive, name: str, limit: int, out) -> None:
    """Copy a member into `out`; more than `limit` bytes are an error, whatever its header says."""
    total = 0
    try:
        with zipfile.ZipFile(archive) as z, z.open(name) as member:
            while chunk := member.read(CHUNK):
                total += len(chunk)
                if total > limit:
                    raise DataError(f"{name} unpacks to more than the expected {limit:,} bytes")
                out.write(chunk)
    except KeyError:
        raise DataError(f"the archive has no member {name}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DataError(f"the archive is damaged: {error}") from error


def _pack(part: Path) -> None:
    """Gzip a file in place: some servers offer only the unpacked text."""
    packed = part.with_name(part.name + ".gz")
    try:
        with part.open("rb") as source, gzip.GzipFile(packed, "wb", mtime=0) as out:
            shutil.copyfileobj(source, out)
        os.replace(packed, part)
    finally:
        packed.unlink(missing_ok=True)


def find(file: File, data_dir: str | os.PathLike | None = None, download: bool = True) -> Path:
    """The verified path of `file`, searched in the order of the page of `files`.

    Raises DataError if the file is nowhere (naming every place searched, every address tried and
    where to put it by hand) or if the first one found has a wrong checksum.
    """
    searched = places(file, data_dir)
    for _, path in searched:
        there = kind(path, DataError)
        if there == REGULAR:  # the first file found counts, even if its checksum is wrong
            verify(file, path)
            return path
        if there is not None:
            raise DataError(f"{path} cannot be read: it is {there}, not a regular file")
    tried = []
    if download and file.urls:
        try:
            return fetch(file, cached(file))
        except DataError as error:
            tried.append(f"download failed: {error}")
    elif not file.urls:
        tried.append("no server offers this file ready-made: it was derived from the source below")
    lines = [f"data file {file.path} ({file.size:,} bytes) was not found. Searched:"]
    lines += [f"  {path}  ({why})" for why, path in searched]
    lines += tried
    by_hand = searched[0][1] if data_dir is not None else cached(file)
    lines.append(f"Put it at {by_hand} by hand{source_of(file)}.")
    raise DataError("\n".join(lines))
