"""The convolutional network for images (lecture 3, V2 25-112; LeCun et al. 1998).

A convolutional neuron looks through a small window that slides over the image (V2 38) ::

    (x ∗ w)[i, j] = Σ_{a=-A..A} Σ_{b=-B..B} w_ab x[i + a, j + b]

a cross-correlation with an odd, centred kernel of (2A + 1)(2B + 1) weights. The lecture's formula
has no bias, so a convolution here has none; `bias=True` adds one per map. A pooling neuron is not
trained and takes h by h pixels at a stride of h (V2 60) ::

    y[i, j] = F(x[hi, hj], ..., x[hi + h - 1, hj + h - 1])        F = max, or average

The standard scheme (V2 69-75), sizes for MNIST:

    x  [N, 1, 28, 28]
    convolution 5x5, C1 maps, a frame of 2 zeros      [N, C1, 28, 28]      then σ
    pooling 2x2                                       [N, C1, 14, 14]
    convolution 5x5, C2 maps                          [N, C2, 10, 10]      then σ
    pooling 2x2                                       [N, C2, 5, 5]
    fully connected layers                            [N, 10] logits       σ between them

trained by the cross-entropy of the softmax, -ln p(y|x). Of the lecture's tricks (V2 98-112),
activations "without horizontal asymptotes" (ReLU; `activation="tanh"` is LeNet's) and adaptive
gradients are the default; `dropout` (before each fully connected layer), `batch_norm` (after each
convolution) and `shift` (images moved by up to that many pixels in each direction: enlargement of
the sample by what keeps the class) are settings.

The pictures: first-layer kernels, the maps of one image, the confusion matrix, the mistakes, and
what a decision rests on: the gradient of the class's logit with respect to the image, and how much
of the class's probability is lost when a window of the image is covered (Zeiler & Fergus 2014).

The number: LeNet-5's test error on MNIST is 0.95 % without distortions.
"""

import numpy as np

from .. import core as gg
from ..core import nn, pictures
from ..core.data import DataSet, minibatches
from ..core.recipe import Recipe, SettingError, Target, expect_choices
from ..core.system import Batch, System

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}
POOLS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


