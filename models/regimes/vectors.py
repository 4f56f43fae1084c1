"""Images as vectors: their pixels, or the convolutional part of the pre-trained network.

The network was trained on photographs of 224 x 224 pixels. Smaller images are enlarged to `side`
pixels, bicubically; grey ones get three equal channels. A smaller side costs less, in proportion to
its square, and loses details that a small image does not have anyway.
"""

import hashlib

import numpy as np

from ... import core as gg
from ...core.data import load
from ..convolutional.efficientnet import FEATURES, EfficientNetLite0, prepared, pretrained

AT_ONCE = 32  # images in the network
KEPT = 4  # arrays whose vectors are kept: the three parts of a data set, and one more


def network() -> EfficientNetLite0:
    """The network with the published weights. DataError where their file is missing."""
    weights = load("efficientnet_lite0")
    return pretrained(weights.tensors, weights.info.classes)


def enlarged(x: np.ndarray, side: int) -> np.ndarray:
    """Images [N, C, H, W] in [0, 1] as colour images [N, 3, side, side].

    >>> enlarged(np.ones((1, 1, 4, 4), np.float32), 8).shape
    (1, 3, 8, 8)
    """
    from PIL import Image

    found = np.empty((len(x), 3, side, side), np.float32)
    for i, image in enumerate(x):
        for c in range(3):
            if c >= len(image):  # a grey image: the same channel again
                found[i, c] = found[i, 0]
                continue
            channel = Image.fromarray(np.ascontiguousarray(image[c], np.float32))
            found[i, c] = channel.resize((side, side), Image.Resampling.BICUBIC)
    return found.clip(0, 1)


def features(net: EfficientNetLite0, x: np.ndarray, side: int) -> np.ndarray:
    """f(x): images [N, C, H, W] in [0, 1] -> float32 [N, 1280], without a tape."""
    found = np.empty((len(x), FEATURES), np.float32)
    with gg.no_grad():
        for at in range(0, len(x), AT_ONCE):
            part = prepared(enlarged(x[at : at + AT_ONCE], side))
            found[at : at + AT_ONCE] = net.features(gg.tensor(part)).numpy()
    return found


class Vectors:
    """A frozen f: images [N, C, H, W] -> vectors [N, D], each array of images looked at once.

    The vectors of the `KEPT` arrays that were asked for last are kept by what the arrays hold: one
    that is changed in place is looked at again.

    Without a network f(x) is the pixels. It is no module: f is never trained, moved to a device or
    written to a checkpoint.

    >>> Vectors(None)(np.ones((2, 1, 4, 4), np.float32)).shape
    (2, 16)
    """

    def __init__(self, net: EfficientNetLite0 | None, side: int = 224):
        self.net, self.side = net, side
        self.kept: dict[tuple, np.ndarray] = {}  # what images hold -> f(x), the latest last

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """f(x), computed where these images are not among the latest."""
        if self.net is None:
            return x.reshape(len(x), -1)
        held = hashlib.blake2b(np.ascontiguousarray(x)).digest()
        key = x.shape, x.dtype.str, held
        found = self.kept.pop(key) if key in self.kept else features(self.net, x, self.side)
        self.kept[key] = found
        for oldest in list(self.kept)[:-KEPT]:
            del self.kept[oldest]
        return found
