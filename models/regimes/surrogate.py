"""A surrogate model: a net in the place of a simulator (lecture 1, V0 470-486).

A simulator a(x) computes what it knows about x by laws of nature: slowly, and exactly. It needs no
training. A net b is fitted to some of its runs, and then stands in for it ::

    Σ_{i≤k} L(b(x'_i, w'), a(x'_i))  →  min over w',       L = ‖b - a‖²/K, each of the K outcomes
                                                           in units of
                                                           its deviation

The lecture's examples are climate and aerodynamics, months on a supercomputer. Ours takes a few
milliseconds for a run: heat in a square plate whose conductivity depends on the temperature, with
six parameters and 25 sensors (core/data/synthetic_heat.py). For other simulators give a table of
parameters and outcomes: it is then the `mlp` of models/perceptrons for quantities, trained for
small errors.

Figures, of parameters that were not in training ::

    error       1 - R², in per cent: the share of the variance of the outcomes, the mean over them,
                that the net does not explain
    largest     the largest error of any outcome, in units of its deviation
    speed_up    seconds of the simulator over seconds of the net for the same 64 parameters, both
                all at once; the fastest of several runs of each, in processor time, so that other
                processes do not count

The last is for the default data, whose simulator is here, and is measured after training: on the
CPU even where the net was trained on a GPU, whose time is no processor time, and with one thread in
the matrix products, as the processor time of threads that wait for each other counts. It says
nothing about training data, which took hundreds of runs: a surrogate pays where more answers than
that are needed. The simulator is written for clarity; implicit steps would be faster.

The pictures: predicted over simulated outcomes; plates as simulated and as predicted.

The number: none published. R² ≥ 0.99 on held-out parameters at a speed-up of 100 or more.
"""

import time
from dataclasses import replace

import numpy as np

from ... import core as gg
from ...core.data import DataSet, kind_of
from ...core.data.synthetic_heat import heated_plates
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, setting
from ...core.training.system import Batch
from ...kernels.product import blas_at_one_thread
from ..common.activations import Activation
from ..common.gradients import by_parameters
from ..perceptrons import mlp
from ..perceptrons.tasks import Regression, columns, task_of
from .surrogate_pictures import figures

TIMED, REPEATS = 64, 5  # parameters and runs of a measurement of time


class Settings(mlp.Settings):
    """Settings of a surrogate: those of a perceptron, and the number of runs."""

    hidden: tuple[int, ...] = (64, 64)
    activation: Activation = "tanh"
    select: str = ""
    runs: int = setting(0, least=0, help="runs of the simulator in training, 0 for all")


class Surrogate(mlp.Mlp):
    """A perceptron of parameters x [N, D]; `scale` turns them back into the simulator's units."""

    def __init__(self, inputs: int, task, s: Settings, rng, dtype="float32", scale=None):
        super().__init__(inputs, task, s, rng, dtype)
        self.scale = scale  # (mean, deviation) of the simulator's parameters, or None

    def evaluate(self, split, size=500):
        """The page's figures on a whole split, without the speed-up."""
        answers, found = self.answers(split.x, size), {}
        found["error"] = 100 * (1 - self.task.score(answers, split.y))
        if isinstance(self.task, Regression):
            wrong = np.abs(answers - columns(split.y)) / self.task.deviation.numpy()
            found["largest"] = float(wrong.max())
        return super().evaluate(split, size) | found

    def evaluate_finished(self, split):
        """Those of `evaluate`, and the speed-up where the simulator is here."""
        found = self.evaluate(split)
        return found if self.scale is None else found | self.measured(split.x[:TIMED])

    def measured(self, x: np.ndarray) -> dict[str, float]:
        """The speed-up; milliseconds of simulator and net for one of the rows x, on the CPU."""
        mean, deviation = self.scale
        parameters = x.astype(np.float64) * deviation + mean
        device = self.parameters()[0].device
        with blas_at_one_thread():
            slow = 1e3 * fastest(lambda: heated_plates(parameters), 2) / len(x)
            self.to("cpu")
            try:
                fast = 1e3 * fastest(lambda: self.answers(x), REPEATS) / len(x)
            finally:
                self.to(device)
        return {"speed_up": slow / fast, "simulator_ms": slow, "net_ms": fast}


def fastest(run, repeats: int) -> float:
    """Processor seconds of the fastest of several calls, after one that is not counted.

    >>> fastest(lambda: None, 3) < 1
    True
    """
    run()
    found = []
    for _ in range(repeats):
        started = time.process_time()
        run()
        found.append(time.process_time() - started)
    return min(found)


def prepare(data: DataSet, s: Settings) -> DataSet:
    """A table standardised, with `runs` of its training rows.

    The simulator's own table keeps the scale of its parameters: ``info.extra["scale"]``.
    """
    task_of("surrogate", data)
    if s.runs > len(data.train):
        raise SettingError(f"surrogate: runs must be at most {len(data.train)}; got {s.runs}")
    if s.runs:
        data = replace(data, train=data.train[: s.runs])
    if kind_of(data) != "table":
        return data
    found = data.standardised()
    if not (data.name == "heated_plate" and data.info.source == "generated"):
        return found
    x = data.train.x.astype(np.float64)
    deviation = x.std(axis=0)
    deviation[deviation == 0] = 1.0  # a single run
    return replace(found, info=replace(found.info, extra={"scale": (x.mean(axis=0), deviation)}))


def build(data: DataSet, s: Settings, rng) -> Surrogate:
    """The net for a table of parameters and outcomes."""
    task, scale = task_of("surrogate", data), data.info.extra.get("scale")
    return Surrogate(data.train.x.shape[1], task, s, rng, scale=scale)


def check(rng, **changes):
    """The objective of a small net as a function of its parameters, for gradcheck."""
    s = Settings(**{"hidden": (4, 3), **changes})
    y = rng.standard_normal((5, 2))
    system = Surrogate(3, Regression(y, dtype="float64"), s, gg.Generator(3), dtype="float64")
    return by_parameters(system, Batch(rng.standard_normal((5, 3)), y))


PLATE = {"epochs": 300, "batch": 50, "lr": 5e-3}

SURROGATE = Recipe(
    name="surrogate",
    title="Surrogate model: a net in the place of a simulator",
    lecture="lecture 1 (V0 470-486)",
    rows=(62,),
    build=build,
    prepare=prepare,
    takes=("table", "binary"),
    settings=Settings,
    data="heated_plate",
    presets={"heated_plate": PLATE, "table": PLATE, "binary": PLATE},
    metric="error",
    targets=(
        Target(
            "heat in a plate: 1 - R² on held-out parameters, %",
            "heated_plate",
            "error",
            "none",
            1.0,
            own=True,
            seeds=3,
            note="own bound: R² of 0.99",
        ),
        Target(
            "heat in a plate: speed-up, 64 parameters at once",
            "heated_plate",
            "speed_up",
            "none",
            100.0,
            better="higher",
            own=True,
            seeds=3,
            note="own bound: two orders of magnitude",
        ),
    ),
    figures=figures,
    check=check,
)
RECIPES = (SURROGATE,)
