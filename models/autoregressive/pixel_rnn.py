"""PixelRNN with a row LSTM (lecture 2, D1 20, where it is named).

The conditionals of an image's pixels in raster order, from a recurrent net that runs down the rows
and processes all columns of a row at once (van den Oord, Kalchbrenner & Kavukcuoglu 2016) ::

    f       = conv_A(x)                        7x7 (or less), mask A: a pixel does not see itself
    a       = conv_B(f)                        1x3 along the row, mask B: not beyond the pixel
    i, f, g, o of row r  =  a_r + K * h_{r-1}  1x3 along the row above: needs no mask
    c_r     = σ(f) c_{r-1} + σ(i) tanh(g),     h_r = σ(o) tanh(c_r)
    f      <- f + U h                          1x1, the residual connection; then the next layer
    y       = V₂ relu(V₁ relu(f))              1x1; p(x_i = 1 | x_<i) = σ(y_i)

Masks (raster order, kernel centred on the pixel): a pixel sees the rows above, and in its own row
the columns to the left. With mask B it also sees itself, since its features do not depend on its
value.

K * h reaches one more column on each side with each row up. So pixel i sees a triangle of states
above it, not all pixels before it (the diagonal BiLSTM sees all). But a row is one step: an image
of 14x14 takes 14 steps, not 196.

The pictures: samples, continuations of half an image, what the model expects of each pixel.

The number: published are 80.75 nats (diagonal BiLSTM of one layer) and 79.20 (seven) on binarised
MNIST of 28x28, where FVSBN needs 97.45. `peer=n` trains an FVSBN for n epochs at the end, and
`under_fvsbn` is how many nats fewer the recurrent net needs on the same images. `pool=2` makes
smaller ones (means of 2x2, then drawn as 0 and 1).
"""

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, Split
from ...core.training.loop import fit
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, setting
from .. import recipe
from ..common import binary
from . import conditionals
from .conditionals import Conditionals, ConditionalSettings


class Settings(ConditionalSettings):
    """Settings of a recurrent net that runs down the rows of an image."""

    hidden: int = setting(16, least=1, help="states of a row LSTM at each pixel, half the features")
    layers: int = setting(2, least=1, help="number of row LSTMs")
    kernel: int = setting(7, least=1, help="width of the first, square kernel, odd")
    pool: int = setting(1, least=1, help="side of the squares whose mean is one pixel")
    peer: int = setting(0, least=0, help="epochs of an FVSBN on the same images, 0 for none")

    def check(self):
        """Check that the kernel has a centre."""
        if self.kernel % 2 == 0:
            raise SettingError(f"setting 'kernel' must be odd; got {self.kernel}")


def mask(height: int, width: int, own: bool) -> np.ndarray:
    """1 where a kernel centred on a pixel is allowed: before it in raster order; at it if `own`.

    >>> mask(3, 3, own=False).astype(int).tolist()
    [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    """
    before = np.arange(height * width) < height * width // 2 + own
    return before.reshape(height, width)


