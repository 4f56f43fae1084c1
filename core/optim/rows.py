"""Adadelta for tables of which a step reads a few rows: word vectors, mostly.

A minibatch of fifty sentences reads some hundreds of twenty thousand rows. The gradient of all the
others is 0, and there Adadelta's step is ::

    v ← ρ v        u ← ρ u        x ← x

So nothing is done to them. A row that is read again k steps later has its v and u multiplied by ρ^k
first: the numbers are those of `Adadelta` on the whole table but for rounding, at a cost that grows
with the rows that are read, not with those that there are.
"""

from collections.abc import Iterable

import numpy as np

from ...kernels.errors import expect
from ..arrays import is_array, to_numpy, xp_of
from ..nn.states import State, StateError, as_state
from ..tensor import Tensor
from .adaptive import Adadelta
from .optimiser import OptimiserError


class RowAdadelta(Adadelta):
    """`Adadelta` (Zeiler 2012) that can step some rows of a parameter, the others having g = 0.

    `step` is for the parameters with a gradient of their own, `step_rows` for a table. There is no
    weight decay, which would move the rows that are not read.

    >>> import numpy as np, glassgrad as gg
    >>> table = gg.tensor(np.zeros((4, 2)), requires_grad=True)
    >>> optimiser = RowAdadelta([table])
    >>> optimiser.step_rows(table, np.array([2]), np.array([[1.0, -1.0]]))
    >>> table.numpy().round(4)[1:3]
    array([[ 0.    ,  0.    ],
           [-0.0032,  0.0032]])
    """

    def __init__(self, parameters: Iterable, lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6):
        super().__init__(parameters, lr=lr, rho=rho, eps=eps)
        # of a table: how many steps it had when each row was last read, int64 [V]
        self.last = [None] * len(self.parameters)

    def step_rows(self, table: Tensor, rows: np.ndarray, gradient: np.ndarray) -> None:
        """One step of the table [V, ...], whose gradient is that of the `rows` [R], else 0.

        rows int64 [R], each once; gradient [R, ...], an array next to the table. Raises ShapeError
        for a gradient of another shape, OptimiserError for what is no parameter of this optimiser.
        """
        i = next((i for i, p in enumerate(self.parameters) if p is table), None)
        if i is None:
            raise OptimiserError("RowAdadelta: step_rows needs one of the optimiser's parameters")
        wanted = (len(rows), *table.shape[1:])
        what = "the gradient must have a row for each of the rows"
        expect(gradient.shape == wanted, "RowAdadelta", what, wanted, gradient.shape)
        group = next(g for g in self.groups if any(p is table for p in g["parameters"]))
        settings = {k: v for k, v in group.items() if k != "parameters"}
        x, xp = table.data, xp_of(table.data)
        if self.state[i] is None:
            self.state[i] = {s: self.initial(s, x, settings) for s in self.slots}
        if self.last[i] is None:
            self.last[i] = xp.full(len(x), self.steps[i], np.int64)
        waited = (self.steps[i] - self.last[i][rows]).astype(x.dtype)
        decay = (x.dtype.type(settings["rho"]) ** waited).reshape(-1, *[1] * (x.ndim - 1))
        self.steps[i] += 1
        own = {s: a[rows] * decay for s, a in self.state[i].items()}
        some = x[rows]
        self.update(some, gradient, own, self.steps[i], **settings)
        x[rows], self.last[i][rows] = some, self.steps[i]
        for slot, a in own.items():
            self.state[i][slot][rows] = a
        table.version += 1  # calls recorded before this step can no longer be differentiated

    def _step_one(self, i, p, settings):
        if self.last[i] is not None:  # rows that wait would miss their decay
            raise OptimiserError(f"RowAdadelta: parameter {i} is stepped by rows, not as a whole")
        super()._step_one(i, p, settings)

    # ------------------------------------------------------------ checkpoints

    def state_dict(self) -> dict:
        """As `Optimiser.state_dict`, and ``{i}.last`` of each table."""
        found = super().state_dict()
        lasts = enumerate(self.last)
        found.update({f"{i}.last": np.array(to_numpy(a)) for i, a in lasts if a is not None})
        return found

    def read_state(self, state: State) -> tuple:
        """As `Optimiser.read_state`; StateError also for counts that are no rows' last steps."""
        state = as_state(type(self).__name__, state)
        given = [state.pop(f"{i}.last", None) for i in range(len(self.parameters))]
        read = super().read_state(state)
        for i, (last, p, steps) in enumerate(zip(given, self.parameters, read[2])):
            if last is not None and not _counts(last, p.shape[:1], steps):
                raise StateError(
                    f"load_state_dict: the state does not fit this {type(self).__name__}; nothing"
                    f" was loaded:\n  {i}.last: expected int64 {p.shape[:1]} in 0..{steps}"
                )
        lasts = (
            None if a is None else xp_of(p.data).array(a) for a, p in zip(given, self.parameters)
        )
        return *read, list(lasts)

    def take_over(self, read: tuple) -> None:
        """Set what `read_state` returned."""
        *others, self.last = read
        super().take_over(tuple(others))


def _counts(last, shape: tuple, steps: int) -> bool:
    """Are these counts int64 of that shape, from 0 to the number of steps?"""
    whole = is_array(last) and last.shape == shape and last.dtype == np.int64
    return bool(whole and (last >= 0).all() and (last <= steps).all())
