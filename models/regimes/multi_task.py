"""Multi-task learning: one f for all tasks, one g_t for each (lecture 1, V0 449-469).

    Σ_{t∈T} Σ_{i∈X_t} L_ti(g_t(f(x_ti, α), β_t))  →  min over α, {β_t}

z = f(x, α) is a layer of `code` units, g_t a linear function of z with coefficients β_t; the sum
has no weights. What the tasks have in common is learnt from the rows of all of them, so each needs
only as many rows of its own as its β_t takes. The lecture defines:

    learnability         a task is solved better, the more rows ℓ_t it has
    learning to learn    every task is solved better, the more tasks |T| there are, too

Next to the joint nets each task has its own f_t of the same widths, from the same minibatches:
the separate form. What are the tasks?

    a column `task` (of the generated set)      its values; a row belongs to one task
    several quantities as labels                each is a task; a row belongs to all
    classes                                     "is it class t?" is a task; a row belongs to all

L is the squared error, of a quantity in units of its task's deviation, or -ln p of a yes or no.
Means over the rows of a minibatch stand for the sums: Σ_t is the sum over the tasks of each row's
loss, divided by the number of pairs of rows and tasks.

Figures, of held-out rows, means over the tasks ::

    error, error_separate    per cent of the variance of a task that is not explained, or of wrong
                             answers;  gain = error_separate - error

The pictures: the errors of each task, joint over separate; and how the error falls with |T| and ℓ_t
(both of the lecture's definitions), of nets that are trained again for the picture on the first
tasks and rows. `sweep` epochs are for each of them; 0 leaves the picture out.

The numbers: none published (the lecture cites surveys). On `shared_tasks`, with 24 rows a task and
with 12, the joint nets are to be below the separate ones. Width, decay, rate and epochs are those
of the shortest training within 0.1 of the least sum of both errors on validation rows of four other
draws of the tasks: 62.6 %, where twice the epochs have 62.5.
"""

from dataclasses import replace

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, Split, kind_of
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common.gradients import by_parameters
from ..common.rows import flat
from ..perceptrons.tasks import Classification, task_of
from .multi_task_pictures import figures

MOST_TASKS = 200


class Settings(TrainingSettings):
    """Settings of nets with several tasks."""

    code: int = setting(16, least=1, help="number of units of f")
    tasks: int = setting(0, least=0, help="the first tasks that are learnt, 0 for all")
    rows: int = setting(0, least=0, help="the first training rows ℓ_t of each task, 0 for all")
    sweep: int = setting(0, least=0, help="epochs of each net of the picture over |T| and ℓ_t")
    schedule: str = "cosine"