class Masked(nn.Conv2d):
    """A convolution with a masked kernel that keeps the size: mask A, or B with `own`."""

    def __init__(self, channels: int, outputs: int, kernel, own: bool, *, rng, dtype):
        height, width = kernel
        super().__init__(
            channels, outputs, kernel, padding=(height // 2, width // 2), rng=rng, dtype=dtype
        )
        self.mask = gg.Tensor(mask(height, width, own).astype(dtype))

    def forward(self, x):
        """x [N, C, H, W] -> [N, O, H, W]."""
        return gg.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


class RowLSTM(nn.Module):
    """Features [N, C, H, W] -> states [N, h, H, W], row after row."""

    def __init__(self, channels: int, hidden: int, *, rng, dtype):
        kind = {"dtype": dtype}
        self.inputs = Masked(channels, 4 * hidden, (1, 3), True, rng=rng.child("inputs"), **kind)
        self.above = nn.init.scaled((4 * hidden, hidden, 3), 3 * hidden, rng.child("above"), dtype)
        self.hidden = hidden

    def forward(self, f):
        """f [N, C, H, W] -> [N, h, H, W]."""
        a, states = self.inputs(f), []
        n, _, rows, width = f.shape
        h = c = gg.Tensor(f.xp.zeros((n, self.hidden, width), f.dtype))
        for r in range(rows):
            h, c = gg.lstm_step(a[:, :, r] + gg.conv1d(h, self.above, padding=1), c)
            states.append(h)
        return gg.stack(states, axis=2)


class PixelRNN(Conditionals):
    """conv_A -> layers of row LSTM with residual connections -> two 1x1 convolutions."""

    def __init__(self, shape, s: Settings, rng, dtype="float32"):
        super().__init__(shape[0] * shape[1], s, rng)
        self.shape, hidden, kind = tuple(shape), s.hidden, {"dtype": dtype}
        wide, kernel = 2 * hidden, (s.kernel, s.kernel)
        self.first = Masked(1, wide, kernel, False, rng=rng.child("first"), **kind)
        names = [rng.child("layer", i) for i in range(s.layers)]
        self.rows = [RowLSTM(wide, hidden, rng=r, **kind) for r in names]
        self.up = [nn.Conv2d(hidden, wide, 1, rng=r.child("up"), **kind) for r in names]
        self.middle = nn.Conv2d(wide, wide, 1, rng=rng.child("middle"), **kind)
        self.last = nn.Conv2d(wide, 1, 1, rng=rng.child("last"), **kind)

    def evaluate_finished(self, split):
        """The exact likelihood and, with `peer` epochs, also of an FVSBN on the same images."""
        found = self.evaluate(split)
        if not self.s.peer:
            return found
        fvsbn = recipe("fvsbn")
        name = self.data.name if self.data.name in fvsbn.presets else None
        s = fvsbn.resolve(name, {"epochs": self.s.peer, "binarise": self.s.binarise})
        rng = self.noise.child("peer")
        peer = fvsbn.build(self.data, s, rng).to(self.last.weight.device)
        fit(peer, self.data, s)
        theirs = peer.evaluate(split)["nll"]
        return {**found, "fvsbn": theirs, "under_fvsbn": theirs - found["nll"]}

    def logits(self, x):
        """y [N, D] from binary rows x [N, D], D = H W pixels in raster order."""
        f = self.first(x.reshape(-1, 1, *self.shape))
        for layer, up in zip(self.rows, self.up):
            f = f + up(layer(f))
        y = self.last(gg.relu(self.middle(gg.relu(f))))
        return y.reshape(-1, self.inputs)


def prepare(data: DataSet, s: Settings) -> DataSet:
    """Means of pool x pool pixels, then binary images as for all conditionals."""
    p = s.pool
    _, channels, height, width = data.train.x.shape if data.train.x.ndim == 4 else (0, 0, 0, 0)
    if channels != 1 or height % p or width % p:
        raise SettingError(
            f"pixel-rnn: needs grey images whose sides are multiples of pool = {p};"
            f" got {data.train.x.shape[1:]}"
        )
    parts = {}
    for name, split in data.splits():
        n = len(split)
        pooled = split.x.reshape(n, 1, height // p, p, width // p, p).mean(axis=(3, 5))
        parts[name] = Split(pooled, split.y)
    return binary.prepare(DataSet(data.name, **parts, info=data.info), s)


def build(data: DataSet, s: Settings, rng) -> PixelRNN:
    """The network for a data set of grey images; it keeps the data for `peer`."""
    system = PixelRNN(data.train.x.shape[2:], s, rng)
    system.data = data
    return system


RECIPES = (
    Recipe(
        name="pixel-rnn",
        title="PixelRNN with a row LSTM",
        lecture="lecture 2 (D1 20)",
        rows=(43,),
        build=build,
        prepare=prepare,
        settings=Settings,
        presets={
            "digits": {"epochs": 15, "batch": 50, "lr": 2e-2},
            "mnist": {"epochs": 10, "lr": 2e-3, "clip": 1.0, "select": "nll"},
        },
        metric="nll",
        targets=(
            Target(
                "MNIST test negative log-likelihood, nats",
                "mnist",
                "nll",
                "80.75 (one layer, diagonal BiLSTM)",
                80.75,
                settings={"peer": 40},
                source="van den Oord, Kalchbrenner & Kavukcuoglu 2016, table 3",
                protocol="row LSTM, ten epochs, images binarised again in each; theirs once",
            ),
            Target(
                "MNIST: nats below FVSBN on the same test images",
                "mnist",
                "under_fvsbn",
                "16.7: 80.75, FVSBN 97.45",
                16.7,
                "higher",
                settings={"peer": 40},
                source="van den Oord, Kalchbrenner & Kavukcuoglu 2016, table 3; Uria et al. 2016",
                protocol="row LSTM, ten epochs, images binarised again in each; theirs once",
                note="the published figure of FVSBN is quoted from memory",
            ),
        ),
        figures=conditionals.figures,
        sample=conditionals.sample,
        check=conditionals.check_of(
            lambda inputs, s, rng, dtype: PixelRNN((2, inputs // 2), s, rng, dtype),
            Settings(hidden=2, layers=1, kernel=3),
            inputs=6,
        ),
    ),
)
