"""What a task of the recurrent systems is: batches, losses, metrics; all are in `which_task`."""

from typing import Annotated, Literal

import numpy as np

from ... import core as gg
from ...core.data import DataSet, Split, count, minibatches
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch
from ...kernels.annotations import Kind, whole
from ..common.binary import bernoulli_nll


def read_range(value) -> tuple[int, int]:
    """(first, last) as ints; TypeError or ValueError if it is not a range above 0.

    >>> read_range([1, 10])
    (1, 10)
    """
    if not isinstance(value, list | tuple):
        raise TypeError
    first, last = map(whole, value)
    if not 1 <= first <= last:
        raise ValueError
    return first, last


MUST = "a pair [first, last] with 1 <= first <= last"
Range = Annotated[tuple[int, int], Kind("Range", MUST, read_range)]


class TaskSettings(TrainingSettings):
    """Settings of tasks and generated sets; each of these names the ones it uses."""

    embed: int = setting(0, least=0, help="numbers in the vector of a symbol, 0 for one-hot")
    steps: int = setting(35, least=1, help="length of the windows that a long text is cut into")
    reach: int = setting(
        0, least=0, help="steps that the gradient of a sequence reaches back at most, 0 for all"
    )
    target: Literal["legal", "next"] = setting(
        "legal", help="what a string trains: all legal symbols, or the one that came"
    )
    examples: int = setting(1000, least=1, help="training sequences of a generated set")
    length: int = setting(100, least=2, help="steps of a sequence of a generated set")
    letters: Literal["ab", "abc"] = setting("ab", help="what is counted: a^n b^n, or a^n b^n c^n")
    train_n: Range = setting((1, 10), help="n of the training strings, first and last")
    valid_n: Range = setting((11, 30), help="n of the validation strings")
    test_n: Range = setting((1, 100), help="n of the test strings")


def outputs_on(system, split, size=500):
    """(batch, outputs) over a split in order, without a tape; the state of a text is carried on."""
    state = None
    with gg.no_grad():
        for batch in system.task.held_out(split, size):
            batch = system.on_device(batch)
            outputs, state = system(batch.x, state if system.task.carries else None, batch.mask)
            yield batch, outputs


def answers(system, split):
    """(batch, outputs as a NumPy array) over a split."""
    return ((batch, outputs.numpy()) for batch, outputs in outputs_on(system, split))


def steps(system, x, n: int):
    """Outputs one step at a time, n times: x() returns each input [1, 1, ...]."""
    state = None
    for _ in range(n):
        with gg.no_grad():
            z, state = system(x(), state)
        yield z.numpy()


class Task:
    """Data as batches, time first; the loss of each unit; other metrics of each unit.

    A unit is a step, or with `at_end` a sequence. x is [T, N, ...], the mask [T, N], outputs are
    [T, N, K], or [N, K] at the end. `reads` names the settings that this task uses, out of those
    that not every task does.
    """

    reads: tuple[str, ...] = ()
    symbols = False  # True if the inputs are numbers of symbols
    at_end = False  # True if only the last step is read out
    along = 1  # the axis of the sequences in y, if not only the last step is read out
    carries = False  # True if a batch continues where the last one stopped
    inputs: int
    outputs: int

    def __init__(self, data: DataSet, s: TaskSettings):
        self.inputs = self.outputs = data.train.x[0].shape[1]

    def batch(self, split: Split) -> Batch:
        """The sequences of a split, padded to one length."""
        raise NotImplementedError

    def training(self, split, size, seed, epoch, start):
        """The minibatches of an epoch from number `start` on."""
        return map(self.batch, minibatches(split, size, seed=seed, epoch=epoch, start=start))

    def per_epoch(self, split, size) -> int:
        """The number of minibatches of `training`."""
        return count(len(split), size)

    def held_out(self, split, size):
        """The batches of a split in order."""
        return map(self.batch, minibatches(split, size, shuffle=False))

    def losses(self, outputs, batch):
        """The loss of each unit: [T, N], or [N] at the end of sequences.

        Here -ln p(y) of K binary variables, Σ_k softplus(a_k) - a_k y_k.
        """
        return bernoulli_nll(outputs, batch.y)

    def scores(self, z, batch) -> dict:
        """Other metrics from the array of outputs, one value for each sequence or step."""
        return {}

    def summary(self, values: dict[str, np.ndarray]) -> dict[str, float]:
        """Metrics of a split from the values of all its units."""
        return {k: float(v.mean(dtype="float64")) for k, v in values.items()}

    def ticks(self, x) -> list:
        """Labels for the steps of x [T, 1, I], if any."""
        return []

    def draw(self, system, data, s) -> dict:
        """{name: figure} of the system on the test split."""
        raise NotImplementedError

    def sample(self, system, data, n, rng):
        """A figure of generated sequences."""
        raise SettingError(f"{data.name}: its labels are predicted; there is nothing to generate")
