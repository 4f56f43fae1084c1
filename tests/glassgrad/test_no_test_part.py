"""Data without a test part: figures and pictures are of validation, or else of training data."""

import dataclasses
import json

import pytest

from glassgrad import models, training
from glassgrad.core import data

SMALL = [
    ("vae", {"hidden": (4,), "importance": 0}), ("lenet", {"channels": (2,), "padding": (1,)}),
    ("autoencoder", {}), ("made", {"hidden": (8,)}), ("lstm", {"hidden": 4}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes"), SMALL)
@pytest.mark.parametrize("part", ["valid", "train"])
def test_the_next_best_part_is_judged_and_drawn(tmp_path, name, changes, part):
    digits = data.load("digits")
    digits = dataclasses.replace(digits, train=digits.train[:200], test=None)
    if part == "train":
        digits = dataclasses.replace(digits, valid=None)
    done, result = training.train_and_write(
        models.recipe(name), digits, overrides={**changes, "epochs": 1, "select": ""}, out=tmp_path
    )
    assert result["split"] == part
    assert any(done.run.folder.glob("*.png"))
    assert not done.run.has("curves.png")  # of one epoch there is no line
    assert json.loads((done.run.folder / "result.json").read_text())["split"] == part
