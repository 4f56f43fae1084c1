"""An epoch of the self-organising map: 10 000 samples of 64 features on a map of 30 x 30 nodes.

In batch form (winners of all samples, then one update), compared with the bare matrix product of
samples and nodes that every version needs, and with MiniSom's epoch of as many single steps;
and online, one sample after another, which is MiniSom's own algorithm.
"""

from functools import cache

import numpy as np

from ..kernels import som as kernel
from ..kernels.arrays import xp_of
from .job import Contender, Job, Plan
from .verify import expect_near, reference

N, D, ROWS = 10_000, 64, 30
CASE = f"{N}x{D} on {ROWS}x{ROWS}"
SIGMA, RATE = 3.0, 0.5
RULE = "difference"
MOST_ERROR = 1e-5  # relative; 3e-7 was measured


def plans() -> list[Plan]:
    """The two forms of an epoch."""
    return [Plan("som.epoch", CASE, batch), Plan("som.epoch", f"{CASE} online", online)]


def _given(session):
    x, w = session.draw(N, D), session.draw(ROWS * ROWS, D, seed=1)
    m, h = np.divmod(np.arange(ROWS * ROWS), ROWS)
    r2 = (m[:, None] - m) ** 2 + (h[:, None] - h) ** 2
    return x, w, (r2 / (2 * SIGMA**2)).astype("float32")


def _neighbourhood(r2):
    """K = exp(-r² / 2σ²) of all pairs of nodes: made in each epoch, as its width shrinks."""
    return xp_of(r2).exp(-r2)


def _job(session, form: str, call, wanted, flops, peers):
    def check(what, got):
        return expect_near(what, got[:1], wanted()[:1], MOST_ERROR)

    moved = 4 * (N * D + 2 * ROWS * ROWS * D)
    return Job("som.epoch", CASE, [Contender(call)], check, flops, moved, form, peers=peers)


def batch(session):
    """All winners at the old weights, then one step: 2 N M D operations for the winners."""
    x, w, r2 = _given(session)
    rate = 1 / N
    host = x, w, _neighbourhood(r2)

    @cache
    def wanted():
        x, w, K = host
        winner = reference("som", "winners", x, w)[0]
        return reference("som", "update", w, x, winner, K, rate, RULE)

    peers = session.contenders("som.epoch", *map(session.put, (x, w, r2)), SIGMA, RATE, ROWS)
    x, w, r2 = map(session.put, (x, w, r2))

    def epoch():
        winner, _ = kernel.winners(x, w)
        return kernel.update(w, x, winner, _neighbourhood(r2), rate, RULE)

    m = len(w)
    yield _job(session, "batch", epoch, wanted, 2 * N * m * D + 2 * m * m * D, peers)


def online(session):
    """One sample after another: 3 N M D operations for the winners, 2 N M D for the steps."""
    x, w, r2 = _given(session)
    rates = np.full(N, RATE, "float32") / (1 + 2 * np.arange(N, dtype="float32") / N)
    rest = np.zeros(N, "int64"), rates
    host = w, x, _neighbourhood(r2)[None], *rest
    wanted = cache(lambda: reference("som", "online", *host, RULE))
    peers = session.contenders("som.epoch", *map(session.put, (x, w, r2)), SIGMA, RATE, ROWS)
    peers.pop("blas", None)  # no such product is in it
    x, w, r2, *rest = map(session.put, (x, w, r2, *rest))

    def epoch():
        return kernel.online(w, x, _neighbourhood(r2)[None], *rest, RULE)

    yield _job(session, "online", epoch, wanted, 5 * N * len(w) * D, peers)