class MultiTask(System):
    """x [N, D] -> answers [N, T] of the joint nets and of the separate ones.

    joint:     z = tanh(W x + a) [N, C],      answers β z + b
    separate:  z_t = tanh(W_t x + a_t),       answers ⟨β_t, z_t⟩ + b_t        W_t [C, D] for each t
    """

    def __init__(
        self, inputs: int, tasks: int, quantities: bool, s: Settings, rng, dtype="float32"
    ):
        self.s, self.quantities, self.tasks = s, quantities, tasks
        self.encoder = nn.Linear(inputs, s.code, rng=rng.child("f"), dtype=dtype)
        self.heads = nn.Linear(s.code, tasks, rng=rng.child("g"), dtype=dtype)
        self.encoders = nn.Linear(inputs, tasks * s.code, rng=rng.child("f_t"), dtype=dtype)
        start = (p.numpy().copy() for p in (self.heads.weight, self.heads.bias))
        self.own_heads, self.own_biases = (gg.Tensor(a, requires_grad=True) for a in start)

    def joint(self, x):
        """g_t(f(x)) for all t: [N, T]."""
        return self.heads(gg.tanh(self.encoder(x)))

    def separate(self, x):
        """g_t(f_t(x)) for all t: [N, T]."""
        z = gg.tanh(self.encoders(x)).reshape(len(x), self.tasks, self.s.code)
        return (z * self.own_heads).sum(axis=2) + self.own_biases

    def objective(self, batch):
        """(joint + separate objective, both), means over the pairs of rows and tasks.

        They have no parameter in common. y [N, 2, T]: the targets, and 1 where a row belongs to a
        task, otherwise 0.
        """
        x, y, belongs = gg.Tensor(batch.x), batch.y[:, 0], batch.y[:, 1]
        joint, separate = (self.loss(z(x), y, belongs) for z in (self.joint, self.separate))
        return joint + separate, {"joint": joint.item(), "separate": separate.item()}

    def loss(self, z, y, belongs):
        """Σ of L over the pairs that belong together, divided by their number."""
        if self.quantities:
            values = nn.losses.mse(z, y, reduction="none")
        else:
            values = nn.losses.binary_cross_entropy_with_logits(z, y, reduction="none")
        return (values * gg.Tensor(belongs)).sum() / max(1.0, float(belongs.sum()))

    def answers(self, x: np.ndarray, size: int = 500) -> tuple[np.ndarray, np.ndarray]:
        """Answers [N, T] of the joint and of the separate nets, without a tape."""
        found = ([], [])
        with gg.no_grad():
            for i in range(0, len(x), size):
                part = gg.Tensor(self.on_device(Batch(x[i : i + size])).x)
                found[0].append(self.joint(part).numpy())
                found[1].append(self.separate(part).numpy())
        return tuple(np.concatenate(parts) for parts in found)

    def errors(self, split: Split) -> np.ndarray:
        """Error of each task, joint and separate, in per cent [2, T]; NaN of one without rows."""
        y, belongs = split.y[:, 0], split.y[:, 1] > 0
        return np.array([self.error_of(z, y, belongs) for z in self.answers(split.x)])

    def error_of(self, z, y, belongs) -> list[float]:
        """100 (1 - R²), or the per cent of wrong answers, for each task."""
        found = []
        for t in range(self.tasks):
            at = belongs[:, t]
            a, b = z[at, t].astype(np.float64), y[at, t].astype(np.float64)
            if not at.any():
                found.append(np.nan)
            elif not self.quantities:
                found.append(100 * float(((a > 0) != (b > 0.5)).mean()))
            else:
                spread = np.square(b - b.mean()).sum()
                wrong = np.square(a - b).sum()
                found.append(100 * float(wrong / spread) if spread else 100 * float(wrong > 0))
        return found

    def evaluate(self, split, size=500):
        """The page's figures on a whole split."""
        joint, separate = np.nanmean(self.errors(split), axis=1)
        return {
            "error": float(joint),
            "error_separate": float(separate),
            "gain": float(separate - joint),
        }


def prepare(data: DataSet, s: Settings) -> DataSet:
    """Rows x [N, D] and y [N, 2, T]: targets, and which rows belong to which tasks.

    The first `tasks` tasks, and of each the first `rows` training rows. Quantities are standardised
    for each task by its training rows.
    """
    parts = {name: _by_task(data, split, s.tasks) for name, split in data.splits()}
    count = parts["train"].y.shape[2]
    if s.tasks > count:
        raise SettingError(f"multi-task: tasks must be at most {count}; got {s.tasks}")
    if s.rows:
        belongs = parts["train"].y[:, 1] > 0
        first = (belongs & (np.cumsum(belongs, axis=0) <= s.rows)).any(axis=1)
        parts["train"] = parts["train"][first]
    if not isinstance(task_of("multi-task", data), Classification):
        _standardise(parts)
    images = data.train.x.ndim == 4
    found = replace(data, **parts)
    return found if images or kind_of(data) == "binary" else found.standardised()


