"""Figures that many systems share."""

import io

import pytest
from matplotlib.text import Text

from glassgrad.core import pictures
from glassgrad.kernels.errors import ValueRangeError

HISTORY = [
    {"epoch": 1, "loss": 3.0, "seconds": 0.1},
    {"epoch": 2, "loss": 2.0, "valid_loss": 2.5, "seconds": 0.1},
]


def test_curves_have_a_panel_for_each_figure_and_a_dot_for_a_lone_point():
    history = [row | {"other": 1.0} for row in HISTORY]
    fig = pictures.curves(history)
    loss, other = (ax for ax in fig.axes if ax.lines)
    train, valid = loss.lines
    assert loss.get_title() == "loss" and other.get_title() == "other"
    assert [*train.get_xdata()] == [1, 2] and [*train.get_ydata()] == [3.0, 2.0]
    assert [*valid.get_xdata()] == [2] and [*valid.get_ydata()] == [2.5]
    assert valid.get_marker() == "o" and valid.get_linestyle() == "-"


def test_a_figure_of_one_point_has_no_panel():
    history = [row | {"other": 1.0} if row["epoch"] == 2 else row for row in HISTORY]
    assert [ax.get_title() for ax in pictures.curves(history).axes] == ["loss"]
    assert [ax.get_title() for ax in pictures.curves(history[1:]).axes if ax.lines] == [
        "loss",
        "other",
    ]


def test_epochs_are_whole_numbers():
    (ax,) = pictures.curves(HISTORY, ["loss"]).axes
    assert all(float(t).is_integer() for t in ax.get_xticks())


def test_epochs_of_a_run_of_one_are_a_whole_number():
    (ax,) = pictures.curves(HISTORY[:1], ["loss"]).axes
    assert [t for t in ax.get_xticks() if 0.5 < t < 1.5] == [1]


def test_a_key_that_no_row_has_is_refused():
    with pytest.raises(ValueRangeError, match="no 'valid_los'; did you mean 'valid_loss'"):
        pictures.curves(HISTORY, ["loss", "valid_los"])


def test_dollars_in_names_begin_no_formula(tmp_path):
    """Nor what matplotlib could not read as one; numbers of a logarithmic axis are powers."""
    fig = pictures.figure()
    ax = fig.subplots()
    ax.set_yscale("log")
    ax.bar([0, 1], [10, 1e5])
    ax.set_xticks([0, 1], ["$5 to $10", "under $\\frac$"])
    ax.set(title="price $", xlabel="$_$ and $")
    ax.plot([0, 1], [10, 100], label="$a$")
    ax.legend()
    fig.savefig(tmp_path / "a.png")
    texts = {t.get_text(): t.get_parse_math() for t in fig.findobj(Text) if t.get_text()}
    plain = {"$5 to $10", "under $\\frac$", "price $", "$_$ and $", "$a$"}
    assert plain <= {t for t, math in texts.items() if not math}
    assert any("10^" in t for t, math in texts.items() if math)


def test_a_logarithmic_axis_has_the_room_that_its_numbers_take():
    fig = pictures.figure(5.4, 3.4)
    ax = fig.subplots()
    ax.plot([1, 2, 3], [0.001, 0.1, 10])
    ax.set(yscale="log", ylabel="norm")
    fig.savefig(io.BytesIO(), format="png")
    assert ax.get_position().x0 < 0.2
