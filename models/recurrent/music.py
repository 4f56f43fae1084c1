"""Music: a recurrent net that writes chords, the notes of a chord one after the other.

Lecture 3 names the synthesis of speech and of handwriting among the uses of recurrent nets (V2
191-215); music is our example of sequences that a net makes up. A tune is a piano roll, frames f_1
.. f_T in {0, 1}^K, one each quarter note. The systems `rnn`, `lstm` and `gru` take the keys of a
frame for independent, given the past. Chords are not: if the next one may be C major or A minor,
independent keys strike notes of both. Here the keys follow each other from the lowest up, each
given those below it and the past, by NADE (autoregressive/nade) with biases from the net, as in
Boulanger-Lewandowski et al. 2012 (RNN-NADE) ::

    s_t = LSTM(f_{t-1}, s_{t-1}),  f_0 = 0                    what is known of the past (`cell`)
    a_t1 = c + C s_t,   a_t,i+1 = a_ti + W_i f_ti             H numbers, after the keys below i
    p(f_ti = 1 | f_t,<i, past) = σ(b_i + B_i s_t + V_i σ(a_ti))

    -Σ_t Σ_i ln p(f_ti | f_t,<i, past)  →  min                a mean over the frames

σ(b_i + B_i s_t) alone is `chords=independent`. Between two notes of a chord a_ti does not change: a
frame of R notes has R + 1 different a_t, so that all keys of all frames are two products of
matrices, however many keys are silent.

What frames cost is counted from the first one on, which follows silence: `loss`. `later` counts the
frames 2 .. T, as the other systems on rolls do.

The default is learnt from generated cadences (core/data/synthetic_cadences), of which it is known
what a frame costs under the law that drew it: 1.04 nats on the test tunes. The net has 1.37, 1.39
and 1.40 (three seeds), the frequencies of pairs of chords 1.64, those of "the same chord again"
3.59. With independent keys it is 6.33 (one seed).

With `transpose` each training tune is moved up or down by at most as many semitones, at random, so
that what is learnt in one key serves in others; published figures are without. With `reach`
gradients end after so many steps (truncated.py).

The number: Bach's chorales, test nats a frame, 5.56 for RNN-NADE (trained by Hessian-free
optimisation) and 6.27 for RNN-RBM, on the same pieces and split (core/data/sets_sequences), a frame
a quarter note; theirs is a plain net, whose parts were trained alone before. Both are quoted from
memory. With the settings here the test tunes have 5.47 (three seeds, standard error 0.01).

The pictures: a tune that the net wrote, what it expects of each key of a test tune, and one chord
note by note. ``glassgrad sample RUN`` writes a tune as picture, WAV and MIDI file.

Sources: Boulanger-Lewandowski, Bengio, Vincent, "Modeling temporal dependencies in high-dimensional
sequences: application to polyphonic music generation and transcription", 2012; Larochelle, Murray,
"The neural autoregressive distribution estimator", 2011.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.arrays import xp_of
from ...core.data import DataSet, Split, minibatches, pad
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch, System, cut_along
from ..common.binary import bernoulli_nll
from ..common.gradients import by_parameters
from . import music_pictures
from .truncated import truncated

LAYERS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class Settings(TrainingSettings):
    """Settings of a composer."""

    cell: Literal["gru", "lstm", "rnn"] = setting("gru", help="the recurrent cell")
    hidden: int = setting(100, least=1, help="units of the recurrent layer")
    chords: Literal["nade", "independent"] = setting(
        "nade", help="the keys of a frame: each given those below it, or none given another"
    )
    units: int = setting(100, least=1, when=("chords", "nade"), help="hidden units H of NADE")
    dropout: float = setting(0.0, least=0, below=1, help="share of s_t that is dropped")
    transpose: int = setting(
        0, least=0, below=12, help="semitones by which training tunes are shifted at most"
    )
    reach: int = setting(0, least=0, help="steps that a gradient reaches back, 0 for all")


class Composer(System):
    """Frames of K keys -> a recurrent layer -> the law of the next frame.

    A batch has x [T,N,K], from the silent frame on, y [T,N,K], the frames themselves, and a mask.
    """

    def __init__(self, keys: int, s: Settings, rng, dtype="float32"):
        self.s, h, units, made = s, s.hidden, s.units, {"dtype": dtype}
        self.layer = LAYERS[s.cell](keys, h, rng=rng.child("layer"), **made)
        self.bias = nn.Linear(h, keys, rng=rng.child("bias"), **made)  # b + B s
        if s.chords == "nade":
            self.start = nn.Linear(h, units, rng=rng.child("start"), **made)  # c + C s
            self.w = nn.init.scaled((keys, units), keys, rng.child("w"), dtype)
            self.v = nn.init.scaled((keys, units), units, rng.child("v"), dtype)
        self.drop = nn.Dropout(s.dropout, rng=rng.child("drop"))
        self.shifts = rng.child("shifts")

    def past(self, x):
        """s_t [T,N,h] from the frames before each, x [T,N,K]."""
        x = gg.Tensor(x)
        steps = self.s.reach or len(x)
        return self.drop(truncated(self.layer, x, steps=steps)[0])

    def logits(self, s, f):
        """y [M,K] of p(f_i = 1 | f_<i, past) = σ(y_i), for states s [M,h] and frames f [M,K].

        a changes at a note alone: between two notes it is one of R+1 values, R the largest number
        of notes in a frame. `below` counts the notes below a key, which says which of them it sees.
        """
        if self.s.chords == "independent":
            return self.bias(s)
        m, keys = f.shape
        below = f.cumsum(axis=1) - f
        number = xp_of(f).arange(int(f.sum(axis=1).max()) + 1)[:, None]
        first = (f[:, None] * (below[:, None] < number)).astype(f.dtype)  # the first r notes
        sees = (below[:, None] == number).astype(f.dtype)
        a = gg.Tensor(first.reshape(-1, keys)) @ self.w
        a = a.reshape((m, len(number), self.s.units)) + gg.expand_dims(self.start(s), 1)
        y = gg.linear(gg.sigmoid(a), self.v) * gg.Tensor(sees)
        return y.sum(axis=1) + self.bias(s)

    # -------------------------------------------------------------------------- learning

    def batch(self, split: Split) -> Batch:
        """Tunes padded to the longest; a sample is a frame."""
        y, mask = pad(split.x)
        x = np.concatenate([np.zeros_like(y[:1]), y[:-1]])
        return Batch(x, y, mask, int(mask.sum()))

    def batches(self, data, size, seed, epoch, start):
        """Minibatches of tunes, with `transpose` each shifted by a random number of semitones."""
        for part in minibatches(data.train, size, seed=seed, epoch=epoch, start=start):
            if most := self.s.transpose:
                by = self.shifts.integers(2 * most + 1, len(part)) - most
                part = Split([shifted(x, int(k)) for x, k in zip(part.x, by)])
            yield self.batch(part)

    def cut(self, batch, n):
        """Parts with some of the tunes."""
        found = cut_along(batch, n, {"x": 1, "y": 1, "mask": 1})
        return [replace(b, samples=int(b.mask.sum())) for b in found]

    def nats(self, batch):
        """-ln p of each frame that there is [M], tune by tune within a step."""
        there = batch.mask.reshape(-1).nonzero()[0]
        s = self.past(batch.x)
        s = gg.embedding(s.reshape((-1, self.s.hidden)), there)
        f = batch.y.reshape(-1, batch.y.shape[2])[there]
        return bernoulli_nll(self.logits(s, f), f)

    def objective(self, batch):
        """-ln p of a frame, the mean over all frames 1 .. T, nats."""
        return self.nats(batch).mean()

    # ------------------------------------------------------------------------ evaluation

    def evaluate(self, split, size=100):
        """`loss`, nats a frame over all of them, and `later`, over the frames 2 .. T."""
        total, later, frames = 0.0, 0.0, 0
        with gg.no_grad():
            for part in minibatches(split, size, shuffle=False):
                batch = self.on_device(self.batch(part))
                nats = self.nats(batch).numpy().astype("float64")
                total, later = total + nats.sum(), later + nats[len(part) :].sum()
                frames += len(nats)
        return {"loss": total / frames, "later": later / max(1, frames - len(split))}

    def compose(self, frames: int, rng, tunes: int = 1, given=()) -> np.ndarray:
        """Tunes [tunes, frames, K], each frame drawn from p(frame | those before it).

        `given` [G, K] are frames that all tunes begin with; they count among `frames`.
        """
        keys = self.bias.weight.shape[0]
        found, state = np.zeros((frames + 1, tunes, keys), np.float32), None
        found[1 : len(given) + 1] = np.asarray(given, np.float32).reshape(-1, 1, keys)
        with gg.no_grad():
            for t in range(frames):
                s, state = self.layer(gg.Tensor(self.on_device(Batch(found[t : t + 1])).x), state)
                if t >= len(given):
                    found[t + 1] = self.chord(s[0], rng.uniform((keys, tunes)))
        return found[1:].transpose(1, 0, 2)

    def chord(self, s, u: np.ndarray) -> np.ndarray:
        """Frames [N,K] by numbers u [K,N] in [0, 1): key i sounds where u_i < p(f_i = 1 | f_<i)."""
        y = self.bias(s).numpy()
        f = np.zeros_like(y)
        if self.s.chords == "independent":
            return (gg.sigmoid(gg.Tensor(y)).numpy() > u.T).astype(y.dtype)
        a, w, v = self.start(s).numpy(), self.w.numpy(), self.v.numpy()
        for i in range(f.shape[1]):
            h = 1 / (1 + np.exp(-a))
            f[:, i] = u[i] < 1 / (1 + np.exp(-(y[:, i] + h @ v[i])))
            a = a + f[:, i : i + 1] * w[i]
        return f


def shifted(roll: np.ndarray, by: int) -> np.ndarray:
    """A roll [T, K] moved up by `by` keys, or down; as it is if a note would leave the keyboard.

    >>> shifted(np.eye(3)[:2], 1).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    moved = np.roll(roll, by, axis=1)
    edge = moved[:, :by] if by > 0 else moved[:, by:] if by < 0 else moved[:, :0]
    return roll if edge.any() else moved


