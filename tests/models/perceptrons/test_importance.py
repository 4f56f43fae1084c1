"""Permutation importance, and the other pictures of a perceptron."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import Split, from_arrays
from glassgrad.models.perceptrons import mlp_pictures
from glassgrad.models.perceptrons.importance import groups, importance
from glassgrad.models.perceptrons.tasks import Classification, Regression

RECIPE = models.recipe("mlp")


class Known:
    """A system whose answers are a function that the test gives."""

    def __init__(self, answers, task):
        self.answers, self.task = answers, task


def test_a_column_that_is_not_used_is_worth_nothing_and_others_what_they_explain():
    """If ŷ = y = a u + b v, with independent columns, R² loses 2 a² var(u)/var(y) with u."""
    x = np.random.default_rng(0).standard_normal((4000, 3))
    y = (3 * x[:, 0] + x[:, 1])[:, None]
    system = Known(lambda x: (3 * x[:, 0] + x[:, 1])[:, None], Regression(y))
    mean, deviation = importance(system, Split(x, y), [[0], [1], [2], [0, 1]], repeats=8)
    u, v = 9 * x[:, 0].var() / y.var(), x[:, 1].var() / y.var()
    assert mean == pytest.approx([2 * u, 2 * v, 0, 2], abs=0.08)
    assert mean[2] == deviation[2] == 0 and (deviation[[0, 1, 3]] > 0).all()


def test_of_classes_it_is_the_accuracy_that_is_lost():
    x = np.random.default_rng(0).integers(0, 2, (3000, 2)).astype(float)
    y = x[:, 0].astype(int)
    system = Known(lambda x: np.stack([1 - x[:, 0], x[:, 0]], axis=1), Classification(2))
    split = Split(x, y)
    mean, _ = importance(system, split, [[0], [1]])
    assert mean == pytest.approx([0.5, 0], abs=0.03) and mean[1] == 0
    again = [importance(system, split, [[0]], seed=s)[0][0] for s in (0, 0, 1)]
    assert again[0] == again[1] != again[2]
    assert np.array_equal(split.x, x), "the data were changed"


def test_columns_of_one_text_are_shuffled_together():
    """Shuffled one by one they would be rows that no data have."""
    seen = []

    def answers(x):
        seen.append(x.copy())
        return np.zeros((len(x), 2))

    x = np.eye(3)[np.arange(30) % 3]
    importance(Known(answers, Classification(2)), Split(x, np.arange(30) % 2), [[0, 1, 2]])
    assert all((a.sum(axis=1) == 1).all() for a in seen) and len(seen) == 6
    assert not np.array_equal(seen[0], seen[1])


def test_which_columns_belong_together():
    assert groups(("a=x", "a=y", "b", "c=z"), 4) == {"a": [0, 1], "b": [2], "c=z": [3]}
    assert groups(("a", "a=x", "a=y"), 3) == {"a": [0], "a=x": [1], "a=y": [2]}
    assert groups(("only",), 2) == {"column 1": [0], "column 2": [1]}
    assert groups(("s", "s", "t"), 3) == {"s": [0, 1], "t": [2]}


@pytest.fixture(scope="module")
def table():
    """A table of many columns without names, and classes with awkward ones."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 50))
    return from_arrays(x, (x[:, 0] > 0).astype(int), classes=("no $x$", "y" * 60))


@pytest.mark.parametrize(
    "data, names",
    [
        ("digits", {"weights", "confusion", "mistakes"}),
        ("iris", {"weights", "confusion", "importance"}),
        ("linnerud", {"weights", "predicted", "residuals", "importance"}),
        ("table", {"weights", "confusion", "importance"}),
    ],
)
def test_the_pictures_are_those_of_the_task(data, names, table, tmp_path):
    few = {"epochs": 1, "hidden": (8,)}
    if data == "table":
        s = RECIPE.resolve("arrays", few, "table")
        data = RECIPE.prepare(table, s)
        system = RECIPE.build(data, s, gg.Generator(0))
    else:
        done = training.train(RECIPE, data, overrides=few)
        system, data, s = done.system, done.data, done.settings
    made = RECIPE.figures(system, data, s)
    assert set(made) == names and all(isinstance(f, Figure) for f in made.values())
    for name, figure in made.items():
        figure.savefig(tmp_path / f"{name}.png")
        assert max(figure.get_size_inches()) < 15


def test_predictions_on_the_line_are_right():
    y = np.array([[1.0, 10.0], [2.0, 30.0], [4.0, 20.0]])
    answers = y + np.array([0, 5])
    fig = mlp_pictures.predicted(y, answers, ("a", "b"))
    line, dots = fig.axes[0].lines
    assert line.get_xydata().tolist() == [[1, 1], [4, 4]]
    assert dots.get_xydata().tolist() == [[1, 1], [2, 2], [4, 4]]
    assert [ax.get_title() for ax in fig.axes] == ["a", "b"]
    fig = mlp_pictures.residuals(y, answers, ("a", "b"))
    assert fig.axes[1].lines[1].get_ydata().tolist() == [-5, -5, -5]
