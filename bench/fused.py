"""Passes that are bound by memory, compared with the copy bandwidth, which is their roofline.

Each moves tens of megabytes, more than the caches hold; `bytes` is the least traffic, every array
read once and written once, at float32:

    fused.dropout       x -> y                                                      2 arrays
    fused.reparam       mu, logvar -> z, kl; backward gz, gkl, mu, logvar -> 2      3, 5
    fused.batch_norm    x -> y, then gy, x -> gx                                    2 + 3
    fused.cross_entropy logits -> loss, then logits -> gradient                     1 + 2
    fused.adam          x, g, m, v -> x, m, v                                       7
"""

import itertools
from functools import cache

import numpy as np

from .. import core as gg
from ..core import nn, optim
from ..kernels import dropout as dropout_kernel
from ..kernels import reparam as reparam_kernel
from .job import Contender, Job, Plan
from .layers import both_modes, label
from .verify import expect_close, expect_near, reference

SEED = 7
ELEMENTWISE, NORMALISED, CLASSES, PARAMETERS = (4096, 2048), (64, 64, 48, 48), (8192, 1000), 1 << 23
MOST_ERROR = 2e-6
ADAM_ERROR = 3e-4  # of a change of 1e-3 in float32 numbers of about 1, which end at 6e-8


def plans() -> list[Plan]:
    """A plan for each pass."""
    return [
        Plan("fused.dropout", label(ELEMENTWISE), dropout),
        Plan("fused.reparam", label(ELEMENTWISE), reparam),
        Plan("fused.batch_norm", label(NORMALISED), batch_norm),
        Plan("fused.cross_entropy", label(CLASSES), cross_entropy),
        Plan("fused.adam", label((PARAMETERS,)), adam),
    ]


def _kernel(session, name, mode, op, pass_, function, args, flops, moved, reduction=1):
    """A job of one call of a kernel; its random numbers are the same on every backend."""
    wanted = cache(lambda: reference(op, pass_, *args))
    put = tuple(map(session.put, args))
    return Job(
        name,
        label(ELEMENTWISE),
        [Contender(lambda: function(*put))],
        lambda what, got: expect_close(what, got, wanted(), reduction, floor=1.0),
        flops,
        moved,
        mode,
        wanted,
        session.contenders(name, mode, *put),
    )


def dropout(session):
    """22 operations a number, most of them the generator's."""
    x = session.draw(*ELEMENTWISE)
    yield _kernel(
        session, "fused.dropout", "forward", "dropout", "forward", dropout_kernel.forward,
        (x, 0.5, SEED, 0), 22 * x.size, 8 * x.size,
    )  # fmt: skip


def reparam(session):
    """50 operations a number, forward and backward."""
    n, d = ELEMENTWISE
    mu, logvar = session.draw(n, d), 0.5 * session.draw(n, d, seed=1)
    gz, gkl = session.draw(n, d, seed=2), session.draw(n, seed=3)
    for mode, function, args, moved in (
        ("forward", reparam_kernel.forward, (mu, logvar, SEED, 0), 3),
        ("backward", reparam_kernel.backward, (gz, gkl, mu, logvar, SEED, 0), 5),
    ):
        yield _kernel(
            session, "fused.reparam", mode, "reparam", mode, function, args, 50 * n * d,
            4 * (moved * n * d + n), d,
        )  # fmt: skip


def batch_norm(session):
    """About 8 operations a number forward, 12 backward."""
    x = session.draw(*NORMALISED)
    leaves = [x, session.draw(x.shape[1], seed=1), session.draw(x.shape[1], seed=2)]
    yield from both_modes(
        session, "fused.batch_norm", label(NORMALISED), lambda *a: gg.batch_norm(*a)[0], leaves,
        session.draw(*x.shape, seed=3), MOST_ERROR, (8 * x.size, 20 * x.size),
        (8 * x.size, 20 * x.size), (),
    )  # fmt: skip


def cross_entropy(session):
    """About 5 operations a logit forward, 3 backward; the labels are few."""
    z = session.draw(*CLASSES)
    labels = np.random.default_rng(1).integers(0, CLASSES[1], CLASSES[0])
    put = session.put(labels)

    def loss(logits):
        on_host = isinstance(logits.data, np.ndarray)
        return nn.losses.cross_entropy(logits, labels if on_host else put)

    yield from both_modes(
        session, "fused.cross_entropy", label(CLASSES), loss, [z], np.ones((), "float32"),
        MOST_ERROR, (5 * z.size, 8 * z.size), (4 * z.size, 12 * z.size), (put,),
    )  # fmt: skip


def mean_step(start, now, steps: int) -> tuple:
    """What one step adds: with a constant gradient every step is as long as the first.

    >>> mean_step(np.zeros(1), np.ones(1), 4)
    (array([0.25]),)
    """
    return ((now.astype("float64") - start) / steps,)


def adam(session):
    """One step of all parameters, 12 operations each; what the first changes is compared with the
    formula in float64, to the rounding of the parameters themselves."""
    x, g = session.draw(PARAMETERS), session.draw(PARAMETERS, seed=1)
    p = gg.Tensor(session.put(x.copy()), requires_grad=True)
    gradient = session.put(g)
    optimiser = optim.Adam([p], lr=1e-3)
    taken = itertools.count(1)

    def step():
        p.grad = gg.Tensor(gradient)  # a new tensor: each gradient is used once
        optimiser.step()
        return p, next(taken)

    @cache
    def change():
        return (-1e-3 * g / (np.abs(g.astype("float64")) + 1e-8),)

    yield Job(
        "fused.adam",
        label((PARAMETERS,)),
        [Contender(step, lambda got: mean_step(x, got[0].numpy(), got[1]))],
        lambda what, got: expect_near(what, got, change(), ADAM_ERROR),
        12 * PARAMETERS,
        28 * PARAMETERS,
        "step",
        change,
        session.contenders("fused.adam", session.put(x.copy()), gradient),
    )
