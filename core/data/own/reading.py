"""Read a file or a folder by what it is; and another file as the first one says.

Which reader a path goes to is in formats.py.
"""

import inspect
import os
from dataclasses import replace
from pathlib import Path

from ....kernels.errors import nearest
from ...regular import REGULAR
from ...regular import kind as found_at
from ..dataset import DataSet
from ..entries import KINDS
from ..files import DataError
from ..graph import Graph
from ..read import npz_bytes
from ..room import expect_room, unpacked_size
from ..special import OneShot, Weights
from ..text import WordEval
from . import folders
from .bits import as_table
from .formats import FORMATS, Format, by_hand, unpacked_name
from .graphs.edge_list import from_edge_list, looks_like_edges
from .images.image_folder import SUFFIXES, from_image_folder
from .kind_of import kind_of
from .recordings.audio_folder import WAV
from .splits import Instead, in_words, split_files

CUTTING = frozenset({"kind", "valid", "test", "seed", "fold", "train", "labels", "bits"})
EDGES = "it may be a list of edges: --read kind=graph reads it as a graph"
ENDINGS = (".csv", ".tsv", ".txt", ".npy", ".npz")  # of files that are splits, in a folder


def from_folder(path: str | Path, **options) -> DataSet | Graph:
    """The data set in a folder: pictures, one sub-folder a class, or what formats.py has more.

    Files train.csv, valid.csv, test.csv (or .tsv, .txt, .npy, .npz) in it are these splits. Raises
    DataError for what is no folder, and as `read`.
    """
    found = found_at(Path(path), DataError)
    if found != "a folder":
        raise DataError(f"{path} is {found or 'not there'}; expected a folder")
    return read(path, **options)


def read(
    path: str | Path, kind: str | None = None, **options
) -> DataSet | Graph | OneShot | Weights | WordEval:
    """The data set in a file or folder; the options are those of its reader, such as ``label``.

    `kind` says what it holds where that cannot be seen from outside, such as "text" or "series";
    "binary" makes 0 and 1 of a table's numbers: 1 above the median of the training rows; "table"
    keeps rows of 0 and 1 a table.
    Raises DataError where nothing is there, where the type of the file is not known, for an option
    that the reader does not have, and as the reader does.
    """
    path = Path(path)
    found = found_at(path, DataError)
    if found is None:
        raise DataError(f"there is no file or folder {path}")
    files = split_files(path, ENDINGS) if found == "a folder" else None
    if files and _are_meant(path, files, kind):
        return _of_split_files(path, files, kind, options)
    chosen, known = _chosen(path, kind, options)
    edges = kind is None and chosen.kind in ("table", "text", "sentences") and _may_be_edges(path)
    try:
        data = _read(chosen, known, path, kind)
    except DataError as error:
        if not edges:
            raise
        raise DataError(f"{error}; {EDGES}") from None
    if edges:
        data = _said(data, EDGES)
    if not files:
        return data
    names = ", ".join(file.name for file in files.values())
    kinds = dict.fromkeys(f.kind for f in FORMATS if f.claims(files["train"].name))
    passed = f"passed over: {names} (read as kind={' or '.join(kinds)})"
    return _said(data, passed)


def _said(data, line: str):
    """The data with one line more of what was understood."""
    words = (*data.info.understood, line)
    return replace(data, info=replace(data.info, understood=words))


def _may_be_edges(path: Path) -> bool:
    ends = {e for f in FORMATS if f.reader is from_edge_list for e in f.endings}
    return unpacked_name(path.name).endswith(tuple(ends)) and looks_like_edges(path)


