"""The pictures of a new classifier on a frozen network: what f and g see, and what g' confuses."""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet, load
from ...core.training.settings import TrainingSettings
from ...core.training.system import System
from ..common.confusion import confusion, mistakes
from ..convolutional.efficientnet import SIDE, EfficientNetLite0, prepared

PHOTOGRAPHS = ("china", "flower")
CROP = 0.875  # of the shorter side of a photograph


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """What the whole network sees in two photographs; confusions and mistakes on the new data."""
    system.eval()
    held = data.test if data.test is not None and len(data.test) else data.train
    y, guess, names = held.y, system.answers(held.x), data.info.classes
    names = names or tuple(str(k) for k in range(max(y.max(), guess.max()) + 1))
    found = {
        "confusion": confusion(y, guess, names),
        "mistakes": mistakes(held.x, y, guess, names),
    }
    if s.vectors == "trained":
        found = {"photographs": photographs(system.f.net), **found}
    return found


def cropped(photograph: np.ndarray) -> np.ndarray:
    """The middle of a photograph [3, H, W] in [0, 1] as an image [3, 224, 224].

    A square of 7/8 of the shorter side, bicubically: what the network was tested on.

    >>> cropped(np.ones((3, 40, 60), np.float32)).shape
    (3, 224, 224)
    """
    from PIL import Image

    height, width = photograph.shape[1:]
    side = int(CROP * min(height, width))
    top, left = (height - side + 1) // 2, (width - side + 1) // 2
    square = photograph[:, top : top + side, left : left + side].transpose(1, 2, 0)
    square = Image.fromarray(np.round(square * 255).astype(np.uint8))
    small = square.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(small, np.float32).transpose(2, 0, 1) / np.float32(255)


def photographs(net: EfficientNetLite0):
    """The two photographs, each with the network's five likeliest classes."""
    images = np.stack([cropped(load(name).info.extra["image"]) for name in PHOTOGRAPHS])
    with gg.no_grad():
        p = gg.softmax(net(gg.tensor(prepared(images)))).numpy()
    fig = pictures.figure(3.4 * len(images), 4.2)
    for ax, image, likely in zip(fig.subplots(1, len(images)), images, p):
        ax.imshow(image.transpose(1, 2, 0))
        ax.set_axis_off()
        top = np.argsort(-likely, kind="stable")[:5]
        lines = [f"{likely[k]:.0%}  {net.names[k].split(',')[0]}" for k in top]
        ax.set_title("\n".join(lines), fontsize=8, loc="left")
    return fig
