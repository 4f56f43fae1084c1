"""`predict`: what a run says of single examples, against its figures and against the system."""

import csv

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import cli, models, training
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import System
from glassgrad.models.probability.classifier import bayes
from glassgrad.prediction import predict
from tests.tools import call

CLASSIFIERS = [
    ("mlp", {"hidden": (4,)}, "digits"),
    ("lenet", {"channels": (2,), "padding": (1,), "hidden": ()}, "digits"),
    ("logistic-regression", {}, "house_votes_84"),
    ("linear-svm", {}, "house_votes_84"),
    ("naive-bayes", {}, "house_votes_84"),
    ("gnn", {}, "rings_and_trees"),
    ("fasttext-classifier", {}, "enwiki_subjects"),
    ("alexnet", {"channels": (2,), "hidden": ()}, "digits"),
    ("hog", {}, "digits"),
    ("speech", {}, None),
    ("text-cnn", {"maps": 4}, None),
    ("gcn", {}, "karate"),
]
WITH_ERRORS = [  # per cent of wrong answers is their figure
    ("sentiment", {"hidden": 4}, None),
    ("dbn-classifier", {"hidden": (20, 20), "finetune": 2}, "digits"),
    ("feature-matching", {}, "digits"),
    ("semi-supervised-autoencoder", {}, "digits"),
    ("distillation", {"teacher": (8,), "student": (4,)}, "digits"),
    ("lstm", {"hidden": 4}, "digits"),
]
CODERS = [
    ("autoencoder", {}),
    ("linear-autoencoder", {}),
    ("sparse-coding", {}),
    ("vae", {"hidden": (4, 4)}),
    ("rbm", {}),
    ("som", {"rows": 3, "columns": 3}),
    ("k-means", {}),
    ("fvsbn", {}),
    ("aae", {}),
]


def finished(tmp_path, name, data=None, **changes):
    done = training.train(
        models.recipe(name), data, overrides={"epochs": 1, **changes}, out=tmp_path / "runs"
    )
    return done


@pytest.mark.parametrize(("name", "changes", "data"), CLASSIFIERS)
def test_the_named_classes_have_the_accuracy_of_the_run(tmp_path, name, changes, data):
    done = finished(tmp_path, name, data, **changes)
    columns = predict(done.run.folder).columns
    right = np.mean([a == b for a, b in zip(columns["true"], columns["class"])])
    accuracy = done.test_figures["accuracy"]
    assert right == pytest.approx(accuracy, abs=1e-6)
    classes = done.data.info.classes
    if name == "linear-svm":
        assert not any(k.startswith("p(") for k in columns)
        return
    p = np.array([columns[f"p({c})"] for c in classes]).T
    assert np.allclose(p.sum(axis=1), 1)
    assert [classes[k] for k in p.argmax(axis=1)] == columns["class"]


@pytest.mark.parametrize(("name", "changes", "data"), WITH_ERRORS)
def test_the_named_classes_have_the_error_of_the_run(tmp_path, name, changes, data):
    least = models.recipe(name).resolve(data, changes).least_epochs
    done = finished(tmp_path, name, data, **{"epochs": least, **changes})
    columns = predict(done.run.folder).columns
    wrong = np.mean([a != b for a, b in zip(columns["true"], columns["class"])])
    assert 100 * wrong == pytest.approx(done.test_figures["error"], abs=1e-4)


def test_forecasts_are_those_of_the_errors(tmp_path):
    done = finished(tmp_path, "forecast", hidden=4)
    columns = {k: np.array(v) for k, v in predict(done.run.folder).columns.items()}
    steps = done.settings.horizon
    truth, said = ([columns[f"{name} {k + 1}"] for k in range(steps)]
                   for name in ("true value", "median"))  # fmt: skip
    rmse = np.sqrt(np.nanmean(np.subtract(truth, said) ** 2))
    assert rmse == pytest.approx(done.test_figures["rmse"], rel=1e-5)
    assert (columns["lower 1"] < columns["median 1"]).all()
    assert (columns["median 1"] < columns["upper 1"]).all()


def test_a_recurrent_net_that_reads_on_says_nothing_of_single_examples(tmp_path):
    done = finished(tmp_path, "rnn", "cadences", hidden=4)
    with pytest.raises(SettingError, match="says nothing of single examples"):
        predict(done.run.folder)


