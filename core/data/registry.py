"""Data sets by name: load one, list them, find where one is stored."""

import importlib
import importlib.util
import inspect
import os
import re
from collections.abc import Callable
from dataclasses import replace

from ...kernels.errors import nearest
from .catalogue import CATALOGUE
from .dataset import DataSet
from .entries import KINDS, OURS, REGISTERED, Entry
from .files import SHIPPED, DataError, File, locate
from .graph import Graph
from .own.kind_of import kind_of
from .special import OneShot, Weights
from .text import Corpus


def names(kind: str | None = None) -> tuple[str, ...]:
    """The names of all data sets, or of those of one kind ("images", "table", "graph", ...).

    >>> names("graph")
    ('cora', 'blogcatalog', 'karate', 'lesmis')
    """
    return tuple(n for n, e in CATALOGUE.items() if kind in (None, e.kind))


def entry(name: str) -> Entry:
    """The catalogue's record of `name`. Raises DataError, with the nearest name, if unknown."""
    if name in CATALOGUE:
        return CATALOGUE[name]
    hint = nearest(str(name).lower(), CATALOGUE) or f"; there are: {', '.join(CATALOGUE)}"
    raise DataError(f"there is no data set {name!r:.80}{hint}")


def register(
    name: str, loader: Callable | DataSet | Graph, kind: str | None = None, what: str = "",
    source: str = "",
) -> None:  # fmt: skip
    """Make a data set of one's own known by a name, for `load` and `training.train`.

    It is known to this process alone: another one that resumes the training must register it too.

    loader  a function that returns a `DataSet`; where it has a parameter ``data_dir`` it is given
            the folder to look in first. Or the `DataSet` or `Graph` itself
    kind    as in the catalogue: images, table, binary, text, sentences, sequences, graph …; by
            default what the data themselves are of

    Raises DataError for a name that is taken or no plain word, and for an unknown kind.

    >>> from .own import from_arrays
    >>> register("ten", lambda: from_arrays([[0, 1]] * 10), "binary", "ten rows")
    >>> len(load("ten").train), describe("ten")
    (7, 'ten: ten rows; registered')
    >>> del CATALOGUE["ten"]
    """
    if not re.fullmatch(r"\w[\w-]*", name):
        raise DataError(f"register: a name is letters, digits, _ and -; got {name!r:.60}")
    if name in CATALOGUE:
        raise DataError(f"register: there is a data set {name!r} already")
    given = loader if isinstance(loader, DataSet | Graph) else None
    if kind is None and given is None:
        raise DataError(f"register: of what kind is {name!r}? (kinds: {', '.join(KINDS)})")
    kind = kind_of(given) if kind is None else kind
    if kind not in KINDS:
        raise DataError(f"register: unknown kind {kind!r:.60} (known: {', '.join(KINDS)})")
    load_it = loader if given is None else lambda: given
    CATALOGUE[name] = Entry(kind, what or name, load_it, REGISTERED, source)


def _function(name: str):
    if callable(entry(name).loader):
        return entry(name).loader
    module, _, function = entry(name).loader.partition(":")
    return getattr(importlib.import_module(f".{module}", __package__), function)


def load(name: str, data_dir: str | os.PathLike | None = None, **options):
    """The data set `name`: a `DataSet`, or a `Graph`, `Corpus`, `WordEval`, `OneShot` or `Weights`.

    `data_dir` is searched before all other places (see `files`); `options` are those of the
    set's own loader, such as ``load("trec", labels="fine")``. Raises DataError for an unknown name
    or option and for missing or damaged files.

    >>> load("digits").train.x.shape
    (1297, 1, 8, 8)
    """
    function = _function(name)
    accepted = inspect.signature(function).parameters
    for option in options:
        if option not in accepted:
            known = [p for p in accepted if p != "data_dir"]
            hint = nearest(option, known) or f"; it has {', '.join(known) or 'none'}"
            raise DataError(f"{name} has no option {option!r:.60}{hint}")
    if "data_dir" in accepted:
        options["data_dir"] = data_dir
    found = function(**options)
    if not isinstance(found, DataSet | Graph | OneShot | Weights | Corpus):
        return found
    kind = entry(name).kind
    if kind == "table":  # as options encode it: rows of 0 and 1 are binary
        kind = kind_of(found)
    return replace(found, info=replace(found.info, kind=kind))


def _files(record: Entry) -> list[File]:
    from .canon import folder

    return [f for f in folder(record.folder) if not record.files or f.name in record.files]


def available(name: str, data_dir: str | os.PathLike | None = None) -> str | None:
    """Where `name` would be read from without a download; None if a file is missing.

    Returns a folder, "shipped" (with this package), "scikit-learn" or "generated". Checksums are
    verified by `load`, not here.

    >>> available("iris"), available("adding")
    ('scikit-learn', 'generated')
    """
    record = entry(name)
    if record.terms in (OURS, REGISTERED):
        return record.terms
    if not record.folder:
        return "scikit-learn" if importlib.util.find_spec("sklearn") else None
    paths = [locate(file, data_dir) for file in _files(record)]
    if None in paths:
        return None
    ours = all(path.is_relative_to(SHIPPED) for path in paths)
    return "shipped" if ours else str(paths[0].parent)


def describe(name: str) -> str:
    """One line: what the set is, its size, its licence and its source.

    >>> describe("counting")
    'counting: a^n b^n or a^n b^n c^n; generated; Gers & Schmidhuber 2001'
    """
    record = entry(name)
    return "; ".join(filter(None, (f"{name}: {record.what}", record.terms, record.source)))