class LeNet(System):
    """Convolution, σ, pooling for each entry of `channels`; then the fully connected `hidden`.

    x [N, C, H, W] -> logits [N, classes]. The parts are `convolutions` and `classifier`.
    """

    def __init__(self, image: tuple[int, int, int], classes: int, s: dict, rng, dtype="float32"):
        expect_choices("lenet", s, {"activation": ACTIVATIONS, "pool": POOLS})
        if not s["channels"]:
            raise SettingError("lenet: channels must name at least one number of maps; got []")
        if s["shift"] >= min(image[1:]):
            raise SettingError(
                f"lenet: shift must be below the size of the images {image}; got {s['shift']}"
            )
        if len(s["channels"]) != len(s["padding"]):
            raise SettingError("lenet: padding must have one entry for each of channels")
        self.s = s
        sigma, pool = ACTIVATIONS[s["activation"]], POOLS[s["pool"]]
        k, h = s["kernel"], s["window"]
        c, *size = image
        layers = []
        for i, (maps, padding) in enumerate(zip(s["channels"], s["padding"])):
            options = {"padding": padding, "bias": s["bias"], "dtype": dtype}
            layers.append(nn.Conv2d(c, maps, k, rng=rng.child("conv", i), **options))
            layers += [nn.BatchNorm(maps, dtype=dtype)] if s["batch_norm"] else []
            layers += [sigma(), pool(h)]
            c, size = maps, [(n + 2 * padding - k + 1) // h for n in size]
            if min(size) < 1:
                raise SettingError(f"lenet: images {image} are too small for layer {i + 1}")
        self.convolutions = nn.Sequential(*layers)
        layers, n = [nn.Flatten()], c * size[0] * size[1]
        for i, m in enumerate((*s["hidden"], classes)):
            layers += [nn.Dropout(s["dropout"], rng=rng.child("drop", i))] if s["dropout"] else []
            layers.append(nn.Linear(n, m, rng=rng.child("linear", i), dtype=dtype))
            layers += [sigma()] if i < len(s["hidden"]) else []
            n = m
        self.classifier = nn.Sequential(*layers)

    def forward(self, x):
        """Logits [N, classes] of images [N, C, H, W]."""
        return self.classifier(self.convolutions(x))

    def objective(self, batch):
        """(the mean of -ln p(y|x) over the batch, {"accuracy": share of right answers}).

        x [N, C, H, W], y [N] classes; p is the softmax of the logits [N, classes].
        """
        logits = self(gg.Tensor(batch.x))
        right = (logits.data.argmax(axis=1) == batch.y).mean()
        return nn.losses.cross_entropy(logits, batch.y), {"accuracy": right}

    def batches(self, data, size, seed, epoch, start):
        """Minibatches (x [N, C, H, W], y [N]), the images moved at random if `shift` says so."""
        found = minibatches(data.train, size, seed=seed, epoch=epoch, start=start)
        for i, batch in enumerate(found, start):
            if self.s["shift"]:
                rng = gg.Generator(seed).child("shift", epoch, i)
                batch = Batch(shifted(batch.x, self.s["shift"], rng), batch.y)
            yield batch

    def logits(self, x: np.ndarray, size: int = 500) -> np.ndarray:
        """Logits [N, classes] of any number of images, without a tape."""
        with gg.no_grad():
            parts = (self.on_device(Batch(x[i : i + size])).x for i in range(0, len(x), size))
            return np.concatenate([self(gg.Tensor(part)).numpy() for part in parts])


def shifted(x: np.ndarray, by: int, rng) -> np.ndarray:
    """Each image of x [N, C, H, W] moved by up to `by` pixels down and right, or up and left.

    >>> shifted(np.ones((1, 1, 3, 3)), 0, gg.Generator(0)).sum()
    np.float64(9.0)
    """
    height, width = x.shape[2:]
    frame = np.pad(x, ((0, 0), (0, 0), (by, by), (by, by)))
    top, left = rng.integers(2 * by + 1, 2 * len(x)).reshape(2, -1, 1, 1)
    rows, columns = top + np.arange(height)[:, None], left + np.arange(width)
    image = np.arange(len(x))[:, None, None]
    return np.ascontiguousarray(frame[image, :, rows, columns].transpose(0, 3, 1, 2))


def build(data: DataSet, s: dict, rng) -> LeNet:
    """The network for a labelled set of images."""
    if data.train.y is None or data.train.x.ndim != 4:
        raise SettingError(f"lenet: {data.name} has no labelled images [N, C, H, W]")
    classes = max(len(data.info.classes), int(data.train.y.max()) + 1)
    return LeNet(data.train.x.shape[1:], classes, s, rng)


# ---------------------------------------------------------------------- figures


def figures(system: LeNet, data: DataSet, s: dict) -> dict:
    """Kernels, maps of one image, confusion, mistakes, and what decisions rest on."""
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


def maps(system: LeNet, image: np.ndarray):
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


def confusion(y: np.ndarray, guess: np.ndarray, names: tuple[str, ...]):
    """How often images of one class (row) were taken for another (column)."""
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (y, guess), 1)
    fig = pictures.figure(5.4, 5.0)
    ax = fig.subplots()
    wrong = np.where(np.eye(len(names), dtype=bool), 0, counts)
    ax.imshow(wrong, cmap="OrRd", vmax=max(1, 2 * wrong.max()))
    for i, j in zip(*np.nonzero(counts)):
        ax.text(j, i, counts[i, j], ha="center", va="center", fontsize=7, color=pictures.INK)
    ticks = range(len(names))
    ax.set_xticks(ticks, names, rotation=90 if max(map(len, names)) > 2 else 0, fontsize=8)
    ax.set_yticks(ticks, names, fontsize=8)
    ax.set(xlabel="taken for", ylabel="is", title=f"{wrong.sum()} of {len(y)} wrong")
    return fig


