"""FastText: vectors of words from their parts, so that unseen words have one too (V2 576-577).

In word2vec every word is a thing of its own: "exporter" says nothing about "exporters", and a word
that was not in the text has no vector. Here the parts of words have vectors z_g, and a word is the
mean of its parts: itself, and its character n-grams, all runs of 3 to 6 letters of ``<word>``
(ngrams.py)

    x_u = 1/|G_u| Σ_{g in G_u} z_g        ln σ(<c_w, x_u>) + Σ_i ln σ(-<c_vi, x_u>)  →  max

with the contexts c of whole words, and all else as word2vec's program has it: two tables, negatives
in proportion to count^(3/4), common words thinned out, windows of random width. A word outside of
the vocabulary is the mean of its n-grams alone.

The lecture has a line, "embeddings of character n-grams", and no formula. The paper has the sum of
the z_g; FastText's program, and this one, has their mean, and adds to each z_g what the pair's step
would add to a vector of the word's own:

    z_g += rate Σ_t (label_t - σ(<c_t, x_u>)) c_t        for each g in G_u

so that x_u itself moves by that step, as in word2vec: a word of many parts learns no faster. So the
same kernel makes the steps (kernels/skip_gram), on the vectors x_u of the words in a piece of the
text (`batch` words); after it each n-gram gets the sum of what its words have got (kernels/
embedding). Apart from that, FastText's program differs in four things: words that share n-grams
learn of one another at once there, here after the piece; its negatives go by √count, and its
common words are thinned out from a share of 1e-4 on, here both as in word2vec's program; and a
word of at most four letters is there, within its brackets, one of its own n-grams as well.

    buckets=K    n-grams are hashed to K rows, and those that meet share theirs. The program has two
                 million; here 100,000, for 4,156 words with some 50,000 n-grams
    buckets=0    a row for each n-gram of the vocabulary: exact, as long as they fit
    longest=0    no n-grams: word2vec as its program has it

Judged as word2vec is (judging.py): similarity `rho` of pairs whose words were both seen, analogies;
and `rho_all` of all 353 pairs, unseen words from their n-grams. The words of the text that are too
rare for the vocabulary were not seen either, but stand in contexts: `unseen` is how often such a
word fits one of its contexts better than another such word does, <c_w, x_u> > <c_w, x_u'>; chance
is .5.

Nothing published can be compared: Bojanowski et al. train on whole Wikipedias (WordSim ρ .71 with
n-grams, .72 without; analogies of syntax 74.9 % and 70.1 %). So the number to reach is our own:
what gensim's word2vec gets from enwiki_a, ρ .659 and 35.5 % of the analogies (one training; three
have .650 and 36.1 %). Ours are .619 ± .001 and 55.9 ± .2 % (three seeds, standard errors): n-grams
do some harm to the first, as in the paper, and much good to the second, most of whose questions ask
for a form of a word.

This is not the FastText that classifies texts, which is another paper: fasttext_classifier.py.

The pictures (fasttext_pictures.py): those of word2vec, the neighbours of unseen words, and the
n-grams that a word's vector depends on most.

Sources: Bojanowski, Grave, Joulin, Mikolov, "Enriching word vectors with subword information",
2017, and their program, github.com/facebookresearch/fastText.
"""

from dataclasses import replace

import numpy as np

from ... import core as gg
from ...core.arrays import to_device, xp_of
from ...core.data import Corpus, DataSet, Vocabulary, load
from ...core.nn.init import parameter
from ...core.training.recipe import Recipe
from ...kernels import embedding as rows_kernel
from . import fasttext_pictures, judging, texts, vector_files
from .fasttext_settings import FastTextSettings as Settings
from .ngrams import Subwords, chosen, flat
from .word2vec import NegativeSampling
from .word_targets import next_to_gensim

UNSEEN = 20_000  # pairs of words outside of the vocabulary that the fit is measured on, at most
AT_ONCE = 4096  # words whose parts are gathered


