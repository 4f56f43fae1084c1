"""Data of one's own: a file or a folder, read by what it is.

    path                                   becomes                          reader
    .csv, .tsv                             a table, or binary rows          tables.py
    .npz, .npy, MNIST's IDX                a table, binary rows or images   arrays.py
    a folder of pictures                   images, a sub-folder a class     image_folder.py
    .txt                                   a text, in characters or words   text_file.py

Each may be packed (.gz) except .npz, .npy and pictures. `read` chooses the reader; what it took
the path for is in ``info.understood``.
"""

import inspect
from pathlib import Path

from ....kernels.errors import nearest
from ...regular import kind
from ..dataset import DataSet
from ..files import DataError
from .arrays import from_arrays, from_idx, from_npy, from_npz
from .digest import digest
from .image_folder import from_image_folder
from .tables import from_csv
from .text_file import from_text

__all__ = [
    "READERS",
    "digest",
    "from_arrays",
    "from_csv",
    "from_folder",
    "from_text",
    "looks_like_path",
    "read",
]

READERS = {
    ".csv": from_csv,
    ".tsv": from_csv,
    ".npz": from_npz,
    ".npy": from_npy,
    ".txt": from_text,
}


def from_folder(path: str | Path, **options) -> DataSet:
    """The data set in a folder: pictures, one sub-folder a class (`from_image_folder`)."""
    return _call(from_image_folder, Path(path), options)


def read(path: str | Path, **options) -> DataSet:
    """The data set in a file or folder; the options are those of its reader, such as ``label``.

    Raises DataError where nothing is there, where the type of the file is not known, for an option
    that the reader does not have, and as the reader does.
    """
    path = Path(path)
    found = kind(path, DataError)
    if found is None:
        raise DataError(f"there is no file or folder {path}")
    if found == "a folder":
        return from_folder(path, **options)
    return _call(_reader(path), path, options)


def looks_like_path(name: str) -> bool:
    """Is this the path of a file or folder, rather than a name of the catalogue?

    >>> looks_like_path("my.csv"), looks_like_path("./digits"), looks_like_path("digits")
    (True, True, False)
    """
    return "/" in name or "\\" in name or _suffix(Path(name)) in READERS or "-idx" in name


def _suffix(path: Path) -> str:
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return name.suffix.lower()


def _reader(path: Path):
    if "-idx" in path.name:
        return from_idx
    suffix = _suffix(path)
    if suffix not in READERS:
        known = ", ".join((*READERS, "IDX files", "folders of pictures"))
        raise DataError(
            f"{path}: files of type {suffix or 'unknown'} are not read; known are {known}"
        )
    return READERS[suffix]


def _call(reader, path: Path, options: dict) -> DataSet:
    accepted = list(inspect.signature(reader).parameters)[1:]
    for option in options:
        if option not in accepted:
            hint = nearest(option, accepted) or f"; it has {', '.join(accepted)}"
            raise DataError(f"{path}: its reader has no option {option!r:.60}{hint}")
    return reader(path, **options)
