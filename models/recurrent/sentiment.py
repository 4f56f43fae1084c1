"""Classes of texts, such as sentiment: a recurrent net reads a text in both directions.

Lecture 3 names the uses, "classification of texts or their fragments; the sentiment of documents,
sentences, words" (V2 191-215), without a formula. The one here is the usual one. x_1 .. x_T are the
words of a text, E a table of word vectors ::

    e_t = E x_t
    →h_t = GRU(e_t, →h_{t-1}),  ←h_t = GRU(e_t, ←h_{t+1}),  h_t = [→h_t, ←h_t]
    s = max_t h_t,   or 1/T Σ_t h_t,   or [→h_T, ←h_1]          `pool`: max, mean, last
    p(y | x) = softmax(W s + b)_y,    -ln p(y | x)  →  min
"""

from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataError, DataSet, Split, count, minibatches, order, pad
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common.gradients import by_parameters
from ..common.labels import classes_of
from ..embeddings import vector_files

LAYERS = {"gru": nn.GRU, "lstm": nn.LSTM}
SORTED = 50  # minibatches whose texts are sorted by length together


class Settings(TrainingSettings):
    """Settings of a classifier of texts."""

    cell: Literal["gru", "lstm"] = setting("gru", help="the recurrent cell")
    hidden: int = setting(32, least=1, help="units H of each direction")
    embed: int = setting(32, least=1, help="numbers in the vector of a word")
    spread: float = setting(0.1, above=0, help="standard deviation of the first vectors")
    vectors: str = setting("", help="word2vec file with first vectors for words that it has")
    pool: Literal["max", "mean", "last"] = setting(
        "max", help="states of a text: their largest or mean numbers, or the last state of each way"
    )
    dropout: float = setting(0.3, least=0, below=1, help="share of the vectors' numbers dropped")
    word_dropout: float = setting(0.1, least=0, below=1, help="share of the words dropped whole")
    longest: int = setting(
        200, least=2, help="words that are read; of a longer text half of them from each end"
    )


class TextReader(System):
    """Numbers of words -> vectors -> a layer in both directions -> pooled -> logits of classes."""

    def __init__(self, words: int, classes: int, s: Settings, rng, dtype="float32"):
        self.s, made = s, {"dtype": dtype}
        self.embedding = nn.Embedding(words, s.embed, rng=rng.child("embedding"), **made)
        self.embedding.weight.data *= s.spread
        self.layer = LAYERS[s.cell](
            s.embed, s.hidden, bidirectional=True, rng=rng.child("layer"), **made
        )
        self.output = nn.Linear(2 * s.hidden, classes, rng=rng.child("output"), **made)
        self.drop = nn.Dropout(s.dropout, rng=rng.child("drop"))
        self.drop_words = nn.Dropout(s.word_dropout, rng=rng.child("words"))

    def forward(self, x, mask):
        """Logits [N, C] of texts x [T, N] whose words exist by the mask [T, N]."""
        return self.read(self.embedding(x), mask)

    def read(self, vectors, mask):
        """Logits [N, C] of texts as vectors e [T, N, E]."""
        there = gg.Tensor(mask[:, :, None])
        lengths = mask.sum(axis=0).astype("int64")
        vectors = self.drop(vectors * self.drop_words(there))
        hs, state = self.layer(vectors, lengths=lengths)
        if self.s.pool == "max":
            pooled = gg.where(there.data > 0, hs, -np.inf).max(axis=0)
        elif self.s.pool == "mean":
            pooled = (hs * there).sum(axis=0) / there.sum(axis=0)
        else:
            h = state[0] if self.s.cell == "lstm" else state
            pooled = gg.concatenate([h[0], h[1]], axis=1)
        return self.output(self.drop(pooled))

    # -------------------------------------------------------------------------- learning

    def batches(self, data, size, seed, epoch, start):
        """Minibatches of texts of similar lengths, in a random order."""
        found = by_length(data.train, size, seed, epoch)[start:]
        return (batch(data.train[rows]) for rows in found)

    def objective(self, batch):
        """(the mean of -ln p(y | x), {"error": per cent of wrong answers})."""
        logits = self(batch.x, batch.mask)
        wrong = 100 * (logits.data.argmax(axis=1) != batch.y).mean()
        return nn.losses.cross_entropy(logits, batch.y), {"error": wrong}

    # ------------------------------------------------------------------------ evaluation

    def evaluate(self, split, size=100):
        """`loss`, nats a text, and `error`, per cent."""
        logits = self.logits(split.x, size).astype("float64")
        loss = nn.losses.cross_entropy(gg.Tensor(logits), split.y).item()
        return {"loss": loss, "error": 100 * float((logits.argmax(axis=1) != split.y).mean())}

    def logits(self, texts: list[np.ndarray], size: int = 100) -> np.ndarray:
        """Logits [N, C] of texts as numbers of words; read in the order of their lengths."""
        rank = np.argsort([len(x) for x in texts], kind="stable")
        found = np.empty((len(texts), self.output.weight.shape[0]), self.output.weight.dtype)
        with gg.no_grad():
            for at in range(0, len(rank), size):
                rows = rank[at : at + size]
                part = self.on_device(batch(Split([texts[i] for i in rows])))
                found[rows] = self(part.x, part.mask).numpy()
        return found


