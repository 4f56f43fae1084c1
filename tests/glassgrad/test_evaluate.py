"""`glassgrad evaluate`: a finished run on other data, in the terms of its training data."""

import numpy as np
import pytest
from PIL import Image

from glassgrad import models, training
from glassgrad.core import data
from glassgrad.core.data import DataError, DataSet, Split
from glassgrad.core.data.own import read_alike
from glassgrad.core.training.settings import SettingError
from glassgrad.evaluation import evaluate
from glassgrad.other_data import extras, fitted
from tests.tools import call

HEAD = "size,weight,colour,class\n"


def rows(n, seed, kinds=("no", "yes"), shift=0.0):
    rng = np.random.default_rng(seed)
    return [
        (f"{rng.normal() + 2 * k + shift:.3f}", f"{rng.normal() - k:.3f}", "rgb"[i % 3], kinds[k])
        for i in range(n)
        for k in [i % 2]
    ]


def written(path, found, head=HEAD):
    path.write_text(head + "".join(",".join(row) + "\n" for row in found))
    return path


def trained(name, path, out, **settings):
    reading = settings.pop("reading", {})
    source = training.Source.of(path, reading=reading)
    done, result = training.train_and_write(
        models.recipe(name), source, overrides=settings, out=out / "runs"
    )
    return done, result


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier")
    path = written(folder / "mine.csv", rows(60, 0))
    return folder, *trained("mlp", path, folder, epochs=3, hidden=(6,))


def test_without_data_the_figures_are_those_of_the_training(classifier, capsys):
    _, done, result = classifier
    assert evaluate(done.run.folder).figures == result["test"]
    whole = evaluate(done.run.folder, split="whole")
    assert whole.examples == 60 and whole.figures != result["test"]
    code, out, _ = call(capsys, "evaluate", str(done.run.folder), "--split", "valid")
    assert code == 0 and "6 examples (valid)" in out


def test_nothing_is_learnt_from_the_other_data(classifier):
    """By hand: the mean, the spread and the class numbers of the training part."""
    folder, done, _ = classifier
    path = written(folder / "new.csv", [("?", "1.5", "violet", "yes"), ("900", "-3", "r", "yes")])
    found = evaluate(done.run.folder, path)
    own = data.read(folder / "mine.csv")
    mean, std = own.train.x.mean(axis=0), own.train.x.std(axis=0)
    x = np.array([[own.train.x[:, 0].mean(), 1.5, 0, 0, 0], [900, -3, 0, 0, 1]], np.float32)
    expected = done.system.evaluate(Split(((x - mean) / std).astype(np.float32), np.array([1, 1])))
    assert found.figures == pytest.approx({k: float(v) for k, v in expected.items()}, rel=1e-4)
    assert found.examples == 2
    one = evaluate(done.run.folder, written(folder / "one.csv", [("0.5", "1", "g", "no")]))
    assert one.examples == 1 and np.isfinite(one.figures["loss"])


def test_a_map_of_all_its_data_judges_the_others_alone(tmp_path):
    """By hand: all of the run's rows give the mean and spread, and none of them is judged."""
    iris = data.load("iris")
    done, result = training.train_and_write(
        models.recipe("som"), "iris", overrides={"epochs": 2, "scale": True}, out=tmp_path
    )
    assert done.settings.whole and result["split"] == "train" and len(done.data.train) == 150
    new = np.random.default_rng(0).uniform(0, 8, (7, 4)).astype(np.float32)
    found = evaluate(done.run.folder, DataSet("new", Split(new)))
    x = iris.whole().x
    scaled = (new - x.mean(axis=0, dtype=float)) / x.std(axis=0, dtype=float)
    distance = np.linalg.norm(scaled[:, None] - done.system.w.numpy(), axis=2).min(axis=1)
    assert found.examples == 7
    assert found.figures["qe"] == pytest.approx(distance.mean(), rel=1e-4)


def test_graphs_that_vectors_were_not_learnt_for(tmp_path):
    done, _ = training.train_and_write(
        models.recipe("graph2vec"), overrides={"epochs": 1, "whole": True}, out=tmp_path
    )
    test = evaluate(done.run.folder, done.data_name, split="test")
    assert test.examples == 200 and "spread" not in test.figures  # no folds of the training graphs


