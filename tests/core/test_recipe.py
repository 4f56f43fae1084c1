"""Settings: where they come from, what they are turned into, and which are refused."""

import json

import pytest

from glassgrad.core.recipe import COMMON, Recipe, SettingError, Target, expect_choice

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


RANGED = Recipe(
    "ranged", "Ranges", "none", (0,), lambda *a: None,
    {"sizes": (4, 2), "width": 1.0, "n": (1, 5), "kind": "soft", "sharp": 2}, "loss",
    least={"sizes": 1, "sharp": -1}, positive=("width",), ranges=("n",), presets={"digits": {
        "sharp": 7}},
    ignored=lambda s: {"sharp": "with kind=soft"} if s["kind"] == "soft" else {},
)  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("sizes", [3, 0], r"'sizes' must be at least 1; got \[3, 0\]"),
     ("width", 0, "'width' must be above 0; got 0.0"),
     ("width", -0.5, "'width' must be above 0"),
     ("sharp", -2, "'sharp' must be at least -1"),
     ("n", [5, 1], r"'n' must be a pair \[first, last\] with 1 <= first <= last; got \[5, 1\]"),
     ("n", [1], "must be a pair"), ("n", [1, 2, 3], "must be a pair"),
     ("n", [0, 2], "must be a pair")],
)  # fmt: skip
def test_each_recipe_has_its_own_ranges(key, value, message):
    with pytest.raises(SettingError, match=f"ranged: setting {message}" if "'" in message[:2]
                       else message):  # fmt: skip
        RANGED.resolve(None, {key: value})
    assert RANGED.resolve(None, {"n": [3, 3], "sizes": [1]})["n"] == (3, 3)


def test_settings_without_effect_are_refused_but_not_presets():
    with pytest.raises(SettingError, match="'sharp' has no effect with kind=soft; got 3"):
        RANGED.resolve(None, {"sharp": 3})
    assert RANGED.resolve("digits")["sharp"] == 7
    assert RANGED.resolve("digits", {"sharp": 7})["sharp"] == 7  # as a run folder asks for it
    assert RANGED.resolve(None, {"sharp": 3, "kind": "hard"})["sharp"] == 3


def test_a_wrong_choice_names_all_and_the_nearest():
    with pytest.raises(SettingError) as caught:
        expect_choice("net", {"pool": "maxx"}, "pool", ("max", "average"))
    said = "net: pool must be one of max, average; got 'maxx'; did you mean 'max'?"
    assert str(caught.value) == said
    expect_choice("net", {"pool": "max"}, "pool", ("max", "average"))


def test_a_target_is_not_reached_by_nan():
    low = Target("t", "d", "m", "1", 2.0)
    high = Target("t", "d", "m", "1", 2.0, better="higher")
    assert low.reached(2.0) and not low.reached(2.1) and not low.reached(float("nan"))
    assert high.reached(2.0) and not high.reached(1.9) and not high.reached(float("nan"))
