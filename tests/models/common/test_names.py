"""Names of columns and classes in pictures: a dollar is a dollar, and a long name is cut."""

import dataclasses
import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from glassgrad.core.data import DataSet, Info, Split
from glassgrad.models.common import confusion, row_pictures
from glassgrad.models.common.names import LONGEST, names_of, short
from glassgrad.models.competitive import som_pictures
from glassgrad.models.perceptrons import mlp_pictures

FORMULA = r"cost $\frac{ in $"  # half a formula: matplotlib cannot read it
X, Y = np.random.default_rng(0).random((6, 2)), np.array([0, 1, 0, 1, 0, 1])
INFO = Info(classes=(FORMULA, "$x$"), feature_names=(FORMULA, "y" * 40), kind="table")
DATA = DataSet("dollars", Split(X, Y), test=Split(X, Y), info=INFO)
SHEETS = {
    "matrix": lambda: row_pictures.matrix(X, DATA, "rows"),
    "confusion": lambda: confusion.confusion(Y, 1 - Y, INFO.classes),
    "mistakes": lambda: confusion.mistakes(np.zeros((6, 1, 2, 2)), Y, 1 - Y, INFO.classes),
    "heat": lambda: mlp_pictures.heat(X, DATA, "weights"),
}


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_dollar_in_a_name_is_no_formula(sheet):
    figure = SHEETS[sheet]()
    figure.savefig(io.BytesIO(), format="png", dpi=20)
    texts = [t for t in figure.findobj(Text) if "$" in t.get_text()]
    assert texts and not any(t.get_parse_math() for t in texts)
    plain = Figure()
    plain.text(0, 0, FORMULA)
    with pytest.raises(ValueError, match="frac"):  # the name does stop another figure
        plain.savefig(io.BytesIO(), format="png", dpi=20)


def test_names_are_short_and_columns_without_one_are_numbered():
    assert names_of(DATA) == [FORMULA, "y" * (LONGEST - 1) + "…"]
    assert short("$" * 40) == "$" * (LONGEST - 1) + "…"
    assert som_pictures.class_names(DATA) == [short(FORMULA), "$x$"]
    plain = dataclasses.replace(DATA, info=Info())
    assert names_of(plain) == ["column 1", "column 2"]
    shown = mlp_pictures.heat(X, plain, "weights").axes[0].get_yticklabels()
    assert [label.get_text() for label in shown] == ["column 1", "column 2"]
