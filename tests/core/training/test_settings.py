"""Typed settings: what a line declares is what everything reads."""

import dataclasses
from typing import Literal

import pytest

from glassgrad import models
from glassgrad.core.training.by_name import OPTIMISERS
from glassgrad.core.training.settings import SettingError, TrainingSettings, setting


class Net(TrainingSettings):
    sizes: tuple[int, ...] = setting((4, 2), least=1, some=True, help="widths")
    width: float = setting(1.0, above=0, help="of the kernel")
    share: float = setting(0.3, least=0, below=1, help="of zeros")
    kind: Literal["soft", "hard"] = setting("soft", help="of the edge")
    kinds: tuple[str, ...] = setting(("a", "b"), help="what is compared")
    depth: int = setting(0, help="of the search")
    sharp: int = setting(2, when=("kind", "hard"), help="how sharp it is")
    gain: float = setting(1.0, when=("kinds", "a", "c"), help="of a and c")
    beam: int = setting(1, when="depth", help="of the search")
    odd: int = setting(1, when=lambda s: "with two sizes" * (len(s.sizes) == 2), help="odd")
    grey: bool = setting(False, kinds=("images",), help="levels of grey")
    schedule: str = "cosine"


class Deeper(Net, idle={"clip": "here, where nothing is clipped"}):
    depth: int = 3


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sizes", [3, 0], r"'sizes' must be at least 1; got \(3, 0\)"),
        ("sizes", [], "'sizes' must be a list of at least one"),
        ("sizes", 3, "'sizes' must be a list or tuple, each an int"),
        ("sizes", ["x"], "'sizes' must be a list or tuple, each an int"),
        ("width", 0, "'width' must be above 0; got 0.0"),
        ("width", float("nan"), "'width' must be a finite number; got nan"),
        ("width", 10**400, "'width' must be a finite number"),
        ("width", True, "'width' must be a finite number; got True"),
        ("share", 1, "'share' must be below 1; got 1.0"),
        ("share", -0.1, "'share' must be at least 0"),
        ("kind", "sotf", "'kind' must be 'soft' or 'hard'; got 'sotf'; did you mean 'soft'"),
        ("depth", 2**64, "'depth' must be an int of at most 64 bits"),
        ("depth", True, "'depth' must be an int"),
        ("depth", None, "'depth' must be an int of at most 64 bits; got None"),
        ("epochs", -1, "'epochs' must be at least 0"),
        ("batch", 0, "'batch' must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_class_itself(key, value, message):
    with pytest.raises(SettingError, match=message):
        Net(**{key: value})


def test_values_take_the_type_of_their_line():
    s = Net(width=2, sizes=[8, 4])
    assert (s.width, type(s.width), s.sizes) == (2.0, float, (8, 4))
    with pytest.raises(dataclasses.FrozenInstanceError):
        s.width = 3.0


def test_text_is_read_by_the_type_of_the_line():
    s = Net().changed(
        width="1e-3", sizes="[8,4]", kinds="a,c", depth="2", kind="hard", schedule="step:3"
    )
    assert (s.width, s.sizes, s.kinds, s.depth) == (0.001, (8, 4), ("a", "c"), 2)
    assert (s.kind, s.schedule) == ("hard", "step:3")
    assert Net().changed(sizes="16").sizes == (16,)
    for text in ("8,,4", "8,", ""):  # not (8, 4): what was meant cannot be known
        with pytest.raises(SettingError, match="'sizes' must be a list"):
            Net().changed(sizes=text)
    for text in ("two", "1.5", "[", "1" * 5000):
        with pytest.raises(SettingError, match="'depth' must be"):
            Net().changed(depth=text)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sharp": 3}, "with kind=soft"),
        ({"gain": 2.0, "kinds": ("b",)}, "without a or c in kinds"),
        ({"beam": 4}, "with depth=0"),
        ({"odd": 3}, "with two sizes"),
    ],
)
def test_a_change_without_effect_is_refused_with_the_reason(change, why):
    with pytest.raises(SettingError, match=f"has no effect {why}; got"):
        Net().changed(**change)


def test_the_same_change_is_taken_where_it_has_an_effect():
    s = Net().changed(sharp=3, kind="hard", gain=2.0, beam=4, depth=1, odd=3, sizes=(1,))
    assert (s.sharp, s.gain, s.beam, s.odd) == (3, 2.0, 4, 3)
    assert Net().changed(sharp=2).sharp == 2  # no change


def test_a_change_without_effect_on_data_of_a_kind_is_refused():
    message = "'grey' has no effect on data of the kind 'table', only on 'images'; got True"
    with pytest.raises(SettingError, match=message):
        Net().changed("table", grey=True)
    for kind in ("images", ""):  # nothing is known of the kind ""
        assert Net().changed(kind, grey=True).grey
    assert not Net().changed("table", grey=False).grey  # no change
    assert Net().idle("grey", "table") and not Net().idle("grey")


def test_a_subclass_changes_defaults_and_names_what_it_has_no_use_for():
    assert (Net().depth, Deeper().depth, Deeper().schedule) == (0, 3, "cosine")
    assert Deeper.rules()["depth"].help == Net.rules()["depth"].help
    assert Net().changed(clip=1.0).clip == 1.0
    with pytest.raises(SettingError, match="'clip' has no effect here, where nothing is clipped"):
        Deeper().changed(clip=1.0)


def test_an_unknown_name_is_refused_by_the_class_itself():
    with pytest.raises(SettingError, match="unknown setting 'sharpe'; did you mean 'sharp'"):
        Net(sharpe=3)
    with pytest.raises(SettingError, match="settings are given by name; got 3"):
        Net(3)


def test_names_of_python_are_names_like_others():
    for name in ("self", "changes", "width "):
        with pytest.raises(SettingError, match="unknown setting"):
            Net().changed(**{name: 1})
    with pytest.raises(SettingError, match=r"unknown setting 'zzz' \(known: batch, .*, width\)"):
        Net().changed(zzz=1)


def test_a_line_that_declares_nothing_is_an_error_at_once():
    with pytest.raises(TypeError, match=r"Bare\.epochs: a setting needs its annotation"):

        class Bare(TrainingSettings):
            epochs = 20

    with pytest.raises(TypeError, match=r"Slip\.schedul: .* did you mean 'schedule'"):

        class Slip(TrainingSettings):
            schedul: str = "cosine"


def test_every_optimiser_has_its_name_in_the_settings():
    annotation = TrainingSettings.__dataclass_fields__["optimiser"].type
    assert set(annotation.__args__) == set(OPTIMISERS)


@pytest.mark.parametrize("name", models.names())
def test_every_setting_says_what_it_means(name):
    for key, rule in models.recipe(name).settings.rules().items():
        assert 2 < len(rule.help) < 80 and not rule.help.endswith("."), (key, rule.help)
