"""Data of one's own: a file or a folder, read by what it is.

    path                                   becomes                          reader
    .csv, .tsv                             a table, or binary rows          tables.py
    .npz, .npy, MNIST's IDX                a table, binary rows or images   arrays.py
    a folder of pictures                   images, a sub-folder a class     image_folder.py
    .txt                                   a text, in characters or words   text_file.py

Each may be packed (.gz) except .npz, .npy and pictures. `read` looks the reader up in formats.py;
what it took the path for is in ``info.understood``.
"""

import inspect
from pathlib import Path

from ....kernels.errors import nearest
from ...regular import kind as kind_of_path
from ..dataset import DataSet
from ..files import DataError
from ..graph import Graph
from .arrays import from_arrays
from .digest import digest
from .formats import FORMATS, Format, unpacked_name
from .kinds import kind_of
from .tables import from_csv
from .text_file import from_text

__all__ = [
    "FORMATS",
    "digest",
    "from_arrays",
    "from_csv",
    "from_folder",
    "from_text",
    "kind_of",
    "looks_like_path",
    "read",
]


def from_folder(path: str | Path, **options) -> DataSet | Graph:
    """The data set in a folder: pictures, one sub-folder a class, or what formats.py has more."""
    return _call(_choose(Path(path), [f for f in FORMATS if not f.endings], None), path, options)


def read(path: str | Path, kind: str | None = None, **options) -> DataSet | Graph:
    """The data set in a file or folder; the options are those of its reader, such as ``label``.

    `kind` says what it holds where that cannot be seen from outside, such as "text" or "series".
    Raises DataError where nothing is there, where the type of the file is not known, for an option
    that the reader does not have, and as the reader does.
    """
    path = Path(path)
    found = kind_of_path(path, DataError)
    if found is None:
        raise DataError(f"there is no file or folder {path}")
    folder = found == "a folder"
    formats = [f for f in FORMATS if (not f.endings if folder else f.claims(path.name))]
    if not formats:
        known = ", ".join(dict.fromkeys(e for f in FORMATS for e in f.endings))
        ending = Path(unpacked_name(path.name)).suffix
        raise DataError(
            f"{path}: files of type {ending or 'unknown'} are not read; known are {known} and"
            " folders"
        )
    return _call(_choose(path, formats, kind), path, options)


def looks_like_path(name: str) -> bool:
    """Is this the path of a file or folder, rather than a name of the catalogue?

    >>> looks_like_path("my.csv"), looks_like_path("./digits"), looks_like_path("digits")
    (True, True, False)
    """
    return "/" in name or "\\" in name or any(f.claims(name) for f in FORMATS)


def _choose(path: Path, formats: list[Format], kind: str | None) -> Format:
    if kind is not None:
        kinds = tuple(dict.fromkeys(f.kind for f in formats))
        formats = [f for f in formats if f.kind == kind]
        if not formats:
            hint = nearest(str(kind), kinds) or f"; it may be {', '.join(kinds)}"
            raise DataError(f"{path}: this is not read as the kind {kind!r:.60}{hint}")
        if len(formats) == 1:
            return formats[0]
    found = next((f for f in formats if f.fits(path)), None)
    if found is None:
        what = ", ".join(f.what for f in formats)
        raise DataError(f"{path} is none of what is read here: {what}")
    return found


def _call(found: Format, path: str | Path, options: dict) -> DataSet | Graph:
    accepted = list(inspect.signature(found.reader).parameters)[1:]
    for option in options:
        if option not in accepted:
            hint = nearest(option, accepted) or f"; it has {', '.join(accepted) or 'none'}"
            raise DataError(
                f"{path}: read as {found.what}, which has no option {option!r:.60}{hint}"
            )
    return found.reader(path, **options)
