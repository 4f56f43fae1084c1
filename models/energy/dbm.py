"""The deep Boltzmann machine (lecture 2, D1 198-207; Salakhutdinov & Hinton 2009).

"A multi-level space of hidden variables (different degrees of detail)" on the slide, headed "deep
RBMs", without a formula. Layers h⁰ = v, h¹, …, h^L, undirected connections, none within a layer ::

    P(h⁰, …, h^L) = exp(Σ_l h^{l-1}ᵀ W^l h^l + Σ_l c^lᵀ h^l)/Z
    P(h^l_j = 1|the rest) = σ(c^l + (h^{l-1}ᵀ W^l)_j + (W^{l+1} h^{l+1})_j)

A unit depends on the layers on both sides, unlike in a deep belief network. Given the odd layers
the even ones are independent, and vice versa. So a Gibbs step is two draws, and the whole is a
restricted machine of two groups, (h⁰, h², …) and (h¹, h³, …), with blocks of zeros in its W. ln Z
is estimated in this form (ais.py).

Training: first, `pretrain` epochs for each layer as a separate machine (rbm.py). It has no input
from the missing neighbour layer, so the other input is doubled: bottom h¹ ~ σ(2 W¹ᵀv + a), top
h^{L-1} ~ σ(2 W^L h^L + b), both in between. Where two machines meet, c^l is the mean of the two
learnt biases, because the true input is the mean of the two doubled ones. Then all layers together
follow the gradient

    ∂/∂W^l = <μ^{l-1} μ^lᵀ>_data - <h^{l-1} h^lᵀ>_model        ∂/∂c^l = <μ^l>_data - <h^l>_model

which, with both sets of states fixed, is the gradient of E(model) - E(data), the negative of what
gradcheck sees. μ comes from mean field: after an upward pass with doubled weights, layers are set
in turn to σ(…) of their neighbours' means. The model's statistics come from persistent chains.
`centred` is as in rbm.py, for every layer (Montavon & Müller 2012). The rate of this stage is
lr·joint_rate.

`bound` is minus the mean-field bound in nats, with ln Z by AIS ::

    ln P(v)  ≥  Σ_l μ^{l-1}ᵀW^l μ^l + Σ_l c^lᵀμ^l + H(μ) - ln Z

The number: 84.62 nats for 784-500-1000 on MNIST (Salakhutdinov & Hinton 2009).
The pictures: filters of two layers, samples, Gibbs chains from noise and from data over time,
reconstructions by mean field.
"""

from itertools import pairwise
from types import MappingProxyType

import numpy as np

from ... import core as gg
from ...core.arrays import xp_of
from ...core.data import DataSet
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, setting
from ...kernels.product import product
from ..common.binary import prepare
from ..common.rows import flat
from . import ais, dbm_pictures
from .stack import Stack, stack
from .units import ChainSettings, descent, draw, entropy, independent, log_odds, logistic


def energy(h, w, c):
    """E(h⁰, …, h^L) = -Σ_l h^{l-1}ᵀ W^l h^l - Σ_l c^lᵀ h^l as tensors: lists of [N, n_l] -> [N].

    >>> one = gg.ones((1, 2))
    >>> energy([one, one], [gg.ones((2, 2))], [gg.zeros((2,)), gg.ones((2,))]).numpy()
    array([-6.], dtype=float32)
    """
    ties = sum(((a @ k) * b).sum(axis=1) for a, b, k in zip(h[:-1], h[1:], w, strict=True))
    return -ties - sum(x @ k for x, k in zip(h, c, strict=True))


class Settings(ChainSettings):
    """Settings of a deep Boltzmann machine."""

    hidden: tuple[int, ...] = setting((64, 32), least=1, help="widths of the layers h¹ to h^L")
    pretrain: int = setting(30, least=0, help="epochs for each layer as a separate machine")
    joint_rate: float = setting(1.0, above=0, help="factor of lr once all layers learn together")
    mean_field_steps: int = setting(10, least=1, help="rounds of mean field after the upward pass")

    @property
    def least_epochs(self) -> int:
        """The epochs of pre-training, and one for all layers together."""
        return len(self.hidden) * self.pretrain + 1

    def check(self):
        """Check that there are at least two hidden layers."""
        if len(self.hidden) < 2:
            raise SettingError(
                f"hidden must name at least two widths (one is an rbm); got {self.hidden}"
            )


