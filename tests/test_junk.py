"""Junk given to every public function ends in an error of ours, quickly and without much memory."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import glassgrad as gg
from glassgrad import kernels
from glassgrad.core import data, nn, optim
from glassgrad.core.nn import cross_entropy, init, losses
from glassgrad.core.training.settings import SettingError
from glassgrad.kernels.errors import GlassgradError
from tests.junk_calls import Line, calls, line

CALLS = calls()
LEFT_OUT = {
    "gg.Tensor",  # made thousands of times a step: its few arguments are looked at inside
    "gg.System", "nn.Module", "optim.Optimiser", "optim.Schedule",  # bases: what is made of them
    "gg.differentiable", "gg.setting",  # declare, and are looked at by what they declare
    "gg.GradcheckReport",  # is made by gradcheck
    "gg.no_grad", "gg.trace",  # take nothing
    "gg.load", "gg.save",  # files of any name
    "data.Corpus", "data.File", "data.Info", "data.WordEval", "data.find",  # made by the loaders
}  # fmt: skip


def public():
    """The name of everything public that can be called, errors and modules left out."""
    rooms = {"gg": gg, "nn": nn, "optim": optim, "data": data}
    found = {f"{room}.{n}": getattr(m, n) for room, m in rooms.items() for n in m.__all__}
    families = {op: getattr(kernels, op) for op in kernels.OPERATIONS}
    for room, module in {"init": init, "losses": losses, **families}.items():
        room = f"kernels.{room}" if room in families else room
        for name, value in vars(module).items():
            own = {module.__name__} | ({cross_entropy.__name__} if module is losses else set())
            if not name.startswith("_") and getattr(value, "__module__", "") in own:
                found[f"{room}.{name}"] = value
    for name, value in found.items():
        error = inspect.isclass(value) and issubclass(value, BaseException)
        if callable(value) and not error and name not in ("gg.backend",):
            yield name


def test_every_public_name_is_given_junk():
    missing = set(public()) - set(CALLS) - LEFT_OUT
    assert not missing, sorted(missing)


@pytest.mark.parametrize("name", CALLS)
def test_the_call_that_is_spoilt_succeeds_as_it_stands(name):
    function, args, kwargs = CALLS[name]()
    with gg.backend("reference"):
        function(*args, **kwargs)


def spoil(count, seed: int, backend: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "tests.junk", str(count), str(seed), backend],
        text=True,
        capture_output=True,
        cwd=Path(__file__).resolve().parents[1],
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("count", "seed", "backend"),
    [
        (1000, 1, "reference"),
        pytest.param(4000, 0, "reference", marks=pytest.mark.slow),
        pytest.param(4000, 0, "numba", marks=pytest.mark.slow),
    ],
)
def test_junk_ends_in_an_error_of_ours(count, seed, backend):
    """Not one call in a hundred ends in a foreign error; none hangs or fills the memory.

    What is left are objects that answer a mere look with an error of their own.
    """
    report = spoil(count, seed, backend)
    assert report["calls"] == count and report["ours"] > 0.8 * report["calls"]
    foreign = report["foreign"]
    assert len(foreign) < 0.01 * report["calls"], "\n".join(map(str, foreign))
    assert not [f for f in foreign if f[-1] == "hang" or "MiB" in f[-1]], foreign


def test_fit_takes_settings_and_no_dictionary():
    with pytest.raises(
        GlassgradError,
        match="settings has the wrong type; expected a TrainingSettings or None, got",
    ):
        gg.fit(Line(), line(), {"epochs": 3})
    with pytest.raises(SettingError, match="'epochs' must be an int of at most 64 bits; got '3'"):
        gg.TrainingSettings(epochs="3")
    with pytest.raises(SettingError, match="resume=True continues a run"):
        gg.fit(Line(), line(), gg.TrainingSettings(), resume=True)


def test_ragged_lists_name_the_place():
    with pytest.raises(gg.GlassgradError, match=r"got \[1\] with 3 elements next to \[0\] with 2"):
        gg.tensor([[1, 2], [3, 4, 5]])
    with pytest.raises(
        gg.GlassgradError, match=r"\[0\]\[1\] with a number next to \[0\]\[0\] with"
    ):
        gg.tensor([[[1, 2], 3]])