def test_options_that_would_read_the_training_file_otherwise(classifier, capsys):
    folder, done, _ = classifier
    path = written(folder / "new.csv", rows(4, 1))
    for option in ("seed=1", "kind=binary"):
        code, out, err = call(capsys, "evaluate", done.run.folder, "--data", path, "--read", option)
        assert code == 1 and "are not those of the run" in err and not out
    same = call(capsys, "evaluate", done.run.folder, "--data", path, "--label", "class")
    assert same[0] == 0


def test_the_same_rows_give_the_same_figures(classifier):
    """The held-out rows of the run, in a file of their own."""
    folder, done, result = classifier
    own = data.read(folder / "mine.csv")
    lines = [
        (f"{x[0]:.3f}", f"{x[1]:.3f}", "bgr"[int(x[2:].argmax())], own.info.classes[y])
        for x, y in zip(own.test.x, own.test.y)
    ]
    found = evaluate(done.run.folder, written(folder / "held.csv", lines))
    assert found.figures == pytest.approx(result["test"], rel=1e-4)


BAD = {
    "other columns": ("size,height,colour,class\n", {}, "has no column 'weight', which"),
    "fewer columns": (None, {}, "is in its first row (1, no); "),
    "another class": (HEAD, {"kinds": ("no", "maybe")}, "'maybe' is no class of the training"),
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_do_not_fit(classifier, name, capsys):
    folder, done, _ = classifier
    head, options, message = BAD[name]
    path = folder / "bad.csv"
    written(path, rows(4, 1, **options), head or "")
    if head is None:
        path.write_text("1,no\n2,yes\n")
    code, out, err = call(capsys, "evaluate", str(done.run.folder), "--data", str(path))
    assert code == 1 and message in err and len(err.splitlines()) == 1 and not out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("iris", "iris has no column 'size', 'weight', "),
        ("digits", "digits is of the kind 'images', the run was trained on 'table'"),
        ("karate", "karate holds no examples to evaluate a run on"),
        ("irris", "did you mean 'iris'"),
    ],
)
def test_sets_that_do_not_fit(classifier, name, message, capsys):
    code, _, err = call(capsys, "evaluate", str(classifier[1].run.folder), "--data", name)
    assert code == 1 and message in err and len(err.splitlines()) == 1


def test_the_training_data_must_be_what_they_were(tmp_path, capsys):
    path = written(tmp_path / "mine.csv", rows(30, 0))
    done, _ = trained("mlp", path, tmp_path, epochs=1, hidden=(4,))
    new = written(tmp_path / "new.csv", rows(4, 1))
    written(path, rows(30, 0, shift=1.0))
    with pytest.raises(DataError, match="has changed since the training began"):
        evaluate(done.run.folder, new)
    assert call(capsys, "evaluate", str(done.run.folder), "--label", "class")[0] == 2


def test_images_by_folder_and_by_name(tmp_path):
    rng = np.random.default_rng(0)
    for part, n, classes in (("mine", 12, "ab"), ("new", 12, "b"), ("bad", 2, "c")):
        for k in classes:
            (tmp_path / part / k).mkdir(parents=True)
            for i in range(n):
                pixels = rng.integers(0, 255, (8, 8), np.uint8)
                Image.fromarray(pixels).save(tmp_path / part / k / f"{i}.png")
    done, _ = trained("mlp", tmp_path / "mine", tmp_path, epochs=1, hidden=(4,))
    found = evaluate(done.run.folder, tmp_path / "new")
    assert found.examples == 12
    pixels = data.read(tmp_path / "mine")
    new = data.DataSet("d", Split(np.zeros((3, 1, 8, 8), np.float32), np.array([0, 0, 0])),
                       info=data.Info(classes=("b",)))  # fmt: skip
    assert fitted("d", new, new.train, pixels)[0].y.tolist() == [1, 1, 1]
    with pytest.raises(DataError, match="has the class '0'; the run was trained on a, b"):
        evaluate(done.run.folder, "digits")
    (tmp_path / "bad" / "b").mkdir()
    for i in range(9):
        Image.fromarray(pixels.train.x[0, 0] * 0).convert("L").save(tmp_path / f"bad/b/{i}.png")
    with pytest.raises(DataError, match="has the class 'c'; the run was trained on a, b"):
        evaluate(done.run.folder, tmp_path / "bad")


