"""The Helmholtz machine (lecture 2, D1 20; Dayan, Hinton, Neal & Zemel 1995), by wake-sleep.

The lecture only names it, among the models whose density is explicit and intractable. Two directed
nets of binary logistic units, one down, one up, h⁰ = v ::

    p(v, h) = Π_j p(h^L_j) Π_l p(h^{l-1}|h^l)     h^L_j ~ σ(b^L_j),  h^{l-1} ~ σ(W^l h^l + b^{l-1})
    q(h|v)  = Π_l q(h^l|h^{l-1})                                     h^l ~ σ(R^l h^{l-1} + c^l)

and the bound  ln p(v) ≥ E_q ln p(v, h) + H(q),  the negative of Helmholtz' free energy. Each phase
trains one net on the samples of the other, by the delta rule (Hinton, Dayan, Frey & Neal 1995):

    wake    h ~ q(h|v) for data v      ΔW^l = (h^{l-1} - p^{l-1}) h^lᵀ    Δb = h - p   up ln p(v, h)
    sleep   (v, h) ~ p(v, h)           ΔR^l = (h^l - q^l) h^{l-1}ᵀ        Δc = h - q   up ln q(h|v)

Wake is a gradient step on the bound; sleep is not: it reduces KL(p ‖ q), whereas the bound contains
KL(q ‖ p). `objective` is the sum of both phases' -ln p and -ln q on given samples; `train_step`
writes down its gradient directly. The published recipes differ in the length of the phases; here
every minibatch has one of each.

The metrics: `bound`, minus the bound in nats, the entropy in closed form; and `nll`, -ln p(v) by
importance sampling, -ln (1/K) Σ_k p(v, h_k)/q(h_k|v) with h_k ~ q, which lies between `bound` and
the true value (Burda, Grosse & Salakhutdinov 2016). Published for 200 hidden units on MNIST: 116.3
by importance sampling with a bound of 120.7, by wake-sleep (Bornschein & Bengio 2015, from memory);
a bound of 113.5 by NVIL, which trains q on the bound itself (Mnih & Gregor 2014). Ours, 400 epochs:
a better model, 113.1, with a looser bound, 122.8 (validation: 126.6 after 60 epochs, 124.4 after
120, 123.7 after 300). Sleep fits q to the model's samples, not to the data, which explains the
gap between the two; more epochs do not close it.

The pictures: generative fields (columns of W¹), samples from p, reconstructions through q and p.
"""

import math
from itertools import pairwise

import numpy as np

from ... import core as gg
from ...core.arrays import to_numpy, xp_of
from ...core.data import DataSet
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import setting
from ...core.training.system import Batch
from ...kernels.product import product
from ..common.binary import bernoulli_nll, prepare
from ..common.images import filter_sheet, has_images, reconstruction_sheet, sample_sheet
from ..common.rows import flat
from .units import (
    BinarySettings,
    BinarySystem,
    draw,
    entropy,
    log_bernoulli,
    log_odds,
    logistic,
    mean_variance,
)


class Settings(BinarySettings):
    """Settings of a Helmholtz machine."""

    hidden: tuple[int, ...] = setting(
        (200,), least=1, some=True, help="widths of the layers h¹ to h^L"
    )
    samples: int = setting(2, least=1, help="draws of h for each image between long evaluations")
    importance: int = setting(100, least=1, help="draws of h, K, for each image in long ones")


