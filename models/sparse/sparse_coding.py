"""Sparse coding (lecture 2, D1 67-112): each sample as a sum of a few of many basis vectors.

    F(α, b) = Σ_i ‖x_i - Σ_j α_ij b_j‖² + λ Σ_i Σ_j |α_ij|  →  min over α and b,      ‖b_j‖ = 1

by alternating optimisation, as in the lecture: the codes α with the basis b fixed, a convex problem
for each sample; then b with α fixed. Neither step can raise F, so F only falls.

Correction: the lecture has no constraint on b. Without one, half α and twice b halve the penalty
at no cost, and λ means nothing; here the b_j have unit norm. As in the lecture there is no ½ before
the square; scikit-learn has one, so its alpha is λ/2 and its objective F/2.

Codes: FISTA (Beck & Teboulle 2009), z the codes of one sample, D the atoms as rows, G = D Dᵀ ::

    p_k = S(y_k - (2/L)(y_k G - x Dᵀ), λ/L)        L = 2 λ_max(G),   S(a, s) = sign(a)(|a| - s)_+
    t_{k+1} = (1 + √(1 + 4 t_k²)) / 2
    y_{k+1} = z_k + (t_k/t_{k+1}) (p_k - z_k) + ((t_k - 1)/t_{k+1}) (z_k - z_{k-1})

in its monotone form: z_k is p_k only if that has a lower F, otherwise z_{k-1}.

Basis: one atom after the other (Mairal et al. 2010), A = αᵀα, B = αᵀx; the best unit vector with
everything else fixed is  b_j ∝ B_j - Σ_{k≠j} A_jk b_k.

The pictures: on patches of a photograph the basis becomes edges, each with a position, a direction
and a width (Olshausen & Field 1996); and a patch as 0.8 φ_36 + 0.3 φ_42 + 0.5 φ_65, as in the
lecture. For this the patches are scaled to equal contrast and whitened (patches.py); otherwise slow
changes of brightness, which have nearly all of the variance, come first.

The number: F itself depends on patches and λ, so none is published. The reference is scikit-learn's
DictionaryLearning on the same patches, with as many atoms and the same λ: `peer=n` gives it n
rounds, once at the end, and `over_sklearn` is F/F' - 1, with F ours and F' its objective.
"""

from types import MappingProxyType

import numpy as np

from ... import core as gg
from ...core.arrays import xp_of
from ...core.data import DataSet
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import setting
from ...core.training.system import Batch, System
from ...kernels.product import product
from ..common.rows import rows
from . import sparse_coding_pictures
from .codes import CodeSettings, energy, first_atoms, fista
from .patches import prepare

WITHOUT_GRADIENTS = ("lr", "optimiser", "schedule", "clip", "weight_decay")


class Settings(CodeSettings, idle=dict.fromkeys(WITHOUT_GRADIENTS, "in alternating optimisation")):
    """Settings of the two halves of a round."""

    lam: float = 3.0
    steps: int = 10
    passes: int = setting(2, least=1, help="times that each atom is improved in a round")
    batch: int = setting(250, least=1, help="samples whose codes are found together")
    contrast: float = 0.3
    whiten: float = 0.1
    peer: int = setting(
        0, least=0, help="rounds of scikit-learn's dictionary learning to compare with, 0 for none"
    )


def update_dictionary(d, z, x, passes: int):
    """Atoms [K, n] of unit norm with a lower Σ ‖x - z D‖²: each in turn optimal, others fixed.

    An atom that no code uses is not changed.
    """
    return best_atoms(d, product(z.T, z), product(z.T, x), passes)


def best_atoms(d, a, b, passes: int):
    """`update_dictionary` from the sums over all samples, a = zᵀz [K, K] and b = zᵀx [K, n]."""
    xp, d = xp_of(d), d.copy()
    for _ in range(passes):
        for j in range(len(d)):
            u = b[j] - a[j] @ d + a[j, j] * d[j]
            norm = float(xp.linalg.norm(u))
            if norm > 0 and float(a[j, j]) > 0:
                d[j] = u / norm
    return d


