"""The tables of AlexNet's tricks and sizes: what a row switches, differences by seed, the page."""

import dataclasses
import json

import numpy as np
import pytest

from glassgrad.bench import tricks
from glassgrad.core.data import DataSet, load

DIGITS = load("digits")
FEW = DataSet("digits", DIGITS.train[:64], DIGITS.valid[:40], DIGITS.test[:50], DIGITS.info)
TINY = {"epochs": 1, "channels": (3, 4), "hidden": (5,)}


@pytest.fixture
def built(monkeypatch):
    """The systems that were built, in their order."""
    found, build = [], tricks.ALEXNET.build

    def keep(data, s, rng):
        found.append(build(data, s, rng))
        return found[-1]

    changed = {**vars(tricks.ALEXNET), "build": keep}
    monkeypatch.setattr(tricks, "ALEXNET", type(tricks.ALEXNET)(**changed))
    return found


def test_a_row_takes_one_trick_away(built):
    named = dataclasses.replace(FEW, name="cifar10_jpeg_subset")  # its settings have all tricks
    rows = list(tricks.measured("tricks", named, seeds=2, **TINY))
    assert [row["name"] for row in rows] == list(tricks.TRICKS)
    first = vars(built[0].s)
    for row, pair in zip(rows, zip(built[::2], built[1::2])):
        assert [m.s.seed for m in pair] == [0, 1]
        for m in pair:
            changed = {k: v for k, v in vars(m.s).items() if v != first[k] and k != "seed"}
            assert changed == row["changes"]
            kinds = [type(layer).__name__ for layer in m.convolutions]
            assert ("LocalResponseNorm" in kinds) == (row["name"] != "no lrn")
            assert ("Tanh" in kinds) == (row["name"] == "tanh")
    assert rows[0]["costs"] is None
    for row, m in zip(rows[1:], built[3::2]):
        wanted = np.subtract(row["test"], rows[0]["test"])
        assert row["costs"] == wanted.tolist() and len(wanted) == 2
        wrong = 100 * (m.logits(FEW.test.x).argmax(axis=1) != FEW.test.y).mean()
        assert row["test"][1] == pytest.approx(wrong)


def test_a_trick_that_the_settings_do_without_has_no_row():
    assert set(tricks.TRICKS) - set(tricks.rows_of("tricks", FEW)) == {"no augmentation"}
    assert next(iter(tricks.rows_of("sizes", FEW))) == "as it ships"


def test_sizes_are_told_apart_by_validation_images(built, monkeypatch):
    monkeypatch.setattr(tricks, "sizes", lambda s: {"one": {}, "two": {"channels": (2,)}})
    others = {k: v for k, v in TINY.items() if k != "channels"}
    one, two = tricks.measured("sizes", FEW, seeds=2, **others)
    assert two["costs"] == np.subtract(two["valid"], one["valid"]).tolist()
    assert two["parameters"] == [sum(p.size for p in built[-1].parameters())] * 2


def test_the_command_writes_the_page_and_every_figure(monkeypatch, tmp_path, capsys):
    row = {
        "seconds": [1.0, 3.0],
        "valid": [9.0, 9.5],
        "test": [10.0, 11.0],
        "parameters": [1234] * 2,
    }
    rows = [
        {"name": "all tricks", "changes": {}, **row, "costs": None},
        {"name": "no lrn", "changes": {"lrn": 0.0}, **row, "costs": [1.0, 1.1]},
        {"name": "tanh", "changes": {"activation": "tanh"}, **row, "costs": [-1.0, 2.0]},
    ]
    asked = []

    def measured(kind, data, seeds, **others):
        asked.append((kind, data.name, seeds, others))
        yield from rows

    monkeypatch.setattr(tricks, "measured", measured)
    paths = [str(tmp_path / name) for name in ("t.md", "t.json")]
    tricks.main(["--data", "digits", "--seeds", "2", "--epochs", "5", "--page", paths[0],
                 "--json", paths[1]])  # fmt: skip
    assert asked == [("tricks", "digits", 2, {"epochs": 5})]
    text = (tmp_path / "t.md").read_text(encoding="utf-8")
    assert "--rows tricks --data digits --seeds 2 --epochs 5" in text
    assert "| all tricks | 1,234 | 2 | 9.25 ± 3.18 | 10.50 ± 6.35 | – | – |" in text
    assert "| +1.05 ± 0.64 | worse |" in text and "| +0.50 ± 19.06 | not clear |" in text
    record = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    assert record["rows"] == rows and record["data"] == "digits"
    assert "no lrn  1,234" in capsys.readouterr().out
    for bad in (["--seeds", "1"], ["--rows", "other"]):
        with pytest.raises(SystemExit):
            tricks.main(bad)
