"""Pictures of a game: what the generator makes, what the discriminator says, what reaches whom.

samples     images made from noise
points      made points over held-out ones: the first two columns, or histograms of a single one
slopes      |∂ objective of G / ∂ logit| as a function of D, for the three pairs of objectives
vanishing   the norm of G's gradient while D alone learns, against a G that stays as it starts
balance     histograms of D over held-out and made samples
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet, minibatches
from ...core.optim import Adam
from ...core.training.system import Batch
from ..common.images import as_images
from ..common.names import names_of
from .game import Game

LOSSES = ("minimax", "non-saturating", "product")
MOMENTS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 300)  # steps of D at which G's gradient is measured


def slopes_of(d: np.ndarray) -> dict[str, np.ndarray]:
    """|∂ objective of G / ∂ logit of D(g)| where D(g) = d, by loss.

    minimax: d/dc ln(1 - σ) = -σ; non-saturating: -(1 - σ); product: -σ(1 - σ).

    >>> {k: v.tolist() for k, v in slopes_of(np.array([0.25])).items()}
    {'minimax': [0.25], 'non-saturating': [0.75], 'product': [0.1875]}
    """
    return dict(zip(LOSSES, (d, 1 - d, d * (1 - d))))


def gradient_norms(system: Game, data: DataSet, seed: int = 0, size: int = 200) -> dict:
    """Norms of G's gradient under each loss after 0 … 300 steps of D alone, and D's mean on fakes.

    A new game of the same shape, without dropout and normalisation; G stays as it starts.
    """
    plain = {"generator_norm": False, "discriminator_norm": False}
    plain |= {"generator_dropout": 0.0, "discriminator_dropout": 0.0, "steps": 1}
    new = type(system)(data, system.s.changed(**plain), gg.Generator(seed).child("vanishing"))
    adam = Adam(new.discriminator.parameters(), lr=5e-3)
    parameters, found = new.generator.parameters(), {"d_fake": [], **{k: [] for k in LOSSES}}
    batches, epoch = iter(()), 0
    for step in range(MOMENTS[-1] + 1):
        if step in MOMENTS:
            fake = new.judge(new.generate(new.noise(size)))
            found["d_fake"].append(float(gg.sigmoid(fake).mean()))
            for loss in LOSSES:
                grads = gg.grad(new.deception_of(fake, loss), parameters)
                norm = sum(float((g.data.astype("float64") ** 2).sum()) for g in grads) ** 0.5
                found[loss].append(norm)
        batch = next(batches, None)
        if batch is None:
            batches = minibatches(data.train, min(size, len(data.train)), seed, epoch)
            batch, epoch = next(batches), epoch + 1
        loss = new.discrimination(new.on_device(batch))[0]
        for p, g in zip(adam.parameters, gg.grad(loss, adam.parameters)):
            p.grad = g
        adam.step()
    return found


def slopes():
    """The slopes over D: where D is sure that a sample is made, one loss is left."""
    fig = pictures.figure(5.0, 3.2)
    ax, d = fig.subplots(), np.linspace(0, 1, 200)
    for (name, slope), colour in zip(slopes_of(d).items(), pictures.COLOURS):
        ax.plot(d, slope, color=colour, label=name)
    ax.set(xlabel="D(G(z))", ylabel="|∂/∂ logit|", title="what reaches the generator")
    return clean(fig, ax)


def vanishing(system: Game, data: DataSet, seed: int):
    """What is left of G's gradient while D learns alone."""
    found = gradient_norms(system, data, seed)
    fig = pictures.figure(5.4, 3.4)
    ax = fig.subplots()
    ax.set(xscale="symlog", yscale="log")
    for name, colour in zip(LOSSES, pictures.COLOURS):
        ax.plot(MOMENTS, np.maximum(found[name], 1e-30), "o-", ms=3, color=colour, label=name)
    ax.set(xlabel="steps of D against the same G", ylabel="norm of G's gradient")
    ax.set(title=f"D(G(z)) falls to {found['d_fake'][-1]:.1e}")
    return clean(fig, ax)


def balance(system: Game, data: DataSet):
    """Histograms of D: ½ and ½ if neither side wins."""
    split = data.test if data.test is not None and len(data.test) else data.train
    x = split.x[:2000].reshape(min(2000, len(split)), -1)
    fig = pictures.figure(5.0, 3.2)
    ax, edges = fig.subplots(), np.linspace(0, 1, 41)
    for rows, name, colour in (
        (x, "held out", pictures.COLOURS[0]),
        (system.drawn(len(x)), "made", pictures.ACCENT),
    ):
        with gg.no_grad():
            d = gg.sigmoid(system.judge(gg.Tensor(system.on_device(Batch(rows)).x))).numpy()
        ax.hist(d[:, 0], edges, color=colour, alpha=0.55, label=f"{name}, mean {d.mean():.2f}")
    ax.set(xlabel="D(x)", yticks=[], title="what the discriminator says")
    return clean(fig, ax)


def points(system: Game, data: DataSet, n: int = 1500, rng=None):
    """Made points over held-out ones: the first two columns, or histograms of a single one."""
    split = data.test if data.test is not None and len(data.test) else data.train
    x, made = split.x[:n].reshape(min(n, len(split)), -1), system.drawn(n, rng)
    names, pair = names_of(data), ((x, "held out", pictures.INK), (made, "made", pictures.ACCENT))
    fig = pictures.figure(4.8, 4.6)
    ax = fig.subplots()
    ax.set(xlabel=names[0], title="made over held out")
    if x.shape[1] == 1:
        edges = np.histogram_bin_edges(np.concatenate([x, made]), 41)
        for rows, name, colour in pair:
            ax.hist(rows[:, 0], edges, density=True, alpha=0.5, color=colour, label=name)
        return clean(fig, ax)
    for rows, name, colour in pair:
        ax.plot(rows[:, 0], rows[:, 1], ".", ms=3, alpha=0.5, color=colour, label=name)
    ax.set(ylabel=names[1])
    if "centres" in data.info.extra:  # a plane, not two quantities
        ax.set(aspect="equal")
    return clean(fig, ax)


def sample(system: Game, data: DataSet, n: int, rng):
    """n samples: images as a sheet, rows of a table as points."""
    if data.train.x.ndim != 4:
        return points(system, data, n, rng)
    return pictures.image_sheet(as_images(system.drawn(n, rng), data), title="made from noise")


def of_samples(system: Game, data: DataSet, seed: int) -> dict:
    """The picture of what a generator makes: `samples`, or `points` of a table."""
    if data.train.x.ndim == 4:
        return {"samples": sample(system, data, 100, gg.Generator(seed).child("figures"))}
    return {"points": points(system, data)}


def figures(system: Game, data: DataSet, s) -> dict:
    """The figures of a game with probabilities."""
    return {
        **of_samples(system, data, s.seed),
        "slopes": slopes(),
        "vanishing": vanishing(system, data, s.seed),
        "balance": balance(system, data),
    }


def clean(fig, ax):
    """The figure, with a small title, two spines and a legend without a frame."""
    ax.title.set_fontsize(10)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
    return fig
