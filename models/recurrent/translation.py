"""Translation: one recurrent net reads a sentence, another writes it in a second language.

Lecture 3 names it among the uses of recurrent nets (V2 191-215), without a formula. The one here is
that of Bahdanau et al. 2015, with scores by a product (Luong et al. 2015). x_1 ... x_T are the
words of the source, y_1 ... y_U those of the target, E and F two tables of word vectors ::

    →h_t = GRU(E x_t, →h_{t-1}),  ←h_t = GRU(E x_t, ←h_{t+1}),  h_t = [→h_t, ←h_t]     the encoder
    s_0 = th(B h_1 + b),   s_u = GRU(F y_{u-1}, s_{u-1})        the decoder; y_0 is <bos>
    a_ut = softmax_t <s_u, K h_t> / √H                          attention: where to look
    c_u = Σ_t a_ut h_t                                          what is seen there
    p(y_u | y_<u, x) = softmax(V th(C [c_u, s_u] + c) + d)

    -Σ_u ln p(y_u | y_<u, x)  →  min                            y ends with <eos>; a mean over words

In training the decoder gets the true word before ("teacher forcing"), so that all its steps are one
call. Without attention (`attention=none`) all that is known of the source is s_0, H numbers for a
sentence of any length: c_u is left out. On the validation sentences of the default (one seed) BLEU
is 29.7 with attention and 12.8 without; the translation of the nearest training sentence has 24.5.

A translation is written word by word, each time the `beam` likeliest beginnings at once, up to
<eos>; of those that ended the one with the largest ln p a word is taken. `beam=1` takes the
likeliest word, come what may.

Judged by perplexity of the words, and by BLEU-4 of the translations (bleu.py) against all that the
same source has in the split. Sources that differ in unknown words alone are one. The yardstick is
the translation of the nearest training sentence (TF-IDF of words and pairs of words): 25.0 from
French to English, 22.8 from English to French (`--read direction=eng-fra`), on the test sentences.

The pictures: alignments, a_ut as shades, which are no part of the data; translations next to the
references.

Speech and captions, which the lecture lists too, are left out: each needs data of many gigabytes,
and a net whose training takes days on a GPU.

Sources: Sutskever, Vinyals, Le, "Sequence to sequence learning with neural networks", 2014;
Bahdanau, Cho, Bengio, "Neural machine translation by jointly learning to align and translate",
2015; Luong, Pham, Manning, "Effective approaches to attention-based neural machine translation",
2015; PyTorch's tutorial on the same pairs, which shows a loss curve alone.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.arrays import to_numpy
from ...core.data import DataSet, Split, minibatches, pad
from ...core.data.own.texts.pairs import BEGIN
from ...core.data.text import END, PAD
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import TrainingSettings, setting
from ...core.training.system import Batch, System, cut_along
from ..common.gradients import by_parameters
from . import translation_pictures
from .bleu import bleu, by_source


class Settings(TrainingSettings):
    """Settings of a translator."""

    hidden: int = setting(
        64, least=1, help="units H of the decoder, and of each direction of the encoder"
    )
    embed: int = setting(64, least=1, help="numbers in the vector of a word")
    attention: Literal["product", "none"] = setting(
        "product", help="the decoder looks at what was read, or knows its last state alone"
    )
    dropout: float = setting(0.2, least=0, below=1, help="share of the vectors' numbers dropped")
    beam: int = setting(4, least=1, help="beginnings of a translation that are kept")
    longest: int = setting(20, least=1, help="words of a translation, at most")


class Translator(System):
    """Numbers of words in, numbers of words out; both vocabularies begin with the same four marks.

    A batch has x [T,N], the sources, and y [U+2,N], the targets from <bos> to <eos>, both padded.
    """

    def __init__(self, source, target, s: Settings, rng, dtype="float32"):
        self.s, self.words = s, target
        self.mark = {name: target.index[name] for name in (PAD, BEGIN, END)}
        h, made = s.hidden, {"dtype": dtype}
        self.embed_source = nn.Embedding(len(source), s.embed, rng=rng.child("source"), **made)
        self.embed_target = nn.Embedding(len(target), s.embed, rng=rng.child("target"), **made)
        self.encoder = nn.GRU(s.embed, h, bidirectional=True, rng=rng.child("encoder"), **made)
        self.bridge = nn.Linear(2 * h, h, rng=rng.child("bridge"), **made)
        self.decoder = nn.GRU(s.embed, h, rng=rng.child("decoder"), **made)
        seen = 0
        if s.attention == "product":
            seen = 2 * h
            self.keys = nn.Linear(seen, h, bias=False, rng=rng.child("keys"), **made)
        self.join = nn.Linear(seen + h, h, rng=rng.child("join"), **made)
        self.output = nn.Linear(h, len(target), rng=rng.child("output"), **made)
        self.drop = nn.Dropout(s.dropout, rng=rng.child("drop"))

    # ---------------------------------------------------------------- encoder, decoder

    def encode(self, x):
        """(what attention needs, s_0 [1,N,H]) of sources x [T,N]: h [N,T,2H], K h [N,T,H] and the
        number of words int64 [N]; without attention nothing."""
        lengths = (x != self.mark[PAD]).sum(axis=0).astype("int64")
        hs, _ = self.encoder(self.drop(self.embed_source(x)), lengths=lengths)
        start = gg.tanh(self.bridge(hs[0])).reshape((1, -1, self.s.hidden))
        if self.s.attention == "none":
            return (), start
        hs = hs.transpose((1, 0, 2))
        return (hs, self.keys(hs), lengths), start

    def decode(self, y, state, read):
        """(th(C [c, s]) [N,U,H], the last state) after the words y [U,N] before each."""
        states, last = self.decoder(self.drop(self.embed_target(y)), state)
        states = states.transpose((1, 0, 2))
        if read:
            hs, keys, lengths = read
            seen = gg.scaled_dot_product_attention(states, keys, hs, lengths)
            states = gg.concatenate([seen, states], axis=2)
        return self.drop(gg.tanh(self.join(states))), last

    def look(self, x, y) -> np.ndarray:
        """a_ut [N,U,T] of sources x [T,N] and targets y [U+1,N] from <bos> on."""
        (_, keys, lengths), state = self.encode(x)
        states = self.decoder(self.embed_target(y[:-1]), state)[0].transpose((1, 0, 2))
        scores = states @ keys.transpose((0, 2, 1)) / self.s.hidden**0.5
        there = np.arange(len(x)) < to_numpy(lengths)[:, None, None]
        return gg.softmax(gg.where(there, scores, -np.inf)).numpy()

    # -------------------------------------------------------------------------- learning

    def batch(self, split: Split) -> Batch:
        """The sentences of a split, padded; a sample is a word of the target, or its end."""
        begin, end = [self.mark[BEGIN]], [self.mark[END]]
        y = pad([np.concatenate([begin, t, end]) for t in split.y], self.mark[PAD])[0]
        words = sum(len(t) + 1 for t in split.y)
        return Batch(pad(split.x, self.mark[PAD])[0], y, samples=words)

    def batches(self, data, size, seed, epoch, start):
        """Minibatches of sentences, padded to the longest of each."""
        found = minibatches(data.train, size, seed=seed, epoch=epoch, start=start)
        return map(self.batch, found)

    def cut(self, batch, n):
        """Parts with some of the sentences."""
        return [
            replace(b, samples=self.loss_terms(b)) for b in cut_along(batch, n, {"x": 1, "y": 1})
        ]

    def loss_terms(self, batch):
        """The words of the targets, and their ends."""
        return int((batch.y[1:] != self.mark[PAD]).sum())

    def objective(self, batch):
        """-ln p of a word, the mean over the words that there are and the ends of sentences."""
        read, state = self.encode(batch.x)
        out, _ = self.decode(batch.y[:-1], state, read)
        labels = batch.y[1:].T.reshape(-1)
        there = (labels != self.mark[PAD]).nonzero()[0]
        out = gg.embedding(out.reshape((len(labels), self.s.hidden)), there)
        w, b = self.output.weight, self.output.bias
        return nn.losses.linear_cross_entropy(out, w, b, labels[there])

    # ------------------------------------------------------------------------ evaluation

    def evaluate(self, split, size=200):
        """`loss`, nats a word; e to its power is the perplexity."""
        total, words = 0.0, 0
        with gg.no_grad():
            for part in minibatches(split, size, shuffle=False):
                batch = self.on_device(self.batch(part))
                total += self.objective(batch).item() * len(batch)
                words += len(batch)
        return {"loss": total / words}

    def evaluate_finished(self, split):
        """The loss, and BLEU-4 in per cent of the distinct sources of the split."""
        sources, references = by_source(split)
        return {**self.evaluate(split), "bleu": bleu(self.translate(sources), references)}

    def translate(self, sources: list[np.ndarray], size: int = 200) -> list[list[int]]:
        """The translations of sentences, as numbers of words without <bos> and <eos>."""
        found = []
        with gg.no_grad():
            for at in range(0, len(sources), size):
                x = pad(sources[at : at + size], self.mark[PAD])[0]
                found += self.search(self.on_device(Batch(x)).x)
        return found

    def predictions(self, x):
        """The translations, words with spaces between."""
        return {"translation": [" ".join(self.words.decode(t)) for t in self.translate(x)]}

    def search(self, x) -> list[list[int]]:
        """Beam search: of `beam` beginnings of each source x [T,N] all next words are tried.

        A beginning is a row of what the decoder carries: row n·beam + k is number k of source n.
        """
        k, n = self.s.beam, x.shape[1]
        read, state = self.encode(x)
        again = np.repeat(np.arange(n), k)
        read, state = tuple(part[again] for part in read), state[:, again]
        score = np.tile([0.0] + [-np.inf] * (k - 1), (n, 1))  # ln p; at first one beginning
        words = np.full((1, n * k), self.mark[BEGIN])
        best = [(-np.inf, [])] * n
        for step in range(1, self.s.longest + 1):
            last = self.on_device(Batch(words[-1:])).x
            out, state = self.decode(last, state, read)
            log_p = gg.log_softmax(self.output(out[:, 0])).numpy().astype(np.float64)
            log_p[:, [self.mark[PAD], self.mark[BEGIN]]] = -np.inf
            total = (score.reshape(-1, 1) + log_p).reshape(n, -1)
            pick = np.sort(np.argpartition(-total, k - 1, axis=1)[:, :k], axis=1)
            order = np.argsort(-np.take_along_axis(total, pick, axis=1), axis=1, kind="stable")
            pick = np.take_along_axis(pick, order, axis=1)
            score, vocabulary = np.take_along_axis(total, pick, axis=1), log_p.shape[1]
            rows = (pick // vocabulary + k * np.arange(n)[:, None]).reshape(-1)
            words = np.concatenate([words[:, rows], (pick % vocabulary).reshape(1, -1)])
            state = state[:, rows]
            for i, j in np.argwhere(words[-1].reshape(n, k) == self.mark[END]):
                mean = score[i, j] / step
                if mean > best[i][0]:
                    best[i] = mean, words[1:-1, i * k + j].tolist()
                score[i, j] = -np.inf  # it has ended
            if not np.isfinite(score).any():
                break
        rest = words[1:, ::k].T.tolist()  # of a source that never came to an end
        return [text if mean > -np.inf else rest[i] for i, (mean, text) in enumerate(best)]


def build(data: DataSet, s: Settings, rng) -> Translator:
    """The translator for a set of pairs."""
    return Translator(data.info.vocabulary, data.info.extra["target_vocabulary"], s, rng)


def check(rng):
    """The objective of two ragged pairs as a function of all parameters."""
    from ...core.data.text import Vocabulary

    words = Vocabulary((PAD, "<unk>", BEGIN, END, "a", "b"))
    s = Settings(hidden=2, embed=2, dropout=0.0)
    system = Translator(words, words, s, gg.Generator(5), "float64")
    x = [np.array([4, 5, 4]), np.array([5])]
    return by_parameters(system, system.batch(Split(x, [np.array([5]), np.array([4, 4])])))


TRANSLATION = Recipe(
    name="translation",
    title="Translation: sequence to sequence with attention",
    lecture="lecture 3 (V2 191-215)",
    rows=(84,),
    build=build,
    settings=Settings,
    takes=("pairs",),
    data="eng_fra_piece",
    presets={
        "eng_fra_piece": {
            "epochs": 8, "batch": 128, "lr": 1e-2, "clip": 1.0, "schedule": "cosine",
        },
        "pairs": {"epochs": 8, "batch": 64, "lr": 5e-3, "clip": 1.0, "schedule": "cosine"},
    },
    metric="loss",
    targets=(
        Target(
            "French to English, sentences of PyTorch's tutorial: BLEU-4 of 510 sources, %",
            "eng_fra_piece",
            "bleu",
            "none: the tutorial shows a loss curve",
            25.0,
            better="higher",
            settings={"hidden": 256, "embed": 128, "dropout": 0.4, "epochs": 20, "lr": 3e-3},
            own=True,
            note="25.0 is the translation of the nearest training sentence by TF-IDF",
            seeds=3,
        ),
    ),
    figures=translation_pictures.figures,
    check=check,
)  # fmt: skip
RECIPES = (TRANSLATION,)
