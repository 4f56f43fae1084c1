"""Every canonical file, by its path alone: what the catalogue reads, a path reads too."""

import pytest

from glassgrad.core import data
from glassgrad.core.data.canon import FILES
from glassgrad.core.data.files import locate

NEXT_TO = {  # canonical files that are read with others, and the one that reads them; "." a folder
    "ag_news/classes.txt": "test.csv.gz",
    "house_votes_84/house-votes-84.names": "house-votes-84.data",
    "mnist/t10k-labels-idx1-ubyte.gz": "t10k-images-idx3-ubyte.gz",
    "mnist/train-labels-idx1-ubyte.gz": "train-images-idx3-ubyte.gz",
    "fashion_mnist/t10k-labels-idx1-ubyte.gz": "t10k-images-idx3-ubyte.gz",
    "fashion_mnist/train-labels-idx1-ubyte.gz": "train-images-idx3-ubyte.gz",
    "rt_polarity/rt-polarity.neg": ".",
    "rt_polarity/rt-polarity.pos": ".",
    "efficientnet_lite0/check.npz": "efficientnet_lite0.safetensors",
    **{f"mutag/MUTAG_{n}.txt": "." for n in
       ("A", "graph_indicator", "graph_labels", "node_labels", "edge_labels")},
    "trec/TREC.test": ".",
}  # fmt: skip
KINDS = {
    "fsdd/fsdd.npz": "audio",
    "fsdd_piece/fsdd_piece.npz": "audio",
    "word_eval/questions-words.txt": "evaluation",
    "word_eval/wordsim353.tsv": "evaluation",
    "mutag/MUTAG_A.txt": "graphs",
    "rt_polarity/rt-polarity.neg": "sentences",
    "trec/TREC.test": "sentences",
}
LARGE = ("enwiki_a", "imdb", "mnist", "fashion_mnist", "eng_fra", "fsdd", "ptb", "20news")


def canonical():
    """Of files that are read together only the first."""
    first = {}
    for path, file in FILES.items():
        first.setdefault((file.folder, NEXT_TO.get(path, file.name)), path)
    large = [p for p in first.values() if p.split("/")[0] in LARGE]
    others = [p for p in first.values() if p not in large]
    return others + [pytest.param(p, marks=pytest.mark.slow) for p in large]


@pytest.mark.data
@pytest.mark.parametrize("path", canonical())
def test_every_canonical_file_is_read_by_its_path(path):
    found = locate(FILES[path])
    if found is None:
        pytest.skip(f"{path} is not on this machine")
    by_path = data.read(found.parent / NEXT_TO.get(path, found.name))
    kind = data.kind_of(by_path)
    assert kind == KINDS.get(path, kind) and by_path.info.understood