class Helmholtz(BinarySystem):
    """Widths n_0 = D, n_1, …, n_L.

    w[l] [n_l, n_{l+1}] and b[l] [n_l], b[L] [n_L] down;  r[l] [n_l, n_{l+1}] and c[l] [n_{l+1}] up
    """

    whole = ""

    def __init__(self, mean, samples: int, s: Settings, rng, dtype="float32"):
        super().__init__()
        self.s, self.noise = s, rng.child("noise")
        widths = [len(mean), *s.hidden]

        def weights(name, n, m, fan):
            scale = 1 / math.sqrt(fan)
            return gg.Tensor(scale * rng.child(name, n).normal((n, m), dtype), requires_grad=True)

        def biases(values):
            return gg.Tensor(np.asarray(values, dtype), requires_grad=True)

        pairs = list(pairwise(widths))
        self.w = [weights("w", n, m, n + m) for n, m in pairs]
        self.r = [weights("r", n, m, n + m) for n, m in pairs]
        self.b = [biases(log_odds(mean, samples)), *(biases(np.zeros(m)) for m in widths[1:])]
        self.c = [biases(np.zeros(m)) for m in widths[1:]]

    # ------------------------------------------------------------------- the two nets

    def recognise(self, v, rng):
        """([h⁰ = v, h¹, …], [q¹, …]) sampled from q(h|v)."""
        states, means = [v], []
        for r, c in zip(self.r, self.c):
            q = product(states[-1], r.data)
            q += c.data
            means.append(logistic(q, out=q))
            states.append(draw(rng, q))
        return states, means

    def generate(self, n: int, rng):
        """([h⁰, h¹, …, h^L], [p⁰, …, p^L]) of n samples from p(v, h)."""
        xp = xp_of(self.b[-1].data)
        p = xp.repeat(logistic(self.b[-1].data)[None], n, axis=0)
        states, means = [draw(rng, p)], [p]
        for w, b in zip(self.w[::-1], self.b[-2::-1]):
            p = product(states[0], w.data.T)
            p += b.data
            means.insert(0, logistic(p, out=p))
            states.insert(0, draw(rng, p))
        return states, means

    def downward_logits(self, states):
        """Logits of p(h^{l-1}|h^l) for l = 1..L, then those of p(h^L), for given states."""
        down = [h @ w.data.T + b.data for h, w, b in zip(states[1:], self.w, self.b)]
        return [*down, self.b[-1].data]

    # ----------------------------------------------------------------------- learning

    def nll(self, awake, asleep):
        """-ln p of the states of the wake phase and -ln q of those of the sleep phase, as tensors.

        awake, asleep: lists of tensors [N, n_l] -> two of [N]
        """
        down = bernoulli_nll(gg.broadcast_to(self.b[-1], awake[-1].shape), awake[-1])
        for x, h, w, b in zip(awake, awake[1:], self.w, self.b):
            down = down + bernoulli_nll(h @ w.transpose() + b, x)
        up = 0.0
        for x, h, r, c in zip(asleep, asleep[1:], self.r, self.c):
            up = up + bernoulli_nll(x @ r + c, h)
        return down, up

    def objective(self, batch):
        """(mean -ln p(v, h) + mean -ln q(h'|v'), both parts): h ~ q(h|v), (v', h') ~ p."""
        awake = [gg.Tensor(h) for h in self.recognise(batch.x, self.noise)[0]]
        asleep = [gg.Tensor(h) for h in self.generate(len(batch), self.noise)[0]]
        down, up = self.nll(awake, asleep)
        return down.mean() + up.mean(), {"wake": down.mean(), "sleep": up.mean()}

    def train_step(self, batch, training):
        """Wake and sleep by the delta rule; returns the errors of both nets' predictions.

        `wake` is ‖v - p⁰‖² and `sleep` Σ_l ‖h^l - q^l‖², means over the minibatch.
        """
        figures, _ = training.shards.gradients(batch, lambda part: (self.learn(part), None))
        training.clip()
        training.optimiser.step()
        return figures

    def learn(self, batch) -> dict[str, float]:
        """Leave the gradients of both nets in `.grad`; returns the errors."""
        awake, _ = self.recognise(batch.x, self.noise)
        asleep, _ = self.generate(len(batch), self.noise)
        # the optimiser minimises: gradients are -(state - mean) ⊗ input / N
        scale, figures = -1 / len(batch), {"wake": 0.0, "sleep": 0.0}
        for k, (w, b) in enumerate(zip(self.w, self.b)):
            d = product(awake[k + 1], w.data.T)
            d += b.data
            d = self.delta(awake[k], logistic(d, out=d), scale)
            w.grad, b.grad = gg.Tensor(product(d.T, awake[k + 1])), gg.Tensor(d.sum(axis=0))
            if k == 0:
                figures["wake"] = float((d * d).sum()) * len(batch)
        # the top layer has only biases
        top = self.delta(awake[-1], logistic(self.b[-1].data), scale)
        self.b[-1].grad = gg.Tensor(top.sum(axis=0))
        for k, (r, c) in enumerate(zip(self.r, self.c)):
            d = product(asleep[k], r.data)
            d += c.data
            d = self.delta(asleep[k + 1], logistic(d, out=d), scale)
            r.grad, c.grad = gg.Tensor(product(asleep[k].T, d)), gg.Tensor(d.sum(axis=0))
            figures["sleep"] += float((d * d).sum()) * len(batch)
        return figures

    @staticmethod
    def delta(state, mean, scale):
        """scale · (state - mean)."""
        d = state - mean
        d *= scale
        return d

    # --------------------------------------------------------------------- evaluation

    def log_weights(self, v, rng):
        """(ln p(v, h) - ln q(h|v), ln p(v, h) + H(q)) for one h ~ q: two of [N].

        The first is the importance weight. The second has the entropy of each layer given the one
        below in closed form: the same mean, a smaller variance.
        """
        states, means = self.recognise(v, rng)
        log_p = sum(log_bernoulli(x, a) for x, a in zip(states, self.downward_logits(states)))
        tiny = np.finfo(v.dtype).tiny
        log_q = sum(
            xp_of(v).log(xp_of(v).maximum(xp_of(v).where(h > 0, q, 1 - q), tiny)).sum(axis=1)
            for h, q in zip(states[1:], means)
        )
        return log_p - log_q, log_p + sum(entropy(q) for q in means)

    def evaluate(self, split, size=500):
        """`bound` from `samples` draws; if `due`, also `nll`, both from `importance` draws.

        The standard errors are those of the draws, estimated from the draws, for the given images.
        """
        noise = self.noise.child("evaluate")

        def figures(batch):
            v = flat(batch.x)
            draws = self.s.importance if self.due else self.s.samples
            log_w, bounds, bound = [], [], 0.0
            for _ in range(draws):
                one, closed = self.log_weights(v, noise)
                log_w.append(to_numpy(one).astype(np.float64))
                bounds.append(to_numpy(closed))
                bound -= float(closed.mean(dtype="f8")) / draws
            found = {"bound": bound}
            if draws > 1:
                found["bound_error"] = mean_variance(bounds)
            if self.due:
                log_w = np.stack(log_w)
                top = log_w.max(axis=0)
                w = np.exp(log_w - top)
                found["nll"] = -(top + np.log(w.mean(axis=0))).mean()
                if draws > 1:  # of ln w̄, to first order
                    found["nll_error"] = mean_variance(list(w / w.mean(axis=0)))
            return found

        found = self.average(figures, split, size)
        errors = {k: math.sqrt(v / len(split)) for k, v in found.items() if k.endswith("_error")}
        return found | errors

    def reconstruct(self, v, rng):
        """P(v|h¹) for one h¹ ~ q(h¹|v)."""
        q = logistic(v @ self.r[0].data + self.c[0].data)
        return logistic(draw(rng, q) @ self.w[0].data.T + self.b[0].data)


