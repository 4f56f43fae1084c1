"""A language model: the next character or word of a text, from all that came before.

Lecture 3 names texts among the uses of recurrent nets, and Karpathy's page on what they make up
(V2 191-215), without a formula. With a table E of symbol vectors ::

    p(x_1 ... x_T) = Π_t p(x_{t+1} | x_1 ... x_t)             the chain rule, exact
    h_t = LSTM(E x_t, h_{t-1}),   p(x_{t+1} | x_≤t) = softmax(V h_t + c)

    -1/T Σ_t ln p(x_{t+1} | x_≤t)  →  min

The text is cut into `batch` rows, which are read side by side in windows of `steps` symbols. The
state passes from window to window, the gradient does not (truncated.py). Between two windows the
state is a buffer: a checkpoint holds it, and a resumed training reads on as if nothing had been.
With many words V is the expensive layer. Its logits are kept only while they are few: beyond 16 MiB
they are made in parts and made again on the way back (nn.losses.linear_cross_entropy).

    loss        nats a symbol
    bits        loss / ln 2, the measure for characters: what the text would take, compressed
    perplexity  e^loss, the measure for words: as uncertain as among so many equally likely ones

Held-out text is read once, from end to end, with the state carried on. The yardstick are counts:
n-grams with modified Kneser-Ney smoothing (ngrams.py), which know the n-1 symbols before exactly,
and nothing else. On the default text bigrams have 3.58 bits a character, trigrams 2.69, 4-grams
2.20, 5-grams 2.05 and 7-grams, the best, 2.02. A net has no such limit, but a quarter of a million
characters are few for it: the default passes the 4-grams, with 2.14 after half a minute, and does
not reach the 5-grams. Words of the Penn Treebank: 114.54 in 47 minutes of one processor, where the
net of Zaremba et al. without regularisation, of the same size, has 114.5.

What is made up is drawn symbol by symbol from p^(1/τ), normalised again. The temperature τ = 1 is
the model itself; below, it says what is likely, and soon the same again.

The pictures: what context is worth, for the net and for n-grams; a passage with the surprise of
every symbol; what single units fire on, as on Karpathy's page, those chosen that go along with a
property of the text; texts at several temperatures.

Sources: Mikolov et al., "Recurrent neural network based language model", 2010; Zaremba, Sutskever,
Vinyals, "Recurrent neural network regularization", 2014; Karpathy, "The unreasonable effectiveness
of recurrent neural networks", 2015.
"""

import math
from dataclasses import replace

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import Corpus, DataSet, Info, Split, Vocabulary, count, windows
from ...core.data.text import END, UNKNOWN
from ...core.nn.cross_entropy import LOGITS
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch, System, cut_along
from ..common.gradients import by_parameters
from . import language_pictures
from .lstm_cell import open_forget_gates
from .truncated import Carried

ROWS = 10  # in which held-out text is read during training, each from a zero state
READ = 200  # steps at a time, where nothing is trained


class Settings(TrainingSettings):
    """Settings of a language model."""

    hidden: int = setting(128, least=1, help="units H of a level")
    layers: int = setting(1, least=1, help="levels, each on the h_t of the one below")
    embed: int = setting(64, least=1, help="numbers in the vector of a symbol")
    steps: int = setting(50, least=1, help="symbols that a gradient goes back, at most")
    dropout: float = setting(
        0.0, least=0, below=1, help="share of the connections dropped, recurrent ones never"
    )
    init: float = setting(
        0.0, least=0, help="bound of uniform first weights, 0 for each layer's own"
    )
    forget_bias: float = setting(1.0, help="initial b_f, so that the forget gates start open")
    temperature: tuple[float, ...] = setting(
        (1.0, 0.5), above=0, some=True, help="of the texts that are made up, one each"
    )
    articles: int = setting(0, least=0, help="of an encyclopedia that are read, 0 for all")
    min_count: int = setting(20, least=1, help="rarer words of an encyclopedia are <unk>")