class SparseCoding(System):
    """The basis `atoms` [K, n] and the codes [N, K] of the training set, in float64.

    Both are buffers: no gradient changes them. float64 costs little and lets F decrease to the last
    digit.
    """

    whole = ""
    by_rows = MappingProxyType({"codes": 0})

    def __init__(self, x: np.ndarray, s: Settings, rng):
        self.s, self.sample = s, x  # an array, not a tensor: data, not state
        self.atoms = gg.Tensor(first_atoms(x.astype("float64"), s.atoms, rng.child("atoms")))
        self.codes = gg.Tensor(np.zeros((len(x), s.atoms)))

    def batches(self, data, size, seed, epoch, start):
        """The whole training set at once: F is a sum over all of it.

        The setting `batch` is the number of rows whose codes are computed together, in arrays that
        fit the cache.
        """
        if start == 0:
            yield Batch(data.train.x)

    def batches_per_epoch(self, data, size):
        """One."""
        return 1

    def train_step(self, batch, training):
        """Codes with the basis fixed, then the basis with the codes fixed; returns F / N."""
        size, shards = training.settings.batch, training.shards
        a, b = shards.total(batch, lambda part: self.sums(part, size))
        self.atoms.assign(best_atoms(self.atoms.data, a, b, self.s.passes))
        f, active = shards.mean(batch, self.means)
        return {"objective": float(f), "active": float(active)}

    def sums(self, batch, size: int) -> list:
        """Find the codes z of a batch, `size` rows at a time; returns [zᵀz, zᵀx]."""
        x, lam = rows(self.on_device(batch).x).data, self.s.lam
        z = self.codes.data.copy()
        for i in range(0, len(x), size):
            part = slice(i, i + size)
            z[part] = fista(x[part], self.atoms.data, lam, z[part], self.s.steps)
        self.codes.assign(z)
        return [product(z.T, z), product(z.T, x)]

    def means(self, batch) -> list:
        """[F / N of a batch at the codes that there are, the share of these that are not 0]."""
        with gg.no_grad():
            f = energy(rows(self.on_device(batch).x), self.codes, self.atoms, self.s.lam).mean()
        return [f.data, xp_of(f.data).asarray((self.codes.data != 0).mean())]

    def encode(self, x):
        """Codes [N, K] of rows x [N, n], from zero by many steps."""
        z = xp_of(x).zeros((len(x), len(self.atoms.data)), x.dtype)
        return fista(x, self.atoms.data, self.s.lam, z, self.s.encode_steps)

    def predictions(self, x):
        """The sparse code of each example, and the squared error that it leaves."""
        x = rows(self.on_device(Batch(np.asarray(x))).x)
        z = gg.Tensor(self.encode(x.data))
        error = energy(x, z, self.atoms, 0.0)
        return {"code": z.numpy(), "squared_error": error.numpy()}

    def evaluate(self, split, size=250):
        """F per sample, the squared error in it, and the share of codes that are not 0."""

        def figures(batch):
            x = rows(batch.x)
            z = gg.Tensor(self.encode(x.data))
            f = energy(x, z, self.atoms, self.s.lam).mean()
            error = energy(x, z, self.atoms, 0.0).mean()
            active = float((z.data != 0).mean())
            return {"objective": f.item(), "squared_error": error.item(), "active": active}

        return self.average(figures, split, size)

    def evaluate_finished(self, split):
        """The same and, with `peer` rounds of scikit-learn, how F of the training set compares."""
        found = self.evaluate(split)
        if not self.s.peer:
            return found
        x, z, d = (
            gg.Tensor(a.astype("float64"))
            for a in (self.sample, self.codes.numpy(), self.atoms.numpy())
        )
        ours, lam = energy(x, z, d, self.s.lam).mean().item(), self.s.lam
        theirs = sklearn_objective(self.sample, len(d), lam, self.s.peer, self.s.seed)
        return {**found, "over_sklearn": ours / theirs - 1}


def sklearn_objective(x: np.ndarray, atoms: int, lam: float, rounds: int, seed: int) -> float:
    """F / N that scikit-learn's DictionaryLearning reaches on rows x [N, n]."""
    import warnings

    from sklearn.decomposition import DictionaryLearning
    from sklearn.exceptions import ConvergenceWarning

    peer = DictionaryLearning(
        atoms, alpha=lam / 2, max_iter=rounds, fit_algorithm="cd", tol=1e-8, random_state=seed
    )
    with warnings.catch_warnings():  # its inner loop may end early in one of many rounds
        warnings.simplefilter("ignore", ConvergenceWarning)
        peer.fit(x.astype("float64"))
    return 2 * float(peer.error_[-1]) / len(x)


def build(data: DataSet, s: Settings, rng) -> SparseCoding:
    """The model for a data set, with codes for each of its training samples."""
    return SparseCoding(data.train.x.reshape(len(data.train), -1), s, rng)


def check(rng):
    """F as a function of nonzero codes and of the basis, for gradcheck."""
    x, z = rng.standard_normal((3, 4)), rng.standard_normal((3, 5))
    z += np.sign(z)
    return (lambda z, d: energy(gg.Tensor(x), z, d, 0.3).mean()), [z, rng.standard_normal((5, 4))]


AS_THEY_ARE = {"centre": False, "contrast": 0.0, "whiten": 0.0}

RECIPE = Recipe(
    name="sparse-coding",
    title="Sparse coding by alternating optimisation",
    lecture="lecture 2 (D1 67-112)",
    rows=(33,),
    build=build,
    prepare=prepare,
    data="flower",
    takes=("images", "table", "binary"),
    settings=Settings,
    presets={
        "flower": {"epochs": 30},
        "china": {"epochs": 30},
        "digits": {"epochs": 40, "lam": 2.0, **AS_THEY_ARE},
        "mnist": {
            "epochs": 30,
            "samples": 2000,
            "atoms": 200,
            "lam": 10.0,
            "steps": 20,
            **AS_THEY_ARE,
        },
        "table": {"epochs": 30, "atoms": 20, "lam": 1.0, **AS_THEY_ARE},
        "binary": {"epochs": 30, "lam": 1.0, **AS_THEY_ARE},
    },
    metric="objective",
    targets=(
        Target(
            "500 patches of a photograph: F above that of scikit-learn's dictionary learning",
            "flower",
            "over_sklearn",
            "none: F depends on patches and λ",
            0.02,
            own=True,
            settings={"samples": 500, "atoms": 60, "epochs": 40, "peer": 40, "encode_steps": 20},
            source="scikit-learn, DictionaryLearning(fit_algorithm='cd'), run next to ours",
            note="relative; same patches, λ and number of atoms, 40 rounds each",
        ),
    ),
    figures=sparse_coding_pictures.figures,
    check=check,
)
RECIPES = (RECIPE,)
