"""Systems in files of one's own: found, built, checked, refused."""

from pathlib import Path

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.cli.gradcheck import system_case
from glassgrad.core.gradcases import check
from glassgrad.models import own
from glassgrad.models.own import OwnModelError

HEAD = '''
"""Lecture of my own."""
from matplotlib.figure import Figure
import glassgrad as gg
import numpy as np
'''
NET = '''
class Net(gg.nn.Module):
    """One layer."""

    def __init__(self, data, s, rng):
        self.layer = gg.nn.Linear(data.train.x[0].size, 10, rng=rng)

    def forward(self, x):
        return self.layer(x.reshape((len(x), -1)))
'''
FULL = '''
class MySettings(gg.TrainingSettings):
    codes: int = gg.setting(3, least=1, help="numbers of a code")
    epochs: int = 2


class Codes(gg.System):
    """A linear autoencoder. With more below."""

    settings, data, takes, metric = MySettings, "iris", ("table", "binary"), "error"
    presets = {"wine": {"codes": 5}}

    def __init__(self, data, s, rng):
        d = data.train.x.shape[1]
        self.a = gg.nn.Linear(d, s.codes, rng=rng.child("a"))
        self.b = gg.nn.Linear(s.codes, d, rng=rng.child("b"))

    @staticmethod
    def prepare(data, s):
        return data.standardised()

    def objective(self, batch):
        d = self.b(self.a(batch.x)) - batch.x
        return (d * d).mean()

    def evaluate(self, split, size=500):
        return {"error": super().evaluate(split, size)["loss"]}

    def figures(self, data, s):
        fig = Figure()
        fig.subplots().plot(self.b.bias.numpy())
        return {"bias": fig}

    def sample(self, data, n, rng):
        fig = Figure()
        fig.subplots().imshow(self.b(rng.normal((n, 3))).numpy())
        return fig
'''


@pytest.fixture
def write(tmp_path):
    def written(text, name="mine.py"):
        path = tmp_path / name
        path.write_text(HEAD + text)
        return str(path)

    return written


def test_a_net_of_ten_lines_trains(write):
    recipe = models.recipe(write(NET) + ":Net")
    assert recipe.title == "One layer" and recipe.data == "digits" and "graph" not in recipe.takes
    done = training.train(recipe, overrides={"epochs": 5, "lr": 1e-2})
    assert done.test_figures["accuracy"] > 0.8
    page = models.lecture_page(recipe)
    assert page == "Lecture of my own."  # the title is not said again
    net = gg.nn.Linear(64, 10, rng=gg.Generator(0))  # the same by hand
    data = gg.data.load("digits")
    flat = [gg.data.Split(s.x.reshape(len(s), -1), s.y) for _, s in data.splits()]
    gg.fit(net, gg.data.DataSet("flat", *flat), epochs=5, lr=1e-2)
    assert np.array_equal(net.weight.numpy(), done.system.net.layer.weight.numpy())


def test_a_system_says_all_that_a_recipe_does(write, tmp_path):
    recipe = models.recipe(write(FULL))
    assert recipe.name == "Codes" and recipe.resolve("wine").codes == 5
    assert recipe.reference == f"{tmp_path / 'mine.py'}:Codes"
    done, result = training.train_and_write(recipe, out=tmp_path / "runs")
    assert result["metric"] == "error" and done.run.has("bias.png") and done.run.has("mine.py")
    spread = np.concatenate([s.x for _, s in done.data.splits()])
    assert abs(spread.mean()) < 0.1  # prepared
    assert recipe.sample(done.system, done.data, 4, gg.Generator(0)).axes
    with pytest.raises(gg.GlassgradError, match="'table' or 'binary'"):
        training.train(recipe, "digits")


@pytest.mark.parametrize("text", [NET, FULL])
@pytest.mark.parametrize("order", [1, 2])
def test_its_objective_is_checked(write, text, order):
    row = check(system_case(write(text)), order)
    assert row.passed and row.error < 1e-6


def test_a_wrong_objective_is_found(write):
    wrong = FULL.replace(
        "d = self.b(self.a(batch.x)) - batch.x",
        "d = self.b(gg.Tensor(self.a(batch.x).data)) - batch.x",
    )
    row = check(system_case(write(wrong)), 1)
    assert not row.passed


def test_the_file_may_import_what_lies_next_to_it(write):
    write("SIZE = 64\n", "sizes_of_mine.py")
    net = NET.replace("data.train.x[0].size", "sizes_of_mine.SIZE")
    recipe = models.recipe(write("import sizes_of_mine\n" + net))
    data = gg.data.load("digits")
    built = training.build(recipe, data, recipe.resolve())
    assert training.build(recipe, data, recipe.resolve()).count() == built.count() == 650


def test_a_recipe_of_ones_own(write):
    made = "RECIPE = own.recipe_of(Net)\n"
    recipe = models.recipe(write("from glassgrad.models import own\n" + NET + made))
    assert recipe.name == "RECIPE" and recipe.data == "digits"


def test_annotations_may_be_texts(write):
    text = "from __future__ import annotations\n" + HEAD + FULL
    path = write("")
    Path(path).write_text(text)
    recipe = models.recipe(path)
    assert recipe.resolve("iris", {"codes": "4"}).codes == 4
    with pytest.raises(gg.GlassgradError, match="'codes' must be at least 1"):
        recipe.resolve("iris", {"codes": 0})


def test_a_changed_file_is_read_again(write):
    assert models.recipe(write(NET)).resolve().epochs == 10
    assert models.recipe(write(NET)).build is not None
    changed = models.recipe(write(FULL))
    assert changed.name == "Codes" and changed.resolve().epochs == 2


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (NET, ":Nett", "did you mean 'Net'"),
        (NET, ":np", "no class of gg.System"),
        ("", "", "defines no system"),
        (NET + NET.replace("Net", "Other"), "", r"Net, Other: say which, such as mine\.py:Net"),
        (NET.replace('    """One', '    settings = dict\n    """One'), "", "Net.settings must be"),
    ],
)
def test_what_is_no_system_is_refused(write, text, name, message):
    with pytest.raises(OwnModelError, match=message):
        models.recipe(write(text) + name)


def test_a_title_may_take_two_lines(write):
    text = NET.replace("One layer.", "One layer,\n    of ten.\n\n    And more.\n    ")
    recipe = models.recipe(write(text))
    assert recipe.title == "One layer, of ten"
    assert models.lecture_page(recipe) == "Lecture of my own.\n\nAnd more."


def test_a_part_of_the_system_is_none_itself(write):
    block = "class Block(gg.nn.Module):\n    def __init__(self, n):\n        self.n = n\n\n"
    assert (
        models.recipe(write(block + "    def forward(self, x):\n        return x\n" + NET)).name
        == "Net"
    )


def test_one_kind_may_be_a_text(write):
    text = NET.replace('    """One', '    takes = "images"\n    """One')
    assert models.recipe(write(text)).takes == ("images",)


def test_errors_of_the_file_are_its_own(write, tmp_path):
    with pytest.raises(ZeroDivisionError):
        models.recipe(write("1 / 0"))
    with pytest.raises(SyntaxError, match=r"mine\.py"):
        models.recipe(write("class"))
    with pytest.raises(OwnModelError, match="cannot read"):
        models.recipe(str(tmp_path / "nothing.py"))
    assert not own.is_reference("vae") and not own.is_reference("")
