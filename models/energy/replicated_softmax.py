"""Topics of documents: the replicated softmax, a machine for counts (lecture 2, D1 162-191).

The lecture shows what a restricted machine learns from the words of 804,414 news stories: lists of
words, its "topics". Those stories, Reuters', are licensed and left out; 20 newsgroups stand in.
Words come more than once, and documents have different lengths; bits lose both (the recipe
`rbm-words`, words.py). Salakhutdinov & Hinton 2009 give each of the D words of a document one
softmax unit of K states, with the same weights in all places. The counts v [K] are all that
matters ::

    E(v, h) = -Σ_kj W_kj v_k h_j - Σ_k b_k v_k - D Σ_j a_j h_j             D = Σ_k v_k
    P(h_j = 1|v) = σ(D a_j + Σ_k v_k W_kj)
    P(word = k|h) = e^{b_k + Σ_j W_kj h_j} / Σ_l e^{b_l + Σ_j W_lj h_j},   D words are drawn
    F(v) = -bᵀv - Σ_j ln(1 + e^{D a_j + (vᵀW)_j})         P(words) = e^{-F(v)}/Z_D

a is scaled by D, so that long documents do not drown it. There is a Z_D for each length. The
gradient is that of the restricted machine, rbm.py, with D h in the place of h for a, divided by the
words of the minibatch and not by its documents; the second term is from `steps` Gibbs steps started
at the data (contrastive divergence).

The metric is the perplexity of held-out words, e^{-Σ_n ln P(words of n)/Σ_n D_n}: among how many
words a model that knows so much would have to guess; `per_document` takes the mean of ln P/D over
the documents first, as the paper does. Both need Z_D: exact up to `ENUMERATED` hidden units ::

    Z_D = Σ_h e^{D aᵀh} (Σ_k e^{b_k + (Wh)_k})^D

and by annealed importance sampling above (ais.py; a Gibbs step draws D words here), from the
model of single words, for `documents` held-out documents. Its ln Z_D is too low on average,
so that such a perplexity is, if anything, too good; `log_z_spread` is the error of ln Z_D in nats,
the mean over lengths. `perplexity_spread` and `per_document_spread` are the standard errors of the
two perplexities: that of ln Z_D and the scatter of documents (`spreads`). `unigram` is the
perplexity of the frequencies of single words on the same documents.

The pictures: the words of each topic; how active topics are, by class where there are classes; how
often they are. The numbers: on 2000 words of 20 newsgroups 50 topics have 953 in the paper, LDA
1091, on another choice of words. On the words of the catalogue's 20news: single words 1278.7, LDA
with 50 topics 1271 (scikit-learn's bound). Ours have 751 there, `per_document` 814: means of three
seeds on 50 documents, of which single words have 1243 and 1266.
"""

import math
from itertools import pairwise

import numpy as np

from ... import core as gg
from ...core.arrays import to_numpy, xp_of
from ...core.data import DataSet, Split
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import setting
from ...core.training.system import Batch, System
from ...kernels.product import product
from . import replicated_softmax_pictures as drawing
from .ais import Estimate, estimate, ladder, states
from .units import draw, logistic, logsumexp, softplus
from .word_counts import CountSettings, as_counts

ENUMERATED = 14  # hidden units up to which Z_D is computed, not estimated
ROWS = 1000  # chains of AIS at a time


class Settings(CountSettings):
    """Settings of a replicated softmax."""

    hidden: int = setting(50, least=1, help="number m of hidden units, the topics")
    steps: int = setting(1, least=1, help="Gibbs steps k from the data for a minibatch")
    documents: int = setting(50, least=1, help="held-out documents that AIS is made for")
    ais_chains: int = setting(100, least=2, help="independent chains of AIS for each length")
    temperatures: int = setting(1000, least=1, help="steps of β from 0 to 1 in AIS")
    schedule: str = "cosine"