class LanguageModel(System):
    """Numbers of symbols x [T, N] -> h [T, N, H], from which the next symbol is predicted."""

    def __init__(self, words: Vocabulary, s: Settings, rng, dtype="float32"):
        self.s, self.words = s, words
        made = {"dtype": dtype}
        self.embedding = nn.Embedding(len(words), s.embed, rng=rng.child("embedding"), **made)
        self.layer = nn.LSTM(
            s.embed, s.hidden, s.layers, dropout=s.dropout, rng=rng.child("layer"), **made
        )
        self.output = nn.Linear(s.hidden, len(words), rng=rng.child("output"), **made)
        self.drop = nn.Dropout(s.dropout, rng=rng.child("drop"))
        if s.init:
            bounds = {"low": -s.init, "high": s.init}
            nn.init.everywhere(self, nn.init.uniform, rng.child("init"), **bounds)
        open_forget_gates(self.layer, s.forget_bias)
        self.carried = Carried(self.layer, s.batch, dtype)

    def forward(self, x, state=None):
        """(h [T, N, H], the last state) after symbols x [T, N]."""
        hs, state = self.layer(self.drop(self.embedding(x)), state)
        return self.drop(hs), state

    def losses(self, hs, y, reduction="none"):
        """-ln p(y) by the softmax after h [T, N, H], for y [T, N]: [T·N], or their mean."""
        hs, y = hs.reshape((y.size, self.s.hidden)), y.reshape(-1)
        if y.size * len(self.words) <= LOGITS:  # small enough to keep: a product less
            return nn.losses.cross_entropy(self.output(hs), y, reduction)
        w, b = self.output.weight, self.output.bias
        return nn.losses.linear_cross_entropy(hs, w, b, y, reduction)

    # -------------------------------------------------------------------------- learning

    def objective(self, batch):
        """-ln p of the next symbol, the mean over a window; in training the state is carried on."""
        hs, state = self(batch.x, self.carried.state() if self.training else None)
        if self.training:
            self.carried.keep(state)
        return self.losses(hs, batch.y, "mean")

    def cut(self, batch, n):
        """Parts with some of the rows of the text, each with its own carried state."""
        return [replace(b, samples=b.x.size) for b in cut_along(batch, n, {"x": 1, "y": 1})]

    def batches(self, data, size, seed, epoch, start):
        """Windows of the text in its order; an epoch begins from zeros."""
        if start == 0:
            self.carried.reset()
        found = windows(data.train.x, size, self.s.steps, start)
        return (Batch(x, y, samples=x.size) for x, y in found)

    def batches_per_epoch(self, data, size):
        """The number of windows of a row."""
        return count((len(data.train) - 1) // size, self.s.steps)

    # ------------------------------------------------------------------------ evaluation

    def read(self, tokens: np.ndarray, rows: int = 1):
        """(h [T, N, H], y [T, N]) of windows of a text in `rows` rows, from beginning to end."""
        state = None
        with gg.no_grad():
            for x, y in windows(tokens, rows, READ):
                batch = self.on_device(Batch(x, y))
                hs, state = self(batch.x, state)
                yield hs, batch.y

    def surprise(self, tokens: np.ndarray, rows: int = 1) -> np.ndarray:
        """-ln p of every symbol but the first of each row, [T, N] float64."""
        found = [self.losses(hs, y).numpy().reshape(y.shape) for hs, y in self.read(tokens, rows)]
        return np.concatenate(found).astype(np.float64)

    def evaluate(self, split, size=500):
        """The page's figures, the text in ten rows."""
        return figures_of(self.surprise(split.x, min(ROWS, len(split) - 1)))

    def evaluate_finished(self, split):
        """The same of the text read as one, every symbol after all that came before."""
        return figures_of(self.surprise(split.x))

    # ---------------------------------------------------------------------------- making up

    def write(self, n: int, temperature: float, rng, first: int) -> list[int]:
        """n symbols after the symbol `first`, drawn from p^(1/τ) one after the other."""
        state, found = None, [first]
        for draw in rng.uniform((n,), dtype="float64"):
            with gg.no_grad():
                x = self.on_device(Batch(np.array([[found[-1]]]))).x
                hs, state = self(x, state)
                logits = self.output(hs[0, 0]).numpy().astype(np.float64)
            p = np.exp((logits - logits.max()) / temperature).cumsum()
            found.append(min(int(np.searchsorted(p, draw * p[-1], "right")), len(p) - 1))
        return found[1:]


def figures_of(nats: np.ndarray) -> dict[str, float]:
    """loss, bits and perplexity of the symbols of a text."""
    loss = float(nats.mean())
    return {"loss": loss, "bits": loss / math.log(2), "perplexity": math.exp(loss)}


def prepare(data: DataSet | Corpus, s: Settings) -> DataSet:
    """A text as it is; an encyclopedia as one text of words, its articles cut 90 / 5 / 5 %."""
    if not isinstance(data, Corpus):
        for name in ("articles", "min_count"):
            if getattr(s, name) != getattr(Settings(), name):
                raise SettingError(f"setting {name!r} has no effect on {data.name}")
        if s.batch >= len(data.train):
            n = len(data.train)
            raise SettingError(f"{data.name}: batch must be below the {n} symbols; got {s.batch}")
        return data
    lines = [[*line.split(), END] for line in data.lines(s.articles or None)]
    a, b = len(lines) * 90 // 100, len(lines) * 95 // 100
    words = Vocabulary.build(lines[:a], first=(UNKNOWN,), min_count=s.min_count)
    parts = [[w for line in part for w in line] for part in (lines[:a], lines[a:b], lines[b:])]
    info = Info(data.info.source, vocabulary=words, kind="text", note="whole articles, in order")
    return DataSet(data.name, *(Split(words.encode(part)) for part in parts), info)


def build(data: DataSet, s: Settings, rng) -> LanguageModel:
    """The model for a text."""
    return LanguageModel(data.info.vocabulary, s, rng)


def sample(system: LanguageModel, data: DataSet, n: int, rng):
    """n symbols at each temperature of the settings."""
    return language_pictures.made_up(system, data, n, rng)


def check(rng):
    """The objective of a small text as a function of all parameters, for gradcheck."""
    s = Settings(hidden=3, embed=2, batch=2)
    system = LanguageModel(Vocabulary(tuple("abcd")), s, gg.Generator(5), "float64").eval()
    x, y = rng.integers(0, 4, (2, 5, 2))
    return by_parameters(system, Batch(x, y))


CHARACTERS = {"epochs": 4, "batch": 25, "lr": 1e-2, "clip": 1.0, "schedule": "cosine"}
MANY = {  # of a text of a million characters
    "hidden": 256, "epochs": 10, "batch": 50, "lr": 5e-3, "clip": 1.0, "schedule": "cosine",
    "dropout": 0.1, "select": "loss",
}  # fmt: skip
# the small net of Zaremba et al. 2014; their cost is a sum over the 20 steps, ours a mean, so that
# their rate of 1 and clip of 5 become 20 and 1/4
WORDS = {
    "hidden": 200, "layers": 2, "embed": 200, "init": 0.1, "forget_bias": 0.0, "steps": 20,
    "epochs": 13, "batch": 20, "optimiser": "sgd", "lr": 20.0, "clip": 0.25,
    "schedule": "halving:4",
}  # fmt: skip

LANGUAGE_MODEL = Recipe(
    name="language-model",
    title="Language model: the next character or word of a text",
    lecture="lecture 3 (V2 191-215)",
    rows=(84,),
    build=build,
    prepare=prepare,
    settings=Settings,
    takes=("text",),
    data="shakespeare_piece",
    presets={
        "shakespeare_piece": CHARACTERS,
        "tinyshakespeare": MANY,
        "ptb": WORDS,
        "enwiki_piece": {**WORDS, "min_count": 5},
        "enwiki_a": {**WORDS, "articles": 300},
        "text": CHARACTERS,
    },
    metric="bits",
    targets=(
        Target(
            "Penn Treebank by words, test perplexity",
            "ptb",
            "perplexity",
            "114.5",
            114.5,
            source="Zaremba, Sutskever & Vinyals 2014, table 1, the net without regularisation",
            protocol="one bias for each gate, where theirs has two",
        ),
        Target(
            "Penn Treebank by words, test perplexity after 6 epochs",
            "ptb",
            "perplexity",
            "141.2: five-grams with Kneser-Ney smoothing",
            141.2,
            settings={"epochs": 6},
            source="Mikolov et al. 2011, table 1",
            note="6 of the 13 epochs: in half an hour the net is to pass the best counts",
            own=True,
        ),
        Target(
            "tinyshakespeare by characters, test bits",
            "tinyshakespeare",
            "bits",
            "none on this part: the usual figure is of validation",
            2.28,
            own=True,
            note="2.28 is the best of n-grams with Kneser-Ney smoothing, of seven characters",
        ),
    ),
    figures=language_pictures.figures,
    sample=sample,
    check=check,
)  # fmt: skip
RECIPES = (LANGUAGE_MODEL,)
