"""The kinds of data sets, and what the catalogue says about each set."""

from collections.abc import Callable
from dataclasses import dataclass

RESEARCH = "for research"
BUNDLED = "BSD-3-Clause (bundled with scikit-learn)"
SKLEARN = "https://scikit-learn.org/stable/datasets/toy_dataset.html"
OURS = "generated"
REGISTERED = "registered"  # by the user
KINDS = {
    "images": "pictures of one size [N, C, H, W], in [0, 1]",
    "table": "rows of numbers [N, D]",
    "binary": "rows of 0 and 1 [N, D]",
    "counts": "rows of counts [N, D], such as the words of a document",
    "text": "one long text as tokens [T]",
    "sentences": "texts of different lengths, as tokens, mostly with a class each",
    "pairs": "pairs of sentences, such as translations",
    "sequences": "sequences [T_n, D] of different lengths",
    "series": "one or several quantities over time [T, D]",
    "audio": "recordings of different lengths, in [-1, 1]",
    "graph": "one graph",
    "graphs": "many graphs, with a class each",
    "games": "sequences of moves",
    "weights": "the weights of a trained network",
    "evaluation": "questions with answers, to judge with",
}


@dataclass(frozen=True)
class Entry:
    """One data set. `folder` is empty for sets that need no file of ours."""

    kind: str  # one of KINDS
    what: str  # the content and its size
    loader: str | Callable  # module:function in this package, or a function of the user's
    terms: str
    source: str  # where to find the original
    folder: str = ""
    files: tuple[str, ...] = ()  # names in the folder, if not all of them are needed
