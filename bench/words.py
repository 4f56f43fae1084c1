"""An epoch of word vectors: 10,000 words of a text of 5000 kinds, the commonest as in English.

Pairs of a window of 5 words on either side, 5 negatives for each by the alias method, then the
steps, in vectors of 100 numbers: what gensim's program does with `sg=1`. In order, which is one
thread on either side; and racing, on as many threads as the run has.
"""

from functools import cache

import numpy as np

from ..kernels import skip_gram as kernel
from ..models.embeddings.texts import near
from .job import Contender, Job, Plan
from .verify import expect_near, reference

WORDS, KINDS, D, WINDOW, K, RATE, SEED = 10_000, 5000, 100, 5, 5, 0.025, 7
PIECE = 1000  # words that windows stay within
CASE = f"{WORDS} words of {KINDS}, D{D} h{WINDOW} k{K}"
MOST_ERROR = 1e-4  # relative: 100,000 steps, each from where the last one ended

MOST_LOSS = 0.05  # relative, where they race


def plans() -> list[Plan]:
    """In order, and racing."""
    return [
        Plan("skip_gram.epoch", CASE, lambda session: epoch(session, False)),
        Plan("skip_gram.epoch", f"{CASE} racing", lambda session: epoch(session, True)),
    ]


def text() -> list[np.ndarray]:
    """Pieces of a text whose word v comes as often as 1 / (v + 1)."""
    u = np.random.default_rng(0).random(WORDS)
    words = np.minimum(KINDS**u - 1, KINDS - 1).astype(np.int64)
    return [words[at : at + PIECE] for at in range(0, WORDS, PIECE)]


def epoch(session, racing: bool):
    """6 D operations for each pair and its negatives."""
    pieces, tables = text(), [0.1 * session.draw(KINDS, D, seed=i) for i in range(2)]
    counts = np.bincount(np.concatenate(pieces), minlength=KINDS) + 1
    table = kernel.alias_table(counts**0.75)
    pairs = len(near(pieces, WINDOW)[0])
    host = [a.astype("float32") for a in tables]

    @cache
    def given():
        u, w = near(pieces, WINDOW)
        return u, w, reference("skip_gram", "noise", *table, len(u), K, SEED, 0)[0]

    @cache
    def wanted():
        rates = np.full(pairs, RATE, "float32")
        return reference("skip_gram", "step", *host, *given(), rates, False)

    def losses(vectors):
        some = [a[:: pairs // 2000] for a in given()]
        return (reference("skip_gram", "loss", *vectors, *some)[0].mean(),)

    tables, put = [session.put(a) for a in host], [session.put(a) for a in table]

    def call():
        u, w = map(session.put, near(pieces, WINDOW))
        negative = kernel.noise(*put, len(u), K, SEED, 0)
        rates = session.put(np.full(len(u), RATE, "float32"))
        return kernel.step(*tables, u, w, negative, rates, racing=racing)

    def check(what, got):
        if racing:  # never the same vectors twice, but as good ones
            return expect_near(what, losses(got), losses(wanted()), MOST_LOSS)
        return expect_near(what, got, wanted(), MOST_ERROR)

    peers = session.contenders("skip_gram.epoch", pieces, D, WINDOW, K, RATE, racing)
    flops, moved = 6 * pairs * (K + 1) * D, 8 * pairs * (K + 2) * D
    yield Job(
        "skip_gram.epoch", CASE, [Contender(call)], check, flops, moved,
        "racing" if racing else "in order", wanted, peers,
    )  # fmt: skip
