"""`train --dry-run`: counts by hand, memory that grows with the batch, nothing written."""

import pytest

from glassgrad import models
from glassgrad.dry_run import estimate
from glassgrad.sources import Source
from tests.tools import call


def of(name, data=None, **changes):
    recipe = models.recipe(name)
    return estimate(recipe, Source.of(data or recipe.data), overrides=changes)


def test_what_can_be_counted_is_exact():
    found = of("mlp", "iris", hidden=(8,), batch=10, epochs=3, optimiser="adam")
    assert found.parameters == (4 + 1) * 8 + (8 + 1) * 3
    assert found.steps == 9 and found.epochs == 3  # 90 rows
    assert found.state == 3 * 4 * found.parameters  # the weights and two moments, float32
    assert of("mlp", "iris", hidden=(8,), optimiser="sgd").state == 4 * found.parameters
    assert found.epoch == pytest.approx(9 * found.seconds) and found.seconds > 0


def test_memory_grows_with_the_batch():
    small, large = (of("vae", batch=b, hidden=(64, 64)).step for b in (50, 800))
    assert 4 * 50 * 64 < small < large
    assert large > 4 * small


@pytest.mark.parametrize("name", ["som", "gan-ring", "stacked-autoencoder"])
def test_other_ways_to_train(name):
    found = of(name)
    assert found.steps > 0 and found.seconds > 0 and found.state > 0


def test_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, out, _ = call(capsys, "train", "mlp", "--data", "iris", "--dry-run", "--quiet")
    assert code == 0 and "parameters" in out and "an epoch" in out
    assert list(tmp_path.iterdir()) == []
    code, _, err = call(capsys, "train", "--resume", "x", "--dry-run")
    assert code == 2 and "leave out --dry-run" in err
