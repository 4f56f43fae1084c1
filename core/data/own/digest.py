"""A fingerprint of a data set: a training that goes on must see the examples that it began with."""

import hashlib
from dataclasses import fields, is_dataclass

import numpy as np

from ..dataset import DataSet, Info
from ..graph import Graph
from ..mapped import Mapped
from ..special import OneShot, Weights
from ..text import WordEval

TARGETS, UNKNOWN = "target_vocabulary", "missing"  # of info.extra, as pairs and series set them


def digest(data: DataSet | Graph | OneShot | Weights | WordEval) -> str:
    """SHA-256 of all examples and labels, in their splits, and of what their numbers mean.

    What they mean: the names of the classes, the words of the vocabularies (of both languages, for
    pairs), and which values of a series were unknown. Other descriptions of the data (their name,
    the rest of ``info``) are not part of it. Of what is no `DataSet`, all its parts.

    >>> from ..dataset import Split
    >>> one, other = (DataSet("d", Split(np.array([[v]]))) for v in (1.0, 2.0))
    >>> digest(one) == digest(one) != digest(other)
    True
    """
    found = hashlib.sha256()
    if not isinstance(data, DataSet):
        _update(found, data)
        _update_meaning(found, data.info)
        return found.hexdigest()
    for name, split in data.splits():
        for part in (split.x, split.y):
            kind = "ndarray" if isinstance(part, Mapped) else type(part).__name__
            found.update(f"{name} {kind} ".encode())
            for item in part if isinstance(part, list) else [part]:
                if item is not None:
                    _update(found, item)
    _update_meaning(found, data.info)
    return found.hexdigest()


def _update_meaning(found, info: Info) -> None:
    """Add what the numbers mean: 0 may be a cat, or an apple."""
    words = [getattr(v, "words", None) for v in (info.vocabulary, info.extra.get(TARGETS))]
    for part in (info.classes, *words, info.extra.get(UNKNOWN)):
        _update(found, part)


def _update(found, item) -> None:
    """Add an array, or whatever holds arrays: a graph, a tuple, a dictionary."""
    if isinstance(item, Mapped):  # as it is read
        found.update(f"float32 {item.shape} ".encode())
        for block in item.blocks():
            found.update(np.ascontiguousarray(block))
    elif isinstance(item, np.ndarray):
        found.update(f"{item.dtype} {item.shape} ".encode())
        found.update(np.ascontiguousarray(item))
    elif is_dataclass(item):
        for field in fields(item):
            if field.name not in ("name", "node_names") and field.type is not Info:
                found.update(f"{field.name} ".encode())
                _update(found, getattr(item, field.name))
    elif isinstance(item, dict):
        for key, value in sorted(item.items()):
            found.update(f"{key} ".encode())
            _update(found, value)
    elif isinstance(item, list | tuple):
        found.update(f"{len(item)} ".encode())
        for value in item:
            _update(found, value)
    else:  # a number, a text or None
        found.update(f"{item!r} ".encode())
