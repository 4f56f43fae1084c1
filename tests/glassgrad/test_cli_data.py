"""`data`, and `train --data PATH`: what is understood, recorded, and read again."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from glassgrad import cli, models, training
from glassgrad.core.data import wav
from glassgrad.sources import Source
from tests.core.test_data_own import picture

ROWS = "size,weight,kind\n" + "".join(
    f"{i % 7 + 10 * (i % 2)},{i % 5},{'small' if i % 2 == 0 else 'large'}\n" for i in range(40)
)


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "my.csv"
    path.write_text(ROWS)
    return path


def only(folder):
    (inside,) = folder.iterdir()
    return inside


def test_data_says_what_a_table_is_taken_for(own, capsys, tmp_path):
    image = tmp_path / "my.png"
    assert cli.main(["data", str(own), "--label", "weight", "--picture", str(image)]) == 0
    said = capsys.readouterr().out
    for words in (
        "is of the kind 'table'",
        "40 rows and 3 columns, separated by commas, a header: 3 numbers a row",
        "kind: text, 2 values: a column of 0 and 1 for each",
        "label weight: 5 classes (0, 1, 2, 3, 4)",
        "random split 28/4/8, seed 0",
    ):
        assert words in said
    assert image.read_bytes().startswith(b"\x89PNG")


def test_data_on_names_texts_and_pictures(tmp_path, capsys):
    assert cli.main(["data", "digits"]) == 0 and "1,297" in capsys.readouterr().out
    assert cli.main(["data", "counting"]) == 0 and "sequences" in capsys.readouterr().out
    text = tmp_path / "my.txt"
    text.write_text("to be or not to be\n" * 20)
    drawn = ["--picture", str(tmp_path / "t.png")]
    assert cli.main(["data", str(text), "--read", "level=word", *drawn]) == 0
    assert "120 words, 4 different; a vocabulary of 6" in capsys.readouterr().out
    for i in range(10):
        picture(tmp_path / "images" / "ab"[i % 2] / f"{i}.png", np.full((4, 4), i))
    drawn = ["--picture", str(tmp_path / "i.png")]
    assert cli.main(["data", str(tmp_path / "images"), "--read", "size=8", *drawn]) == 0
    assert "grey, 8 x 8; 10 of another size stretched to it" in capsys.readouterr().out


def test_a_table_trains_and_the_run_finds_it_again(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train = ["train", "k-means", "--data", "my.csv", "--label", "kind", "--quiet", "--out", "runs"]
    assert cli.main(train) == 0
    run = only(tmp_path / "runs")
    config = json.loads((run / "config.json").read_text())
    assert config["data"] == str(own) and config["reading"] == {"label": "kind"}
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    _, trained = training.load(run)
    assert trained.data.info.classes == ("large", "small") and trained.data_name == str(own)
    assert cli.main(["train", "--resume", str(run), "--quiet"]) == 0


def test_a_changed_file_is_not_gone_on_with(own, tmp_path, capsys):
    out = tmp_path / "runs"
    assert cli.main(["train", "k-means", "--data", str(own), "--quiet", "--out", str(out)]) == 0
    own.write_text(ROWS.replace("11,", "12,", 1))
    assert cli.main(["train", "--resume", str(only(out)), "--quiet"]) == 1
    assert "my.csv has changed since the training began" in capsys.readouterr().err
    own.unlink()
    assert cli.main(["train", "--resume", str(only(out)), "--quiet"]) == 1
    assert "there is no file or folder" in capsys.readouterr().err


def test_a_damaged_source_is_said(own, tmp_path, capsys):
    out = tmp_path / "runs"
    train = ["train", "k-means", "--data", str(own), "--quiet", "--set", "epochs=1"]
    assert cli.main([*train, "--out", str(out)]) == 0
    path = only(out) / "config.json"
    whole = json.loads(path.read_text())
    for change in (
        {"reading": []},
        {"reading": {"label": {}}},
        {"reading": {"size": [["a"]]}},
        {"digest": 5},
        {"registered": 1},
    ):
        path.write_text(json.dumps(whole | change))
        assert cli.main(["train", "--resume", str(only(out)), "--quiet"]) == 1
        said = capsys.readouterr().err
        assert "config.json is damaged: 'reading' or 'digest' is wrong" in said, change


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["train", "lenet", "--data", "FILE"], "which is of the kind 'table'; expected 'images'"),
        (["train", "k-means", "--data", "FILE", "--label", "knd"], "did you mean 'kind'?"),
        (["train", "k-means", "--data", "FILE", "--read", "heder=no"], "did you mean 'header'?"),
        (
            ["train", "k-means", "--data", "iris", "--label", "kind"],
            "iris has no option 'label'; it has seed",
        ),
        (["train", "k-means", "--data", "nowhere.csv"], "there is no file or folder"),
        (["data", "digit"], "did you mean 'digits'?"),
        (["data", "FILE", "--read", "seed"], "--read takes key=value"),
        (["data", "FILE", "--read", "seed=--5"], "seed must be an integer; got '--5'"),
        (["data", "FILE", "--read", "seed=" + "1" * 5000], "seed must be an integer; got '111"),
    ],
)
def test_what_does_not_fit_is_one_line(own, tmp_path, capsys, arguments, message):
    arguments = [str(own) if a == "FILE" else a for a in arguments]
    assert cli.main(arguments) != 0
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1


def test_sources():
    assert Source.of("digits").as_config() == {"data": "digits", "data_dir": None}
    own = Source.of("a/b.csv", reading={"label": "x"})
    assert own.is_path and own.as_config()["reading"] == {"label": "x"}


def test_data_reads_sentences_and_series_as_the_command_line_says(tmp_path, capsys):
    rows = [f"{i},word{i},{'ab'[i % 2]},2020-01-{i + 1:02d}" for i in range(20)]
    path = tmp_path / "my.csv"
    path.write_text("\n".join(["n,review,mark,day", *rows]))
    read = ["--read", "kind=sentences", "text=review", "--label", "mark"]
    assert cli.main(["data", str(path), *read]) == 0
    said = capsys.readouterr().out
    assert "of the kind 'sentences'" in said and "label mark: 2 classes (a, b)" in said
    assert cli.main(["data", str(path), "--read", "kind=series", "time=day", "columns=n"]) == 0
    said = capsys.readouterr().out
    assert "of the kind 'series'" in said and "a row every day" in said


def test_a_wide_table_is_described_in_few_lines(tmp_path, capsys, monkeypatch):
    undrawn = replace(models.recipe("k-means"), figures=None)  # they would take most of the time
    monkeypatch.setattr(models, "recipe", lambda name: undrawn)
    path = tmp_path / "wide.csv"
    label = (
        "label class: 2 classes (a, b); taken as label because it is named class;"
        " `--label none` for none\nrandom split 14/2/4, seed 0\n"
    )
    names = ",".join(f"column{i}" for i in range(100))
    rows = "".join(",".join(str(i * j % 7) for j in range(100)) + f",{'ab'[i % 2]}\n"
                   for i in range(20))  # fmt: skip
    path.write_text(f"{names},class\n{rows}")
    assert cli.main(["data", str(path)]) == 0
    said = capsys.readouterr().out
    assert said.count("\n") <= 40 and "20 rows and 101 columns" in said
    assert "lines more, in info.understood of gg.data.read" in said
    assert label in said
    train = ["train", "k-means", "--data", str(path), "--set", "epochs=1", "--out", str(tmp_path)]
    assert cli.main(train) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{path} is of the kind 'table'\n20 rows and 101 columns")
    assert label in said
    assert sum(line.startswith("column") for line in said.splitlines()) == 10
    assert cli.main([*train, "--quiet"]) == 0
    assert "columns" not in capsys.readouterr().out


def test_a_list_of_edges_in_a_table_or_text_is_hinted_at(tmp_path, capsys):
    hint = "--read kind=graph reads it as a graph"
    lines = [f"n{i % 30} n{(i * 7 + 1) % 30}" for i in range(90)]
    (tmp_path / "e.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "e.csv").write_text("source,target\n" + "\n".join(lines).replace(" ", ",") + "\n")
    (tmp_path / "t.csv").write_text("size,class\n" + "1,a\n2,b\n" * 10)
    for name, count in (("e.txt", 1), ("e.csv", 1), ("t.csv", 0)):
        assert cli.main(["data", str(tmp_path / name)]) == 0
        assert capsys.readouterr().out.count(hint) == count, name
    assert cli.main(["data", str(tmp_path / "e.csv"), "--read", "kind=graph"]) == 0
    said = capsys.readouterr().out
    assert "is of the kind 'graph'" in said and hint not in said
    few = "\n".join(f"n{i},m{i}" for i in range(30))  # no column is left of it as a table
    (tmp_path / "e.csv").write_text("source,target\n" + few + "\n")
    assert cli.main(["data", str(tmp_path / "e.csv")]) == 1
    assert hint in capsys.readouterr().err


def test_a_refusal_names_what_ships_and_what_no_system_takes(own, tmp_path, capsys):
    assert cli.main(["train", "lenet", "--data", str(own)]) == 1
    said = capsys.readouterr().err
    assert "such as digits" in said and "china" not in said and "no system" not in said
    kinds = {kind for n in models.names() for kind in models.recipe(n).takes}
    np.savez(tmp_path / "go.npz", moves=np.arange(20), lengths=[2] * 10)
    assert cli.main(["train", "lenet", "--data", str(tmp_path / "go.npz")]) == 1
    said = capsys.readouterr().err
    assert ("; no system takes it yet" in said) == ("games" not in kinds)


def test_pictures_without_classes_say_how_they_get_some(tmp_path, capsys):
    for i in range(12):
        Image.fromarray(np.full((8, 8), 20 * i, np.uint8)).save(tmp_path / f"{i}.png")
    assert cli.main(["train", "lenet", "--data", str(tmp_path), "--out", str(tmp_path / "r")]) == 1
    assert "has no class labels: make a sub-folder for each class" in capsys.readouterr().err


def test_a_sample_of_a_text_is_printed_and_written(tmp_path, capsys):
    (tmp_path / "d.txt").write_text("ab ba\n" * 60)
    train = ["train", "lstm", "--data", str(tmp_path / "d.txt"), "--quiet", "--out"]
    small = ["--set", "epochs=1", "hidden=4", "batch=4"]
    assert cli.main([*train, str(tmp_path / "runs"), *small]) == 0
    run = next((tmp_path / "runs").iterdir())
    capsys.readouterr()
    assert cli.main(["sample", str(run), "-n", "30"]) == 0
    text = (run / "sample.txt").read_text()
    assert len(text) == 30 and set(text) <= set("ab \n")
    said = capsys.readouterr().out
    assert text in said and "sample.png" in said and "sample.txt" in said
    assert cli.main(["sample", str(run), "-n", "30", "--out", str(tmp_path / "x.png")]) == 0
    assert (tmp_path / "x.txt").read_text() == text


def test_a_sample_of_a_tune_is_written_to_listen_to(tmp_path, capsys):
    """A person's own rolls in, a picture, a WAV and a MIDI file of one tune out."""
    rolls = [[[48 + k, 55 + k, 64], [48 + k], [], [47 + k, 62]] for k in range(20)]
    (tmp_path / "d.json").write_text(json.dumps(rolls))
    train = ["train", "music", "--data", str(tmp_path / "d.json"), "--quiet", "--out"]
    small = ["--set", "epochs=1", "hidden=4", "units=4", "batch=4"]
    assert cli.main([*train, str(tmp_path / "runs"), *small]) == 0
    run = next((tmp_path / "runs").iterdir())
    capsys.readouterr()
    assert cli.main(["sample", str(run), "-n", "6"]) == 0
    said = capsys.readouterr().out
    assert all(f"sample.{ending}" in said for ending in ("png", "wav", "mid"))
    sound, rate = wav.parse((run / "sample.wav").read_bytes())
    assert rate == 22050 and len(sound) == int(np.ceil(6 * 60 / 96 * 22050)) + 1
    assert (run / "sample.mid").read_bytes()[:4] == b"MThd"
    assert cli.main(["sample", str(run), "-n", "6", "--out", str(tmp_path / "x.png")]) == 0
    for ending in ("wav", "mid"):
        assert (tmp_path / f"x.{ending}").read_bytes() == (run / f"sample.{ending}").read_bytes()
