"""Pictures of the models with one latent number or class.

curve    the curve f(z) with its spread, p(x) and draws; p(z|x) over z; the lecture's ring
classes  the mean image of each z; draws; p(z|x) of held-out objects; sampling the prior
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ..common import row_pictures
from ..common.images import as_images, has_images, sample_sheet
from ..common.names import names_of
from ..common.rows import flat
from . import prior_sampling, ring

SHOWN = 1000  # points at most


def curve(system, data: DataSet, s: TrainingSettings) -> dict:
    """The curve with the density, draws, posteriors, the ring."""
    rng = gg.Generator(s.seed).child("figures")
    found = {
        "samples": sample(system, data, SHOWN, rng),
        "posterior": posteriors(system, data),
        "ring": ring.picture(rng.child("ring")),
    }
    if data.train.x.shape[1] >= 2:
        found["curve"] = through(system, data)
    return found


def sample(system, data: DataSet, n: int, rng):
    """n draws: z ~ N(0, 1), then x ~ p(x|z)."""
    return sample_sheet(system.drawn(n, rng), data, "z ~ N(0, 1), then x ~ p(x|z)")


def through(system, data: DataSet):
    """f(z) over two columns, coloured by z, with two deviations, next to data and p(x)."""
    x = held(data)[:SHOWN, :2]
    with gg.no_grad():
        mean, log_spread = (t.numpy()[:, :2] for t in system(system.fine))
    z = system.fine.numpy()[:, 0]
    fig = pictures.figure(9.0, 3.8)
    left, right = fig.subplots(1, 2)
    left.plot(*x.T, ".", ms=3, color="#b9c4cd")
    for k in range(0, len(z), max(1, len(z) // 40)):
        for scale in (1.0, 2.0):
            left.add_patch(_ellipse(mean[k], scale * np.exp(log_spread[k])))
    dots = left.scatter(*mean.T, s=8, c=z, cmap="viridis", zorder=3)
    fig.colorbar(dots, ax=left, shrink=0.8, label="z")
    left.set_title("f(z) with one and two deviations; data in grey", fontsize=9)
    low, high = x.min(axis=0) - 0.4, x.max(axis=0) + 0.4
    if data.train.x.shape[1] == 2:
        density = grid_density(system, low, high)
        right.imshow(density, origin="lower", extent=(low[0], high[0], low[1], high[1]),
                     aspect="auto", cmap="Blues")  # fmt: skip
        right.set_title("p(x), the mean of p(x|z) over z", fontsize=9)
    else:
        right.plot(*system.drawn(SHOWN, gg.Generator(0))[:, :2].T, ".", ms=3, color=pictures.ACCENT)
        right.set_title("draws of the model", fontsize=9)
    names = names_of(data)
    for ax in (left, right):
        ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel=names[0], ylabel=names[1])
        ax.spines[["top", "right"]].set_visible(False)
    return fig


def _ellipse(centre, radii):
    from matplotlib.patches import Ellipse

    return Ellipse(centre, *(2 * radii), fill=False, lw=0.4, color=pictures.COLOURS[0], alpha=0.5)


def grid_density(system, low, high, n: int = 90) -> np.ndarray:
    """p(x) on an n x n grid of the plane: [n, n], the second coordinate down."""
    a, b = (np.linspace(lo, hi, n, dtype=system.grid.dtype) for lo, hi in zip(low, high))
    points = np.stack(np.meshgrid(a, b), axis=-1).reshape(-1, 2)
    with gg.no_grad():
        parts = [system.log_likelihood(gg.Tensor(p), system.grid).numpy()
                 for p in np.array_split(points, 9)]  # fmt: skip
    return np.exp(np.concatenate(parts)).reshape(n, n)


def held(data: DataSet) -> np.ndarray:
    """The rows of the test split, or of the next best."""
    return flat(next(k for k in (data.test, data.valid, data.train) if k is not None and len(k)).x)


def posteriors(system, data: DataSet, rows: int = 6):
    """p(z|x) of a few held-out points, and the prior: draws of the prior seldom come near."""
    x = held(data)[:rows]
    with gg.no_grad():
        log_p = system.log_given(gg.Tensor(x), system.fine).numpy().astype(np.float64)
    z = system.fine.numpy()[:, 0].astype(np.float64)
    prior = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    density = prior * np.exp(log_p - prior_sampling.log_mean(log_p)[:, None])
    fig = pictures.figure(6.4, 3.2)
    ax = fig.subplots()
    ax.plot(z, prior, color="#9aa7b2", lw=1.5, label="p(z)")
    for k, line in enumerate(density):
        ax.plot(z, line, color=pictures.COLOURS[k], lw=1, label="p(z|x)" if k == 0 else None)
    ax.set(xlabel="z", yticks=[], title=f"the prior, and p(z|x) of {len(x)} held-out points")
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
    return fig


def classes(system, data: DataSet, s: TrainingSettings) -> dict:
    """The mean of each z, draws, p(z|x) of held-out objects, sampling the prior."""
    rng, images = gg.Generator(s.seed).child("figures"), has_images(data)
    found = {
        "states": states(system, data),
        "samples": sample_bits(system, data, 60 if images else 500, rng),
        "posterior": class_posteriors(system, data),
    }
    train, x = flat(data.train.x), held(data)
    if min(train.shape) > 1:
        found["prior_sampling"] = prior_sampling.picture(train, x, rng.child("prior"))
    return found


def sample_bits(system, data: DataSet, n: int, rng):
    """n draws: z, then the bits that belong to it."""
    return sample_sheet(system.drawn(n, rng), data, "z ~ p(z), then x ~ p(x|z)")


def states(system, data: DataSet):
    """σ(a_z) of each z, the most probable first."""
    share = system.shares()
    order = np.argsort(-share, kind="stable")[: row_pictures.MOST_ROWS]
    means = gg.sigmoid(system.a.detach()).numpy()[order]
    labels = [f"z={k}: {100 * share[k]:.0f} %" for k in order]
    title = "the mean of each z, the most probable first"
    if not has_images(data):
        return row_pictures.matrix(means, data, title, labels)
    columns = min(10, len(order))
    rows = -(-len(order) // columns)
    fig = pictures.figure(0.85 * columns, 1.05 * rows + 0.3)
    axes = fig.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes:
        ax.set_axis_off()
    for ax, image, label in zip(axes, as_images(means, data), labels):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.set_title(label, fontsize=7)
    fig.suptitle(title, fontsize=9)
    return fig


def class_posteriors(system, data: DataSet, rows: int = 20):
    """p(z|x) of the first held-out objects: a row each, the images next to it where there are."""
    x = held(data)[:rows]
    p = system.posterior(x)
    fig = pictures.figure(5.6, 0.24 * len(x) + 1.0)
    left, ax = fig.subplots(1, 2, width_ratios=(1, 14))
    left.set_axis_off()
    if has_images(data):
        sheet = pictures.tile(as_images(x, data), 1, fill=0.0)
        left.imshow(sheet, cmap="gray_r", vmin=0, vmax=1, aspect="auto")
    ax.imshow(p, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set(xlabel="z", yticks=[])
    ax.set_title(f"p(z|x) of {len(x)} held-out objects", fontsize=9)
    return fig
