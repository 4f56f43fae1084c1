"""What all energy-based recipes have in common: resumption, backends, settings."""

import numpy as np
import pytest

from glassgrad import models, training
from glassgrad.core.training.loop import Interrupted, fit
from glassgrad.core.training.run_folder import Run
from glassgrad.core.training.settings import SettingError

NAMES = ("rbm", "dbn", "dbn-classifier", "dbm", "helmholtz", "boltzmann-machine")
SMALL = {
    "rbm": {"hidden": 5, "temperatures": 5},
    "dbn": {"hidden": (5, 4), "temperatures": 5},
    "dbn-classifier": {"hidden": (5, 4), "finetune": 1},
    "dbm": {"hidden": (5, 4), "pretrain": 1, "temperatures": 5},
    "helmholtz": {"hidden": (5, 4), "importance": 2},
    "boltzmann-machine": {"hidden": 3, "temperatures": 5, "sweeps": 1, "chains": 5},
}


@pytest.mark.parametrize("name", NAMES)
def test_a_resumed_training_is_the_same_bit_for_bit(name, tmp_path):
    recipe = models.recipe(name)
    s = recipe.resolve("digits", {**SMALL[name], "epochs": 3, "batch": 300})
    data = training.load_data(recipe, "digits", s)
    whole = training.build(recipe, data, s)
    rows = fit(whole, data, s)
    for stop_at in (4, 5, 7):  # within a stage, after an epoch's last step, and into another
        steps = 0

        def stop():
            nonlocal steps
            steps += 1
            return steps == stop_at  # noqa: B023

        run = Run.create(tmp_path, f"{name}-{stop_at}")
        with pytest.raises(Interrupted):
            fit(training.build(recipe, data, s), data, s, run=run, stop=stop)
        again = training.build(recipe, data, s)
        history = fit(again, data, s, run=run, resume=True)
        assert [r.keys() for r in history] == [r.keys() for r in rows]  # the same figures, when due
        want, got = whole.state_dict(), again.state_dict()
        assert want.keys() == got.keys()
        for key in want:
            assert np.array_equal(want[key], got[key]), key


@pytest.mark.parametrize("name", NAMES)
def test_training_on_the_reference_backend_is_the_same(name):
    recipe = models.recipe(name)
    few = {**SMALL[name], "epochs": 3, "batch": 600}
    one = training.train(recipe, overrides=few)
    two = training.train(recipe, overrides=few, backend="reference")
    assert one.test_figures == pytest.approx(two.test_figures, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_unknown_settings_are_refused(name):
    with pytest.raises(SettingError, match="'binarise' must be 'sampled', 'fixed' or 'grey'"):
        recipe = models.recipe(name)
        s = recipe.resolve("digits", {"binarise": "gray"})
        training.build(recipe, training.load_data(recipe, "digits", s), s)
