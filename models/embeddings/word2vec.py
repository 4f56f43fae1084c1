"""word2vec: vectors of words from the words that stand near them (lecture 3, V2 496-560).

"You shall know a word by the company it keeps": words of like meaning stand in like contexts, and
get like vectors. With n_wu, how often w stands in a window of h words around u, and a vector x_w
for each word (row 85)

    p(w | u) = exp <x_w, x_u> / Σ_v exp <x_v, x_u>        Σ_{w,u} n_wu ln p(w | u)  →  max

A step takes the mean over the pairs of its `batch` words u and not their sum, so that a pair of a
common word counts less (of the commonest one in the default's text a quarter). The sum over all
words v is long. In its place the lecture has (row 86)

    Σ_{w,u} n_wu ( ln σ(<x_w, x_u>) + Σ_{i=1..k} ln σ(-<x_vi, x_u>) )  →  max

with v_1 ... v_k random words that are not from the context of u. Here a pair (u, w) is met as often
as it occurs, n_wu times an epoch, each time with other v_i: the same sum, one step a pair
(kernels/skip_gram), in the order of the text. The rate falls in a line from `lr` to a
ten-thousandth of it.

Mikolov's program and the libraries differ from the lecture, by settings here:

    tables=two       a word has one vector as u and another one as w; the first is the result.
                     With one table <x_u, x_u> is never negative, so that each word is likely next
                     to itself, where hardly any word stands; and a common word is likely next to
                     all others only by the direction of its vector
    noise=counts     v_i are drawn from all words, in proportion to count^(3/4), those of the
                     context too; the lecture's are equally likely, and so mostly rare words
    sample=1e-3      common words are left out of the text at random (√(t/f) + t/f stay), and do not
                     count for the window: a window reaches further
    dynamic          the window of each word has a random width from 1 to h: near words count more

`word2vec-library` has all four as defaults; the first goes with softmax too. On the text that
ships, softmax with one table does not learn how common words are: after 20 epochs a held-out pair
costs 6.39, more than by the words' shares of all contexts, 6.27 (`unigram_loss`). With two tables
it costs 6.19. By the lecture's negatives "the", which is in the context of 99 % of the words, is
pulled by all and hardly ever pushed. Common words do get sensible neighbours, but on WordSim's
pairs ρ is .08, no more than chance (three seeds; 99 pairs, of which chance makes ± .10).
noise=counts mends it: ρ .31 (seed 0), and .33 with all of the library's settings (three seeds).

Judged (judging.py) by similarity, Spearman's ρ with what people say of 353 pairs of words, and by
analogies, "Athens is to Greece as Oslo is to …". Held out is one line in twenty of the text, for
`loss`, which no figure of the words depends on: the shipped settings were chosen by it. The number
to reach is that of one training of gensim's program on the same text with the same settings,
enwiki_a: ρ .659, and 35.5 % of 11,963 analogies. Over three seeds gensim has ρ .650 ± .013 and 36.1
± .9 %, `word2vec-library` .650 ± .008 and 35.9 ± .5 %, in 2.3 times as many words a second, each on
one processor (bench/results/word_vectors.md). The lecture's form, `word2vec-negative`, has .33 and
5.9 % there (one seed).

A run folder has the vectors in a file, vectors.bin, which other programs read (vector_files.py),
and the text CNN of models/convolutional.

The pictures (word_pictures.py): nearest neighbours, analogies by section, a map of words, and the
plane of countries with their capitals.

Sources: Mikolov, Chen, Corrado, Dean, "Efficient estimation of word representations in vector
space", 2013; Mikolov, Sutskever, Chen, Corrado, Dean, "Distributed representations of words and
phrases and their compositionality", 2013.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ... import core as gg
from ...core.arrays import xp_of
from ...core.data import Corpus, DataSet
from ...core.nn.init import parameter
from ...core.training.recipe import Recipe
from ...core.training.system import Batch, System
from ...kernels import skip_gram as kernel
from . import judging, texts, vector_files, word_pictures
from .pairs import Noise, falling
from .pairs import check as check_negative
from .word_settings import LibrarySettings, NegativeSettings, Settings
from .word_targets import next_to_gensim

HELD_OUT = 20_000  # words whose pairs the loss is measured on, at most


class Word2Vec(System):
    """Vectors w [V,D], and c [V,D] as contexts where there are two tables."""

    def __init__(self, data: DataSet, s: Settings, rng):
        super().__init__()
        self.s, self.rng, self.text = s, rng, rng.child("text").seed
        self.vocabulary, self.counts = data.info.vocabulary, data.info.extra["counts"]
        self.make_tables(len(self.vocabulary), s, rng)

    def make_tables(self, v: int, s: Settings, rng) -> None:
        """w uniform within ± 1 / 2D, c (if there is one) 0."""
        start = (rng.child("w").uniform((v, s.size)) - 0.5) / s.size
        self.w = parameter(start.astype(np.float32))
        self.c = parameter(np.zeros((v, s.size), np.float32)) if s.tables == "two" else None

    def on_host(self, *names):
        """A stream for what is drawn of the text, which stays on the host."""
        return gg.Generator(self.text).child(*names)

    def evaluate_finished(self, split):
        """The loss; `rho` and `analogies` in per cent; how many pairs and questions had vectors."""
        found = judging.judge(self.w.numpy(), self.vocabulary)
        return {
            **self.evaluate(split),
            "rho": found.rho,
            "analogies": found.right,
            "pairs": found.pairs,
            "questions": found.asked,
        }


class FullSoftmax(Word2Vec):
    """The softmax over all words: minibatches of words u, each with all of its n_uw."""

    def __init__(self, data: DataSet, s: Settings, rng):
        super().__init__(data, s, rng)
        self.together = texts.cooccurrence(data.train.x, s.window, len(self.vocabulary))

    def batches(self, data, size, seed, epoch, start) -> Iterator[Batch]:
        """Words u in a random order, with their counts."""
        order = self.on_host("order", seed, epoch).permutation(len(self.vocabulary))
        for at in range(start * size, len(order), size):
            yield self.counted(self.together, order[at : at + size])

    def batches_per_epoch(self, data, size):
        """The number of groups of words."""
        return -(-len(self.vocabulary) // size)

    def counted(self, together, u: np.ndarray) -> Batch:
        """Words u [B], and n_uw as rows [B,V]."""
        return Batch(u, together[u].toarray())

    def loss_terms(self, batch):
        """The pairs of the words of the batch: Σ n_uw."""
        return float(batch.y.sum())

    def objective(self, batch):
        """-Σ n_uw ln p(w | u) / Σ n_uw, over the words u of the batch."""
        out = self.w if self.c is None else self.c
        logits = gg.linear(gg.embedding(self.w, batch.x), out)
        return -(batch.y * gg.log_softmax(logits)).sum() / float(max(1.0, batch.y.sum()))

    def evaluate(self, split, size=500):
        """`loss`: the objective of a pair of the split, of at most 20,000 of its words."""
        pieces = list(split.x)[: first_pieces(split.x, HELD_OUT)]
        together = texts.cooccurrence(pieces, self.s.window, len(self.vocabulary))
        met, total = np.flatnonzero(np.diff(together.indptr)), 0.0
        with gg.no_grad():
            for at in range(0, len(met), 100):
                batch = self.counted(together, met[at : at + 100])
                total += self.objective(self.on_device(batch)).item() * float(batch.y.sum())
        return {"loss": total / max(1.0, float(together.sum()))}

    def unigram_loss(self, split) -> float:
        """-ln of a context's share of all contexts, for the pairs that `evaluate` takes."""
        pieces = list(split.x)[: first_pieces(split.x, HELD_OUT)]
        share = np.asarray(self.together.sum(axis=0), np.float64).ravel() + 0.5
        context = texts.near(pieces, self.s.window)[1]
        return float(np.log(share.sum()) - np.log(share[context]).mean())