def _by_task(data: DataSet, split: Split, most: int) -> Split:
    """A split with y [N, 2, T]; of a set with a column of tasks the rows of the first `most`."""
    task, y = task_of("multi-task", data), split.y
    classes = isinstance(task, Classification)
    column = data.train.x.ndim == 2 and data.info.feature_names[:1] == ("task",)
    if not column:
        targets = np.eye(task.size)[y] if classes else y.reshape(len(y), -1)
        targets = _expect_few(data, targets[:, : most or None])
        x = split.x if split.x.ndim == 2 else flat(split.x)
        return Split(x, np.stack([targets, np.ones_like(targets)], axis=1).astype(np.float32))
    if task.size > (2 if classes else 1):
        raise SettingError(f"multi-task: with a column of tasks, {data.name} needs one label a row")
    names = np.unique(data.train.x[:, 0])[: most or None]
    belongs = _expect_few(data, split.x[:, :1] == names)
    chosen = belongs.any(axis=1)
    belongs = belongs[chosen].astype(np.float32)
    targets = y.reshape(len(y), 1)[chosen] * belongs
    y = np.stack([targets, belongs], axis=1).astype(np.float32)
    return Split(np.ascontiguousarray(split.x[chosen, 1:]), y)


def _expect_few(data: DataSet, table: np.ndarray) -> np.ndarray:
    if table.shape[1] > MOST_TASKS:
        raise SettingError(
            f"multi-task: {data.name} has {table.shape[1]} tasks; at most {MOST_TASKS} are learnt:"
            " set tasks"
        )
    return table


def _standardise(parts: dict[str, Split]) -> None:
    """The targets of each task with the mean 0 and the deviation 1 on its training rows."""
    y, belongs = parts["train"].y[:, 0].astype(np.float64), parts["train"].y[:, 1]
    count = np.maximum(belongs.sum(axis=0), 1)
    mean = (y * belongs).sum(axis=0) / count
    deviation = np.sqrt((np.square(y - mean) * belongs).sum(axis=0) / count)
    deviation[deviation == 0] = 1.0
    for name, split in parts.items():
        scaled = (split.y[:, 0] - mean) / deviation * split.y[:, 1]
        y = np.stack([scaled, split.y[:, 1]], axis=1).astype(np.float32)
        parts[name] = Split(split.x, y)


def build(data: DataSet, s: Settings, rng) -> MultiTask:
    """The nets for rows that `prepare` made."""
    y = data.train.y
    quantities = not bool(np.isin(y[:, 0], (0, 1)).all())
    return MultiTask(data.train.x.shape[1], y.shape[2], quantities, s, rng)


def check(rng, quantities=True, **changes):
    """The objective of small nets as a function of their parameters, for gradcheck."""
    s = Settings(**{"code": 3, **changes})
    system = MultiTask(4, 2, quantities, s, gg.Generator(3), dtype="float64")
    belongs = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    y = rng.standard_normal((5, 2)) if quantities else rng.integers(0, 2, (5, 2)).astype(float)
    y = np.stack([y * belongs, belongs], axis=1)
    return by_parameters(system, Batch(rng.standard_normal((5, 4)), y))


SMALL = {
    "code": 8, "epochs": 50, "batch": 40, "lr": 2e-2, "weight_decay": 1.0, "optimiser": "adamw",
}  # fmt: skip


def _gain(rows: int) -> Target:
    """What the joint nets explain more than the separate ones, of so many rows a task."""
    return Target(
        f"shared tasks, 16 of {rows} rows: unexplained variance saved by sharing, % points",
        "shared_tasks",
        "gain",
        "none: the cited surveys have no table",
        5.0,
        better="higher",
        settings={"sweep": 0, "rows": rows},
        own=True,
        seeds=10,
        note="own bound: a twentieth of the variance of a task; mean of 10 starts",
    )


MULTI_TASK = Recipe(
    name="multi-task",
    title="Multi-task learning: shared features, a head for each task",
    lecture="lecture 1 (V0 449-469)",
    rows=(59, 60),
    build=build,
    prepare=prepare,
    takes=("table", "binary", "images"),
    settings=Settings,
    data="shared_tasks",
    presets={
        "shared_tasks": {**SMALL, "sweep": 40},
        "table": SMALL,
        "binary": SMALL,
        "digits": {"code": 32, "epochs": 20, "batch": 50, "lr": 5e-3},
    },
    metric="error",
    targets=(_gain(24), _gain(12)),
    figures=figures,
    check=check,
)
RECIPES = (MULTI_TASK,)