def mistakes(x: np.ndarray, y: np.ndarray, guess: np.ndarray, names, most: int = 40):
    """The images that were taken for something else, in the order of the test set."""
    wrong = np.flatnonzero(guess != y)[:most]
    rows = max(1, -(-len(wrong) // 10))
    fig = pictures.figure(7.0, 0.4 + 0.95 * rows)
    fig.suptitle(
        f"the first {len(wrong)} mistakes: is > taken for" if len(wrong) else "no mistakes"
    )
    axes = fig.subplots(rows, 10, squeeze=False).ravel()
    for ax in axes:
        ax.set_axis_off()
    for ax, i in zip(axes, wrong):
        ax.imshow(x[i].mean(axis=0), cmap="gray_r", vmin=0, vmax=1)
        ax.set_title(f"{names[y[i]]} > {names[guess[i]]}", fontsize=6)
    return fig


def gradients(system: LeNet, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """|∂ logit_y / ∂ pixel|, [N, H, W]: the largest over the channels."""
    leaf = gg.Tensor(system.on_device(Batch(x)).x, requires_grad=True)
    logits = system(leaf)
    (g,) = gg.grad([gg.take_along(logits, y).sum()], [leaf])
    return np.abs(g.numpy()).max(axis=1)


def occlusion(system: LeNet, image: np.ndarray, label: int, window: int) -> np.ndarray:
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


def reasons(system: LeNet, x: np.ndarray, y: np.ndarray):
    """Images, the gradients of their logits, and what covering a window costs."""
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


def check(rng, **changes):
    """The objective of a small network as a function of its parameters, for gradcheck."""
    s = {**SETTINGS, "channels": (2, 3), "kernel": 3, "padding": (1, 1), "hidden": (4,), **changes}
    system = LeNet((1, 4, 4), 3, s, gg.Generator(3), dtype="float64")
    batch = Batch(rng.standard_normal((3, 1, 4, 4)), np.array([0, 2, 1]))
    states = [g.state for _, g in system.named_generators()]

    def f(*parameters):
        for (_, g), state in zip(system.named_generators(), states):
            g.state = state  # the same dropout at every call
        return system.with_parameters(parameters).objective(batch)[0]

    return f, [p.numpy().copy() for p in system.parameters()]


SETTINGS = {
    "channels": (16, 32), "kernel": 5, "padding": (2, 0), "window": 2, "pool": "max",
    "activation": "relu", "hidden": (120, 84), "bias": False, "dropout": 0.0,
    "batch_norm": False, "shift": 0, "schedule": "cosine", "select": "+accuracy",
}  # fmt: skip
BIG = {"epochs": 10, "batch": 100, "lr": 2e-3}

LENET = Recipe(
    name="lenet",
    title="Convolutional network in the manner of LeNet-5",
    lecture="lecture 3 (V2 25-112)",
    rows=(67, 68, 69, 71),
    build=build,
    settings=SETTINGS,
    presets={
        "digits": {
            "channels": (16, 32), "kernel": 3, "padding": (1, 1), "hidden": (64,), "epochs": 20,
            "batch": 32, "lr": 3e-3, "dropout": 0.2,
        },
        "mnist": BIG,
        "fashion_mnist": BIG,
        "cifar10_jpeg_subset": {**BIG, "channels": (32, 64), "epochs": 20, "dropout": 0.3},
    },
    metric="accuracy",
    better="higher",
    targets=(
        Target(
            "MNIST test accuracy", "mnist", "accuracy", "99.05 % (LeNet-5, no distortions)", 0.99,
            better="higher", source="LeCun, Bottou, Bengio & Haffner 1998, section III",
        ),
        Target(
            "digits test accuracy, in seconds", "digits", "accuracy", "none on this split", 0.97,
            better="higher", note="8x8 images, 3x3 kernels; the bound is our own",
        ),
    ),
    least={"channels": 1, "kernel": 1, "padding": 0, "window": 1, "hidden": 1, "dropout": 0,
           "shift": 0},
    figures=figures,
    check=check,
)  # fmt: skip
RECIPES = (LENET,)