def test_labels_are_needed_only_where_they_are_used(tmp_path):
    done, _ = trained("mlp", "iris", tmp_path, epochs=1, hidden=(4,))
    np.savez(tmp_path / "bare.npz", x=data.load("iris").test.x)
    with pytest.raises(SettingError, match=r"bare.npz has no labels, which mlp is judged by"):
        evaluate(done.run.folder, tmp_path / "bare.npz")
    som, _ = trained("som", "iris", tmp_path, epochs=1)
    found = evaluate(som.run.folder, tmp_path / "bare.npz", split="whole")
    same = evaluate(som.run.folder, "iris", split="test")
    assert found.examples == same.examples == 30
    assert found.figures["qe"] == pytest.approx(same.figures["qe"], rel=1e-5)


def test_texts_keep_the_words_of_the_run(tmp_path):
    text = "the cat sat on the mat . a dog ran to the cat . " * 12
    (tmp_path / "mine.txt").write_text(text)
    (tmp_path / "new.txt").write_text(text[::-1][:600][::-1])
    reading = {"level": "word"}
    done, _ = trained("lstm", tmp_path / "mine.txt", tmp_path, reading=reading, epochs=1,
                      hidden=4)  # fmt: skip
    found = evaluate(done.run.folder, tmp_path / "new.txt")
    alike = read_alike(tmp_path / "mine.txt", tmp_path / "new.txt", level="word")
    expected = done.system.evaluate(alike.test)
    assert found.figures["loss"] == pytest.approx(float(expected["loss"]))
    own = data.read(tmp_path / "mine.txt", level="word")
    assert alike.info.vocabulary.words == own.info.vocabulary.words
    other = data.read(tmp_path / "new.txt", level="word")
    mapped, _ = fitted("new", other, other.train, own)
    words = other.info.vocabulary.decode(other.train.x)
    assert own.info.vocabulary.decode(mapped.x) == words


def test_characters_that_the_run_has_not(tmp_path):
    (tmp_path / "a.txt").write_text("a b c a b " * 60)
    (tmp_path / "b.txt").write_text("a b c z " * 60)
    own, other = data.read(tmp_path / "a.txt"), data.read(tmp_path / "b.txt")
    with pytest.raises(DataError, match="b has 'z', which the text of the run does not have"):
        fitted("b", other, other.train, own)
    words = data.read(tmp_path / "a.txt", level="word"), data.read(tmp_path / "b.txt", level="word")
    split, said = fitted("b", words[1], words[1].train, words[0])
    assert said == ("1 of its words are not known, 25 % of all",)
    assert set(words[0].info.vocabulary.decode(split.x)) == {"a", "b", "c", "<unk>"}


def test_what_a_part_has_for_each_example_is_of_the_other_data():
    x = [np.zeros((n, 1), np.float32) for n in (5, 2, 3)]
    missing = {p: np.full(len(a), i) for i, (p, a) in enumerate(zip(("train", "valid", "test"), x))}
    info = data.Info(extra={"missing": missing, "rate": 3})
    own = DataSet("d", *map(Split, x), info)
    other = DataSet("e", Split(np.ones((4, 1), np.float32)), Split(np.ones((1, 1), np.float32)),
                    info=data.Info(extra={"missing": {"train": np.full(4, 7),
                                                      "valid": np.full(1, 8)}}))  # fmt: skip
    found = extras(own, other, other.train)
    assert found["rate"] == 3 and found["missing"]["test"].tolist() == [7] * 4
    assert extras(own, other, other.whole())["missing"]["test"].tolist() == [7] * 4 + [8]
    assert "test" not in extras(own, other, Split(np.zeros((7, 1))))["missing"]


def pictures(folder, classes, n, shape):
    rng = np.random.default_rng(len(classes) + n)
    for k in classes:
        (folder / k).mkdir(parents=True)
        for i in range(n):
            Image.fromarray(rng.integers(0, 255, shape, np.uint8)).save(folder / k / f"{i}.png")
    return folder


