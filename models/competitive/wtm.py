"""Winner takes most: the Kohonen net with soft competition (lecture 1, V0 85-104).

Every unit moves towards every sample, and moves less the farther it is:

    w_y += η (x_i - w_y) K(ρ(x_i, w_y))        for all y,   K non-negative, non-increasing

K acts on the distance in the space of the data; there is no grid yet. It is a step of SG on
Σ_y Φ(ρ(x_i, w_y)) with Φ'(ρ) = K(ρ) ρ: for K = exp(-ρ²/2σ²) that is Φ = σ² (1 - exp(-ρ²/2σ²)).

The formula implies what the slide does not say: a unit does not depend on the others. Each w_y by
itself climbs the density of the data smoothed with a kernel of width σ (a stochastic mean shift).
Units that reach the same peak stay there together, and with σ wider than the data all of them move
to the mean. The winner plays no part. So the rule as written (`measure=distance`, the default here)
finds peaks of density, and units that start on one hill become one: with `init=sample` and σ = 0.7
up to half of ten units on the digits end up without a sample of their own. The slide leaves the
start and the width open, so the default gives every unit a hill of its own: it starts on samples
far from each other (k-means++), and K is narrower than the distance between the hills.

A K that depends on the other units needs no such care. `measure` makes it a function, instead of
ρ, of

    excess   √(ρ_y² - ρ_a²), a the winner: it has K(0) = 1, and exp(-(ρ_y² - ρ_a²)/2σ²) are the
             shares of soft k-means over that of the winner
    rank     0 for the nearest, 1 for the next, ...: neural gas (Martinetz, Berkovich & Schulten
             1993), whose K, exp(-rank/σ), is `kernel=exponential`

and both become winner-takes-all as σ falls to 0 (`decay=linear`). They solve the problem of
winner-takes-all (wta.py): the samples of other units pull units that never win to the data.

The estimate of Q, the end of training, the reference (Lloyd's k-means from the same start) and the
pictures are those of wta.py.
"""

from typing import Literal

from ... import core as gg
from ...core.arrays import xp_of
from ...core.data import DataSet
from ...core.training.recipe import Recipe
from ...core.training.settings import setting
from ...kernels import som as kernel
from . import competitive_pictures
from .centres import DECAYS, KERNELS, KOHONEN_PRESETS, Init, KohonenSettings, prepare
from .wta import WTA

# what K is a function of, from the squared distances d2 [K] of one sample to all units
MEASURES = {
    "distance": lambda d2: d2**0.5,
    "excess": lambda d2: (d2 - d2.min()) ** 0.5,
    "rank": lambda d2: d2.argsort().argsort().astype(d2.dtype),
}
Measure = Literal["distance", "excess", "rank"]


class Settings(KohonenSettings):
    """Settings of winner takes most: how far every unit moves."""

    kernel: Literal["gaussian", "exponential", "bubble"] = setting(
        "gaussian", help="how the pull K falls with its argument"
    )
    measure: Measure = setting("distance", help="the argument of K")
    sigma: float = setting(0.65, above=0, help="width σ of K")
    init: Init = "k-means++"
    lr: float = 0.03


class WTM(WTA):
    """The same weights and metrics as WTA; all units move."""

    def move(self, x, training):
        """The samples x [N, D] one after another; returns ρ² [N] to the winner of each."""
        s, xp, w = self.s, xp_of(x), self.w.data
        k, measure = KERNELS[s.kernel], MEASURES[s.measure]
        sigma = s.sigma * DECAYS[s.decay](training.done)
        found = xp.empty(len(x), w.dtype)
        for n, rate in enumerate(self.rates(training, len(x))):
            d2 = kernel.distances(x[n : n + 1], w)[0]
            found[n] = d2.min()
            pull = (rate * k(measure(d2), 0, sigma)).astype(w.dtype)
            w = w + pull[:, None] * (x[n] - w)
        self.w.assign(w)
        return found


def build(data: DataSet, s: Settings, rng) -> WTM:
    """The net for a data set."""
    return WTM(data.train.x, s, rng)


def check(rng, sigma: float = 1.3):
    """Σ_i Σ_y σ² (1 - exp(-ρ²(x_i, w_y)/2σ²)), whose negative gradient is the step's sum."""
    x, w = rng.standard_normal((5, 3)), rng.standard_normal((4, 3))

    def f(weights):
        d = gg.Tensor(x[:, None, :]) - weights
        return sigma**2 * (1 - gg.exp((d * d).sum(axis=2) * (-0.5 / sigma**2))).sum()

    return f, [w]


WIDTHS = {"iris": 0.4, "house_votes_84": 2.0, "mnist": 3.0, "fashion_mnist": 3.0}  # of the peaks

# where no width of K is known to fit the distances: a Gaussian of ranks, as in neural gas
GAS = {"measure": "rank", "sigma": 2.0, "decay": "linear"}

RECIPE = Recipe(
    name="wtm",
    title="Kohonen net, winner takes most",
    lecture="lecture 1 (V0 85-104)",
    rows=(2,),
    build=build,
    prepare=prepare,
    takes=("images", "table", "binary"),
    settings=Settings,
    presets={
        **{name: {**KOHONEN_PRESETS[name], "sigma": sigma} for name, sigma in WIDTHS.items()},
        "table": {**KOHONEN_PRESETS["table"], **GAS},
        "binary": GAS,
    },
    metric="q",
    figures=competitive_pictures.figures,
    check=check,
)
RECIPES = (RECIPE,)