def read_alike(
    path: str | Path, other: str | Path, kind: str | None = None, **options
) -> DataSet | None:
    """A data set with the examples of another file in the place of its test part.

    All else is as `read` of `path` with these options has it: split, columns, classes, words and
    whatever is learnt from the training part, which the other file is read by. None where the
    reader takes no file for the test part, or none of this name. Raises DataError as `read` does.
    """
    path, other = Path(path), Path(other)
    if found_at(path, DataError) == "a folder":
        files = split_files(path, ENDINGS)
        if not files or not _are_meant(path, files, kind):
            return None
        path, options = files.pop("train"), options | files
    chosen, options = _chosen(path, kind, options)
    if "test" not in _options(chosen) or not chosen.claims(other.name):
        return None
    if (what := found_at(other, DataError)) != REGULAR:
        raise DataError(f"{other} is {what or 'not there'}; expected a file")
    options["test"] = Instead(other, options.get("test"))
    return _read(chosen, options, path, kind)


def read_whole(
    path: str | Path, defaults: dict | None = None, kind: str | None = None, **options
) -> DataSet:
    """All examples of a file or folder in one split, called train, however few they are.

    `defaults` are the options of another set: those that the reader here has hold too, but for the
    ones that cut it, name a file or learn from its rows. Raises DataError as `read` does, and for
    data without examples.
    """
    path = Path(path)
    folder = found_at(path, DataError) == "a folder"
    if found_at(path, DataError) is None or (folder and split_files(path, ENDINGS)):
        data = read(path, kind, **options)
    else:
        held = {k: v for k, v in (defaults or {}).items() if k not in CUTTING}
        chosen, found = _chosen(path, kind, held | options)
        known = _options(chosen)
        found = {k: v for k, v in found.items() if k in known or k in options}
        files = dict.fromkeys(("valid", "test"), path) if "test" in known else {}
        if (
            not files and chosen.kind != "graph"
        ):  # nothing is cut, so that even one example is enough
            found |= dict.fromkeys({"seed", "fold"} & set(known))
        data = _read(chosen, found | files, path, kind)
        if files:
            cut = in_words((data.train, data.valid, data.test), files, "")
            said = tuple(line for line in data.info.understood if line != cut)
            info = replace(data.info, understood=said)
            return replace(data, valid=None, test=None, info=info)
    if not isinstance(data, DataSet):
        raise DataError(f"{path} holds no examples, but one graph, or questions")
    return replace(data, train=data.whole(), valid=None, test=None)


def _chosen(path: Path, kind: str | None, options: dict) -> tuple[Format, dict]:
    """The format of a file or folder, and the options for its reader."""
    folder = found_at(path, DataError) == "a folder"
    formats = [f for f in FORMATS if (not f.endings if folder else f.claims(path.name))]
    if not formats:
        known = ", ".join(dict.fromkeys(e for f in FORMATS for e in f.endings))
        ending = Path(unpacked_name(path.name)).suffix
        raise DataError(
            f"{path}: files of type {ending or 'unknown'} are not read; known are {known} and"
            " folders"
        )
    if kind == "binary" and (of_numbers := [f for f in formats if "bits" in _options(f)]):
        formats, kind, options = of_numbers, None, {"bits": "median"} | options
    chosen = _choose(path, formats, kind, options)
    if chosen.reader is from_image_folder and not folders.holds(path, SUFFIXES):
        raise DataError(_no_pictures(path, formats))
    return chosen, dict(options)


def _read(chosen: Format, options: dict, path: Path, kind: str | None):
    """What the reader of a format makes of a path; DataError unless it is of the kind."""
    data = _call(chosen, path, options)
    if kind == "table":
        return as_table(data)
    if kind is not None and kind != (other := kind_of(data)):
        raise DataError(f"{path} is of the kind {other!r}, not {kind!r}")
    return data


def _are_meant(path: Path, files: dict[str, Path], kind: str | None) -> bool:
    """Are files such as train.csv in a folder its data, rather than what is in its sub-folders?"""
    if kind in (None, "binary"):
        return not folders.mostly(path, SUFFIXES | WAV, deep=True)
    return any(_holds(f, kind) for f in FORMATS if f.claims(files["train"].name))