class FastText(NegativeSampling):
    """Vectors z [V + K, D] of words and n-grams, and c [V, D] of contexts."""

    whole = "a step is made for every pair, from the vectors that the pair before it left"

    def __init__(self, data: DataSet, s: Settings, rng):
        super().__init__(data, s, rng)
        self.unseen = data.info.extra["unseen"]

    def make_tables(self, v, s, rng):
        """z uniform within ± 1 / D, c 0."""
        buckets = s.buckets if s.longest else 0
        self.subwords = Subwords(self.vocabulary.words, s.shortest, s.longest, buckets)
        self.items, self.first = flat(map(self.subwords.rows, self.vocabulary.words))
        start = rng.child("z").uniform((self.subwords.size, s.size), -1.0, 1.0) / s.size
        self.z = parameter(start.astype(np.float32))
        self.c = parameter(np.zeros((v, s.size), np.float32))
        self._words: dict = {}  # x_u of all words, on a device, as far as it is needed

    def composed(self, items: np.ndarray, place: np.ndarray, n: int):
        """x [n, D], row p the mean of the z of the items with place p; 0 where there are none."""
        z = self.z.data
        xp = xp_of(z)
        index, place = xp.asarray(items), xp.asarray(place)
        total = rows_kernel.scatter_add(rows_kernel.gather(z, index), place, n)
        count = xp.maximum(xp.bincount(place, minlength=n), 1).astype(z.dtype)
        return total / count[:, None]

    def words(self):
        """The table [V, D] that the steps are made on."""
        like = self.c.data
        if xp_of(like) not in self._words:
            self._words[xp_of(like)] = xp_of(like).zeros_like(like)
        return self._words[xp_of(like)]

    @property
    def w(self) -> gg.Tensor:
        """x [V, D] of all words, from their parts as they are now."""
        x, every = xp_of(self.z.data).empty_like(self.c.data), np.arange(len(self.vocabulary))
        for at in range(0, len(every), AT_ONCE):
            part = every[at : at + AT_ONCE]
            items, place = chosen(self.items, self.first, part)
            x[at : at + AT_ONCE] = self.composed(items, place, len(part))
        return gg.Tensor(x)

    def vectors_of(self, words) -> np.ndarray:
        """x [N, D] of any words, seen or not; 0 for one without a known n-gram."""
        items, first = flat(map(self.subwords.rows, words))
        which = np.arange(len(first) - 1)
        found = self.composed(*chosen(items, first, which), len(which))
        return to_device(found, "cpu")

    def tables(self):
        """The arrays x and c, of which a step changes both."""
        return self.words(), self.c.data

    def train_step(self, batch, training):
        """The kernel's steps on the words of a piece of the text; then their parts follow."""
        xp = xp_of(batch.x)
        words = np.unique(to_device(batch.x, "cpu"))
        items, place = chosen(self.items, self.first, words)
        there, x = xp.asarray(words), self.words()
        before = self.composed(items, place, len(words))
        x[there] = before
        found = super().train_step(batch, training)
        step = rows_kernel.gather(x[there] - before, xp.asarray(place))
        parts, number = np.unique(items, return_inverse=True)
        index = xp.asarray(number.reshape(-1).astype(np.int64))
        self.z.data[xp.asarray(parts)] += rows_kernel.scatter_add(step, index, len(parts))
        return found

    def evaluate(self, split, size=500):
        """`loss`: the objective of a pair of the split, of at most 20,000 of its words."""
        self.words()[...] = self.w.data
        return super().evaluate(split, size)

    def evaluate_finished(self, split):
        """As word2vec; `rho_all` of all pairs of words; `unseen`: see the page."""
        found, w = super().evaluate_finished(split), self.w.numpy()
        pairs = [(a.lower(), b.lower(), score) for a, b, score in load("word_eval").similarity]
        index = judging.numbers(self.vocabulary)
        more = dict.fromkeys(word for a, b, _ in pairs for word in (a, b) if word not in index)
        every = index | {word: len(w) + i for i, word in enumerate(more)}
        vectors = np.concatenate([w, self.vectors_of(more)]) if more else w
        found["rho_all"], found["pairs_all"] = judging.similarity(vectors, every, pairs)
        if len(self.unseen[1]):
            found["unseen"] = self.fitting()
        return found

    def fitting(self) -> float:
        """The share of pairs (u, w) of unseen u for which <c_w, x_u> > <c_w, x_u'>, a tie half.

        u' is another unseen word, taken at random.
        """
        words, centre, context = self.unseen
        if len(words) < 2:
            return 0.5
        x, c = self.vectors_of(words), to_device(self.c.data, "cpu")
        apart = 1 + gg.Generator(self.text).child("unseen").integers(len(words) - 1, len(centre))
        other = (centre + apart) % len(words)
        own, others = ((x[u] * c[context]).sum(axis=1) for u in (centre, other))
        return float(((own > others) + 0.5 * (own == others)).mean())


