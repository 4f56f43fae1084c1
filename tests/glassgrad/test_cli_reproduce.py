"""`reproduce`: targets reached, missed, failed and skipped, and the record that keeps them."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest

from glassgrad import models
from glassgrad.core.training.recipe import Target
from glassgrad.reproduction import markdown
from tests.tools import call


def full_disk(*args):
    raise OSError(28, "No space left on device")


@pytest.fixture
def targets(monkeypatch):
    """The VAE with three targets on digits: reached, missed by the same training, data not here."""

    def target(name, bound, data="digits", **settings):
        return Target(
            name, data, "bound", "20", bound,
            settings={"epochs": 1, "hidden": (8, 8), **settings}, source="nobody", note="planted",
        )  # fmt: skip

    vae = replace(
        models.recipe("vae"),
        targets=(target("easy", 60.0), target("hard", 1.0), target("away", 90.0, "fashion_mnist")),
    )
    monkeypatch.setattr(models, "recipe", lambda name: {"vae": vae}[name])
    monkeypatch.setattr(
        "glassgrad.core.data.available", lambda n, folder=None: None if "fashion" in n else "here"
    )
    return vae


def test_reproduce_records_each_target(capsys, tmp_path, targets):
    record = tmp_path / "r.json"
    code, out, err = call(
        capsys, "reproduce", "vae", "--out", tmp_path / "runs", "--json", record, "--quiet"
    )
    assert code == 1 and err == ""  # one is missed
    assert "reached" in out and "short by" in out and "planted" in out
    assert len(list((tmp_path / "runs").iterdir())) == 1  # same settings: trained once
    rows = {r["target"]: r for r in json.loads(record.read_text())["rows"]}
    status = [rows[t]["status"] for t in ("easy", "hard", "away")]
    assert status == ["reached", "missed", "skipped: data not here"]
    assert rows["easy"]["ours"] == rows["hard"]["ours"] and rows["away"]["ours"] is None
    assert rows["easy"]["command"] == "glassgrad reproduce vae"
    assert 0 < rows["easy"]["cpu_seconds"] < 60
    assert {"cpu", "cores", "os", "python", "numpy", "numba", "blas"} <= set(
        rows["easy"]["machine"]
    )

    page = tmp_path / "page.md"
    page.write_text("before\n<!-- reproduce -->\nold\n<!-- /reproduce -->\nafter\n")
    for _ in range(2):  # rendering twice gives the same
        assert call(capsys, "reproduce", "--json", record, "--table", page)[0] == 0
        text = page.read_text()
        assert text.startswith("before\n<!-- reproduce -->\n| system |") and "old" not in text
        assert text.endswith("<!-- /reproduce -->\nafter\n") and text.count("| vae |") == 3


@pytest.mark.slow
def test_several_seeds_are_a_mean_and_its_error(capsys, tmp_path, targets, monkeypatch):
    several = replace(targets.targets[0], seeds=3)
    vae = replace(targets, targets=(several, targets.targets[0]))
    monkeypatch.setattr(models, "recipe", lambda name: vae)
    record, runs = tmp_path / "r.json", tmp_path / "runs"
    call(capsys, "reproduce", "vae", "--out", runs, "--json", record, "--quiet")
    row = json.loads(record.read_text())["rows"][-1]
    folders = sorted(runs.iterdir())
    assert len(folders) == 3  # the single training of the other target is one of the three
    found = [json.loads((f / "result.json").read_text())["test"]["bound"] for f in folders]
    assert len(set(found)) == 3
    assert row["seeds"] == 1 and row["ours"] in found and row["spread"] is None
    monkeypatch.setattr(models, "recipe", lambda name: replace(targets, targets=(several,)))
    call(capsys, "reproduce", "vae", "--out", tmp_path / "more", "--json", record, "--quiet")
    row = json.loads(record.read_text())["rows"][-1]
    assert row["ours"] == pytest.approx(np.mean(found), rel=1e-12)
    assert row["spread"] == pytest.approx(np.std(found, ddof=1) / 3**0.5, rel=1e-9)


def test_reproduce_leaves_no_folder_where_the_disk_is_full(capsys, tmp_path, targets, monkeypatch):
    monkeypatch.setattr(os, "fsync", full_disk)
    code, _, err = call(capsys, "reproduce", "vae", "--out", tmp_path / "runs", "--quiet")
    assert code == 1 and "No space left on device" in err
    assert list(tmp_path.iterdir()) == []


def test_reproduce_names_the_systems_without_a_target(capsys, targets, monkeypatch):
    known = {n: replace(targets, name=n, targets=()) for n in ("plain", "bare")}
    monkeypatch.setattr(models, "recipe", lambda name: {"vae": targets, **known}[name])
    code, out, err = call(capsys, "reproduce", "vae", "plain", "bare", "--list")
    assert code == 0 and "easy" in out
    assert err == "glassgrad: no published number is known for plain, bare\n"
    code, out, err = call(capsys, "reproduce", "plain")
    assert code == 2 and out == "" and "no published number is known for plain" in err


def test_reproduce_list_looks_into_the_data_folder(capsys, tmp_path, targets, monkeypatch):
    seen = []
    monkeypatch.setattr("glassgrad.core.data.available", lambda n, f=None: seen.append(f) or f)
    code, out, _ = call(capsys, "reproduce", "vae", "--list", "--data-dir", tmp_path)
    assert code == 0 and set(seen) == {str(tmp_path)} and "(not" not in out
    assert "(not" in call(capsys, "reproduce", "vae", "--list")[1]


def test_reproduce_with_nothing_to_try_fails(capsys, tmp_path, targets, monkeypatch):
    monkeypatch.setattr("glassgrad.core.data.available", lambda n, folder=None: None)
    code, out, err = call(capsys, "reproduce", "vae", "--out", tmp_path)
    assert code == 1 and "nothing could be tried" in err and "skipped" in out
    assert list(tmp_path.iterdir()) == []


def test_a_failing_target_keeps_the_others(capsys, tmp_path, targets, monkeypatch):
    broken = replace(targets.targets[1], settings={"epochs": 1, "hidden": (8, 8), "select": "x"})
    recipe = replace(targets, targets=(broken, targets.targets[0]))
    monkeypatch.setattr(models, "recipe", lambda name: recipe)
    record = tmp_path / "r.json"
    code, _, err = call(
        capsys, "reproduce", "vae", "--out", tmp_path / "runs", "--json", record, "--quiet"
    )
    assert code == 1 and "select='x' is not among" in err
    assert [r["status"] for r in json.loads(record.read_text())["rows"]] == ["failed", "reached"]


def test_reproduce_list_trains_nothing(capsys, tmp_path, targets, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = call(capsys, "reproduce", "vae", "--list")
    assert code == 0 and "easy" in out and "fashion_mnist (not" in " ".join(out.split())
    assert list(tmp_path.iterdir()) == []


def test_damaged_or_unwritable_records_fail_before_training(capsys, tmp_path, targets):
    record = tmp_path / "r.json"
    for content in ("{", "[1]", '{"rows": [{}]}'):
        record.write_text(content)
        code, _, err = call(capsys, "reproduce", "vae", "--json", record, "--out", tmp_path / "o")
        assert code == 1 and "is damaged" in err and record.read_text() == content
    code, _, err = call(capsys, "reproduce", "vae", "--json", tmp_path / "no" / "r.json")
    assert code == 1 and "cannot write" in err
    page = tmp_path / "page.md"
    page.write_text("no markers")
    record.write_text('{"rows": []}')
    code, _, err = call(capsys, "reproduce", "--json", record, "--table", page)
    assert code == 1 and "no markers" in err and page.read_text() == "no markers"


def test_systems_stand_in_the_order_of_the_catalogue():
    row = {
        "target": "t", "published": "1", "bound": 1.0, "better": "lower", "ours": 1.0,
        "status": "reached", "seconds": 1.0, "machine": {},
    }  # fmt: skip
    rows = [{**row, "recipe": name} for name in ("gone", "rbm", "som")]
    names = [line.split(" | ")[0] for line in markdown(rows).splitlines()[2:]]
    assert names == ["| som", "| rbm", "| gone"]
