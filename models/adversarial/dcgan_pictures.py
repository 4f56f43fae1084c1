"""Pictures of a convolutional generator, in colour where the data are.

samples      held-out images above, made ones below
walk         six ways through the noise, each between two draws of it
arithmetic   of three pairs of classes k → m: samples of class k, and below them those of the same
             noise plus z̄_m - z̄_k
levels       the distance from held-out images by scale, of samples, of a normal distribution with
             the data's mean and covariance, and of training images
balance      histograms of D over held-out and made samples
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ..common.names import shorts
from . import game_pictures
from .dcgan_judging import normal_like, swd
from .dcgan_latent import arithmetic, drawn, walk

COLUMNS = 12


def tiled(x: np.ndarray, columns: int, gaps: tuple[int, ...] = ()) -> np.ndarray:
    """Images [N, C, H, W] in [0, 1] as one picture [H', W', 3], white between them.

    One channel is ink on white, as everywhere; three are colours; of other numbers the mean is ink.
    After the rows whose numbers are in `gaps` there is more white.
    """
    x = np.clip(x, 0, 1)
    x = x if x.shape[1] == 3 else np.repeat(1 - x.mean(axis=1, keepdims=True), 3, axis=1)
    sheets = [pictures.tile(x[:, c], columns) for c in range(3)]
    sheet, tall = np.stack(sheets, axis=-1), x.shape[2] + 1
    at = [tall * (row + 1) - 1 for row in sorted(gaps, reverse=True)]
    for row in at:
        sheet = np.insert(sheet, [row] * (x.shape[2] // 3), 1.0, axis=0)
    return sheet


def show(sheet: np.ndarray, title: str, columns: int):
    """A picture of tiles, about half an inch a tile."""
    width = 0.55 * columns
    fig = pictures.figure(width, width * sheet.shape[0] / sheet.shape[1] + 0.35)
    ax = fig.subplots()
    ax.imshow(sheet, interpolation="nearest")
    ax.set_axis_off()
    ax.set_title(title, fontsize=10)
    return fig


def images(system, rows: np.ndarray) -> np.ndarray:
    """Rows [N, D] as images [N, C, H, W]."""
    return rows.reshape(len(rows), *system.data.train.x.shape[1:])


def sample(system, data: DataSet, n: int, rng):
    """n images made from noise."""
    columns = min(COLUMNS, n)
    return show(tiled(images(system, system.drawn(n, rng)), columns), "made from noise", columns)


def samples(system, data: DataSet, seed: int):
    """Two rows of held-out images over six of made ones."""
    made = images(system, system.drawn(6 * COLUMNS, gg.Generator(seed).child("figures")))
    held = held_out(data)[: 2 * COLUMNS]
    held = held[: len(held) // COLUMNS * COLUMNS]  # whole rows, so that the gap is between the two
    sheet = tiled(np.concatenate([held, made]), COLUMNS, (len(held) // COLUMNS - 1,))
    return show(sheet, "held out above, made below", COLUMNS)


def walks(system, seed: int, ways: int = 6):
    """Each row: images along the great circle between two draws of the noise."""
    z = system.noise(2 * ways, gg.Generator(seed).child("walk")).numpy()
    points = [walk(a, b, COLUMNS) for a, b in zip(z[:ways], z[ways:])]
    made = images(system, drawn(system, np.concatenate(points)))
    return show(tiled(made, COLUMNS), "a way through the noise in each row", COLUMNS)


def sums(system, judge, data: DataSet):
    """Samples of class k over those of the noise moved by z̄_m - z̄_k; None for a single class."""
    found = arithmetic(system, judge)
    shown = np.flatnonzero(np.isfinite(found.means[:, 0]))
    if len(shown) < 2:
        return None
    names = shorts(data.info.classes or map(str, range(len(found.means))))
    pairs = [(k, m) for k, m in zip(shown, np.roll(shown, -1))][: 3 if len(shown) > 2 else 2]
    fig = pictures.figure(0.55 * COLUMNS, 1.45 * len(pairs) + 0.3)
    for ax, (k, m) in zip(fig.subplots(len(pairs), squeeze=False)[:, 0], pairs):
        z = found.z[found.y == k][:COLUMNS]
        moved = z + found.means[m] - found.means[k]
        made = images(system, drawn(system, np.concatenate([z, moved])))
        ax.imshow(tiled(made, len(z)), interpolation="nearest")
        ax.set_axis_off()
        share = 100 * found.shares[k, m]
        ax.set_title(f"{names[k]}, below: + z̄({names[m]}) - z̄({names[k]}); {share:.0f} % are"
                     f" taken for {names[m]}", fontsize=9)  # fmt: skip
    return fig


def levels(system, data: DataSet, most: int = 1000):
    """The distance from held-out images on each scale, next to two that need no training."""
    held, train = held_out(data)[:most], data.train.x
    chosen = np.random.default_rng(0).permutation(len(train))[: len(held)]
    rivals = {
        "made": images(system, system.drawn(len(held))),
        "normal": normal_like(train, len(held)),
        "training images": train[chosen],
    }
    fig = pictures.figure(4.8, 3.2)
    ax, top = fig.subplots(), 0.0
    for i, ((name, x), colour) in enumerate(
        zip(rivals.items(), (pictures.ACCENT, "#9aa3ad", pictures.COLOURS[0]))
    ):
        found = swd(held, x)
        top, label = max(top, *found), f"{name}: {np.mean(found):.2f}"
        ax.bar(np.arange(len(found)) + 0.27 * (i - 1), found, 0.25, color=colour, label=label)
    sides = [-(-held.shape[3] // 2**level) for level in range(len(found))]
    ax.set_xticks(range(len(found)), [f"{side} pixels" for side in sides])
    ax.set(ylabel="sliced W1 of windows", ylim=(0, 1.35 * top))  # room for the legend
    ax.set_title("distance from held-out images by scale", fontsize=10)
    return game_pictures.clean(fig, ax)


def held_out(data: DataSet) -> np.ndarray:
    """Test images; training images if there are none."""
    return (data.test if data.test is not None and len(data.test) else data.train).x


def figures(system, data: DataSet, s) -> dict:
    """The figures of this page; that of the arithmetic needs labels."""
    judge = system.classifier()
    found = {
        "samples": samples(system, data, s.seed),
        "walk": walks(system, s.seed),
        "levels": levels(system, data),
        "balance": game_pictures.balance(system, data),
    }
    drawn_ = None if judge is None else sums(system, judge, data)
    return found if drawn_ is None else found | {"arithmetic": drawn_}
