"""One image and its maps after every activation of a convolutional network."""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.training.system import Batch, System
from .activations import ACTIVATIONS


def maps(system: System, image: np.ndarray):
    """One image [C, H, W] and its maps after every activation, each on its own scale."""
    rows = [("image", image.mean(axis=0, keepdims=True))]
    h = gg.Tensor(system.on_device(Batch(image[None])).x)
    with gg.no_grad():
        for layer in system.convolutions:
            h = layer(h)
            if isinstance(layer, tuple(ACTIVATIONS.values())):
                rows.append((f"maps {len(rows)}", h.numpy()[0]))
    fig = pictures.figure(7.0, 0.8 + 0.9 * sum(-(-len(a) // 16) for _, a in rows))
    heights = [-(-len(a) // 16) for _, a in rows]
    for ax, (title, a) in zip(fig.subplots(len(rows), height_ratios=heights), rows):
        low, high = a.min(axis=(1, 2), keepdims=True), a.max(axis=(1, 2), keepdims=True)
        sheet = pictures.tile((a - low) / np.maximum(high - low, 1e-12), min(16, len(a)), fill=0)
        ax.imshow(sheet, cmap="gray_r", vmin=0, vmax=1)
        ax.set_title(title, fontsize=9)
        ax.set_axis_off()
    return fig
