"""What the recurrent systems share: the network around the cell, its settings, its training.

    x_1 .. x_T  ->  symbols one-hot or embedded  ->  h_t = cell(x_t, h_{t-1})  ->  a_t = V h_t + c

The cells are in `rnn`, `lstm`, `peephole_lstm` and `gru`. The meaning of a_t and its loss are the
task (`which_task`), which follows from the labels of the data set (lecture 3, V2 160-215). The loss
is the mean over the steps, or sequences, that exist: padding does not count. The slide's read-out
is σ_y(V h_t), without the bias c. `readout_bias` adds it, and every preset does: the numbers were
reached with it, and it makes keys that never sound trivial to learn.

A long text is cut into rows, which are read in parallel in windows of `steps` steps. The state is
carried from window to window, but the gradient is not (`truncated`). The carried state is a buffer
of the system: a checkpoint holds it, and an epoch starts from zeros.

Whole sequences, such as piano rolls, are read at once. With `reach` their gradient ends after that
many steps too. Without it a plain net may fail on a tune with a long silence at its beginning: in
silence h stays at 0, where th' = 1, so each step back multiplies the gradient by W. If that makes
it longer, some hundred steps are enough to leave float32, while the loss stays small. Training then
stops with a message that names the place; `reach` mends it (tests show both).

Some data sets are generated from the settings (`sequence_data`).
"""

from functools import partial

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.arrays import xp_of
from ...core.data import DataSet, Split
from ...core.training.recipe import Recipe
from ...core.training.settings import setting
from ...core.training.system import Batch, System, cut_along
from ..common.gradients import by_parameters
from .sequence_data import prepare
from .task import Task, TaskSettings, answers, outputs_on
from .truncated import Carried, truncated
from .which_task import task_for


class SequenceSettings(TaskSettings):
    """Settings of every recurrent system."""

    hidden: int = setting(64, least=1, help="number H of hidden units of a level")
    layers: int = setting(1, least=1, help="levels, each on the h_t of the one below")
    dropout: float = setting(
        0.0, least=0, below=1, help="share of the connections dropped, recurrent ones never"
    )
    readout_bias: bool = setting(False, help="bias c of the read-out, which the slide leaves out")
    weight_noise: float = setting(
        0.0, least=0, help="spread of noise on the recurrent layer's weights in training"
    )
    init: float = setting(
        0.0, least=0, help="bound of uniform first weights, 0 for each layer's own"
    )


