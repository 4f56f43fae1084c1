"""Data of one's own: a file or a folder, read by what it is.

    path                                    becomes
    tables/
      .csv, .tsv                            a table, or binary rows             csv_table.py
      .data                                 a table of the UCI repository       uci.py
      .npz as 20news's                      counts of words                     counts.py
    images/
      a folder of pictures                  images, a sub-folder a class        image_folder.py
      a folder of MNIST's four files        images                              mnist_folder.py
      .npz as other sets of images          images, characters, a film          image_npz.py
    texts/
      .txt                                  a text, in characters or words      text_file.py
      .csv, .tsv with a column of texts     sentences                           sentence_table.py
      .txt, .train, .test, .tsv.bz2 as      sentences                           sentence_lines.py
        fastText's, TREC's, IMDb's
      a folder of .train and .test as TREC's, of .txt in sub-folders, or of     trec_folder.py
        *.neg and *.pos                     sentences                           sentence_folders.py
      .tsv, .txt: source, tab, target       pairs of sentences                  pairs.py
      .txt of analogies, .tsv of scores     an evaluation of word vectors       word_questions.py
    sequences/
      .csv, .tsv that begins with dates     a series                            series.py
      .csv, .tsv with sequence=COLUMN       sequences                           sequence_table.py
      .npz with lengths, or x_0, x_1 …      sequences                           sequence_npz.py
      .json as JSB's chorales               sequences: piano rolls              piano_rolls.py
      .npz of moves and lengths             games                               games.py
    recordings/
      a folder of .wav                      recordings, a sub-folder a class    audio_folder.py
      .npz as fsdd's                        recordings                          audio_npz.py
    graphs/
      .edges, .edgelist; with kind=graph    a graph                             edge_list.py
        also .txt, .csv, .tsv
      .gml                                  a graph                             gml_file.py
      .npz as cora's and blogcatalog's      a graph                             planetoid.py
      a folder of the TU collection         graphs, as MUTAG                    tu_folder.py
    .npz, .npy, MNIST's IDX                 a table, binary rows or images      array_files.py
    .safetensors                            the weights of a network            weights_file.py
    a folder of train.csv, test.csv …       splits of one of the others

Each may be packed (.gz, .bz2) except .npz, .npy, .safetensors, pictures and recordings. `read`
looks the reader up in formats.py; what it took the path for is in ``info.understood``. Imports run
from formats.py to the folders, and from them to the other files here, which all of them share.
"""

import inspect
import os
from dataclasses import replace
from pathlib import Path

from ....kernels.errors import nearest
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
from .arrays import from_arrays
from .bits import as_table
from .digest import digest
from .formats import FORMATS, Format, unpacked_name
from .images.image_folder import SUFFIXES, from_image_folder
from .kind_of import kind_of
from .recordings.audio_folder import WAV
from .splits import split_files
from .tables.csv_table import from_csv
from .texts.text_file import from_text

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
    folder = found == "a folder"
    files = split_files(path, ENDINGS) if folder else None
    if files and _are_meant(path, files, kind):
        return _of_split_files(path, files, kind, options)
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
    data = _call(chosen, path, options)
    if kind == "table":
        data = as_table(data)
    elif kind is not None and (other := kind_of(data)) != kind:
        raise DataError(f"{path} is of the kind {other!r}, not {kind!r}")
    if not files:
        return data
    names = ", ".join(file.name for file in files.values())
    kinds = dict.fromkeys(f.kind for f in FORMATS if f.claims(files["train"].name))
    passed = f"passed over: {names} (read as kind={' or '.join(kinds)})"
    words = (*data.info.understood, passed)
    return replace(data, info=replace(data.info, understood=words))


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

    With `kind` only those of the kind are asked, and the last, the general one, need not fit.
    """
    if kind is not None:
        kinds = tuple(k for k in KINDS if any(_holds(f, k) for f in formats))
        formats = [f for f in formats if _holds(f, kind)]
        if not formats:
            hint = nearest(str(kind), kinds) or f"; it may be {', '.join(kinds)}"
            raise DataError(f"{path}: this is not read as the kind {kind!r:.60}{hint}")
    having = [f for f in formats if options.keys() <= inspect.signature(f.reader).parameters.keys()]
    if options and len(having) == 1:  # only one has what is asked for
        return having[0]
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
        others = (options.get(part) for part in ("valid", "test"))
        for file in (path, *(Path(o) for o in others if isinstance(o, str | Path))):
            expect_room(file, found.memory * _content(Path(file)), found.what)
    return found.reader(path, **options)


def _content(path: Path) -> int:
    """Bytes of what a file holds, or of all files in a folder."""
    if path.is_dir():
        return sum(_content(Path(folder, name)) for folder, _, names in os.walk(path)
                   for name in names)  # fmt: skip
    return npz_bytes(path) if path.suffix.lower() == ".npz" else unpacked_size(path)