def unseen_pairs(data: Corpus | DataSet, vocabulary: Vocabulary, window: int) -> tuple:
    """(words, centre, context) int64 [N]: the rare words of a text with known ones next to them.

    `centre` are numbers of `words`, `context` those of the vocabulary; the first 20,000 pairs.
    """
    words: dict[str, int] = {}
    pairs: list[tuple[int, int]] = []
    for line in texts.lines_of(data):
        number = [vocabulary.index.get(word, -1) for word in line]
        for i in (i for i, n in enumerate(number) if n < 0):
            near = number[max(0, i - window) : i] + number[i + 1 : i + 1 + window]
            known = [n for n in near if n >= 0]
            if known:
                own = words.setdefault(line[i], len(words))
                pairs += [(own, n) for n in known]
        if len(pairs) >= UNSEEN:
            break
    centre, context = np.array(pairs[:UNSEEN], np.int64).reshape(-1, 2).T.copy()
    return tuple(words), centre, context


def prepare(data: Corpus | DataSet, s: Settings) -> DataSet:
    """The text as numbers of words, and the pairs of its rare words.

    Raises DataError where the text holds no pair of words.
    """
    found = texts.as_numbers(data, s.min_count, s.whole)
    unseen = unseen_pairs(data, found.info.vocabulary, s.window)
    extra = found.info.extra | {"unseen": unseen}
    return replace(found, info=replace(found.info, extra=extra))


def build(data: DataSet, s: Settings, rng) -> FastText:
    """The vectors of a text's words and their n-grams."""
    return FastText(data, s, rng)


def check(rng):
    """The loss of a pair, of a word of three parts, with a negative; tables z and c."""
    z, c = rng.standard_normal((6, 3)), rng.standard_normal((4, 3))

    def f(z, c):
        x = gg.embedding(z, np.array([0, 4, 5])).mean(axis=0)
        positive = (x * gg.embedding(c, np.array([1]))).sum()
        negative = (x * gg.embedding(c, np.array([3]))).sum()
        return gg.softplus(-positive) + gg.softplus(negative)

    return f, [z, c]


RECIPE = Recipe(
    name="fasttext",
    title="FastText: word vectors from character n-grams",
    lecture="lecture 3 (V2 576-577)",
    rows=(89,),
    build=build,
    prepare=prepare,
    settings=Settings,
    metric="rho",
    better="higher",
    data="enwiki_piece",
    takes=("text", "sentences"),
    needs=("word_eval",),
    presets={
        "enwiki_a": {
            "size": 100, "window": 5, "negatives": 5, "epochs": 5, "min_count": 5, "batch": 2000,
            "whole": True, "buckets": 500_000,
        },
    },
    targets=next_to_gensim(
        "n-grams of 3 to 6 characters in 500,000 buckets; gensim's figure has none",
        seeds=3,
        whose="gensim's word2vec",
        source="gensim 4.4, skip-gram without n-grams, on the same file",
        note="measured by us; nothing published is on a text of this size",
    ),
    figures=fasttext_pictures.figures,
    files=vector_files.of_run,
    check=check,
)  # fmt: skip
RECIPES = (RECIPE,)