class NegativeSampling(Word2Vec):
    """k random words for each pair: the kernel makes a step for every pair of the text."""

    whole = "a step is made for every pair, from the vectors that the pair before it left"

    def __init__(self, data: DataSet, s: Settings, rng):
        super().__init__(data, s, rng)
        if s.noise == "counts":
            self.noise = Noise(self.counts**0.75, s.negatives)
        else:
            together = texts.cooccurrence(data.train.x, s.window, len(self.vocabulary))
            near = together.indptr.astype(np.int64), together.indices.astype(np.int64)
            self._near = {np: near}  # the lists of contexts, on each device

    def make_optimiser(self, settings):
        """None: the kernel makes the steps."""
        return

    def batches(self, data, size, seed, epoch, start) -> Iterator[Batch]:
        """Pairs in the order of the text."""
        groups = grouped(data.train.x, size)
        for number in range(start, len(groups)):
            rng = self.on_host("pairs", seed, epoch, number)
            yield Batch(*self.pairs(groups[number], rng), samples=1)

    def batches_per_epoch(self, data, size):
        """The number of groups of pieces of the text."""
        return len(grouped(data.train.x, size))

    def pairs(self, pieces: list[np.ndarray], rng) -> tuple[np.ndarray, np.ndarray]:
        """(u, w) of pieces of the text, thinned out and with random windows where asked for."""
        if self.s.sample:
            pieces = texts.thinned(pieces, texts.kept_share(self.counts, self.s.sample), rng)
        width = self.s.window
        if self.s.dynamic:
            width = 1 + rng.integers(width, sum(map(len, pieces)))
        return texts.near(pieces, width)

    def draws(self, u, rng):
        """Negatives int64 [N,k] for the words u."""
        k, xp = self.s.negatives, xp_of(u)
        if self.s.noise == "counts":
            return self.noise(len(u), rng, xp)
        if xp not in self._near:
            self._near[xp] = [xp.asarray(a) for a in self._near[np]]
        return kernel.outside(*self._near[xp], u, k, *rng.take(len(u) * k))

    def tables(self) -> tuple:
        """The arrays w, and c or None."""
        return self.w.data, None if self.c is None else self.c.data

    def train_step(self, batch, training):
        """A step of the kernel for each pair, after its loss."""
        u, w, xp = batch.x, batch.y, xp_of(batch.x)
        place = training.settings.seed, training.epoch, training.batch
        negative = self.draws(u, self.rng.child("draws", *place))
        some = slice(0, None, max(1, len(u) // 500))  # pairs that the loss is shown of
        loss = kernel.loss(*self.tables(), u[some], w[some], negative[some])
        rates = xp.full(len(u), falling(self.s.lr, training.done), np.float32)
        kernel.step(*self.tables(), u, w, negative, rates, racing=self.s.racing, in_place=True)
        return {"loss": float(loss.mean()) if len(u) else 0.0}

    def evaluate(self, split, size=500):
        """`loss`: the objective of a pair of the split, of at most 20,000 of its words."""
        pieces = list(split.x)[: first_pieces(split.x, HELD_OUT)]
        u, w = (xp_of(self.w.data).asarray(a) for a in texts.near(pieces, self.s.window))
        negative = self.draws(u, self.rng.child("held out"))
        found = kernel.loss(*self.tables(), u, w, negative)
        return {"loss": float(found.astype("float64").mean()) if len(u) else 0.0}


def grouped(pieces: list[np.ndarray], size: int) -> list[list[np.ndarray]]:
    """The pieces in groups of `size` words or more, but for the last.

    >>> [len(g) for g in grouped([np.zeros(3), np.zeros(2), np.zeros(9)], 4)]
    [2, 1]
    """
    found, group, words = [], [], 0
    for piece in pieces:
        group.append(piece)
        words += len(piece)
        if words >= size:
            found.append(group)
            group, words = [], 0
    return [*found, group] if group else found


def first_pieces(pieces, words: int) -> int:
    """How many pieces hold so many words, the last one cut off by nothing."""
    ends = np.cumsum([len(p) for p in pieces])
    return int(np.searchsorted(ends, words)) + 1


def prepare(data: Corpus | DataSet, s: Settings) -> DataSet:
    """The text as numbers of words. Raises DataError where it holds no pair of words."""
    return texts.as_numbers(data, s.min_count, s.whole)


def build(data: DataSet, s: Settings, rng) -> Word2Vec:
    """The vectors of a text's words."""
    return (FullSoftmax if s.form == "softmax" else NegativeSampling)(data, s, rng)


def check(rng):
    """The softmax objective: 4 words, 3 of them as u."""
    x, n = rng.standard_normal((4, 3)), rng.integers(0, 4, (3, 4)) + 1.0

    def f(w):
        logits = gg.linear(gg.embedding(w, np.array([2, 0, 3])), w)
        return -(gg.Tensor(n) * gg.log_softmax(logits)).sum()

    return f, [x]


GENSIM = {
    "size": 100, "window": 5, "negatives": 5, "epochs": 5, "min_count": 5, "batch": 10_000,
    "whole": True,
}  # fmt: skip


SOFTMAX_RECIPE = Recipe(
    name="word2vec",
    title="word2vec by softmax",
    lecture="lecture 3 (V2 511-545)",
    rows=(85,),
    build=build,
    prepare=prepare,
    settings=Settings,
    metric="rho",
    better="higher",
    data="enwiki_piece",
    takes=("text", "sentences"),
    needs=("word_eval",),
    figures=word_pictures.figures,
    files=vector_files.of_run,
    check=check,
)
NEGATIVE_RECIPE = replace(
    SOFTMAX_RECIPE,
    name="word2vec-negative",
    title="word2vec by the lecture's negative sampling",
    lecture="lecture 3 (V2 545-560)",
    rows=(86,),
    settings=NegativeSettings,
    presets={"enwiki_a": GENSIM},
    check=check_negative,
    targets=next_to_gensim(
        "one table, all words, whole windows, negatives from outside; gensim: two tables, thinned"
        " words, random windows, negatives by counts",
        seeds=1,
    ),
)
LIBRARY_RECIPE = replace(
    NEGATIVE_RECIPE,
    name="word2vec-library",
    title="word2vec as Mikolov's program has it",
    lecture="lecture 3 (V2 545-560), the program that it names",
    settings=LibrarySettings,
    targets=next_to_gensim(
        "the same settings; gensim: 2 threads that race; ours: one, in the order of the text",
        seeds=3,
    ),
)
RECIPES = (SOFTMAX_RECIPE, NEGATIVE_RECIPE, LIBRARY_RECIPE)
