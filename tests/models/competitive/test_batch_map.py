"""The batch form of the self-organising map, against Kohonen's rule and the online form."""

from types import SimpleNamespace

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.competitive import som
from glassgrad.models.competitive.grid import Grid
from tests.tools import Undivided


@pytest.mark.parametrize("radius", [0.0, 1.0])
def test_the_batch_map_is_kohonens(radius):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 3)).astype(np.float32)
    changes = {"form": "batch", "init": "sample", "sigma": 1.3, "radius": radius}
    s = models.recipe("som").resolve("digits", {"rows": 3, "columns": 4, **changes})
    m = som.SOM(x, s, gg.Generator(0))
    w = m.w.numpy().astype(float)
    d2 = ((x[:, None] - w) ** 2).sum(axis=2)
    found = m.train_step(
        Batch(x), SimpleNamespace(settings=s, batches=1, done=0.0, shards=Undivided())
    )
    assert found["q"] == pytest.approx(d2.min(axis=1).mean(), rel=1e-5)
    r = Grid(3, 4).distance
    for node in range(12):
        k = np.exp(-(r[d2.argmin(axis=1), node] ** 2) / (2 * 1.3**2))
        k *= r[d2.argmin(axis=1), node] <= (radius or np.inf)
        want = (k[:, None] * x).sum(axis=0) / k.sum() if k.any() else w[node]
        assert np.allclose(m.w.numpy()[node], want, atol=1e-5)
    whole = list(m.batches(DataSet("x", Split(x)), 7, 0, 0, 0))
    assert len(whole) == 1 == m.batches_per_epoch(None, 7) and (whole[0].x == x).all()


@pytest.mark.slow
@pytest.mark.parametrize("update", ["vorontsov", "dyakonov"])
def test_the_batch_map_orders_the_digits_as_well(update):
    name = {"vorontsov": "som", "dyakonov": "som-dyakonov"}[update]

    def figures(form):
        settings = {"form": form, "init": "pca", "decay": "asymptotic", "sigma": 2.0, "radius": 0.0}
        return training.train(models.recipe(name), overrides=settings).test_figures

    online, batch = figures("online"), figures("batch")
    assert batch["qe"] < 1.05 * online["qe"]
    assert batch["te"] < 0.12 and batch["purity"] > 0.8


@pytest.mark.parametrize("changes", [{"lr": 0.5}, {"batch": 7}, {"draws": 9}, {"shuffled": True}])
def test_the_batch_map_has_no_rate_and_draws_nothing(changes):
    (key,) = changes
    with pytest.raises(SettingError, match=f"'{key}' has no effect with form=batch"):
        models.recipe("som").resolve("digits", {**changes, "form": "batch"})
    assert getattr(models.recipe("som").resolve("digits", changes), key) == changes[key]