class ReplicatedSoftmax(System):
    """W [K, m] ~ N(0, 0.01²), b [K] the logarithms of the words' frequencies, a [m] = 0."""

    whole = ""

    def __init__(self, total: np.ndarray, s: Settings, rng, dtype="float32"):
        super().__init__()
        self.s, self.noise, m = s, rng.child("noise"), s.hidden
        self.w = gg.Tensor(0.01 * rng.child("w").normal((len(total), m), dtype), requires_grad=True)
        self.base = gg.Tensor(log_frequencies(total).astype(dtype))
        self.b = gg.Tensor(self.base.numpy(), requires_grad=True)
        self.a = gg.Tensor(np.zeros(m, dtype), requires_grad=True)

    # ------------------------------------------------------------- the two conditionals

    def inputs(self, v):
        """(D [N, 1], D a + vᵀW [N, m]) of counts v [N, K]."""
        d = v.sum(axis=1, keepdims=True)
        return d, product(v, self.w.data) + d * self.a.data

    def hidden(self, v):
        """P(h = 1|v): [N, K] -> [N, m]."""
        return logistic(self.inputs(v)[1])

    def word_logits(self, h):
        """b + W h, the logits of a word: [N, m] -> [N, K]."""
        return product(h, self.w.data.T) + self.b.data

    def free(self, v):
        """(F(v) [N], P(h|v) [N, m]) without a tape."""
        x = self.inputs(v)[1]
        h = logistic(x)
        return -(v @ self.b.data) - softplus(x, h).sum(axis=1), h

    def gibbs(self, v, steps: int, rng):
        """v after `steps` times h ~ P(h|v), D words ~ P(word|h)."""
        lengths = to_numpy(v.sum(axis=1))
        for _ in range(steps):
            v = draw_counts(rng, self.word_logits(draw(rng, self.hidden(v))), lengths)
        return v

    # --------------------------------------------------------------------- learning

    def train_step(self, batch, training):
        """One step by the estimated gradient; returns the gap F(v) - F(ṽ) per word."""
        figures, _ = training.shards.gradients(batch, lambda part: (self.learn(part.x), None))
        training.clip()
        training.optimiser.step()
        return figures

    def loss_terms(self, batch):
        """The words of the documents."""
        return float(batch.x.sum())

    def learn(self, v) -> dict[str, float]:
        """Leave the gradient of documents v [N, W] in `.grad`; returns the gap."""
        n = len(v)
        f, h = self.free(v)
        fantasy = self.gibbs(v, self.s.steps, self.noise)
        g, k = self.free(fantasy)
        d = v.sum(axis=1, keepdims=True)
        total = float(d.sum())
        self.w.grad = gg.Tensor((product(fantasy.T, k) - product(v.T, h)) / total)
        self.b.grad = gg.Tensor((fantasy.sum(axis=0) - v.sum(axis=0)) / total)
        self.a.grad = gg.Tensor((d * (k - h)).sum(axis=0) / total)
        return {"gap": n * (float(f.mean()) - float(g.mean())) / total}

    # ------------------------------------------------------------------- evaluation

    def evaluate(self, split, size=500):
        """What a word costs if the model sees the document: -ln P(word|h), h given all words."""

        def figures(batch):
            v = batch.x
            log_p = gg.log_softmax(gg.Tensor(self.word_logits(self.hidden(v)))).data
            return {"reconstruction": float(-(v * log_p).sum() / max(float(v.sum()), 1.0))}

        return self.average(figures, split, size)

    def evaluate_finished(self, split):
        """The perplexity of held-out words, and that of single words."""
        v = self.chosen(split)
        lengths = to_numpy(v.sum(axis=1)).astype(int)
        of, place = np.unique(lengths, return_inverse=True)
        found = self.evaluate(split)
        if len(self.a.data) <= ENUMERATED:
            log_z, error = exact(self.w.data, self.b.data, self.a.data, of), np.zeros(len(of))
        else:
            each = self.partition(of, self.noise.child("ais"))
            log_z, error = np.array([(e.log_z, e.spread) for e in each]).T
            found["log_z_spread"] = float(error.mean())
            found["ais_effective"] = float(np.mean([e.effective for e in each]))
        log_p = -to_numpy(self.free(v)[0]).astype(np.float64) - log_z[place]
        single = to_numpy(v).astype(np.float64) @ self.base.numpy()
        by_word, by_document = spreads(log_p, lengths, error[place])
        return found | {
            "perplexity": math.exp(-log_p.sum() / lengths.sum()),
            "perplexity_spread": by_word,
            "per_document": math.exp(-(log_p / lengths).mean()),
            "per_document_spread": by_document,
            "unigram": math.exp(-single.sum() / lengths.sum()),
            "unigram_per_document": math.exp(-(single / lengths).mean()),
        }

    def chosen(self, split: Split):
        """Held-out documents that have words: all where Z_D is exact, else `documents` of them.

        The latter are spread evenly over the split.
        """
        rows = np.flatnonzero(split.x.sum(axis=1) > 0)
        if len(self.a.data) > ENUMERATED and len(rows) > self.s.documents:
            rows = rows[np.linspace(0, len(rows) - 1, self.s.documents).round().astype(int)]
        return self.on_device(Batch(split.x[rows])).x

    def partition(self, lengths: np.ndarray, rng) -> list[Estimate]:
        """ln Z_D by AIS for each of the lengths."""
        found = []
        chains, fit = self.s.ais_chains, max(1, ROWS // self.s.ais_chains)
        for i in range(0, len(lengths), fit):
            found += self.anneal(lengths[i : i + fit], chains, rng)
        return found

    def anneal(self, lengths: np.ndarray, chains: int, rng) -> list[Estimate]:
        """The same for a few lengths at once, a row for each chain of each length."""
        b, base, m = self.b.data, self.base.data, len(self.a.data)
        xp, rows = xp_of(b), np.repeat(lengths, chains)
        v = draw_counts(rng, xp.broadcast_to(base, (len(rows), len(base))), rows)
        log_w = xp.zeros(len(rows), "float64")
        betas = ladder(self.s.temperatures).tolist()
        for low, high in pairwise(betas):
            x = self.inputs(v)[1]
            log_w += (high - low) * (v @ (b - base))
            wide, narrow = high * x, low * x
            h = logistic(wide)
            log_w += (softplus(wide, h) - softplus(narrow, logistic(narrow))).sum(axis=1)
            logits = (1 - high) * base + high * self.word_logits(draw(rng, h))
            v = draw_counts(rng, logits, rows)
        log_w = to_numpy(log_w).reshape(len(lengths), chains)
        start = lengths * logsumexp(to_numpy(base)) + m * math.log(2)
        return [estimate(w, z0) for w, z0 in zip(log_w, start)]


def log_frequencies(total: np.ndarray) -> np.ndarray:
    """ln of the frequencies of words with these counts [K], each seen once more: float64.

    >>> log_frequencies(np.array([0.0, 2.0])).round(4)  # ln ¼, ln ¾
    array([-1.3863, -0.2877])
    """
    n = np.asarray(total, np.float64) + 1
    return np.log(n / n.sum())


def draw_counts(rng, logits, lengths):
    """Counts of lengths[n] draws from softmax(logits[n]) of each row n: [N, K], [N] -> [N, K].

    The cumulated probabilities of row n lie between n and n + 1: one search finds all words.

    >>> import glassgrad as gg
    >>> draw_counts(gg.Generator(0), np.log([[0.5, 0.5], [1.0, 1e-30]]), np.array([0, 3])).tolist()
    [[0.0, 0.0], [3.0, 0.0]]
    """
    xp, (n, k) = xp_of(logits), logits.shape
    p = xp.exp(logits - logits.max(axis=1, keepdims=True)).astype("float64")
    upto = xp.cumsum(p, axis=1)
    upto /= upto[:, -1:]
    upto += xp.arange(n)[:, None]
    row = xp.asarray(np.repeat(np.arange(n, dtype=np.float64), np.asarray(lengths).astype(int)))
    u = xp.minimum(row + rng.uniform(len(row), dtype="float64"), xp.nextafter(row + 1, row))
    at = xp.searchsorted(upto.ravel(), u, side="right")
    return xp.bincount(at, minlength=n * k).reshape(n, k).astype(logits.dtype)


def exact(w, b, a, lengths) -> np.ndarray:
    """ln Z_D for each of the lengths, by enumeration of h, in float64: [lengths].

    >>> exact(np.zeros((3, 2)), np.zeros(3), np.zeros(2), [2]).round(4)  # 3² words, 2² h: ln 36
    array([3.5835])
    """
    w, b, a = (np.asarray(to_numpy(k), np.float64) for k in (w, b, a))
    c = np.concatenate([log_sums(h @ w.T + b) for h in np.array_split(states(len(a)), 16)])
    c = c + states(len(a)) @ a
    return np.array([logsumexp(d * c) for d in lengths])


def spreads(log_p, lengths, error) -> tuple[float, float]:
    """Standard errors of both perplexities PP, per word and per document, of N documents.

    With ln P [N], D [N] and the error s [N] of ln Z_D, to first order ::

        per word        PP √(Σ_n (ln P_n + D_n ln PP)² N/(N-1) + Σ_l (Σ_n∈l s_n)²)/Σ_n D_n
        per document    the same of the mean of ln P/D: its terms, and s, are divided by D first

    Documents of one length l have one ln Z_D, so that their errors add up. Of a single document the
    scatter is not known and is left out.

    >>> found = spreads(np.array([-2.0, -4.0]), np.array([2, 2]), np.array([0.1, 0.1]))
    >>> [round(float(x), 3) for x in found]  # both e^1.5 √(4 + 0.2²)/4
    [2.252, 2.252]
    """
    found, n = [], len(log_p)
    for size in (np.asarray(lengths, np.float64), np.ones(n)):
        part = size / lengths  # 1, or 1/D
        terms, errors = log_p * part, error * part
        mean = terms.sum() / size.sum()
        scatter = ((terms - mean * size) ** 2).sum() * n / max(n - 1, 1)
        _, place = np.unique(lengths, return_inverse=True)
        shared = (np.bincount(place, weights=errors) ** 2).sum()
        found.append(math.exp(-mean) * math.sqrt(scatter + shared) / size.sum())
    return found[0], found[1]


def log_sums(x: np.ndarray) -> np.ndarray:
    """ln Σ_k e^{x_nk} of each row."""
    top = x.max(axis=1, initial=-np.inf)
    return top + np.log(np.exp(x - top[:, None]).sum(axis=1))


def build(data: DataSet, s: Settings, rng) -> ReplicatedSoftmax:
    """The machine for counts."""
    return ReplicatedSoftmax(data.train.x.sum(axis=0, dtype=np.float64), s, rng)


def check(rng):
    """F(v) - F(ṽ) of small counts and fixed samples ṽ as a function of W, b, a, for gradcheck."""
    v, fantasy = (gg.Tensor(rng.integers(0, 4, (4, 5)).astype(float)) for _ in range(2))

    def free_energy(v, w, b, a):
        d = v.sum(axis=1, keepdims=True)
        return -(v @ b) - gg.softplus(v @ w + d * a).sum(axis=1)

    def f(w, b, a):
        return free_energy(v, w, b, a).mean() - free_energy(fantasy, w, b, a).mean()

    return f, [0.5 * rng.standard_normal((5, 3)), rng.standard_normal(5), rng.standard_normal(3)]


TEXT = {"hidden": 12, "epochs": 60, "batch": 50, "lr": 0.01, "steps": 5}
NEWS = {"hidden": 50, "epochs": 100, "batch": 100, "lr": 3e-3, "steps": 5, "clip": 20}
OTHER = "another choice of 2000 words, stemmed; their held-out documents are other draws"
REPLICATED = Recipe(
    name="replicated-softmax",
    title="Replicated softmax: topics of documents",
    lecture="lecture 2 (D1 162-191)",
    rows=(36,),
    build=build,
    settings=Settings,
    prepare=as_counts,
    data="enwiki_piece",
    takes=("counts", "text"),
    presets={"enwiki_piece": TEXT, "text": TEXT, "20news": NEWS, "counts": NEWS},
    metric="perplexity",
    targets=(
        Target(
            "20 newsgroups, 50 topics: test perplexity per word, mean over documents",
            "20news",
            "per_document",
            "953 (LDA 1091)",
            953.0,
            source="Salakhutdinov & Hinton 2009, table 2",
            protocol=OTHER,
            spread="per_document_spread",
            seeds=3,
        ),
        Target(
            "20 newsgroups, 50 topics: test perplexity per word",
            "20news",
            "perplexity",
            "1271 (LDA, 50 topics); 1278.7 (single words)",
            1271.0,
            own=True,
            source="scikit-learn's variational bound on the same words, all test documents",
            protocol="ours by AIS for 50 test documents; LDA's is a bound, for all of them; that of"
            " single words is for all too (`unigram`: for our 50)",
            spread="perplexity_spread",
            seeds=3,
        ),
    ),
    figures=drawing.figures,
    check=check,
)
RECIPES = (REPLICATED,)