def _no_pictures(path: Path, formats: list[Format]) -> str:
    """What to say of a folder of which nothing is known."""
    what = ", ".join(dict.fromkeys(f.what for f in formats if f.reader is not from_image_folder))
    names = [p.name for p in sorted(path.iterdir()) if any(f.claims(p.name) for f in FORMATS)]
    some = ", ".join(name[:40] for name in names[:3]) + (" …" if len(names) > 3 else "")
    there = f"; name the file itself: {some}" if names else ""
    return f"{path} holds no pictures, and is none of what else a folder may be: {what}{there}"


def _holds(found: Format, kind: str) -> bool:
    """May a format hold data of this kind? What makes bits of a table reads tables."""
    return found.kind == kind or (kind == "table" and "bits" in _options(found))


def _options(found: Format) -> list[str]:
    """The options of a format's reader."""
    return list(inspect.signature(found.reader).parameters)[1:]


def _of_split_files(path: Path, files: dict[str, Path], kind, options: dict) -> DataSet | Graph:
    """A folder that holds train.csv, test.csv and so on, under the name of the folder."""
    for part in set(files) & set(options):
        raise DataError(f"{path} holds {files[part].name}: leave out {part}")
    train = files.pop("train")
    data = read(train, kind, **files, **options)
    used = ", ".join(file.name for file in (train, *files.values()))
    words = (f"a folder of {used}", *data.info.understood)
    info = replace(data.info, source=str(path), understood=words)
    return replace(data, name=path.resolve().name, info=info)


def looks_like_path(name: str) -> bool:
    """Is this the path of a file or folder, rather than a name of the catalogue?

    >>> looks_like_path("my.csv"), looks_like_path("./digits"), looks_like_path("digits")
    (True, True, False)
    """
    return "/" in name or "\\" in name or any(f.claims(name) for f in FORMATS)


def _choose(path: Path, formats: list[Format], kind: str | None, options: dict) -> Format:
    """The first format that fits; those with these options are asked before others.

    Where only one has them all it is taken: `by_hand` ones count if there is no other.
    With `kind` only those of the kind are asked, and the last, the general one, need not fit.
    """
    if kind is not None:
        kinds = tuple(k for k in KINDS if any(_holds(f, k) for f in formats))
        formats = [f for f in formats if _holds(f, kind)]
        if not formats:
            hint = nearest(str(kind), kinds) or f"; it may be {', '.join(kinds)}"
            raise DataError(f"{path}: this is not read as the kind {kind!r:.60}{hint}")
    having = [f for f in formats if options.keys() <= inspect.signature(f.reader).parameters.keys()]
    only = [f for f in having if f.fits is not by_hand] or having
    if options and len(only) == 1:
        return only[0]
    found = next((f for f in (*having, *formats) if f.fits(path)), None)
    if found is None and kind is not None:
        return (having or formats)[-1]
    if found is None:
        what = ", ".join(f.what for f in formats)
        raise DataError(f"{path} is none of what is read here: {what}")
    return found


def _call(
    found: Format, path: str | Path, options: dict
) -> DataSet | Graph | OneShot | Weights | WordEval:
    accepted = _options(found)
    for option in options:
        if option not in accepted:
            hint = nearest(option, accepted) or f"; it has {', '.join(accepted) or 'none'}"
            raise DataError(
                f"{path}: read as {found.what}, which has no option {option!r:.60}{hint}"
            )
    if found.memory:
        others = [options.get(part) for part in ("valid", "test")]
        others += [o.file for o in others if isinstance(o, Instead)]
        for file in (path, *(Path(o) for o in others if isinstance(o, str | Path))):
            expect_room(file, found.memory * _content(Path(file)), found.what)
    return found.reader(path, **options)


def _content(path: Path) -> int:
    """Bytes of what a file holds, or of all files in a folder."""
    if path.is_dir():
        return sum(_content(Path(folder, name)) for folder, _, names in os.walk(path)
                   for name in names)  # fmt: skip
    return npz_bytes(path) if path.suffix.lower() == ".npz" else unpacked_size(path)