def batch(split: Split) -> Batch:
    """Texts padded to the longest: x, mask [T, N]."""
    x, mask = pad(split.x)
    return Batch(x, split.y, mask, len(split))


def by_length(split: Split, size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The rows of the minibatches of an epoch, a function of (seed, epoch) alone.

    A random order is cut into parts of ``SORTED`` minibatches. Each part is sorted by length and
    cut into minibatches, and all of these are put in a random order: little is padded, and no
    minibatch or its place can be foreseen from the length of a text.
    """
    lengths = np.array([len(x) for x in split.x])
    rows, found = order(len(split), seed, epoch), []
    for at in range(0, len(rows), SORTED * size):
        part = rows[at : at + SORTED * size]
        part = part[np.argsort(lengths[part], kind="stable")]
        found += [part[i : i + size] for i in range(0, len(part), size)]
    return [found[k] for k in order(len(found), seed, epoch)]


def shortened(x: np.ndarray, longest: int) -> np.ndarray:
    """The words of a text, or of a long one the first and the last, `longest` in all.

    >>> shortened(np.arange(9), 5).tolist()
    [0, 1, 6, 7, 8]
    """
    if len(x) <= longest:
        return x
    first = longest // 2
    return np.concatenate([x[:first], x[first - longest :]])


def prepare(data: DataSet, s: Settings) -> DataSet:
    """Long texts shortened. Raises SettingError for texts without classes or without words."""
    classes_of("sentiment", data)
    parts = {}
    for name, split in data.splits():
        for n, x in enumerate(split.x):
            if len(x) == 0:
                raise SettingError(f"{data.name}: {name} text {n} has no words")
        parts[name] = Split([shortened(np.asarray(x, np.int64), s.longest) for x in split.x], split.y)
    return DataSet(data.name, **parts, info=data.info)


def build(data: DataSet, s: Settings, rng) -> TextReader:
    """The classifier for a set of texts, its vectors from a file where the settings name one."""
    words = data.info.vocabulary
    if words is None:
        raise DataError(f"{data.name}: texts need a vocabulary")
    system = TextReader(len(words), classes_of("sentiment", data), s, rng)
    if s.vectors:
        known, vectors = vector_files.load(s.vectors)
        if vectors.shape[1] != s.embed:
            raise SettingError(
                f"sentiment: the vectors of {s.vectors} have {vectors.shape[1]} numbers: set"
                f" embed={vectors.shape[1]}, not {s.embed}"
            )
        both = [(i, known.index[w]) for i, w in enumerate(words.words) if w in known]
        table = system.embedding.weight.numpy().copy()
        for ours, theirs in both:
            table[ours] = vectors[theirs]
        system.embedding.weight.assign(table)
    return system


def check(rng):
    """The objective of three ragged texts as a function of all parameters."""
    s = Settings(hidden=2, embed=2, dropout=0.2, word_dropout=0.2, pool="mean", spread=1.0)
    system = TextReader(5, 3, s, gg.Generator(5), "float64")
    x = [np.array([1, 4, 2]), np.array([3]), np.array([0, 2])]
    return by_parameters(system, batch(Split(x, np.array([2, 0, 1]))))


RECIPE = Recipe(
    name="sentiment",
    title="Classes of texts: a recurrent net in both directions",
    lecture="lecture 3 (V2 191-215)",
    rows=(84,),
    build=build,
    settings=Settings,
    prepare=prepare,
    takes=("sentences",),
    data="enwiki_subjects",
    presets={
        "enwiki_subjects": {"epochs": 6, "batch": 32, "lr": 2e-3, "clip": 1.0, "select": "loss"},
    },
    metric="error",
    check=check,
)
RECIPES = (RECIPE,)
