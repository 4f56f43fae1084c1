"""Strings of formal languages: which symbols may come next, and is the whole string correct."""

import numpy as np

from ... import core as gg
from ...core.arrays import xp_of
from ...core.data import DataSet, pad
from ...core.training.system import Batch
from ..common.binary import bernoulli_nll
from .sequence_pictures import legal_table, page
from .task import Task, steps


class Legal(Task):
    """Predict which symbols may come next. y [2, T, N, K]: the training targets, the legal symbols.

    target "legal"   the target is all legal symbols; a step is correct if p > 1/2 for exactly these
    target "next"    the target is the actual symbol; a step is correct if every legal symbol has a
                     larger output than every other one (Hochreiter & Schmidhuber 1997, 5.1)

    A string counts as solved if all its steps are correct.
    """

    reads = ("target",)
    along = 2

    def __init__(self, data, s):
        super().__init__(data, s)
        self.target, self.names = s.target, data.info.feature_names

    def batch(self, split):
        """x [T, N, K] without the last symbols; y [2, T, N, K]: targets and legal next symbols."""
        x, mask = pad([string[:-1] for string in split.x])
        legal = pad([string[:-1] for string in split.y])[0]
        target = legal if self.target == "legal" else pad([string[1:] for string in split.x])[0]
        return Batch(x, np.stack([target, legal]), mask, len(split))

    def losses(self, outputs, batch):
        """Σ_k softplus(a_k) - a_k y_k of each step: [T, N, K] -> [T, N]."""
        return bernoulli_nll(outputs, batch.y[0])

    def right(self, z, batch):
        """True for each string with only correct steps: booleans [N]."""
        legal, xp = batch.y[1] > 0, xp_of(z)
        if self.target == "legal":
            steps_right = ((z > 0) == legal).all(axis=-1)
        else:
            least = xp.where(legal, z, np.inf).min(axis=-1)
            steps_right = least > xp.where(legal, -np.inf, z).max(axis=-1)
        return (steps_right | (batch.mask == 0)).all(axis=0)

    def scores(self, z, batch):
        """`solved`: 1 for a correct string, [N]."""
        return {"solved": self.right(z, batch)}

    def ticks(self, x):
        """The symbols of x [T, 1, K]."""
        return [self.names[k] for k in x[:, 0].argmax(axis=1)]

    def draw(self, system, data, s):
        """Probabilities of the next symbols along the first test string, the legal ones marked."""
        batch = self.batch(data.test[:1])
        with gg.no_grad():
            p = gg.sigmoid(system(batch.x)[0]).numpy()[:, 0]
        return {"legal": legal_table(p, batch.y[1][:, 0], batch.x[:, 0], self.names)}

    def sample(self, system, data, n, rng):
        """Strings up to the end symbol, drawn from the symbols with p > 1/2, or by p.

        The end symbol may also occur inside a string (E in embedded Reber strings), so it is
        counted.
        """
        lines, k = [], len(self.names)
        first = data.train.x[0].argmax(axis=1).tolist()
        end, ends = first[-1], first.count(first[-1])
        for _ in range(n):
            string = first[:1]
            for z in steps(system, lambda s=string: np.eye(k, dtype="f4")[[[s[-1]]]], 200):
                p = gg.sigmoid(gg.Tensor(z[0, 0])).numpy()
                p = np.where(p > 0.5, 1.0, 1e-9) if self.target == "legal" else p
                u = rng.uniform((), dtype="float64") * p.sum()
                string.append(min(int(np.searchsorted(p.cumsum(), u)), k - 1))
                if string.count(end) == ends:
                    break
            lines.append("".join(self.names[i] for i in string))
        return page("\n".join(lines))


class Counting(Legal):
    """`largest_n`: all n from the split's smallest up to this are solved; if none, one below it.

    Source: Gers & Schmidhuber 2001.
    """

    def scores(self, z, batch):
        """`solved` and n, each [N]."""
        return {"solved": self.right(z, batch), "n": batch.x[:, :, 1].sum(axis=0)}

    def summary(self, values):
        """Means, and `largest_n`."""
        n, right = values.pop("n"), values["solved"]
        order = np.argsort(n)
        solved = np.cumprod(right[order]).sum()
        return {**super().summary(values), "largest_n": float(n.min() - 1 + solved)}

    def draw(self, system, data, s):
        """Probabilities along the longest training string."""
        return super().draw(system, DataSet(data.name, data.train, test=data.train[-1:]), s)