class DBM(Stack):
    """Widths n_0 = D, n_1, …, n_L; layers[l] holds W [n_l, n_{l+1}], c[l] is [n_l].

    means    [n_l] running means of each layer: the offsets of centring, and where AIS starts
    fantasy  [chains, n_0 + n_2 + …] states of the even layers; the odd ones are drawn from them
    """

    whole = ""
    averaged = ("means",)
    by_rows = MappingProxyType({"fantasy": 0})

    def __init__(self, mean, samples: int, s: Settings, rng, dtype="float32"):
        super().__init__()
        self.s, self.noise = s, rng.child("noise")
        self.layers = stack(mean, samples, s.hidden, s, rng, dtype)
        for k, layer in enumerate(self.layers):
            layer.doubled = (2 if k < len(self.layers) - 1 else 1, 2 if k else 1)
        widths = [len(mean), *s.hidden]
        self.c = [gg.Tensor(np.zeros(n, dtype), requires_grad=True) for n in widths]
        means = [mean, *(np.full(n, 0.5) for n in s.hidden)]
        self.means = [gg.Tensor(np.asarray(m, dtype)) for m in means]
        start = independent(np.concatenate(means[::2]), s.chains, rng.child("fantasy"), dtype)
        self.fantasy = gg.Tensor(start)
        self.join_machines()

    def join_machines(self) -> None:
        """Set the biases of the whole from those of its parts."""
        self.c[0].assign(self.layers[0].b.detach())
        self.c[-1].assign(self.layers[-1].a.detach())
        for c, below, above in zip(self.c[1:-1], self.layers, self.layers[1:]):
            c.assign((below.a.detach() + above.b.detach()) * 0.5)

    # ------------------------------------------------------------- both phases

    def bipartite(self):
        """(W, b, a) of the two groups, even layers and odd ones, as arrays."""
        c = [k.data for k in self.c]
        xp = xp_of(c[0])
        blocks = []
        for i in range(0, len(c), 2):
            row = [xp.zeros((len(c[i]), len(k)), c[i].dtype) for k in c[1::2]]
            if i:
                row[i // 2 - 1] = self.layers[i - 1].w.data.T
            if i + 1 < len(c):
                row[i // 2] = self.layers[i].w.data
            blocks.append(xp.concatenate(row, axis=1))
        return xp.concatenate(blocks), xp.concatenate(c[::2]), xp.concatenate(c[1::2])

    def parts(self, even, odd) -> list:
        """States of the layers 0, 1, …, L from those of the two groups; None stays None."""
        found, at = [], [0, 0]
        for k, c in enumerate(self.c):
            group, n = (even, odd)[k % 2], len(c.data)
            found.append(None if group is None else group[:, at[k % 2] : at[k % 2] + n])
            at[k % 2] += n
        return found

    def free(self, even, steps: int, rng):
        """(even, P(odd|even)) after `steps` Gibbs steps of even [N, …], changed in place."""
        w, b, a = self.bipartite()
        wt = w.T
        for _ in range(steps):
            h = product(even, w)
            h += a
            draw(rng, logistic(h, out=h), out=h)
            product(h, wt, even)
            even += b
            draw(rng, logistic(even, out=even), out=even)
        odd = product(even, w)
        odd += a
        return even, logistic(odd, out=odd)

    def mean_field(self, v, steps: int) -> list:
        """[v, μ¹, …, μ^L] of mean field: v [N, n_0] -> list of [N, n_l]."""
        mu = [v]
        for layer in self.layers:  # the upward pass, doubled as in pre-training
            mu.append(layer.doubled[0] * product(mu[-1], layer.w.data))
            mu[-1] += self.c[len(mu) - 1].data
            logistic(mu[-1], out=mu[-1])
        constant = product(v, self.layers[0].w.data) + self.c[1].data
        for _ in range(steps):
            for k in range(1, len(mu)):
                x = constant.copy() if k == 1 else product(mu[k - 1], self.layers[k - 1].w.data)
                if k > 1:
                    x += self.c[k].data
                if k < len(self.layers):
                    x += product(mu[k + 1], self.layers[k].w.data.T)
                mu[k] = logistic(x, out=x)
        return mu

    # --------------------------------------------------------------------- learning

    def train_step(self, batch, training):
        """One step of the current layer, or of all layers."""
        count, epochs = len(self.layers), training.settings.epochs
        firsts = [min(k * self.s.pretrain, epochs) for k in range(count + 1)] + [epochs]
        k = self.turn(training, firsts)

        def compute(part):
            if k < count:
                return self.layers[k].learn(self.up(part.x, k, self.noise)), None
            return self.learn(part.x), None

        if k == count:
            training.optimiser.lr *= self.s.joint_rate
        figures, _ = training.shards.gradients(batch, compute)
        training.clip()
        training.optimiser.step()
        if k < count:
            self.join_machines()
        return figures

    def learn(self, v) -> dict[str, float]:
        """Leave the negative gradient of all layers in `.grad`; returns the phases' gap of -E."""
        mu = self.mean_field(v, self.s.mean_field_steps)
        model = self.parts(*self.free(self.fantasy.data, self.s.steps, self.noise))
        self.fantasy.version += 1
        offsets = [m.data for m in self.means]
        for m, mean in zip(mu[1:], self.means[1:]):
            mean.data += 0.01 * (m.mean(axis=0) - mean.data)
            mean.version += 1
        # the biases' gradient, corrected below for the centred coordinates of W
        dc = [f.mean(axis=0) - m.mean(axis=0) for f, m in zip(model, mu)]
        for k, layer in enumerate(self.layers):
            centre = (offsets[k], offsets[k + 1]) if self.s.centred else None
            dw = descent(mu[k], mu[k + 1], model[k], model[k + 1], centre)[0]
            layer.w.grad = gg.Tensor(dw)
            if centre:
                dc[k] = dc[k] - dw @ centre[1]
                dc[k + 1] = dc[k + 1] - centre[0] @ dw
        for c, g in zip(self.c, dc):
            c.grad = gg.Tensor(g)
        return {"gap": float((self.minus_energy(model)).mean() - self.minus_energy(mu).mean())}

    def minus_energy(self, h) -> np.ndarray:
        """Σ_l h^{l-1}ᵀW^l h^l + Σ_l c^lᵀh^l of each row."""
        ties = sum((product(a, k.w.data) * b).sum(axis=1) for a, b, k in zip(h, h[1:], self.layers))
        return ties + sum(x @ c.data for x, c in zip(h, self.c))

    # ------------------------------------------------------------------- evaluation

    def terms(self, v):
        """The bound without ln Z: [N, n_0] -> [N]."""
        mu = self.mean_field(v, self.s.mean_field_steps)
        return self.minus_energy(mu) + sum(entropy(m) for m in mu[1:])

    def partition(self) -> ais.Estimate:
        """ln Z by AIS of the two groups, from independent units of the even layers' means."""
        base = np.concatenate([log_odds(m.numpy(), 1000) for m in self.means[::2]])
        return ais.log_partition(
            *self.bipartite(),
            self.noise.child("ais"),
            xp_of(self.c[0].data).asarray(base),
            self.s.ais_chains,
            self.s.temperatures,
        )

    def evaluate(self, split, size=500):
        """`free_energy`, minus the bound without ln Z, and if `due` ln Z and minus the bound."""

        def figures(batch):
            v = flat(batch.x)
            error = ((v - self.reconstruct(v)) ** 2).sum(axis=1)
            return {
                "free_energy": -self.terms(v).mean(dtype="f8"),
                "reconstruction": error.mean(dtype="f8"),
            }

        found = self.average(figures, split, size)
        if self.due:
            z = self.partition()
            found |= z.figures()
            found["bound"] = found["free_energy"] + z.log_z
        return found

    def visible(self, h):
        """P(v = 1|h¹), of states or of means: [N, n_1] -> [N, n_0]."""
        return logistic(h @ self.layers[0].w.data.T + self.c[0].data)

    def reconstruct(self, v):
        """P(v|μ¹) for the mean-field μ¹ of v."""
        return self.visible(self.mean_field(v, self.s.mean_field_steps)[1])


def build(data: DataSet, s: Settings, rng) -> DBM:
    """The machine for a data set."""
    x = flat(data.train.x)
    return DBM(x.mean(axis=0, dtype=np.float64), len(x), s, rng)


def check(rng):
    """E(data) - E(model) of given states as a function of all W and c, for gradcheck.

    With mean-field means for the data and samples of the model, both fixed, this is what the joint
    stage minimises.
    """
    sizes, n = (4, 3, 2), 6
    data = [gg.Tensor(rng.random((n, k))) for k in sizes]
    model = [gg.Tensor((rng.random((n, k)) < 0.5).astype(float)) for k in sizes]

    def f(*p):
        w, c = p[:2], p[2:]
        return energy(data, w, c).mean() - energy(model, w, c).mean()

    shapes = [*pairwise(sizes), *sizes]
    return f, [rng.standard_normal(k) for k in shapes]


RECIPES = (
    Recipe(
        name="dbm",
        title="Deep Boltzmann machine",
        lecture="lecture 2 (D1 198-207), lecture 4 (U3 73)",
        rows=(38,),
        build=build,
        prepare=prepare,
        takes=("images", "binary"),
        settings=Settings,
        presets={
            "digits": {"epochs": 120, "batch": 50, "lr": 0.3},
            "mnist": {
                "hidden": (500, 1000), "epochs": 120, "pretrain": 30, "lr": 0.05,
                "temperatures": 10_000,
            },
            "images": {"epochs": 120, "batch": 50, "lr": 0.1},
            "binary": {"epochs": 120, "batch": 50, "lr": 0.1, "binarise": "fixed"},
        },
        metric="bound",
        targets=(
            Target(
                "MNIST test bound by AIS, nats", "mnist", "bound", "84.62 (784-500-1000)", 84.62,
                source="Salakhutdinov & Hinton 2009, section 4.1", spread="log_z_spread",
                protocol="training images binarised again in each epoch; theirs once",
            ),
        ),
        figures=dbm_pictures.figures,
        sample=dbm_pictures.sample,
        check=check,
    ),
)  # fmt: skip
