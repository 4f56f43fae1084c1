"""Settings: where they come from, what they are turned into, and which are refused."""

import json

import pytest

from glassgrad.core.recipe import COMMON, Recipe, SettingError, Target

RECIPE = Recipe(
    "line", "A line", "none", (0,), lambda *a: None, {"width": 3, "flag": True, "sizes": (1, 2)},
    "loss", presets={"mnist": {"lr": 0.5}},
)  # fmt: skip


def test_settings_come_from_four_places_in_order():
    assert RECIPE.resolve()["lr"] == COMMON["lr"]
    assert RECIPE.resolve("mnist")["lr"] == 0.5
    s = RECIPE.resolve("mnist", {"lr": "1", "flag": "false", "sizes": "[3]", "width": 7})
    assert (s["lr"], s["flag"], s["sizes"], s["width"]) == (1.0, False, (3,), 7)
    json.dumps(s)


@pytest.mark.parametrize(
    "key, value, message",
    [
        ("widht", 3, "did you mean 'width'"),
        ("width", "wide", "must be like 3"),
        ("width", 2.5, "must be like 3"),
        ("flag", 1, "must be like True"),
        ("optimiser", 3, "must be like 'adam'"),
    ],
)
def test_bad_settings(key, value, message):
    with pytest.raises(SettingError, match=message):
        RECIPE.resolve(None, {key: value})


def test_a_target_is_not_reached_by_nan():
    low = Target("t", "d", "m", "1", 2.0)
    high = Target("t", "d", "m", "1", 2.0, better="higher")
    assert low.reached(2.0) and not low.reached(2.1) and not low.reached(float("nan"))
    assert high.reached(2.0) and not high.reached(1.9) and not high.reached(float("nan"))
