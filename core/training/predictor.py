"""Any network as a system, so that `fit` can train it; and what `fit` fills in.

The loss compares net(x) with y, by what y is ::

    classes, whole numbers [N]    cross-entropy of the logits net(x) [N, K]; accuracy is reported
    quantities                    mean squared error
    nothing                       mean squared error to x itself: an autoencoder
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...kernels.errors import DTypeError, ValueRangeError, expect
from .. import data as datasets
from ..arrays import is_array, to_numpy, xp_of
from ..data import DataError, DataSet, Graph, Split
from ..nn import Module, losses
from ..recording import no_grad
from ..tensor import Tensor, values_of
from .settings import SettingError, TrainingSettings
from .system import Batch, System


def answer_of(y) -> str:
    """What a network is to say of examples with these labels: logits, value, or output for none.

    >>> answer_of(np.array([0, 2])), answer_of(np.array([0.5])), answer_of(None)
    ('logits', 'value', 'output')
    """
    if y is None:
        return "output"
    return "logits" if getattr(y, "dtype", np.dtype(float)).kind in "iub" else "value"


class Predictor(System):
    """A network and its loss, a function (net(x), y) -> scalar, chosen by y if None.

    answer   what net(x) is: "logits" of classes, a "value", or an "output" that is like x; by
             default each batch says it
    """

    def __init__(self, net: Module, loss: Callable | None = None, answer: str = ""):
        self.net, self.loss, self.answer = net, loss, answer

    def forward(self, x):
        """net(x) of an array or tensor."""
        return self.net(Tensor(x) if is_array(x) and x.dtype.kind == "f" else x)

    def objective(self, batch):
        """The loss; of classes also the accuracy. SettingError for data that have lost labels."""
        out, answer = self(batch.x), self.answer or answer_of(batch.y)
        if not isinstance(out, Tensor):
            kind = type(out).__name__
            raise DTypeError(f"{type(self.net).__name__}: forward must return a tensor; got {kind}")
        if batch.y is None and answer != "output":
            raise SettingError(f"{type(self.net).__name__} was trained on labels; these have none")
        y = batch.x if batch.y is None else batch.y
        if answer == "logits":
            y = y.astype("int64")
        elif out.shape == (*y.shape, 1):  # a single output for a single quantity
            out = out.reshape(y.shape)
        if self.loss is not None:
            loss = self.loss(out, y)
            size = getattr(loss, "size", 1)
            expect(size == 1, "fit", "loss must return a scalar", "1 element", size)
            return loss
        if answer != "logits":
            return losses.mse(out, y)
        loss = losses.cross_entropy(out, y)
        named = out.data.argmax(axis=1)
        return loss, {"accuracy": (named == xp_of(named).asarray(y)).mean()}

    def predictions(self, x):
        """net(x), a row for each example."""
        out = predict(self.net, x)
        return {self.answer or "output": out.reshape(len(out), -1)}


def as_system(net: Module, loss: Callable | None = None) -> System:
    """The network as a system; a system is one already, and has its own objective."""
    if not isinstance(net, Module):
        raise SettingError(f"fit: expected a module or a system, got {type(net).__name__}")
    if not isinstance(net, System):
        return Predictor(net, loss)
    if loss is not None:
        raise SettingError(f"fit: {type(net).__name__} has its own objective; leave out loss")
    return net


def as_data(data) -> DataSet:
    """The data set that `fit` is given: itself, a name, a path, arrays (x, y), or x alone.

    Arrays are for training, all of them; `glassgrad.data.from_arrays` would hold some out. Raises
    DataError for other things.

    >>> len(as_data((np.zeros((3, 2)), [0, 1, 1])).train)
    3
    """
    if isinstance(data, DataSet):
        return data
    if isinstance(data, str | Path):
        path = isinstance(data, Path) or datasets.looks_like_path(data)
        data = datasets.read(data) if path else datasets.load(data)
        if isinstance(data, Graph):
            raise DataError(f"fit: {data.name} is a graph; expected examples")
        return data
    wanted = "a DataSet, a name, a path, or arrays of numbers (x, y)"
    if isinstance(data, tuple) and len(data) > 2 and any(hasattr(a, "shape") for a in data):
        raise DataError(f"fit: expected {wanted}; got {len(data)} arrays")
    x, y = data, None
    if isinstance(data, tuple) and len(data) == 2:
        x, y = data
    elif isinstance(data, tuple) and len(data) == 1:
        (x,) = data
    parts = (None if a is None else _array("fit", wanted, a, data) for a in (x, y))
    return DataSet("arrays", Split(*parts))


def _array(function: str, wanted: str, part, given=None) -> np.ndarray:
    """A part of what was given as an array of numbers; DataError if it is not one."""
    try:
        found = np.asarray(to_numpy(values_of(part)))
    except (TypeError, ValueError):  # nested lists of different lengths
        found = None
    if found is None or found.dtype.kind not in "fiub":
        kind = type(part if given is None else given).__name__
        raise DataError(f"{function}: expected {wanted}; got {kind}")
    return found


def settings_of(net: Module, settings: TrainingSettings | None, changes: dict) -> TrainingSettings:
    """The settings, else those that the system was built with or the defaults, with the changes."""
    if settings is None:
        own = getattr(net, "s", None)
        settings = own if isinstance(own, TrainingSettings) else TrainingSettings()
    return settings.changed(**changes) if changes else settings


def predict(net: Module, x, size: int = 500) -> np.ndarray:
    """net(x) for all rows of x, `size` at a time, in evaluation mode and without a graph.

    x    array or tensor [N, ...], or lists of numbers; floats are converted to the dtype and device
         of the parameters
    size rows in memory at once

    Returns a NumPy array [N, ...]. The network's mode is afterwards what it was. Raises
    DataError for what is no array of numbers, ValueRangeError for size below 1.

    >>> import glassgrad as gg
    >>> net = gg.nn.Linear(3, 2, rng=gg.Generator(0))
    >>> predict(net, np.zeros((5, 3))).shape
    (5, 2)
    """
    expect(size >= 1, "predict", "size must be at least 1", "≥ 1", size, ValueRangeError)
    x = _array("predict", "an array or tensor of numbers x", x)
    system = net if isinstance(net, System) else Predictor(net)
    modes = [(module, module.training) for _, module in net.named_modules()]
    net.eval()
    try:
        with no_grad():
            parts = [
                system(system.on_device(Batch(x[i : i + size])).x)
                for i in range(0, max(1, len(x)), size)
            ]
    finally:
        for module, mode in modes:
            module.training = mode
    return np.concatenate([to_numpy(values_of(part)) for part in parts])