@pytest.mark.parametrize(("name", "changes"), CODERS)
def test_codes_winners_and_errors(tmp_path, name, changes):
    done = finished(tmp_path, name, **changes)
    system = done.system
    said = system.predictions(done.data.test.x[:7] if done.data.test else done.data.train.x[:7])
    columns = predict(done.run.folder).columns
    names = [k for k in columns if not k.startswith("true")]
    assert names and all(len(columns[k]) == len(columns[names[0]]) for k in names)
    for key, values in said.items():
        assert len(values) == 7 and np.isfinite(values).all()
        first = key if values.ndim == 1 else f"{key} 1"
        mine = values if values.ndim == 1 else values[:, 0]
        assert np.allclose(columns[first][:7], mine, rtol=1e-4, atol=1e-5)
    if "squared_error" in said and name == "autoencoder":
        mean = np.mean(columns["squared_error"])
        assert mean == pytest.approx(done.test_figures["squared_error"], rel=1e-5)
    if name == "fvsbn":
        assert np.mean(columns["nll"]) == pytest.approx(done.test_figures["nll"], rel=1e-5)
    if name == "som":
        assert np.mean(columns["distance"]) == pytest.approx(done.test_figures["qe"], rel=1e-5)


def test_quantities_are_in_their_units(tmp_path):
    done = finished(tmp_path, "mlp", "diabetes", hidden=(4,), epochs=5)
    columns = predict(done.run.folder).columns
    (name,) = [k for k in columns if not k.startswith("true")]
    error = np.sqrt(np.mean((np.array(columns[name]) - columns[f"true {name}"]) ** 2))
    assert error == pytest.approx(done.test_figures["rmse"], rel=1e-5)
    both = predict(finished(tmp_path, "regression").run.folder).columns
    assert {"value", "deviation"} <= set(both) or len(both) >= 3


def test_a_file_of_ones_own_and_a_file_of_new_examples(tmp_path, capsys):
    rng = np.random.default_rng(0)
    rows = [(a, b, "up" if a > b else "down") for a, b in rng.random((60, 2)).round(3)]
    (tmp_path / "my.csv").write_text("a,b,kind\n" + "".join(f"{a},{b},{k}\n" for a, b, k in rows))
    (tmp_path / "new.csv").write_text("a,b\n0.9,0.1\n0.1,0.9\n")
    done = finished(
        tmp_path, "mlp", str(tmp_path / "my.csv"), epochs=60, lr=1e-2, batch=16, hidden=(8,)
    )
    out = tmp_path / "said.csv"
    code, _, err = call(
        capsys, "predict", str(done.run.folder), "--data", str(tmp_path / "new.csv"),
        "--out", str(out),
    )  # fmt: skip
    assert code == 0, err
    said = list(csv.DictReader(out.open()))
    assert [row["class"] for row in said] == ["up", "down"] and "true" not in said[0]
    assert sum(float(said[0][f"p({k})"]) for k in ("up", "down")) == pytest.approx(1)
    (tmp_path / "empty.csv").write_text("a,b,kind\n0.9,0.1,\n0.1,0.9,\n")
    data = str(tmp_path / "empty.csv")  # a column of labels that are not known yet
    assert predict(done.run.folder, data).columns["class"] == ["up", "down"]
    code, shown, _ = call(capsys, "predict", str(done.run.folder))
    assert code == 0 and "p(up)" in shown and "--out FILE.csv" in shown


def test_a_net_of_ones_own(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import glassgrad as gg\n\n\nclass Net(gg.nn.Module):\n"
        "    def __init__(self, data, s, rng):\n"
        "        self.a = gg.nn.Linear(64, 10, rng=rng)\n\n"
        "    def forward(self, x):\n        return self.a(x.reshape((len(x), -1)))\n"
    )
    done = training.train(models.recipe(str(path)), overrides={"epochs": 2}, out=tmp_path / "runs")
    columns = predict(done.run.folder).columns
    right = np.mean([a == b for a, b in zip(columns["true"], columns["class"])])
    assert right == pytest.approx(done.test_figures["accuracy"])


def test_sentences_are_translated(tmp_path):
    done = finished(tmp_path, "translation", hidden=4, embed=4)
    columns = predict(done.run.folder).columns
    assert all(isinstance(text, str) for text in columns["translation"])


def test_what_says_nothing_of_single_examples(tmp_path, capsys):
    done = finished(tmp_path, "gan-ring")
    with pytest.raises(SettingError, match="says nothing of single examples"):
        predict(done.run.folder)
    code, _, err = call(capsys, "predict", str(done.run.folder), "--label", "x")
    assert code == 2 and "need --data" in err
    assert cli.COMMANDS["predict"] == "predict"
    with pytest.raises(NotImplementedError, match="predicts nothing"):
        System().predictions(np.zeros((1, 1)))


def test_softmax_is_that_of_the_engine():
    z = np.random.default_rng(0).standard_normal((5, 4)) * 50
    assert np.allclose(bayes(z), gg.softmax(gg.tensor(z)).numpy(), atol=1e-12)
