"""Find a data file and verify it: the order of search, and the checksum before use.

Every file has a folder, a name, a size and a checksum. It is searched in this order:

    1. the given folder               load(name, data_dir=...), --data-dir
    2. the folder in GLASSGRAD_DATA
    3. ../shared/data                 next to a source checkout
    4. system packages                such as Debian's dataset-fashion-mnist
    5. the cache                      $XDG_CACHE_HOME/glassgrad or ~/.cache/glassgrad
    6. the package                    the small sets and pieces that ship with it: `shipped/`
    7. download into the cache        only if a server offers exactly these bytes

Below 1, 2, 3, 5 and 6 the file is FOLDER/NAME. A file with a wrong checksum is an error wherever it
is: it is neither used nor skipped. The same holds for a pipe or a device in its place. Two gzip
files of the same content may differ, so if the MD5 of the unpacked content is known, a file with
that content is accepted too.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...kernels.errors import GlassgradError
from ..regular import REGULAR, kind, open_regular

CHUNK = 1 << 20
FILE_LIMIT = 4 << 30  # bytes of a data file
UNPACKED_LIMIT, MOST_RATIO = 64 << 20, 100  # bytes, and unpacked bytes per packed byte
REPOSITORY = Path(__file__).resolve().parents[2]  # the folder that holds core/, in a checkout
SHIPPED = Path(__file__).resolve().parent / "shipped"


class DataError(GlassgradError, ValueError):
    """A data file is missing, damaged or not what it should be, or a data set makes no sense."""


@dataclass(frozen=True)
class File:
    """One file of a data set: its place below a data folder, and what it must contain.

    `urls` serve exactly these bytes (``archive.zip#member`` for one member of a zip archive);
    `source` is the page or file to fetch by hand. `sha256` may be None only if `unpacked_md5` is
    known.
    """

    folder: str
    name: str
    sha256: str | None
    size: int
    urls: tuple[str, ...] = ()
    unpacked_md5: str | None = None
    source: str = ""
    system: tuple[str, ...] = ()  # folders of operating-system packages
    shipped: bool = False  # its licence allows it, and it lies in the package

    def __post_init__(self):
        for part in (self.folder, self.name):
            if not part or part != Path(part).name or part in (".", ".."):
                raise DataError(f"File: folder and name must be plain names; got {part!r}")
        if self.sha256 is None and self.unpacked_md5 is None:
            raise DataError(f"File: {self.name} needs a sha256 or the md5 of its content")

    @property
    def path(self) -> str:
        """Its path below a data folder: FOLDER/NAME."""
        return f"{self.folder}/{self.name}"


def cache_dir() -> Path:
    """The folder for downloads: $XDG_CACHE_HOME/glassgrad, or ~/.cache/glassgrad."""
    base = os.environ.get("XDG_CACHE_HOME")
    if base and os.path.isabs(base):  # the XDG specification says to ignore relative paths
        return Path(base) / "glassgrad"
    try:
        return Path.home() / ".cache" / "glassgrad"
    except RuntimeError as error:
        raise DataError(f"there is no home folder for the cache: {error}") from error


def _given(label: str, folder: str | os.PathLike) -> tuple[str, Path]:
    try:
        path = Path(folder).expanduser()
        there = path.is_dir()
    except (RuntimeError, OSError):  # a ~user who does not exist; no permission to enter
        there = False
    if not there:
        raise DataError(f"{label} is {str(folder)!r}, which is not a folder")
    return label, path


def roots(data_dir: str | os.PathLike | None = None) -> list[tuple[str, Path]]:
    """The data folders in the order of search, each with the reason why it is searched."""
    found = []
    if data_dir is not None:
        found.append(_given("--data-dir", data_dir))
    if os.environ.get("GLASSGRAD_DATA"):
        found.append(_given("GLASSGRAD_DATA", os.environ["GLASSGRAD_DATA"]))
    if (REPOSITORY / "setup.py").is_file():
        found.append(("next to the checkout", REPOSITORY.parent / "shared" / "data"))
    return found


def places(file: File, data_dir: str | os.PathLike | None = None) -> list[tuple[str, Path]]:
    """Every path where `file` is searched, in order, each with its reason."""
    found = [(why, root / file.folder / file.name) for why, root in roots(data_dir)]
    found += [("system package", Path(folder) / file.name) for folder in file.system]
    found.append(("cache", cached(file)))
    if file.shipped:
        found.append(("shipped with the package", SHIPPED / file.folder / file.name))
    return found


def cached(file: File) -> Path:
    """The path of `file` in the cache, where a download is put."""
    return cache_dir() / file.folder / file.name


def locate(file: File, data_dir: str | os.PathLike | None = None) -> Path | None:
    """The first place where `file` exists, unread and unverified; None if there is none.

    Raises DataError if a place cannot be searched, so that none is skipped silently.
    """
    paths = (path for _, path in places(file, data_dir))
    return next((path for path in paths if kind(path, DataError) == REGULAR), None)


def _digest(chunks: Iterable[bytes], algorithm: str) -> str:
    h = hashlib.new(algorithm, usedforsecurity=False)
    for chunk in chunks:
        h.update(chunk)
    return h.hexdigest()


def unpacked(stream, packed: int) -> Iterator[bytes]:
    """The content of an open gzip stream (or zip member) with `packed` bytes on disk, in pieces.

    Raises DataError if it unpacks to more than 64 MB and more than a hundred times its own size.
    No set does (images shrink to a quarter, text to a third), but zeros would fill the memory.
    """
    total, limit = 0, max(UNPACKED_LIMIT, MOST_RATIO * packed)
    while chunk := stream.read(CHUNK):
        total += len(chunk)
        if total > limit:
            raise DataError(f"{packed:,} bytes unpack to more than {limit:,}")
        yield chunk


_verified: set[tuple] = set()  # verify once per process, again if size or mtime change


def verify(file: File, path: Path, name: str | None = None) -> None:
    """Raise DataError unless the bytes at `path` are those of `file`. Errors call it `name`."""
    name = name or str(path)
    try:
        state = path.stat()
        key = (str(path), state.st_size, state.st_mtime_ns, file.sha256, file.unpacked_md5)
        if key in _verified:
            return
        with open_regular(path, FILE_LIMIT, DataError) as stream:
            sha256 = _digest(iter(lambda: stream.read(CHUNK), b""), "sha256")
        if sha256 != file.sha256:
            _verify_content(file, path, name, state.st_size, sha256)
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}") from error
    _verified.add(key)


def _verify_content(file: File, path: Path, name: str, size: int, sha256: str) -> None:
    expected = f"sha256 {file.sha256} and {file.size} bytes"
    got = f"sha256 {sha256} and {size} bytes"
    if file.unpacked_md5 is not None:
        try:
            with gzip.open(path) as stream:
                md5 = _digest(unpacked(stream, size), "md5")
        except (gzip.BadGzipFile, EOFError, zlib.error, DataError) as error:
            md5 = f"damaged gzip data ({error})"
        if md5 == file.unpacked_md5:
            return
        expected = f"md5 {file.unpacked_md5} of the unpacked content"
        got = f"{md5}; the file has {size} bytes, sha256 {sha256}"
    raise DataError(
        f"wrong checksum: {name}\n  expected {expected}\n  got      {got}\n"
        f"Remove the file or put the right one there{source_of(file)}."
    )


def source_of(file: File) -> str:
    """The source of `file` in brackets, to append to a message; empty if it has none."""
    return f" (source: {file.source})" if file.source else ""
