"""A person's own CSV: trained and evaluated by one command, for a class and for a number."""

import json

import numpy as np
import pytest

from glassgrad import cli, training


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """120 rows: a number and a word explain the price, and whether it is high; another is noise."""
    rng = np.random.default_rng(0)
    size, noise = rng.normal(50, 10, 120), rng.normal(0, 1, 120)
    colour = rng.choice(["red", "blue"], 120)
    price = 1000 * size + np.where(colour == "red", 20_000, 0)
    kind = np.where(price > np.median(price), "dear", "cheap")
    rows = [f"{a:.3f},{b},{c:.3f}" for a, b, c in zip(size, colour, noise)]
    folder = tmp_path_factory.mktemp("own")
    for name, label in (("price", [f"{p:.2f}" for p in price]), ("kind", kind)):
        lines = [f"size,colour,noise,{name}", *(f"{r},{v}" for r, v in zip(rows, label))]
        (folder / f"{name}.csv").write_text("\n".join(lines))
    return folder


@pytest.mark.parametrize(
    "label, figure, least", [("price", "r2", 0.8), ("kind", "accuracy", 0.8)], ids=["price", "kind"]
)
def test_one_command_trains_and_evaluates(own, tmp_path, capsys, label, figure, least):
    words = ["train", "mlp", "--data", str(own / f"{label}.csv"), "--label", label, "--quiet"]
    assert cli.main([*words, "--set", "epochs=30", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "test split, seed 0 (30 epochs" in said and figure in said
    (run,) = tmp_path.iterdir()
    result = json.loads((run / "result.json").read_text())
    assert result["split"] == "test" and result["test"][figure] > least
    drawn = {"price": {"predicted", "residuals"}, "kind": {"confusion"}}[label]
    there = {p.stem for p in run.glob("*.png")}
    assert there == {"curves", "weights", "importance"} | drawn
    _, done = training.load(run)
    assert done.system.evaluate(done.data.test) == pytest.approx(result["test"])
    assert done.data.info.feature_names == ("size", "colour=blue", "colour=red", "noise")


def test_without_a_label_it_says_how_to_name_one(own, tmp_path, capsys):
    words = ["train", "mlp", "--data", str(own / "price.csv"), "--quiet", "--out", str(tmp_path)]
    assert cli.main(words) == 1
    err = capsys.readouterr().err
    assert "price.csv has no labels to learn; name a column: --label COLUMN" in err
    assert err.count("\n") == 1 and not list(tmp_path.iterdir())