def test_a_folder_of_one_picture_in_the_size_and_channels_of_the_run(tmp_path, capsys):
    mine = pictures(tmp_path / "mine", "ab", 8, (8, 8))
    done, _ = trained("mlp", mine, tmp_path, epochs=1, hidden=(4,))
    new = pictures(tmp_path / "new", "b", 1, (12, 10, 3))
    code, out, _ = call(capsys, "evaluate", done.run.folder, "--data", new)
    assert code == 0 and "1 example" in out
    assert "grey, 8 x 8; 1 of another size stretched to it; 1 made grey" in out
    found = data.read(new, size=8, channels=1, seed=None).train
    own = data.read(mine)
    ready = training.prepared(models.recipe("mlp"),
                              DataSet("d", own.train, own.valid, Split(found.x, found.y + 1),
                                      own.info), done.settings)  # fmt: skip
    expected = done.system.evaluate(ready.test)
    assert evaluate(done.run.folder, new).figures == pytest.approx(
        {k: float(v) for k, v in expected.items()}, rel=1e-5
    )


def test_a_run_on_arrays_takes_its_own_data_besides(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), np.arange(40) % 2
    own, other = data.from_arrays(x, y), data.from_arrays(x[:20] + 1, y[:20], name="later")
    done, result = trained("mlp", own, tmp_path, epochs=1, hidden=(4,))
    with pytest.raises(DataError, match=r"evaluation.evaluate\(folder, other, own=data\)"):
        evaluate(done.run.folder, other)
    assert evaluate(done.run.folder, own=own).figures == result["test"]
    found = evaluate(done.run.folder, other, own=own, split="whole")
    assert found.examples == 20 and found.figures != result["test"]


def test_columns_are_found_by_name_and_what_is_missing_is_said(tmp_path, capsys):
    rng = np.random.default_rng(1)
    found = [(f"{a:.2f}", f"{b:.2f}", f"note {i}", "xy"[i % 2])
             for i, (a, b) in enumerate(rng.normal(size=(60, 2)))]  # fmt: skip
    mine = written(tmp_path / "mine.csv", found, "wing_mm,mass,remark,class\n")
    done, _ = trained("mlp", mine, tmp_path, epochs=1, hidden=(4,))
    same = written(tmp_path / "same.csv", found[:20], "wing_mm,mass,remark,class\n")
    moved = written(
        tmp_path / "moved.csv", [(y, "7", b, a) for a, b, _, y in found[:20]],
        "class,ring,mass,wing_mm\n",
    )  # fmt: skip
    assert evaluate(done.run.folder, moved).figures == evaluate(done.run.folder, same).figures
    code, out, _ = call(capsys, "evaluate", done.run.folder, "--data", moved)
    assert code == 0 and "not used, as the run has no such column: 'ring'" in out
    gone = written(
        tmp_path / "gone.csv", [("", b, y) for _, b, _, y in found[:50]], "wing_mm,mass,class\n"
    )
    code, out, _ = call(capsys, "evaluate", done.run.folder, "--data", gone)
    assert code == 0
    assert "wing_mm: 50 of 50 missing: the mean of the run's training rows" in out
    bare = written(tmp_path / "bare.csv", [(b, y) for _, b, _, y in found], "mass,class\n")
    code, _, err = call(capsys, "evaluate", done.run.folder, "--data", bare)
    assert code == 1 and "bare.csv has no column 'wing_mm', which" in err


def test_columns_by_name_of_a_run_on_no_file():
    info = data.Info(feature_names=("a", "b"))
    own = DataSet("d", Split(np.array([[1.5, 2.0]])), info=info)
    x = np.array([[5.0, 4.0, 3.0]])
    other = DataSet("e", Split(x), info=data.Info(feature_names=("b", "c", "a")))
    found, said = fitted("e", other, other.train, own)
    assert found.x.tolist() == [[3, 5]]
    assert said == ("not used, as the run has no such column: 'c'",)
    other = DataSet("e", Split(x[:, :2]), info=data.Info(feature_names=("b", "c")))
    with pytest.raises(DataError, match="e has no column 'a', which the run was trained on"):
        fitted("e", other, other.train, own)