def build(data: DataSet, s: Settings, rng) -> Helmholtz:
    """The machine for a data set."""
    x = flat(data.train.x)
    return Helmholtz(x.mean(axis=0, dtype=np.float64), len(x), s, rng)


def sample(system: Helmholtz, data: DataSet, n: int, rng):
    """n images P(v|h¹) for (h¹, …) ~ p(h)."""
    p = system.generate(n, rng)[1][0]
    return sample_sheet(to_numpy(p), data, "P(v|h) for h ~ p(h)")


def figures(system: Helmholtz, data: DataSet, s: Settings) -> dict:
    """Generative fields, samples, reconstructions."""
    rng = gg.Generator(s.seed).child("figures")

    def reconstruct(x):
        return to_numpy(system.reconstruct(system.on_device(Batch(x)).x, rng))

    reconstructions = reconstruction_sheet(reconstruct, data)
    return {
        "fields": filter_sheet(system.w[0].numpy().T, data, "columns of W¹"),
        "samples": sample(system, data, 60 if has_images(data) else 500, rng),
        "reconstructions": reconstructions,
    }


def check(rng):
    """Both phases' objective on given samples as a function of the parameters, for gradcheck."""
    system = Helmholtz(np.full(5, 0.4), 9, Settings(hidden=(4, 3)), gg.Generator(3), "float64")
    x = (rng.random((6, 5)) < 0.5).astype(float)
    awake = [gg.Tensor(h) for h in system.recognise(x, system.noise)[0]]
    asleep = [gg.Tensor(h) for h in system.generate(6, system.noise)[0]]

    def f(*parameters):
        down, up = system.with_parameters(parameters).nll(awake, asleep)
        return down.mean() + up.mean()

    return f, [p.numpy().copy() for p in system.parameters()]


SOURCE = "Bornschein & Bengio 2015, table 1"
FROM_MEMORY = (
    "training images binarised again in each epoch, test images once (seed 1); published figures"
    " are quoted from memory"
)
RECIPES = (
    Recipe(
        name="helmholtz",
        title="Helmholtz machine, trained by wake-sleep",
        lecture="lecture 2 (D1 20)",
        rows=(40,),
        build=build,
        prepare=prepare,
        takes=("images", "binary"),
        settings=Settings,
        presets={
            "digits": {"hidden": (48,), "epochs": 150, "batch": 50, "lr": 0.5},
            "mnist": {"epochs": 400, "lr": 0.3},
            "fashion_mnist": {"epochs": 400, "lr": 0.3},
            "binary": {"hidden": (48,), "epochs": 150, "batch": 50, "lr": 0.3, "binarise": "fixed"},
        },
        metric="bound",
        targets=(
            Target(
                "MNIST test bound, nats", "mnist", "bound", "120.7 (200 hidden, wake-sleep)",
                120.7, spread="bound_error", source=SOURCE, note=FROM_MEMORY,
            ),
            Target(
                "MNIST test -ln p(v) by importance sampling, nats", "mnist", "nll",
                "116.3 (200 hidden, wake-sleep)", 116.3, spread="nll_error", source=SOURCE,
                note=FROM_MEMORY,
            ),
        ),
        figures=figures,
        sample=sample,
        check=check,
    ),
)  # fmt: skip
