"""Texts of two or three subjects, each with words of its own, and a few that all have."""

import numpy as np

from glassgrad.core.data import DataSet, Info, Split, Vocabulary

WORDS = 8  # of a subject


def subjects(documents=120, kinds=2, length=10, seed=0) -> DataSet:
    """Documents of classes in turn: two words in three are the subject's, the others "common"."""
    rng = np.random.default_rng(seed)
    names = [f"s{k}w{i}" for k in range(kinds) for i in range(WORDS)]
    vocabulary = Vocabulary(("<pad>", "<unk>", *names, "common0", "common1", "common2"))
    y, x = np.arange(documents) % kinds, []
    for k in y:
        own = 2 + WORDS * k + rng.integers(0, WORDS, length)
        shared = 2 + WORDS * kinds + rng.integers(0, 3, length)
        x.append(np.where(rng.random(length) < 2 / 3, own, shared))
    whole, cut = Split(x, y), documents * 3 // 4
    info = Info("planted", tuple(f"subject {k}" for k in range(kinds)), vocabulary=vocabulary)
    return DataSet("planted", whole[:cut], None, whole[cut:], info)


def written(path, data: DataSet, labelled: bool):
    """The training documents as a file of a user's: a line each, or a table with their class."""
    words = [" ".join(data.info.vocabulary.decode(d)) for d in data.train.x]
    lines = [f"{w},{data.info.classes[k]}" for w, k in zip(words, data.train.y)]
    path.write_text("\n".join(["said,label", *lines] if labelled else words) + "\n")
    return path
