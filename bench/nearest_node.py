"""The nearest of 100 x 100 nodes for a million samples of 64 features: the map at full size.

A product of samples and nodes takes 2 N M D operations; a kernel can beat a matrix product followed
by an arg-min because it need not write the N M scores. Some of the samples, spread over all, are
compared with the reference. A node that is equally near, up to rounding, is accepted.
"""

import numpy as np

from ..kernels import implementations
from .job import Contender, Job, Plan
from .verify import VerifyError, expect_close, expect_form, reference

N, D, NODES = 1_000_000, 64, 100 * 100
CASE = f"{N}x{D} on 100x100"
LOOKED_AT = 500  # samples
# how much farther, relatively, the node found may be: sums of differences, or x² - 2 x w + w²
DIRECT, EXPANDED = 8e-6, 1e-4


def plans() -> list[Plan]:
    """One plan, of all versions."""
    return [Plan("som.winners", CASE, lambda session: make(session, N, NODES))]


def make(session, samples: int, nodes: int):
    """The job for so many samples and nodes."""
    x, w = session.draw(samples, D), session.draw(nodes, D, seed=1)
    some = np.linspace(0, samples - 1, min(samples, LOOKED_AT)).astype(int)
    exact = x[some].astype("float64")
    _, least = reference("som", "winners", exact, w.astype("float64"))

    def check(most):
        def judge(what, got):
            index, distance = got
            expect_form(what, index, np.empty(samples, "int64"))
            expect_form(what, distance, x[:, 0])
            chosen = index[some]
            if not ((chosen >= 0) & (chosen < nodes)).all():
                raise VerifyError(f"{what}: a winner is no node")
            farther = (((exact - w[chosen]) ** 2).sum(1) - least) / least
            if not farther.max() <= most:
                raise VerifyError(f"{what}: a node is {farther.max():.3g} farther than the nearest")
            return expect_close(what, (distance[some],), (least,), rtol=most)

        return judge

    put = session.put(x), session.put(w)
    ours = [
        Contender(lambda r=r: r.function(*put), version=r.version, idea=r.idea)
        for r in implementations("som", "winners", session.backend)
        if session.version in (None, r.version) and r.supports(*put)
    ]
    peers = session.contenders("som.nearest", *put)
    for peer in peers.values():
        peer.check = check(EXPANDED)
    moved = 4 * (samples * D + nodes * D) + 12 * samples
    yield Job("som.winners", CASE, ours, check(DIRECT), 2 * samples * nodes * D, moved, peers=peers)
