"""Data: real sets with canonical files and verified checksums, and generated problems.

Read in this order: `files` (where files are searched and how they are verified), `dataset` (what a
loader returns; `in_words`: that in a few words; `graph` and `special`: what is no set of examples),
`registry` and `catalogue` (sets by name), `batches` (orders, minibatches, padding, windows),
`sets_*` (one loader for each set), `synthetic*`, `grammars`, `toys` and `go_rules` (generated
problems), `spectrogram` (pictures of sound), `shipping` (what lies in `shipped/`, and how it was
made), `own/` (the user's files and folders).
Importing this package reads no file and loads neither SciPy nor scikit-learn.

>>> digits = load("digits")
>>> batch = next(minibatches(digits.train, 32, seed=1))
>>> batch.x.shape, batch.y.shape
((32, 1, 8, 8), (32,))
"""

from ...kernels.doors import check_all
from .batches import binarised, count, folds, minibatches, order, pad, three_way, windows
from .dataset import DataSet, Info, Split, join
from .download import find
from .entries import KINDS
from .files import DataError, File
from .graph import Graph
from .own import (
    digest,
    from_arrays,
    from_csv,
    from_folder,
    from_text,
    kind_of,
    looks_like_path,
    read,
)
from .registry import available, describe, entry, load, names, register
from .special import OneShot, Weights
from .text import Corpus, Vocabulary, WordEval, tokenise

__all__ = [
    "KINDS",
    "Corpus",
    "DataError",
    "DataSet",
    "File",
    "Graph",
    "Info",
    "OneShot",
    "Split",
    "Vocabulary",
    "Weights",
    "WordEval",
    "available",
    "binarised",
    "count",
    "describe",
    "digest",
    "entry",
    "find",
    "folds",
    "from_arrays",
    "from_csv",
    "from_folder",
    "from_text",
    "join",
    "kind_of",
    "load",
    "looks_like_path",
    "minibatches",
    "names",
    "order",
    "pad",
    "read",
    "register",
    "three_way",
    "tokenise",
    "windows",
]
FUNCTIONS = [name for name in __all__ if name.islower()]
check_all(
    globals(), (*FUNCTIONS, "DataSet", "Graph", "OneShot", "Vocabulary", "Weights"), error=DataError
)
