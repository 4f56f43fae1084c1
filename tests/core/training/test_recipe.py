"""Recipes: where their settings come from, and when a number counts as reached."""

import json
from typing import Literal

import pytest

from glassgrad.core.training.recipe import Recipe, Target
from glassgrad.core.training.settings import SettingError, TrainingSettings, setting


class Line(TrainingSettings):
    width: int = setting(3, least=1, help="of the line")
    flag: bool = setting(True, help="up or down")
    sizes: tuple[int, ...] = setting((1, 2), help="of the ends")


RECIPE = Recipe(
    "line", "A line", "none", (0,), lambda *a: None, Line, "loss", presets={"mnist": {"lr": 0.5}}
)


def test_settings_come_from_four_places_in_order():
    assert RECIPE.resolve().lr == TrainingSettings().lr
    assert RECIPE.resolve("mnist").lr == 0.5
    s = RECIPE.resolve("mnist", {"lr": "1", "flag": "false", "sizes": "[3]", "width": 7})
    assert (s.lr, s.flag, s.sizes, s.width) == (1.0, False, (3,), 7)
    assert json.loads(json.dumps(s.as_dict()))["sizes"] == [3]


@pytest.mark.parametrize(
    "key, value, message",
    [
        ("widht", 3, "did you mean 'width'"),
        ("width", "wide", "'width' must be an int of at most 64 bits; got 'wide'"),
        ("width", 2.5, "'width' must be an int"),
        ("flag", 1, "'flag' must be True or False; got 1"),
        ("optimiser", 3, "'optimiser' must be 'sgd', .* or 'adamw'; got 3"),
    ],
)
def test_errors_begin_with_the_name_of_the_recipe(key, value, message):
    with pytest.raises(SettingError, match=f"^line: .*{message}"):
        RECIPE.resolve(None, {key: value})


class Ranged(TrainingSettings):
    kind: Literal["soft", "hard"] = setting("soft", help="of the edge")
    sharp: int = setting(2, when=("kind", "hard"), help="how sharp it is")

    @property
    def least_epochs(self):
        return 3 if self.kind == "hard" else 0


RANGED = Recipe(
    "ranged", "Ranges", "none", (0,), lambda *a: None, Ranged, "loss",
    presets={"digits": {"sharp": 7}},
)  # fmt: skip


def test_settings_without_effect_are_refused_but_not_presets():
    with pytest.raises(SettingError, match="'sharp' has no effect with kind=soft; got 3"):
        RANGED.resolve(None, {"sharp": 3})
    assert RANGED.resolve("digits").sharp == 7
    assert RANGED.resolve("digits", {"sharp": 7}).sharp == 7  # as a run folder asks for it
    assert RANGED.resolve(None, {"sharp": 3, "kind": "hard"}).sharp == 3


def test_stages_need_their_epochs():
    with pytest.raises(SettingError, match=r"ranged: .* at least 3 epochs; got epochs=2"):
        RANGED.resolve(None, {"kind": "hard", "epochs": 2})
    assert RANGED.resolve(None, {"kind": "hard", "epochs": 3}).epochs == 3
    assert RANGED.resolve(None, {"kind": "hard", "epochs": 0}).epochs == 0  # an untrained system


def test_a_target_is_not_reached_by_nan():
    low = Target("t", "d", "m", "1", 2.0)
    high = Target("t", "d", "m", "1", 2.0, better="higher")
    assert low.reached(2.0) and not low.reached(2.1) and not low.reached(float("nan"))
    assert high.reached(2.0) and not high.reached(1.9) and not high.reached(float("nan"))