class SequenceModel(System):
    """Symbols or frames -> recurrent layer -> read-out.

    `layer(inputs, settings, rng, dtype)` makes the recurrent layer: (x [T, N, I], state) ->
    (hs [T, N, H], state). Dropout is on all connections except the recurrent ones (Zaremba et al.
    2014).
    """

    def __init__(self, task: Task, layer, s: SequenceSettings, rng, dtype="float32"):
        self.task, self.s = task, s
        width = task.inputs
        if task.symbols and s.embed:
            width, seed = s.embed, rng.child("embedding")
            self.embedding = nn.Embedding(task.inputs, width, rng=seed, dtype=dtype)
        self.layer = layer(width, s, rng.child("layer"), dtype)
        self.readout = nn.Linear(
            s.hidden, task.outputs, bias=s.readout_bias, rng=rng.child("readout"), dtype=dtype
        )
        self.noise = rng.child("noise")
        self.drop_in = nn.Dropout(s.dropout, rng=rng.child("in"))
        self.drop_out = nn.Dropout(s.dropout, rng=rng.child("out"))
        if s.init:  # the language models' U(±init)
            bounds = {"low": -s.init, "high": s.init}
            nn.init.everywhere(self, nn.init.uniform, rng.child("init"), **bounds)
        if task.carries:
            self.carried = Carried(self.layer, s.batch, dtype)

    def encode(self, x):
        """Input vectors [T, N, I] from an array of frames, or of numbers of symbols."""
        x = self.on_device(Batch(x)).x
        if not self.task.symbols:
            return gg.Tensor(x)
        if self.s.embed:
            return self.embedding(x)
        return gg.one_hot(x, self.task.inputs, self.readout.weight.dtype)

    def forward(self, x, state=None, mask=None):
        """(outputs [T, N, K], or [N, K] after the last step of each sequence; the last state)."""
        x = self.drop_in(self.encode(x))
        hs, state = truncated(self.layer, x, state, steps=self.s.reach or max(1, len(x)))
        if self.task.at_end:
            ends = None if mask is None else mask.sum(axis=0).astype("int64") - 1
            hs = hs[-1] if ends is None else hs[ends, xp_of(ends).arange(len(ends))]
        return self.readout(self.drop_out(hs)), state

    def objective(self, batch):
        """The mean loss of the units that exist. In training the state of a text is carried on.

        Σ_tn m_tn L_tn / Σ_tn m_tn over the steps of x [T, N, ...] with mask m [T, N], or the mean
        of L_n over sequences if only the last step is read out; L is the loss of the task.

        With `weight_noise` the layer's weights in training are w + N(0, weight_noise²), drawn for
        each batch, which drives gates to where small changes do not matter (Graves 2011).
        """
        if not (self.training and self.s.weight_noise):
            return self.mean_loss(batch)
        weights, std = self.layer.parameters(), self.s.weight_noise
        noise = [self.noise.normal(w.shape, w.dtype) * w.dtype.type(std) for w in weights]
        self.layer.with_parameters([w + gg.Tensor(n) for w, n in zip(weights, noise)])
        try:
            return self.mean_loss(batch)
        finally:
            self.layer.with_parameters(weights)

    def mean_loss(self, batch):
        """The objective without noise on the weights: a scalar, see `objective`."""
        carries = self.task.carries and self.training
        start = self.carried.state() if carries else None
        outputs, state = self(batch.x, start, batch.mask)
        if carries:
            self.carried.keep(state)
        losses = self.task.losses(outputs, batch)
        if batch.mask is None or self.task.at_end:
            return losses.mean()
        mask = batch.mask.astype(losses.dtype, copy=False)
        share = 1 / mask.sum(dtype="float64")  # stays on the device: no synchronisation
        share = gg.Tensor(xp_of(mask).asarray(share).astype(losses.dtype))
        return (losses * gg.Tensor(mask)).sum() * share

    def cut(self, batch, n):
        """Parts with some of the sequences [T, N], or of the rows of a text."""
        along = 0 if self.task.at_end else self.task.along
        return cut_along(batch, n, {"x": 1, "y": along, "mask": 1})

    def loss_terms(self, batch):
        """The units that the loss is the mean of."""
        if self.task.at_end:
            return batch.x.shape[1]
        there = batch.x.shape[0] * batch.x.shape[1] if batch.mask is None else batch.mask.sum()
        return int(there)

    def batches(self, data, size, seed, epoch, start):
        """The task's minibatches [T, N, ...]; a carried state starts an epoch from zeros."""
        if self.task.carries and start == 0:
            self.carried.reset()
        return self.task.training(data.train, size, seed, epoch, start)

    def batches_per_epoch(self, data, size):
        """The number of minibatches of the training split."""
        return self.task.per_epoch(data.train, size)

    def evaluate(self, split, size=500):
        """The mean loss of the units that exist, and the task's metrics."""
        found = {}
        for batch, outputs in outputs_on(self, split, size):
            losses = self.task.losses(outputs, batch).numpy()
            if batch.mask is not None and not self.task.at_end:
                losses = losses[gg.Tensor(batch.mask).numpy() > 0]
            values = {"loss": losses, **self.task.scores(outputs.data, batch)}
            for k, v in values.items():
                found.setdefault(k, []).append(gg.Tensor(v).numpy().reshape(-1))
        return self.task.summary({k: np.concatenate(v) for k, v in found.items()})

    def predictions(self, x):
        """The logits of whole sequences, or the quantities that belong to them."""
        if not self.task.at_end:
            return super().predictions(x)
        said = np.concatenate([z for _, z in answers(self, Split(x))])
        return {self.task.answer: said}


def build(data: DataSet, s: SequenceSettings, rng, *, layer, dtype="float32") -> SequenceModel:
    """The network for a data set around the layer that ``layer(inputs, s, rng, dtype)`` makes."""
    return SequenceModel(task_for(data, s), layer, s, rng, dtype)


def figures(system: SequenceModel, data: DataSet, s: SequenceSettings) -> dict:
    """The figures of the task."""
    return system.task.draw(system, data, s)


def sample(system: SequenceModel, data: DataSet, n: int, rng):
    """n frames, symbols or strings generated by the system."""
    return system.task.sample(system, data, n, rng)


def check(rng, *, layer, settings: type[SequenceSettings]):
    """The objective on ragged rolls, padded, as a function of the parameters, for gradcheck."""
    pieces = [(rng.random((n, 2)) < 0.5).astype(float) for n in (5, 3, 2)]
    data = DataSet("rolls", Split(pieces))
    system = build(data, settings(hidden=3), gg.Generator(5), layer=layer, dtype="float64")
    batch = system.task.batch(data.train)
    return by_parameters(system, batch)


def recipe(
    *, layer, settings: type[SequenceSettings], presets: dict, more_figures=None, **fields
) -> Recipe:
    """The recipe of a recurrent system; only the layer, the numbers and the texts differ.

    Every preset turns on `readout_bias`, because its numbers were reached with it.

    ``more_figures(system, data, settings)`` adds the pictures of the cell to those of the task.
    """

    def both(system, data, s):
        return {**figures(system, data, s), **(more_figures or dict)(system, data, s)}

    return Recipe(
        takes=("sequences", "text", "sentences", "images"),
        settings=settings,
        presets={name: {"readout_bias": True, **preset} for name, preset in presets.items()},
        build=partial(build, layer=layer),
        prepare=prepare,
        figures=both if more_figures else figures,
        sample=sample,
        check=partial(check, layer=layer, settings=settings),
        **fields,
    )


FRAMES = (
    "nats, summed over 88 keys, mean over the frames 2 .. T of all pieces, each from those before"
)
