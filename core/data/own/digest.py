"""A fingerprint of a data set: a training that goes on must see the examples that it began with."""

import hashlib
from dataclasses import fields

import numpy as np

from ..dataset import DataSet
from ..graph import Graph
from ..mapped import Mapped


def digest(data: DataSet | Graph) -> str:
    """SHA-256 of all examples and labels, in their splits; of a graph, of all its arrays.

    >>> from ..dataset import Split
    >>> one, other = (DataSet("d", Split(np.array([[v]]))) for v in (1.0, 2.0))
    >>> digest(one) == digest(one) != digest(other)
    True
    """
    found = hashlib.sha256()
    if isinstance(data, Graph):
        _add_graph(found, data)
        return found.hexdigest()
    for name, split in data.splits():
        for part in (split.x, split.y):
            found.update(f"{name} {type(part).__name__.replace('Mapped', 'ndarray')} ".encode())
            for item in part if isinstance(part, list) else [part]:
                _add(found, item)
    return found.hexdigest()


def _add(found, item) -> None:
    if isinstance(item, Graph):
        _add_graph(found, item)
    elif item is not None:
        large = isinstance(item, Mapped)
        dtype = np.dtype(np.float32) if large else item.dtype  # what a read gives
        found.update(f"{dtype} {item.shape} ".encode())
        for block in item.blocks() if large else [item]:
            found.update(np.ascontiguousarray(block))


def _add_graph(found, graph: Graph) -> None:
    for f in fields(graph):
        value = getattr(graph, f.name)
        arrays = value if f.name == "features" else (value,)
        for array in arrays or ():
            if isinstance(array, np.ndarray):
                found.update(f.name.encode())
                _add(found, array)
    found.update(f"{graph.nodes}".encode())
