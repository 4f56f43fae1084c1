"""A network that others have trained: EfficientNet-Lite0 (lecture 3, V2 683-705; Tan & Le 2019).

The lecture cuts a trained network in two, y = g(f(x, α), β): the convolutional part f, which turns
images into vectors, and the fully connected part g, which it writes as g(x, β). This is such a
network on our own layers, with the weights that its authors trained on ImageNet (1.2 million
photographs, 1000 classes).

    x   [N, 3, 224, 224]    pixels p in 0..255 as (p - 127)/128
    stem                    convolution 3x3, stride 2, 32 maps           [N, 32, 112, 112]
    16 blocks               `BLOCKS`                                     [N, 320, 7, 7]
    head                    convolution 1x1, 1280 maps                   [N, 1280, 7, 7]
    f(x)                    the mean of each map                         [N, 1280]
    g(f(x))                 fully connected: 1000 logits                 [N, 1000]

A block (an inverted residual, Sandler et al. 2018) looks at each map by itself ("depthwise": one
k x k kernel a map, no sums over maps), between two 1x1 convolutions that mix the maps at a pixel ::

    u = σ(norm(expand ∗ x))            C -> 6C maps, 1x1         (not in the first block)
    v = σ(norm(depthwise ∗ u))         6C maps, k x k, stride s
    y = norm(project ∗ v)  [+ x]       6C -> C' maps, 1x1; x is added where s = 1 and C = C'

A k x k convolution over M maps costs k²M² multiplications a pixel, the block's depthwise one k²M.
σ is ReLU6, min(max(x, 0), 6), which keeps its range in 8-bit arithmetic. Two details decide whether
the numbers come out: TensorFlow pads an even image at stride 2 by one pixel less at the top and
left than at the bottom and right ("SAME"), and its batch normalisation has ε = 10⁻³, where 130 of
the running variances are below 10⁻⁶. With the usual padding most pictures are still named right.
"""

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataError

SIDE = 224  # pixels of the images it was trained on
FEATURES = 1280  # components of f(x)
EPS = 1e-3  # of every batch normalisation
BLOCKS = (  # kernel, stride, expansion, maps in, maps out
    (3, 1, 1, 32, 16),
    (3, 2, 6, 16, 24),
    (3, 1, 6, 24, 24),
    (5, 2, 6, 24, 40),
    (5, 1, 6, 40, 40),
    (3, 2, 6, 40, 80),
    (3, 1, 6, 80, 80),
    (3, 1, 6, 80, 80),
    (5, 1, 6, 80, 112),
    (5, 1, 6, 112, 112),
    (5, 1, 6, 112, 112),
    (5, 2, 6, 112, 192),
    (5, 1, 6, 192, 192),
    (5, 1, 6, 192, 192),
    (5, 1, 6, 192, 192),
    (3, 1, 6, 192, 320),
)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros (before, after) along an axis, so that ⌈size/stride⌉ outputs fit: TensorFlow's "SAME".

    In all p = max((⌈size/stride⌉ - 1)·stride + kernel - size, 0), of which ⌊p/2⌋ come before.

    >>> same_padding(224, 3, 2), same_padding(112, 3, 1), same_padding(56, 5, 2)
    ((0, 1), (1, 1), (1, 2))
    """
    p = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return p // 2, p - p // 2


class Unit(nn.Module):
    """Convolution with "SAME" padding and without a bias, batch normalisation, ReLU6 if `active`.

    x [N, inputs, H, W] -> [N, outputs, ⌈H/stride⌉, ⌈W/stride⌉].
    """

    def __init__(
        self, inputs, outputs, kernel, rng, stride=1, groups=1, active=True, dtype="float32"
    ):
        options = {"stride": stride, "groups": groups, "bias": False, "dtype": dtype}
        self.convolution = nn.Conv2d(inputs, outputs, kernel, rng=rng, **options)
        self.norm = nn.BatchNorm(outputs, EPS, 0.01, dtype=dtype)
        self.kernel, self.stride, self.active = kernel, stride, active

    def forward(self, x):
        """σ(norm(w ∗ x))."""
        sides = [same_padding(n, self.kernel, self.stride) for n in x.shape[2:]]
        if any(map(any, sides)):
            x = gg.pad(x, ((0, 0), (0, 0), *sides))
        y = self.norm(self.convolution(x))
        return gg.clip(y, 0, 6) if self.active else y


class Block(nn.Module):
    """An inverted residual: expand, look, project; see the page above."""

    def __init__(self, kernel, stride, expansion, inputs, outputs, rng, dtype="float32"):
        wide = expansion * inputs
        mixed = {"kernel": 1, "dtype": dtype}
        self.expand = (
            Unit(inputs, wide, rng=rng.child("expand"), **mixed) if expansion > 1 else None
        )
        self.depthwise = Unit(
            wide, wide, kernel, rng.child("depthwise"), stride, groups=wide, dtype=dtype
        )
        self.project = Unit(wide, outputs, rng=rng.child("project"), active=False, **mixed)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        """x [N, C, H, W] -> [N, C', ⌈H/s⌉, ⌈W/s⌉]."""
        u = self.expand(x) if self.expand else x
        y = self.project(self.depthwise(u))
        return x + y if self.adds else y


class EfficientNetLite0(nn.Module):
    """f and g of the page above: `features` is f, `classifier` is g, a call gives the logits.

    Its first weights are random; `pretrained` gives it the published ones. It takes images of any
    size from 32 x 32 on: f ends in a mean.

    >>> net = EfficientNetLite0(gg.Generator(0)).eval()
    >>> with gg.no_grad():
    ...     net.features(gg.zeros((1, 3, 32, 32))).shape, net.count()
    ((1, 1280), 4652008)
    """

    def __init__(self, rng, classes: int = 1000, dtype="float32", names: tuple[str, ...] = ()):
        self.names = names  # of the classes, where they are known
        self.stem = Unit(3, 32, 3, rng.child("stem"), stride=2, dtype=dtype)
        self.blocks = [
            Block(*block, rng.child("block", i), dtype) for i, block in enumerate(BLOCKS)
        ]
        self.head = Unit(320, FEATURES, 1, rng.child("head"), dtype=dtype)
        self.classifier = nn.Linear(FEATURES, classes, rng=rng.child("classifier"), dtype=dtype)

    def stages(self, x):
        """The maps after the stem, after each block and after the head, one after another."""
        for stage in (self.stem, *self.blocks, self.head):
            x = stage(x)
            yield x

    def features(self, x):
        """f(x): prepared images [N, 3, H, W] -> [N, 1280]."""
        *_, maps = self.stages(x)
        return maps.mean(axis=(2, 3))

    def forward(self, x):
        """g(f(x)): prepared images [N, 3, H, W] -> logits [N, 1000]."""
        return self.classifier(self.features(x))


def published_name(name: str) -> str:
    """The name of a parameter in the published file.

    >>> published_name("stem.norm.weight"), published_name("blocks.3.project.norm.running_var")
    ('_bn0.weight', '_blocks.3._bn2.running_var')
    >>> published_name("blocks.0.depthwise.convolution.weight"), published_name("classifier.bias")
    ('_blocks.0._depthwise_conv.weight', '_fc.bias')
    """
    *where, last = name.split(".")
    if where == ["classifier"]:
        return f"_fc.{last}"
    *block, unit, part = where
    convolution, norm = {
        "stem": ("_conv_stem", "_bn0"),
        "head": ("_conv_head", "_bn1"),
        "expand": ("_expand_conv", "_bn0"),
        "depthwise": ("_depthwise_conv", "_bn1"),
        "project": ("_project_conv", "_bn2"),
    }[unit]
    place = f"_blocks.{block[1]}." if block else ""
    return f"{place}{convolution if part == 'convolution' else norm}.{last}"


def pretrained(weights: dict[str, np.ndarray], names: tuple[str, ...] = ()) -> EfficientNetLite0:
    """The network with published weights, by their names in the file; in eval mode.

    `names` are those of its classes. Raises DataError where a weight is missing, left over or of
    another shape.
    """
    net = EfficientNetLite0(gg.Generator(0), names=names)
    state, own = {}, net.state_dict()
    for name, value in own.items():
        if name.endswith("num_batches_tracked"):
            state[name] = value  # counts batches of training, of which there will be none
            continue
        theirs = published_name(name)
        if theirs not in weights or weights[theirs].shape != value.shape:
            found = weights[theirs].shape if theirs in weights else "nothing"
            raise DataError(
                f"efficientnet: {theirs} must have the shape {value.shape}; got {found}"
            )
        state[name] = weights[theirs]
    spare = set(weights) - {published_name(n) for n in own if "num_batches" not in n}
    if spare:
        raise DataError(f"efficientnet: the file has weights of no layer, such as {min(spare)}")
    net.load_state_dict(state)
    return net.eval()


def prepared(pixels: np.ndarray) -> np.ndarray:
    """Pixels [N, 3, H, W] in [0, 1], as the catalogue has them, as the network takes them.

    In pixels of 0..255 that is (p - 127)/128.

    >>> prepared(np.array([[[[0.0]], [[0.5]], [[1.0]]]], np.float32)).ravel().tolist()
    [-0.9921875, 0.00390625, 1.0]
    """
    return ((pixels * np.float32(255) - np.float32(127)) / np.float32(128)).astype(np.float32)
