"""The table of stabilisers: what its rows switch, and its page."""

from functools import partial

import numpy as np
import pytest

from glassgrad.bench import stabilisers
from glassgrad.bench.intervals import Interval
from glassgrad.core.data import DataSet, Split
from glassgrad.models.adversarial import judging

X = np.random.default_rng(0).random((12, 1, 2, 2)).astype(np.float32)
IMAGES = DataSet("small", *(Split(X, np.arange(12) % 3) for _ in range(3)))
TINY = {
    "epochs": 1, "batch": 4, "noise": 2, "generator": (5,), "discriminator": (4,), "samples": 20,
}  # fmt: skip


def test_a_row_switches_what_its_name_says(monkeypatch):
    monkeypatch.setattr(judging, "Classifier", partial(judging.Classifier, steps=5))
    built, build = [], stabilisers.MINIMAX.build

    def keep(data, s, rng):
        built.append(build(data, s, rng))
        return built[-1]

    monkeypatch.setattr(
        stabilisers,
        "MINIMAX",
        stabilisers.MINIMAX.__class__(**{**vars(stabilisers.MINIMAX), "build": keep}),
    )
    found = list(stabilisers.table(IMAGES, seeds=2, **TINY))
    assert [name for name, *_ in found] == list(stabilisers.ROWS)
    assert found[0][3] is None and all(np.isfinite(row[3]).all() for row in found[1:])
    for i, name in enumerate(stabilisers.ROWS):
        for system in built[2 * i : 2 * i + 2]:
            for net, letter in ((system.generator, "G"), (system.discriminator, "D")):
                kinds = {type(layer).__name__ for layer in net}
                for word, kind in (("norm", "BatchNorm"), ("dropout", "Dropout")):
                    named = any(
                        word in part and (letter in part.split() or "both" in part)
                        for part in name.split(", ")
                    )
                    assert (kind in kinds) == named, (name, letter, word)


def test_the_command_writes_the_table_with_itself_on_the_page(monkeypatch, tmp_path, capsys):
    one, gain = Interval(2.0, 0.1), Interval(-0.25, 0.5)
    asked = []

    def table(**options):
        asked.append(options)
        yield "neither", one, one, None
        yield "norm in G", one, one, gain

    monkeypatch.setattr(stabilisers, "table", table)
    path = tmp_path / "page.md"
    stabilisers.main(["--seeds", "2", "--epochs", "5", "--page", str(path)])
    assert asked == [{"seeds": 2, "epochs": 5}]
    text = path.read_text(encoding="utf-8")
    command = f"python -m glassgrad.bench.stabilisers --seeds 2 --epochs 5 --page {path}"
    assert f"\n    {command}\n" in text and "over 2 seeds" in text
    assert "| neither | 2.000 ± 0.100 | 2.000 ± 0.100 | – |" in text
    assert "| norm in G | 2.000 ± 0.100 | 2.000 ± 0.100 | -0.250 ± 0.500 |" in text
    assert "neither  2.000 ± 0.100" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        stabilisers.main(["--seeds", "1"])
    assert "two seeds or more" in capsys.readouterr().err
