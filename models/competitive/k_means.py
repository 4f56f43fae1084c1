"""k-means by Lloyd's algorithm (lecture 2, D1 18): the reference for competitive learning.

    a(x_i) = argmin_y ‖x_i - w_y‖                       all samples find their centres,
    w_y    = mean of the x_i with a(x_i) = y            all centres move to the mean of theirs

The lecture only names it, in its table of methods. Neither step can increase

    Q(w) = mean_i ‖x_i - w_a(x_i)‖²

and there are finitely many ways to assign the samples. So it converges, to a local minimum that
depends on the initial centres (`tolerance` ends it earlier: centres.py). It starts with k-means++
(Arthur & Vassilvitskii 2007), each centre a sample drawn in proportion to its squared distance from
those before. It starts `restarts` times and keeps the best result, by Q on the training set. It is
the batch form of winner-takes-all (wta.py), and of a map (som.py) whose nodes have no neighbours:
`batch_step` with the unit matrix. A centre without samples does not move; scikit-learn moves it to
the sample that is farthest from its own centre, and so never has one.

The pictures: the centres, as images if the data are images; and the plane of the two main axes of
the data with samples and centres.

The number to reach: scikit-learn's own example prints an inertia, N·Q, of 69432 for the scaled
digits with 10 centres and 10 restarts (69510 and 69545 in later versions, with 4).
"""

import numpy as np

from ... import core as gg
from ...core.data import DataSet
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import setting
from . import competitive_pictures
from .centres import (
    INITS,
    Competitive,
    CompetitiveSettings,
    Init,
    all_samples,
    batch_moved,
    batch_step,
    batch_sums,
    expect_centres,
    held_winners,
    prepare,
    without_gradients,
)

NO_RATE = "on k-means, whose step has no rate and takes all samples"


class Settings(
    CompetitiveSettings, idle={**without_gradients(NO_RATE), "lr": NO_RATE, "batch": NO_RATE}
):
    """Settings of k-means: the number of centres, and their initial values."""

    centres: int = setting(10, least=1, help="number of centres K")
    init: Init = setting("k-means++", help="initial centres w")
    restarts: int = setting(10, least=1, help="how often it starts; the best by Q is kept")
    epochs: int = 50


class KMeans(Competitive):
    """`runs` [R, K, D], the centres of each restart; `w` are those of the best."""

    whole = ""

    def __init__(self, x: np.ndarray, s: Settings, rng):
        expect_centres("k-means", s.centres, x)
        starts = [INITS[s.init](x, s.centres, rng.child("w", r)) for r in range(s.restarts)]
        super().__init__(starts[0], s)
        self.runs = gg.Tensor(np.stack(starts))

    def batches(self, data, size, seed, epoch, start):
        """The whole training set at once."""
        if start == 0:
            yield all_samples(data, self.s)

    def batches_per_epoch(self, data, size):
        """One."""
        return 1

    def train_step(self, batch, training):
        """One step of every restart; returns the least Q, as it was before the step."""
        runs, found = self.runs.data.copy(), []
        one_each = gg.Tensor(np.eye(runs.shape[1], dtype=runs.dtype)).to(self.runs.device).data
        if training.shards.whole:
            for r in range(len(runs)):
                runs[r], d2 = batch_step(runs[r], batch.x, one_each)
                found.append(float(d2.mean(dtype="float64")))
        else:
            sums = training.shards.total(
                batch, lambda part: [a for w in runs for a in batch_sums(w, part.x, one_each)]
            )
            for r in range(len(runs)):
                counts, steps, squares = sums[3 * r : 3 * r + 3]
                runs[r] = batch_moved(runs[r], counts, steps, one_each)
                found.append(float(squares[0]) / len(batch))
        best = int(np.argmin(found))
        self.runs.assign(runs)
        self.w.assign(runs[best])
        return {"q": found[best]}

    def evaluate(self, split, size=500):
        """The metrics of every system, and `inertia`, N·q, as in libraries."""
        found = super().evaluate(split, size)
        return {**found, "inertia": found["q"] * len(split)}


def build(data: DataSet, s: Settings, rng) -> KMeans:
    """The centres for a data set."""
    return KMeans(data.train.x, s, rng)


def check(rng):
    """½ Σ_i ‖x_i - w_a(i)‖² with the winners fixed: Lloyd's step goes to its minimum."""
    x, w = rng.standard_normal((7, 3)), rng.standard_normal((4, 3))
    return held_winners(x, w), [w]


K_MEANS = Recipe(
    name="k-means",
    title="k-means, Lloyd's algorithm",
    lecture="lecture 2 (D1 18)",
    rows=(7,),
    build=build,
    prepare=prepare,
    takes=("images", "table", "binary"),
    settings=Settings,
    presets={
        "iris": {"centres": 3, "scale": True, "whole": True},
        "house_votes_84": {"centres": 2, "whole": True},
        "mnist": {"restarts": 1, "epochs": 30},
        "fashion_mnist": {"restarts": 1, "epochs": 30},
        "table": {"scale": True},
    },
    metric="q",
    targets=(
        Target(
            "scaled digits, inertia of 10 centres",
            "digits",
            "inertia",
            "69432 (scikit-learn, 10 restarts)",
            69432.0,
            settings={"scale": True, "whole": True, "epochs": 100},
            source="scikit-learn, examples: k-means on the handwritten digits, 0.18 to 0.20",
            note="its later versions print 69510 and 69545 with 4 restarts",
        ),
    ),
    figures=competitive_pictures.figures,
    check=check,
)
RECIPES = (K_MEANS,)
