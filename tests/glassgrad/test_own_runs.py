"""Runs of systems in files of one's own, and runs that are made longer."""

import hashlib
import html
import json
import os
import re
import shlex

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import cli, models, runs, training
from glassgrad.core.training.run_folder import Run, RunError
from glassgrad.core.training.settings import SettingError
from glassgrad.lengthening import lengthen, rates_differ
from tests.tools import call

NET = '''
import glassgrad as gg


class Net(gg.nn.Module):
    """Two layers, with dropout."""

    def __init__(self, data, s, rng):
        self.a = gg.nn.Linear(64, 16, rng=rng.child("a"))
        self.drop = gg.nn.Dropout(0.3, rng=rng.child("drop"))
        self.b = gg.nn.Linear(16, 10, rng=rng.child("b"))

    def forward(self, x):
        return self.b(self.drop(gg.tanh(self.a(x.reshape((len(x), -1))))))
'''


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(NET)
    return path


def train(*arguments):
    assert cli.main(["train", "--quiet", *map(str, arguments)]) == 0


def run_in(folder):
    (run,) = folder.iterdir()
    return run


def weights(run):
    return training.load(run)[1].system.state_dict()


def equal(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def test_longer_is_as_if_it_had_been_trained_at_once(mine, tmp_path):
    train(mine, "--set", "epochs=2", "--out", tmp_path / "a")
    a = run_in(tmp_path / "a")
    short = weights(a)
    train("--resume", a, "--set", "epochs=5")
    train(mine, "--set", "epochs=5", "--out", tmp_path / "b")
    assert equal(weights(a), weights(run_in(tmp_path / "b"))) and not equal(weights(a), short)
    assert json.loads((a / "config.json").read_text())["settings"]["epochs"] == 5
    rows = (a / "metrics.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["1", "2", "3", "4", "5"]
    assert isinstance(gg.load(a), gg.System) and equal(gg.load(a).state_dict(), weights(a))


def test_a_built_in_system_may_be_made_longer(tmp_path):
    tiny = ("--set", "hidden=[8,8]")
    train("vae", *tiny, "epochs=1", "--out", tmp_path / "a")
    train("vae", *tiny, "epochs=3", "--out", tmp_path / "b")
    a = run_in(tmp_path / "a")
    train("--resume", a, "--set", "epochs=3")
    assert equal(weights(a), weights(run_in(tmp_path / "b")))


def test_what_a_run_cannot_become(mine, tmp_path, capsys):
    train(mine, "--set", "epochs=2", "--out", tmp_path / "a")
    a = run_in(tmp_path / "a")
    for change, message in (
        ("lr=1", "more epochs only"),
        ("epochs=1", "has been trained for 2 epochs; got epochs=1"),
        ("epochs=many", "'epochs' must be"),
    ):
        code, _, err = call(capsys, "train", "--resume", str(a), "--set", change)
        assert code != 0 and message in err
    assert json.loads((a / "config.json").read_text())["settings"]["epochs"] == 2
    with pytest.raises(SettingError, match="has been trained for 2 epochs"):
        lengthen(Run.open(a), 1)


def test_a_run_needs_the_file_that_it_began_with(mine, tmp_path, monkeypatch):
    train(f"{mine}:Net", "--set", "epochs=1", "--out", tmp_path / "a")
    a = run_in(tmp_path / "a")
    assert (a / "mine.py").read_text() == NET
    before = weights(a)
    mine.write_text(NET.replace("0.3", "0.4"))
    with pytest.raises(
        RunError, match=r"has changed since the run began; as it was: cp .*mine\.py"
    ):
        training.load(a)
    mine.unlink()
    with pytest.raises(RunError, match="is not there any more"):
        training.load(a)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    (elsewhere / "mine.py").write_text(NET)  # by its name in the current folder
    assert equal(weights(a), before)
    (elsewhere / "mine.py").write_text("raise SystemExit  # not what the run began with\n")
    with pytest.raises(RunError):
        training.load(a)


def test_the_copy_in_a_run_folder_is_never_executed(mine, tmp_path, monkeypatch):
    train(mine, "--set", "epochs=1", "--out", tmp_path / "a")
    a = run_in(tmp_path / "a")
    marker = tmp_path / "executed"
    (a / "mine.py").write_text(f"open({os.fspath(marker)!r}, 'w')\n")
    mine.unlink()
    config = json.loads((a / "config.json").read_text())
    code = hashlib.sha256((a / "mine.py").read_bytes()).hexdigest()
    for place in (str(mine), str(a / "mine.py"), "mine.py", "a/mine.py"):  # forged, too
        config |= {"recipe": f"{place}:Net", "code": code}
        (a / "config.json").write_text(json.dumps(config))
        for folder in (tmp_path, a):
            monkeypatch.chdir(folder)
            with pytest.raises(RunError):
                training.load(a)
    assert not marker.exists()


def test_the_name_must_be_that_of_the_run(mine, tmp_path, capsys):
    train(mine, "--set", "epochs=1", "--out", tmp_path / "a")
    a = str(run_in(tmp_path / "a"))
    assert call(capsys, "train", f"{mine}:Net", "--resume", a, "--quiet")[0] == 0
    code, _, err = call(capsys, "train", "vae", "--resume", a)
    assert code == 2 and "not of vae" in err


def test_every_command_takes_a_file(mine, tmp_path, capsys):
    code, out, _ = call(capsys, "show", f"{mine}:Net")
    assert code == 0 and "Two layers, with dropout" in out and "linear" in out
    train(mine, "--set", "epochs=1", "--out", tmp_path / "a")
    code, out, _ = call(capsys, "evaluate", str(run_in(tmp_path / "a")))
    assert code == 0 and "accuracy" in out
    code, _, err = call(capsys, "sample", str(run_in(tmp_path / "a")))
    assert code != 0 and "Net cannot generate" in err


def test_weights_in_a_file(tmp_path):
    net = gg.nn.Linear(3, 2, rng=gg.Generator(0))
    gg.save(net, tmp_path / "net.safetensors")
    other = gg.nn.Linear(3, 2, rng=gg.Generator(1))
    other.load_state_dict(gg.load(tmp_path / "net.safetensors"))
    assert equal(other.state_dict(), net.state_dict())
    gg.save({"a": np.arange(3)}, tmp_path / "a.safetensors")
    assert gg.load(tmp_path / "a.safetensors")["a"].tolist() == [0, 1, 2]
    with pytest.raises(gg.GlassgradError):
        gg.load(tmp_path / "nothing")
    assert models.recipe("vae").source is None


def test_a_lengthened_run_is_no_finished_one(mine, tmp_path, capsys):
    train(mine, "--set", "epochs=2", "--out", tmp_path / "a")
    a = Run.open(run_in(tmp_path / "a"))
    lengthen(a, 1000)
    assert not a.has("result.json") and not a.has("index.html")
    assert lengthen(a, 3)["settings"]["epochs"] == 3  # a slip can be mended
    train("--resume", a.folder)
    assert a.has("result.json") and len(training.load(a.folder)[1].history) == 3


def test_a_schedule_over_all_epochs_is_said(mine, tmp_path, capsys):
    train(mine, "--set", "epochs=2", "schedule=cosine", "--out", tmp_path / "a")
    a = str(run_in(tmp_path / "a"))
    code, out, _ = call(capsys, "train", "--resume", a, "--set", "epochs=4", "--quiet")
    assert code == 0 and "depends on the number of epochs" in out
    assert rates_differ("warm-up:3*cosine", 2, 5) and not rates_differ("halving:2", 2, 5)


def test_how_a_run_was_lengthened_is_kept_and_shown(mine, tmp_path, capsys):
    """The page's commands give the same weights again, and `compare` tells the runs apart."""
    train(mine, "--set", "epochs=2", "schedule=cosine", "--out", tmp_path / "a")
    a = run_in(tmp_path / "a")
    train("--resume", a, "--set", "epochs=4")
    assert json.loads((a / "config.json").read_text())["lengthened"] == [{"epochs": 2, "after": 2}]
    page = html.unescape((a / "index.html").read_text())
    assert "4 epochs (made for 2 epochs, after 2 for 4)" in page
    first, *later = [
        shlex.split(line)[2:] for line in re.findall("<code>(glassgrad train .*?)</code>", page)
    ]
    train(*first, "--out", tmp_path / "b")
    b = run_in(tmp_path / "b")
    train(*(str(b) if word == "RUN" else word for word in later[0]))
    assert equal(weights(a), weights(b))
    train(mine, "--set", "epochs=4", "schedule=cosine", "--out", tmp_path / "c")
    c = run_in(tmp_path / "c")
    assert not equal(weights(a), weights(c))
    capsys.readouterr()
    code, out, _ = call(capsys, "compare", str(a), str(c), "--out", str(tmp_path / "compared.html"))
    assert code == 0 and "lengthened" in out
    assert runs.differences([runs.summary(a), runs.summary(b)]) == []


def test_a_refused_run_is_not_lengthened(tmp_path, capsys):
    table = tmp_path / "t.csv"
    table.write_text("a,b\n" + "".join(f"{i},{'xy'[i % 2]}\n" for i in range(40)))
    train("mlp", "--data", table, "--set", "epochs=1", "--out", tmp_path / "a")
    run = run_in(tmp_path / "a")
    there = {p.name: p.read_bytes() for p in run.iterdir()}
    table.write_text(table.read_text() + "9,x\n")
    code, _, err = call(capsys, "train", "--resume", str(run), "--set", "epochs=3")
    assert code == 1 and "has changed" in err
    assert {p.name: p.read_bytes() for p in run.iterdir()} == there


def test_a_slip_in_lengthening_is_not_kept(mine, tmp_path):
    train(mine, "--set", "epochs=2", "--out", tmp_path / "a")
    a = Run.open(run_in(tmp_path / "a"))
    assert lengthen(a, 1000)["lengthened"] == [{"epochs": 2, "after": 2}]
    assert lengthen(a, 3)["lengthened"] == [{"epochs": 2, "after": 2}]
    assert "lengthened" not in lengthen(a, 2)


def test_layers_without_rng_begin_with_the_seed(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(NET.replace(', rng=rng.child("a")', "").replace(', rng=rng.child("b")', ""))
    train(path, "--set", "epochs=1", "--seeds", "2", "--out", tmp_path / "a")
    train(path, "--set", "epochs=1", "seed=1", "--out", tmp_path / "b")
    both = [weights(run) for run in (tmp_path / "a").iterdir()]
    alone = weights(run_in(tmp_path / "b"))
    assert [equal(w, alone) for w in both].count(True) == 1


def test_a_metric_that_the_figures_lack_is_said_before_training(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(
        "import glassgrad as gg\n\n\nclass Net(gg.nn.Module):\n    metric = 'acuracy'\n\n"
        "    def __init__(self, data, s, rng):\n"
        "        self.a = gg.nn.Linear(64, 10, rng=rng)\n\n"
        "    def forward(self, x):\n        return self.a(x.reshape((len(x), -1)))\n"
    )
    code, _, err = call(capsys, "train", str(path), "--out", str(tmp_path / "runs"))
    assert code == 1 and not (tmp_path / "runs").exists()
    assert err == (
        "glassgrad: Net: evaluate() gives no 'acuracy', the metric; it gives loss, accuracy\n"
    )
