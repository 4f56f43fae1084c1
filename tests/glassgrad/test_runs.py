"""The page of a run, `runs`, `compare`, and several seeds at once."""

import html
import json
import re
import shlex
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import cli, comparison, models, run_page, runs, step, training
from glassgrad.core.training.recipe import mean_and_error
from glassgrad.core.training.run_folder import RunError
from glassgrad.run_page.prose import as_html
from tests.tools import call

VOID = {"meta", "img", "br"}


class Strict(HTMLParser):
    """Every element is closed where it should be; all text and all attributes are kept."""

    def __init__(self, page: str):
        super().__init__()
        self.open, self.text, self.links, self.ids = [], [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.links += [v for k, v in found.items() if k in ("href", "src")]
        self.ids += [found["id"]] if "id" in found else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three finished runs: two of one system, one of another."""
    out = tmp_path_factory.mktemp("runs")
    for words in (
        [
            "mlp",
            "--data",
            "iris",
            "--seeds",
            "2",
            "--backend",
            "reference",
            "--set",
            "epochs=3",
            "hidden=[4]",
            "lr=0.00123456789",
        ],
        ["som", "--data", "iris", "--set", "epochs=2", "rows=3", "columns=4"],
    ):
        assert cli.main(["train", *words, "--out", str(out), "--quiet"]) == 0
    return out


def test_the_page_of_a_run_says_all_about_it(folder):
    for one in runs.find(folder)[0]:
        text = (one.run.folder / "index.html").read_text()
        page = Strict(text)
        said = " ".join(page.text)
        recipe, trained = training.load(one.run.folder)
        assert html.unescape(recipe.title) in said and one.config["data"] in said
        for name, rule in trained.settings.rules().items():
            assert name in page.text and any(t.startswith(rule.help) for t in page.text)
        pictures = sorted(p.name for p in one.run.folder.glob("*.png"))
        assert sorted({link for link in page.links if link.endswith(".png")}) == pictures
        for link in page.links:  # nothing from elsewhere
            there = (one.run.folder / link).is_file() or link.removeprefix("#") in page.ids
            assert there, link
        assert str(one.run.folder) in said and "glassgrad train --resume" in said
        assert "<script" not in text
        for value in one.figures.values():
            assert any(t == run_page.number(value) for t in page.text)


def test_the_command_on_the_page_repeats_the_run(folder, tmp_path):
    (one,) = [s for s in runs.find(folder)[0] if s.config["settings"]["seed"] == 1]
    page = Strict((one.run.folder / "index.html").read_text())
    (command,) = [t for t in page.text if t.startswith("glassgrad train mlp")]
    assert cli.main([*shlex.split(command)[1:], "--out", str(tmp_path), "--quiet"]) == 0
    ((again,), _) = runs.find(tmp_path)
    assert again.result["test"] == one.result["test"]
    assert again.config["settings"] == one.config["settings"]


def test_a_page_escapes_what_people_write(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        '"""<script>alert(1)</script> & `x < y`."""\nimport glassgrad as gg\n\n\n'
        "class Net(gg.nn.Module):\n    def __init__(self, data, s, rng):\n"
        "        self.a = gg.nn.Linear(64, 10, rng=rng)\n\n"
        "    def forward(self, x):\n        return self.a(x.reshape((len(x), -1)))\n"
    )
    recipe = replace(models.recipe(str(path)), title="<b>bold</b>")
    done, _ = training.train_and_write(recipe, overrides={"epochs": 1}, out=tmp_path / "runs")
    text = (done.run.folder / "index.html").read_text()
    assert "<script" not in text and "<b>bold" not in text and "x &lt; y</code>" in text
    assert "<b>bold</b>" in Strict(text).text


def test_data_in_memory_have_no_command(tmp_path):
    x = np.random.default_rng(0).random((50, 3))
    data = gg.data.from_arrays(x, (x[:, 0] > 0.5).astype(int), name="mine")
    recipe = models.recipe("mlp")
    done, _ = training.train_and_write(recipe, data, overrides={"epochs": 1}, out=tmp_path)
    said = Strict((done.run.folder / "index.html").read_text()).text
    assert any("data were in memory" in t for t in said)
    assert not any(t.startswith("glassgrad train") for t in said)


def test_published_numbers_are_on_the_page(tmp_path):
    recipe = models.recipe("mlp")
    done = training.train(recipe, "iris", overrides={"epochs": 1}, out=tmp_path)
    target = {"name": "a number", "published": "98 %", "bound": 0.98, "better": "higher",
              "metric": "accuracy", "ours": 0.5, "reached": False}  # fmt: skip
    result = {"split": "test", "test": done.test_figures, "metric": "loss", "better": "lower",
              "epochs": 1, "seconds": 1.0, "parameters": 9, "targets": [target]}  # fmt: skip
    one = step.of(training.build(recipe, done.data, done.settings), done.data, done.settings)
    said = Strict(run_page.render(recipe, done, result, {"curves": (9, 3)}, one)).text
    at = said.index("a number")
    assert said[at : at + 5] == ["a number", "98 %", "≥ 0.98", "0.5", "missed"]


def test_prose_keeps_formulas_as_they_stand():
    found = as_html("One `a`\nand two ::\n\n    x = 1\n      y < 2\n\n    z\n\nEnd.")
    assert found == (
        "<p>One <code>a</code> and two:</p><pre>x = 1\n  y &lt; 2\n\nz</pre><p>End.</p>"
    )


def test_several_seeds_give_the_mean_and_its_error(folder, tmp_path, capsys):
    words = ("mlp", "--data", "iris", "--seeds", "2", "--backend", "reference", "--set",
             "epochs=3", "hidden=[4]", "lr=0.00123456789")  # fmt: skip
    code, out, _ = call(capsys, "train", *words, "--out", str(tmp_path), "--quiet")
    assert code == 0
    values = [s.figures["loss"] for s in runs.find(tmp_path)[0]]
    assert values == [s.figures["loss"] for s in runs.find(folder)[0] if s.name == "mlp"]
    assert values[0] != values[1]
    mean, error = mean_and_error(values)
    last = out[out.index("seeds 0 to 1") :]
    assert re.search(rf"loss\s+{mean:.4g}\s+{error:.4g}", last)
    code, _, err = call(capsys, "train", "--resume", str(folder), "--seeds", "2")
    assert code == 2 and "leave out --seeds" in err


def test_runs_lists_them(folder, tmp_path, capsys):
    (folder / "no run").mkdir(exist_ok=True)
    code, out, _ = call(capsys, "runs", str(folder))
    assert code == 0 and "3 runs" in out and out.count("mlp-") == 2 and "som-" in out
    code, _, err = call(capsys, "runs", str(tmp_path / "nowhere"))
    assert code == 1 and "there is no folder" in err


def test_compare_shows_what_differs(folder, tmp_path, capsys):
    mlps = [str(s.run.folder) for s in runs.find(folder)[0] if s.name == "mlp"]
    page = tmp_path / "page.html"
    code, out, _ = call(capsys, "compare", *mlps, "--out", str(page))
    assert code == 0
    (head, *rows), figures = (part.splitlines() for part in out.split("Figures on"))
    assert head == "What differs" and [r.split() for r in rows[2:] if r] == [["seed", "0", "1"]]
    assert any(line.startswith("accuracy") for line in figures)
    said = Strict(page.read_text())
    assert "seed" in said.text and any(link.startswith("data:image/svg") for link in said.links)
    code, _, err = call(capsys, "compare", mlps[0], "--out", str(page))
    assert code == 2 and "two runs" in err


def test_runs_of_different_systems(folder):
    found = runs.find(folder)[0]
    what = dict(runs.differences(found))
    assert what["system"] == ["mlp", "mlp", "som"] and what["hidden"] == [[4], [4], None]
    (differ, figures) = comparison.tables(found)
    assert ("rows", "–", "–", "3") in differ.rows
    assert {row[0] for row in figures.rows} >= {"loss", "quantisation error", "epochs trained"}
    alone = comparison.tables(found[:1] * 2)
    assert alone[0].rows == [("nothing", "", "")]


def test_files_of_one_name_are_told_apart(tmp_path):
    net = (
        "import glassgrad as gg\n\n\nclass Net(gg.nn.Module):\n"
        "    def __init__(self, data, s, rng):\n"
        "        self.a = gg.nn.Linear(64, 10, rng=rng)\n\n"
        "    def forward(self, x):\n        return self.a(x.reshape((len(x), -1)))\n"
    )
    for name, text in (("a", net), ("b", net.replace("-1)))", "-1)) * 2)"))):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "net.py"
        path.write_text(text)
        recipe = models.recipe(str(path))
        training.train_and_write(recipe, overrides={"epochs": 1}, out=tmp_path / "runs")
    what = dict(runs.differences(runs.find(tmp_path / "runs")[0]))
    assert set(what) == {"system", "file's digest"}
    assert all(len(digest) == 8 for digest in what["file's digest"])


def test_curves_lie_over_each_other(folder):
    found = runs.find(folder)[0]
    fig = runs.overlaid(found, [s.label for s in found])
    titles = {ax.get_title(): ax for ax in fig.axes if ax.get_title()}
    loss = titles["loss"]
    drawn = [line for line in loss.lines if len(line.get_xdata())]
    assert len(drawn) == 4  # training and validation of two runs
    first = found[0].history
    assert [*drawn[0].get_ydata()] == [row["valid_loss"] for row in first]
    assert all(float(t).is_integer() for t in loss.get_xticks())


def test_damaged_runs_are_named_or_left_out(folder, tmp_path):
    source = runs.find(folder)[0][0].run.folder
    bad = tmp_path / "runs" / "bad"
    bad.mkdir(parents=True)
    for path in source.iterdir():
        (bad / path.name).write_bytes(path.read_bytes())
    (bad / "metrics.csv").write_text("epoch,loss\n1,x\n")
    with pytest.raises(RunError, match="a cell is no number"):
        runs.summary(bad)
    assert runs.find(tmp_path / "runs")[0] == []
    (bad / "metrics.csv").unlink()
    assert runs.summary(bad).history == []
    (bad / "result.json").write_text(json.dumps({"test": {"loss": 1.0}}))
    with pytest.raises(RunError, match="its metric is missing"):
        runs.summary(bad)
    assert "its metric is missing" in runs.find(tmp_path / "runs")[1][0]
    with pytest.raises(RunError, match="is a run itself"):
        runs.find(bad)
    (bad / "result.json").write_text(json.dumps({"test": {"loss": "x"}}))
    with pytest.raises(RunError, match="damaged"):
        runs.summary(bad)


def test_a_setting_newer_than_a_run_has_its_default_whatever_a_preset_says(
    tmp_path, monkeypatch, capsys
):
    recipe, few = models.recipe("gan-ring"), {"epochs": 1, "samples": 50}
    folder = training.train_and_write(recipe, overrides=few, out=tmp_path)[0].run.folder
    config = json.loads((folder / "config.json").read_text())
    assert config["settings"].pop("generator_average") == 0
    (folder / "config.json").write_text(json.dumps(config))
    newer = {**recipe.presets["ring"], "generator_average": 0.5}
    monkeypatch.setitem(recipe.presets, "ring", newer)
    assert recipe.resolve("ring").generator_average == 0.5
    again = training.load(folder)[1].settings
    assert again.generator_average == 0 and again.samples == 50
    code, *_ = call(capsys, "train", "--resume", folder, "--set", "epochs=2", "--quiet")
    longer = training.load(folder)[1].settings
    assert code == 0 and longer.epochs == 2 and longer.generator_average == 0
