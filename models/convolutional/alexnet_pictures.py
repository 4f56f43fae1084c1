"""The pictures of a small AlexNet: kernels, patches that excite units, pooling, confusions.

filters     first-layer kernels, in colour if the images are
patches     parts of images that excite some units of each level most, as large as they see
wherever    what is left of a unit's answer if the image moves, with and without pooling
confusion, mistakes
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ...core.training.system import Batch, System
from ..common.activations import ACTIVATIONS
from ..common.confusion import confusion, mistakes
from ..common.shifts import cropped
from .receptive import fields, patch, strongest

UNITS, EACH = 6, 8  # units of a level, patches of a unit
IMAGES = 500  # that patches are taken from, and that are moved
SHIFTS = 4  # pixels


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """Kernels, patches, pooling, confusion matrix, mistakes."""
    system.eval()
    split = data.test
    guess = system.logits(split.x).argmax(axis=1)
    names = data.info.classes or tuple(str(k) for k in range(guess.max() + 1))
    return {
        "filters": filters(system),
        "patches": patches(system, split.x[:IMAGES]),
        "wherever": wherever(system, split.x[:IMAGES]),
        "confusion": confusion(split.y, guess, names),
        "mistakes": mistakes(split.x, split.y, guess, names),
    }


def draw(ax, image: np.ndarray) -> None:
    """An image [C, H, W] of pixels in [0, 1] into axes: colours, or ink on white."""
    if len(image) == 3:
        ax.imshow(image.transpose(1, 2, 0).clip(0, 1))
    else:
        ax.imshow(image.mean(axis=0), cmap="gray_r", vmin=0, vmax=1)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_color("#d9dce1")


def filters(system: System):
    """The kernels [maps, C, k, k] of the first layer, each on its own scale around grey."""
    w = system.convolutions[0].weight.numpy()
    w = 0.5 + 0.5 * w / np.maximum(np.abs(w).max(axis=(1, 2, 3), keepdims=True), 1e-12)
    across = min(8, len(w))
    down = -(-len(w) // across)
    fig = pictures.figure(0.75 * across, 0.75 * down + 0.4)
    axes = fig.subplots(down, across, squeeze=False).ravel()
    for ax in axes[len(w) :]:
        ax.set_axis_off()
    for ax, kernel in zip(axes, w):
        draw(ax, kernel)
    fig.suptitle("first-layer kernels, 0 is grey", fontsize=9)
    return fig


def maps_after(system: System, x: np.ndarray, kind) -> list[tuple[int, np.ndarray]]:
    """(number of the layer, maps [N, C, h, w]) after each layer of a kind, for images x."""
    found = []
    with gg.no_grad():
        h = system.standardised(gg.Tensor(system.on_device(Batch(x)).x))
        for number, layer in enumerate(system.convolutions):
            h = layer(h)
            if isinstance(layer, kind):
                found.append((number, h.numpy()))
    return found


def liveliest(maps: np.ndarray, count: int) -> np.ndarray:
    """Numbers of the maps [N, C, h, w] that vary most from image to image, in their order."""
    vary = maps.max(axis=(2, 3)).std(axis=0)
    return np.sort(np.argsort(-vary, kind="stable")[:count])


def patches(system: System, x: np.ndarray):
    """For some units of each level the patches of images x [N, C, H, W] that excite them most."""
    levels = maps_after(system, x, tuple(ACTIVATIONS.values()))
    seen, side = fields(system.convolutions), x.shape[-1]
    fig = pictures.figure(0.4 + 3.4 * len(levels), 0.6 + 0.42 * UNITS)
    parts = np.atleast_1d(fig.subfigures(1, len(levels)))
    for level, (part, (number, maps)) in enumerate(zip(parts, levels), start=1):
        units, field = liveliest(maps, UNITS), seen[number]
        axes = part.subplots(len(units), EACH, squeeze=False)
        for row, places in zip(axes, strongest(maps[:, units], EACH)):
            for ax in row[len(places) :]:
                ax.set_axis_off()
            for ax, (n, i, j) in zip(row, places):
                draw(ax, patch(x[n], field, i, j))
        beyond = ", more than the image" if field.size > side else ""
        part.suptitle(f"level {level}: {field.size} x {field.size} pixels{beyond}", fontsize=9)
    return fig


POOLED = {
    "one unit": lambda maps: maps,
    "largest of 2 x 2": lambda maps: gg.max_pool2d(maps, 2),
    "largest of 3 x 3, overlapping": lambda maps: gg.max_pool2d(maps, 3, 2, 1),
}


def moved(x: np.ndarray, by: int) -> np.ndarray:
    """Images x [N, C, H, W], `by` pixels farther to the right.

    >>> moved(np.arange(3.0).reshape(1, 1, 1, 3), 1).ravel().tolist()
    [0.0, 0.0, 1.0]
    """
    return cropped(x, by, np.full(len(x), by), np.zeros(len(x), np.int64))


def first_maps(system: System, x: np.ndarray) -> np.ndarray:
    """The maps [N, C, H, W] of the first level, after σ."""
    return maps_after(system, x, tuple(ACTIVATIONS.values()))[0][1]


def left_after_shifts(system: System, x: np.ndarray) -> dict[str, np.ndarray]:
    """Shares of a unit's answer that are left if the image moves by 0 to SHIFTS pixels.

    Of each map of the first level the unit is taken that answers most, with and without pooling.
    It stays the same while the image moves. The mean over images x and maps that answer at all.
    """
    found = {name: [] for name in POOLED}
    for by in range(SHIFTS + 1):
        maps = gg.Tensor(first_maps(system, moved(x, by)))
        for name, pool in POOLED.items():
            units = pool(maps).numpy()
            units = units.reshape(*units.shape[:2], -1)
            if not by:
                found[name] = [units.argmax(axis=2)[..., None], units.max(axis=2)]
            place, top = found[name][:2]
            now = np.take_along_axis(units, place, axis=2)[..., 0][top > 0] / top[top > 0]
            found[name].append(float(now.mean(dtype=np.float64)))
    return {name: np.array(shares[2:]) for name, shares in found.items()}


def wherever(system: System, x: np.ndarray):
    """An image that moves and its map, with one pooling window; what is left of the answers."""
    fig = pictures.figure(9.0, 2.9)
    left, right = fig.subfigures(1, 2, width_ratios=(1.35, 1))
    axes = left.subplots(2, SHIFTS + 1)
    maps = first_maps(system, x[:1])[0]
    height, width = maps.shape[1:]
    inner = maps[:, 2:-2, 2:-2] if min(height, width) > 5 else maps
    unit = int(inner.max(axis=(1, 2)).argmax())
    i, j = np.unravel_index(maps[unit].argmax(), maps[unit].shape)
    i, j = (2 * ((at + 1) // 2) - 1.5 for at in (i, j))  # the window's upper left corner
    for by, (above, below) in enumerate(axes.T):
        draw(above, moved(x[:1], by)[0])
        above.set_title(f"{by} pixels" if by != 1 else "1 pixel", fontsize=8)
        below.imshow(first_maps(system, moved(x[:1], by))[0, unit], cmap="gray_r", vmin=0,
                     vmax=maps[unit].max())  # fmt: skip
        below.add_patch(_square(j, i))
        below.set_xticks([])
        below.set_yticks([])
        below.spines[:].set_color("#d9dce1")
    left.suptitle("an image that moves; a map, and a window of 3 x 3", fontsize=9)
    ax = right.subplots()
    for colour, (name, shares) in zip(pictures.COLOURS, left_after_shifts(system, x).items()):
        ax.plot(range(SHIFTS + 1), shares, "o-", ms=4, color=colour, label=name)
    ax.set(xlabel="pixels that the image moves", ylabel="share of the answer left")
    ax.set_ylim(0, 1.05)
    ax.legend(frameon=False, fontsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.2)
    right.suptitle(f"first level, mean over {len(x)} images and all maps", fontsize=9)
    return fig


def _square(left: float, top: float):
    from matplotlib.patches import Rectangle

    return Rectangle((left, top), 3, 3, fill=False, color=pictures.ACCENT, lw=1.5)
