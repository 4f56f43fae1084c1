"""Mistyped names among the settings, as a user gives them: every recipe says what it knows."""

import pytest

from glassgrad import models, training
from glassgrad.core.training.settings import TrainingSettings
from glassgrad.kernels.errors import GlassgradError


@pytest.mark.parametrize("name", models.MODULES)
def test_a_mistyped_name_is_an_error_that_names_the_setting(name):
    recipe = models.recipe(name)
    plain, common = recipe.resolve().as_dict(), TrainingSettings().as_dict()
    named = [k for k, v in plain.items() if isinstance(v, str) and k not in common]
    for key in named:
        with pytest.raises(GlassgradError, match=key):
            s = recipe.resolve(None, {key: "no such thing"})
            data = training.load_data(recipe, recipe.data, s)
            training.build(recipe, data, s)
            raise AssertionError(f"{key} was taken")
