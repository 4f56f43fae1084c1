"""The pictures of a convolutional network: kernels, maps, confusions, reasons for decisions."""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ...core.training.system import Batch, System
from ..common.confusion import confusion, mistakes
from ..common.feature_maps import maps


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """Kernels, maps of one image, confusion matrix, mistakes, and the reasons for decisions."""
    system.eval()
    split = data.test
    guess = system.logits(split.x).argmax(axis=1)
    names = data.info.classes or tuple(str(k) for k in range(guess.max() + 1))
    w = system.convolutions[0].weight.numpy().mean(axis=1)
    w = 0.5 + 0.5 * w / np.abs(w).max()
    return {
        "filters": pictures.image_sheet(w, min(8, len(w)), "first-layer kernels, grey = 0", 0.7),
        "maps": maps(system, split.x[0]),
        "confusion": confusion(split.y, guess, names),
        "mistakes": mistakes(split.x, split.y, guess, names),
        "reasons": reasons(system, split.x[:6], split.y[:6]),
    }


def gradients(system: System, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """|∂ logit_y / ∂ pixel|, [N, H, W]: the largest over the channels."""
    leaf = gg.Tensor(system.on_device(Batch(x)).x, requires_grad=True)
    logits = system(leaf)
    (g,) = gg.grad([gg.take_along(logits, y).sum()], [leaf])
    return np.abs(g.numpy()).max(axis=1)


def occlusion(system: System, image: np.ndarray, label: int, window: int) -> np.ndarray:
    """p(label | image [C, H, W]) lost when the window around a pixel is background: [H, W]."""
    height, width = image.shape[1:]
    before = window // 2
    covered = np.repeat(image[None], height * width, axis=0)
    for n, (i, j) in enumerate(np.ndindex(height, width)):
        top, left = max(0, i - before), max(0, j - before)
        covered[n, :, top : i - before + window, left : j - before + window] = 0
    logits = system.logits(np.concatenate([image[None], covered])).astype(np.float64)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p[:, label] / p.sum(axis=1)
    return (p[0] - p[1:]).reshape(height, width)


def reasons(system: System, x: np.ndarray, y: np.ndarray):
    """Images, the gradients of their logits, and the loss of probability by covered windows."""
    window = max(2, x.shape[-1] // 4)
    lost = np.stack([occlusion(system, image, k, window) for image, k in zip(x, y)])
    slope = gradients(system, x, y)
    fig = pictures.figure(7.0, 4.0)
    axes = fig.subplots(3, len(x), squeeze=False)
    shown = (
        ("image", x.mean(axis=1), "gray_r", 1),
        ("|gradient|", slope / slope.max(axis=(1, 2), keepdims=True), "magma", 1),
        (f"p lost, {window}x{window} covered", lost, "magma", 1),
    )
    for row, (title, images, cmap, top) in zip(axes, shown):
        for ax, image in zip(row, images):
            ax.imshow(image, cmap=cmap, vmin=0, vmax=top)
            ax.set_axis_off()
        row[0].set_title(title, fontsize=9, loc="left")
    return fig