def build(data: DataSet, s: Settings, rng) -> Composer:
    """The composer for a set of rolls. Raises SettingError for what is no roll."""
    for name, split in data.splits():
        for n, x in enumerate(split.x):
            if np.ndim(x) != 2 or len(x) == 0 or not ((x == 0) | (x == 1)).all():
                raise SettingError(
                    f"music: {data.name}: {name} sequence {n} is no roll of 0 and 1 with a frame"
                )
    return Composer(data.train.x[0].shape[1], s, rng)


def check(rng):
    """The objective of two ragged rolls of 4 keys as a function of all parameters."""
    system = Composer(4, Settings(hidden=2, units=3), gg.Generator(5), "float64")
    x = [(rng.random((n, 4)) < 0.5).astype(float) for n in (3, 2)]
    return by_parameters(system, system.batch(Split(x)))


RECIPE = Recipe(
    name="music",
    title="Music: a recurrent net with NADE for its chords",
    lecture="lecture 3 (V2 191-215)",
    rows=(84,),
    build=build,
    settings=Settings,
    takes=("sequences",),
    data="cadences",
    presets={
        "cadences": {
            "cell": "lstm", "dropout": 0.2, "epochs": 25, "batch": 8, "lr": 1e-2, "clip": 1.0,
            "schedule": "cosine", "select": "loss",
        },
        "jsb_chorales": {
            "cell": "lstm", "hidden": 200, "units": 150, "dropout": 0.3, "epochs": 40, "batch": 4,
            "lr": 3e-3, "clip": 1.0, "schedule": "cosine", "select": "loss",
        },
        "sequences": {
            "cell": "lstm", "dropout": 0.2, "epochs": 40, "batch": 8, "lr": 5e-3, "clip": 1.0,
            "schedule": "cosine", "select": "loss",
        },
    },
    metric="loss",
    targets=(
        Target(
            "JSB chorales, test nats a frame, chords by NADE",
            "jsb_chorales",
            "loss",
            "5.56",
            5.56,
            source="Boulanger-Lewandowski, Bengio & Vincent 2012, table 1, RNN-NADE",
            note="nats, summed over 88 keys, mean over all frames; quoted from memory",
            protocol="an LSTM by Adam from random weights; theirs a plain net, pre-trained",
            seeds=3,
        ),
    ),
    figures=music_pictures.figures,
    sample=music_pictures.sample,
    sample_files=music_pictures.files,
    check=check,
)  # fmt: skip
RECIPES = (RECIPE,)
