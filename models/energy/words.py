"""Topics of documents from bits: which words a document has (lecture 2, D1 162-191).

The machine is that of rbm.py, unchanged: v_i = 1 where word i is in the document, whether once or
many times, and a hidden unit is a topic, shown as the list of its words with the largest weights.
The likelihood is that of a set of words, so there is no perplexity; the metric is ln P(v) in nats.
replicated_softmax.py is the machine for counts, with the better topics: in bits a long document is
one that has every topic.
"""

from dataclasses import replace

import numpy as np

from ...core.data import Corpus, DataSet, Split
from ...core.training.recipe import Recipe
from ..common.binary import Binarise
from . import replicated_softmax_pictures as drawing
from .rbm import RBM
from .rbm import Settings as RBMSettings
from .word_counts import CountSettings, as_counts


class Settings(
    RBMSettings, CountSettings, idle={"clip": "on bits", "binarise": "on sets of words: bits"}
):
    """Settings of a restricted machine of words."""

    binarise: Binarise = "fixed"


def prepare(data: Corpus | DataSet, s: Settings) -> DataSet:
    """Which words each document has: 1 where a count is not 0."""
    data = as_counts(data, s)
    parts = {k: Split((v.x > 0).astype(np.float32), v.y) for k, v in data.splits()}
    return replace(data, **parts)


def build(data: DataSet, s: Settings, rng) -> RBM:
    """The machine for sets of words."""
    x = data.train.x
    return RBM(x.mean(axis=0, dtype=np.float64), len(x), s, rng)


TEXT = {"hidden": 12, "epochs": 100, "batch": 50, "lr": 0.3}
NEWS = {"hidden": 50, "epochs": 50, "batch": 100, "lr": 0.1}
WORDS = Recipe(
    name="rbm-words",
    title="Restricted Boltzmann machine: topics from bits",
    lecture="lecture 2 (D1 162-191)",
    rows=(36,),
    build=build,
    settings=Settings,
    prepare=prepare,
    data="enwiki_piece",
    takes=("counts", "text"),
    presets={"enwiki_piece": TEXT, "text": TEXT, "20news": NEWS, "counts": NEWS},
    metric="log_likelihood",
    better="higher",
    figures=drawing.figures,
)
RECIPES = (WORDS,)
