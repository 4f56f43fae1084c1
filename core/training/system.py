"""`System`: a network with an objective, which is all that `fit` needs."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ..arrays import is_array, to_device, xp_of
from ..data import DataSet, Split, minibatches
from ..data.mapped import Mapped
from ..distributed.tree import block
from ..nn import Module
from ..recording import no_grad
from ..tensor import Tensor
from .by_name import make_optimiser
from .settings import SettingError, TrainingSettings


@dataclass(eq=False)
class Batch:
    """What one step sees: arrays on the system's device, and how many samples they hold."""

    x: Any
    y: Any = None
    mask: Any = None  # [T, N], 1 where a padded sequence has a step
    samples: int | None = None  # how many there are, if the first axis of x does not count them

    def __len__(self) -> int:
        """The number of samples: the length of x, unless `samples` says otherwise.

        >>> len(Batch(np.zeros((5, 2)))), len(Batch(np.zeros((7, 5, 2)), samples=5))
        (5, 5)
        """
        return len(self.x) if self.samples is None else self.samples


class System(Module):
    """A model of the lectures: a module that knows its objective, its step and its score.

    A subclass defines `objective`, and `evaluate` if its score is not the objective itself. One
    whose learning rule is not gradient descent (a self-organising map) overrides `train_step`, and
    says in `whole` whether its step can be cut into shards (shards.py): "" if it takes gradients
    and sums from `training.shards`, otherwise why it cannot.
    """

    whole = ""  # why a minibatch cannot be cut into shards

    def objective(self, batch: Batch) -> Tensor | tuple[Tensor, dict]:
        """The scalar to be minimised on a batch, alone or with further metrics to report."""
        raise NotImplementedError(f"{type(self).__name__} has no objective")

    def batches(self, data: DataSet, size: int, seed: int, epoch: int, start: int) -> Iterator:
        """The minibatches of one epoch in order, from number `start` on."""
        return minibatches(data.train, size, seed=seed, epoch=epoch, start=start)

    def batches_per_epoch(self, data: DataSet, size: int) -> int:
        """The number of minibatches in an epoch."""
        return -(-len(data.train) // size)

    def make_optimiser(self, settings: TrainingSettings):
        """The optimiser that the settings name, for all parameters; None if there are none."""
        s = settings
        return make_optimiser(s.optimiser, self.parameters(), s.lr, s.weight_decay)

    def train_step(self, batch: Batch, training) -> dict[str, float]:
        """One update from one batch: gradients, clipping, optimiser. Returns what to report.

        Raises DivergedError if the loss or a gradient is not finite; the weights are then
        unchanged.
        """
        ours = type(self).differentiate is System.differentiate  # another may change what it finds
        figures, loss = training.shards.gradients(
            batch, lambda b: self.differentiate(b, training), early="objective" if ours else ""
        )
        training.clip(loss=loss)
        training.optimiser.step()
        return figures

    def differentiate(self, batch: Batch, training) -> tuple[dict[str, float], Tensor]:
        """Leave the gradients of the objective on a batch in `.grad`; returns (figures, loss)."""
        loss, extra = split_objective(self.objective(batch))
        value = loss.item()
        if not np.isfinite(value):  # a diverged step must not reach the weights
            raise training.diverged("loss", value, loss=loss)
        training.shards.backward(loss)
        return {"loss": value, **{k: float(v) for k, v in extra.items()}}, loss

    # ---------------------------------------------------------------------------- in shards

    def cut(self, batch: Batch, n: int) -> list[Batch]:
        """The batch in at most n parts, none with fewer than `fewest_in_shard` samples (shards.py).

        Here the first axis of x and y counts the samples; a system with other batches overrides
        this. Raises SettingError for those with a mask or a count of their own.
        """
        if batch.mask is not None or batch.samples is not None:
            raise SettingError(f"{type(self).__name__} does not say how its minibatches are cut")
        return cut_along(batch, n, {"x": 0, "y": 0}, self.fewest_in_shard)

    @property
    def fewest_in_shard(self) -> int:
        """The fewest samples that a shard may have: those that every layer needs."""
        return max(module.least_in_shard for _, module in self.named_modules())

    def loss_terms(self, batch: Batch) -> float:
        """How many terms the objective on a batch is the mean of: its samples, by default."""
        return len(batch)

    def finished(self, training) -> bool:
        """True if training is complete. `fit` asks before every epoch, including the first.

        The answer may depend only on what a checkpoint holds, such as `training.history`, so that a
        resumed training ends where an uninterrupted one does. By default training runs every epoch.
        """
        return False

    def evaluate(self, split: Split, size: int = 500) -> dict[str, float]:
        """Metrics on held-out data: by default the objective, averaged over the samples."""
        return self.average(lambda b: self.objective(b), split, size)

    def evaluate_finished(self, split: Split) -> dict[str, float]:
        """Metrics of the trained system: those of `evaluate`, and others that take long."""
        return self.evaluate(split)

    def predictions(self, x) -> dict[str, Any]:
        """What the trained system says of examples x, as `glassgrad predict` writes it, by name.

        ``logits`` and ``scores`` [N, K] are of classes: of both the class is named, of logits its
        probabilities too. Anything else is a list of N texts, or an array [N] or [N, K], such as
        ``value``, quantities in their units, or ``code``. A system without an answer for single
        examples does not override this.
        """
        raise NotImplementedError(f"{type(self).__name__} predicts nothing of single examples")

    def average(self, figures, split: Split, size: int = 500) -> dict[str, float]:
        """The mean over a split of what ``figures(batch)`` returns, weighted by batch length.

        `figures` returns what `objective` may return, or a dictionary of numbers.
        """
        total, n = {}, 0
        with no_grad():
            for batch in minibatches(split, size, shuffle=False):
                found = figures(self.on_device(batch))
                if not isinstance(found, dict):
                    loss, extra = split_objective(found)
                    found = {"loss": loss, **extra}
                for k, v in found.items():
                    total[k] = total.get(k, 0.0) + float(v) * len(batch)
                n += len(batch)
        return {k: v / n for k, v in total.items()}

    def on_device(self, batch) -> Batch:
        """The batch's arrays where the parameters are, floats in the parameters' dtype."""
        like = next((t for _, t in self.named_tensors()), None)

        def move(a):
            if not is_array(a) or like is None:
                return a
            a = a.astype(like.dtype, copy=False) if a.dtype.kind == "f" else a
            return to_device(a, like.device)

        return Batch(*(move(getattr(batch, f.name, None)) for f in fields(Batch)))


def cut_along(batch: Batch, n: int, axes: dict[str, int], least: int = 1) -> list[Batch]:
    """A batch in at most n parts of consecutive samples, none with fewer than `least` of them.

    axes: the axis of the samples in each array that is there; the others go into every part. A
    count of samples becomes that of the part's own.

    >>> parts = cut_along(Batch(np.zeros((7, 5)), samples=5), 2, {"x": 1})
    >>> [(part.x.shape, len(part)) for part in parts]
    [((7, 3), 3), ((7, 2), 2)]
    """
    samples = batch.x.shape[axes["x"]] if axes["x"] else len(batch.x)
    n, found = max(1, min(n, samples // least)), []
    for k in range(n):
        a, b = block(samples, n, k)
        arrays = {
            name: _slice(array, axes[name], a, b)
            for name in ("x", "y", "mask")
            if (array := getattr(batch, name)) is not None and name in axes
        }
        own = None if batch.samples is None else b - a
        found.append(replace(batch, **arrays, samples=own))
    return found


def _slice(array, axis: int, first: int, last: int):
    if isinstance(array, Mapped):  # of which a rank reads its own shards alone
        return array.part(first, last)
    if not axis:
        return array[first:last]
    return xp_of(array).ascontiguousarray(array[(slice(None),) * axis + (slice(first, last),)])


def cut_blocks(batch: Batch, n: int, sizes: list[int], least: int = 1) -> list[Batch]:
    """A batch that consists of blocks of so many rows, in parts with their share of every block.

    >>> batch = Batch(np.array([1, 2, 3, 4, 10, 20]), np.arange(6))
    >>> [part.x.tolist() for part in cut_blocks(batch, 2, [4, 2])]
    [[1, 2, 10], [3, 4, 20]]
    """
    n = max(1, min(n, min(sizes) // least))
    if n == 1:
        return [batch]
    starts = np.cumsum([0, *sizes])
    found = []
    for k in range(n):
        own = [np.arange(*block(size, n, k)) + at for size, at in zip(sizes, starts)]
        rows = np.concatenate(own)
        found.append(Batch(batch.x[rows], None if batch.y is None else batch.y[rows]))
    return found


def split_objective(result) -> tuple[Tensor, dict]:
    """(loss, extra metrics) from whatever `objective` returned."""
    return result if isinstance(result, tuple) else (result, {})
