"""The linear autoencoder and principal components (lecture 1, V0 202-204, 252-268).

    z = f(x) = A x,   x̂ = g(z) = B z            A [m, n], B [n, m]; no bias, no centring

    L_AE(A, B) = Σ_i ‖B A x_i - x_i‖²  →  min                                   (V0 257)

PCA solves the same problem with one orthonormal matrix U, F = (x_1 ... x_ℓ)ᵀ, G = F U ::

    ‖F - G Uᵀ‖² = Σ_i ‖U Uᵀ x_i - x_i‖²  →  min over Uᵀ U = I_m                 (V0 260)

The solution: the columns of U are the first m right singular vectors of F. The minimum is the sum
of the squares of the remaining singular values (Eckart & Young 1936). The autoencoder has more
freedom: A and B are any matrices, and B = Aᵀ is not required (V0 266). Still, at every minimum B A
is the projection U Uᵀ, and no minimum is only local (Baldi & Hornik 1989; for regular FᵀF,
otherwise on the data): B spans the subspace of PCA, in another basis.

The lecture's PCA uses F without centring; libraries subtract the mean first. `centred=True` does
so, x̂ = μ + B A (x - μ) with the mean μ of the training set. Tables are standardised first, and so
are centred in both forms. `tied=True` sets B = Aᵀ, "as is often done".

Training takes whole passes (V0 268: "SGD in place of the SVD"), in float64, from A with orthonormal
rows and B = Aᵀ, by Adam or, with `optimiser=sgd`, by plain descent. That finds a direction of the
subspace at a rate that grows with the gap between the m-th and the next singular value, so a small
gap needs many steps. `passes` passes over the data make one epoch, the unit of schedules and
checkpoints. With a batch as large as the training set the gradient is exact, and the error keeps
falling for as long as training runs.

The number: the error above PCA's, relative (`error_gap`), and the sine of the largest angle between
the two subspaces (`sine`), both at most 1e-3. The pictures: columns of B next to those of U,
which differ; reconstructions, which do not differ; the codes and their activations.
"""

from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn, pictures
from ...core.data import DataSet, Split, minibatches
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch, System
from ..common import code_pictures, row_pictures
from ..common.images import as_images, has_images
from ..common.principal import largest_sine, principal
from ..common.rows import prepare


class Settings(TrainingSettings):
    """Settings of a linear autoencoder."""

    code: int = setting(10, least=1, help="number m of codes")
    centred: bool = setting(False, help="subtract the mean of the training set first")
    tied: bool = setting(False, help="B = Aᵀ, one matrix for both")
    dtype: Literal["float32", "float64"] = setting("float64", help="of all numbers")
    passes: int = setting(1, least=1, help="passes over the data that make an epoch")
    schedule: str = "cosine"


class LinearAutoencoder(System):
    """x̂ = μ + B A (x - μ). A is `encoder.weight` [m, n], B `decoder.weight` [n, m].

    The buffers `mean` μ and `basis` U come from PCA of the training set; training does not use U.
    """

    def __init__(self, x: np.ndarray, s: Settings, rng):
        x = x.reshape(len(x), -1)
        n, m = x.shape[1], s.code
        if m > min(x.shape):
            raise SettingError(f"linear-autoencoder: code must be at most {min(x.shape)}; got {m}")
        self.s, dtype = s, s.dtype
        self.encoder = nn.Linear(n, m, bias=False, rng=rng, dtype=dtype)
        self.encoder.weight.assign(nn.init.orthogonal((m, n), rng.child("encoder"), dtype=dtype))
        if not s.tied:
            self.decoder = nn.Linear(m, n, bias=False, rng=rng, dtype=dtype)
            self.decoder.weight.assign(self.encoder.weight.numpy().T)
        basis, mean = principal(x, m, s.centred)
        self.basis, self.mean = gg.tensor(basis.astype(dtype)), gg.tensor(mean.astype(dtype))

    @property
    def b(self):
        """B [n, m]."""
        return self.encoder.weight.T if self.s.tied else self.decoder.weight

    def encode(self, x):
        """z = A (x - μ) for rows x [N, n]."""
        return self.encoder(x - self.mean)

    def decode(self, z):
        """x̂ = B z + μ for rows z [N, m]."""
        return gg.linear(z, self.b) + self.mean

    def objective(self, batch):
        """(1/N) Σ_i ‖x̂_i - x_i‖² of images [N, C, H, W] or rows [N, n]."""
        x = gg.Tensor(batch.x.reshape(len(batch), -1))
        d = self.decode(self.encode(x)) - x
        return (d * d).sum(axis=1).mean()

    def batches(self, data, size, seed, epoch, start):
        """`passes` passes over the data, each in a different order."""
        each = -(-len(data.train) // size)
        for i in range(start // each, self.s.passes):
            number = epoch * self.s.passes + i
            first = start % each if i == start // each else 0
            yield from minibatches(
                data.train, size, seed=seed, epoch=number, start=first, shuffle=each > 1
            )

    def batches_per_epoch(self, data, size):
        """The number of minibatches in all passes of an epoch."""
        return self.s.passes * -(-len(data.train) // size)

    def evaluate(self, split, size=500):
        """Error per sample, PCA's, their relative difference, and the sine of the largest angle.

        The PCA is that of the training set: on other splits it is not optimal.
        """

        def figures(batch):
            x = batch.x.reshape(len(batch), -1)
            d = x - self.mean.data
            rest = d - d @ self.basis.data @ self.basis.data.T
            return {"squared_error": self.objective(batch), "pca": (rest * rest).sum() / len(x)}

        found = self.average(figures, split, size)
        found["error_gap"] = abs(found["squared_error"] - found["pca"]) / found["pca"]
        found["sine"] = largest_sine(self.b.numpy(), self.basis.numpy())
        return found

    def codes(self, x: np.ndarray) -> np.ndarray:
        """Codes [N, m] of images or rows, without a tape."""
        with gg.no_grad():
            return self.encode(self._input(x)).numpy()

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """Reconstructions [N, n] of images or rows, without a tape."""
        with gg.no_grad():
            return self.decode(self.encode(self._input(x))).numpy()

    def predictions(self, x):
        """The code of each example, and the squared error of its reconstruction."""
        d = self.reconstruct(x) - np.asarray(x).reshape(len(x), -1)
        return {"code": self.codes(x), "squared_error": (d * d).sum(axis=1)}

    def _input(self, x: np.ndarray):
        return gg.Tensor(self.on_device(Batch(x.reshape(len(x), -1))).x)


def build(data: DataSet, s: Settings, rng) -> LinearAutoencoder:
    """The network for a data set."""
    return LinearAutoencoder(data.train.x, s, rng)


def figures(system: LinearAutoencoder, data: DataSet, s: Settings) -> dict:
    """Angles between B's columns and PCA's; codes; the columns and reconstructions."""
    b, u, mean = (t.numpy() for t in (system.b, system.basis, system.mean))
    # sines of the principal angles: what is left of a basis of B's span outside PCA's
    q, _ = np.linalg.qr(b)
    sines = np.linalg.svd(q - u @ (u.T @ q), compute_uv=False)
    fig = pictures.figure(6.4, 3.0)
    left, right = fig.subplots(1, 2)
    pictures.heat_map(
        np.abs(u.T @ b / np.linalg.norm(b, axis=0)), "|cos| of U's and B's columns", ax=left
    )
    right.semilogy(
        np.arange(1, len(sines) + 1), np.maximum(sines, 1e-17), "o", color=pictures.ACCENT
    )
    right.axhline(1e-3, color=pictures.INK, lw=0.8, ls="--")
    right.set_title("sines of the angles between the spans", fontsize=9)
    right.set(xlabel="angle", ylim=(None, 2))
    found = {"subspace": fig, **code_pictures.of_codes(system.codes, data)}
    k = min(10, b.shape[1])
    if has_images(data):
        x = data.test.x[:12].reshape(len(data.test.x[:12]), -1)
        p = (x - mean) @ u @ u.T + mean
        sheet = as_images(np.concatenate([x, system.reconstruct(x), p]), data)
        found["reconstructions"] = pictures.image_sheet(sheet, len(x), "data / autoencoder / PCA")
        w = np.concatenate([b[:, :k].T, u[:, :k].T])
        w = 0.5 + 0.5 * w / np.abs(w).max(axis=1, keepdims=True)
        title = "columns of B / principal components: one span"
        found["filters"] = pictures.image_sheet(as_images(w, data), k, title)
    else:
        x = data.test.x[:500]
        others = {"autoencoder": system.reconstruct(x), "PCA": (x - mean) @ u @ u.T + mean}
        found["reconstructions"] = row_pictures.column_errors(x, others, data)
        w = np.concatenate([b[:, :k].T / np.linalg.norm(b[:, :k], axis=0)[:, None], u[:, :k].T])
        labels = [f"{name} {j + 1}" for name in ("B", "PCA") for j in range(k)]
        title = "columns of B, scaled to length 1, and principal components: one span"
        found["filters"] = row_pictures.matrix(w, data, title, labels)
    return found


def check(rng, **changes):
    """The objective of a small linear autoencoder as a function of A and B, for gradcheck."""
    x = rng.random((5, 4))
    s = Settings(**{"code": 2, **changes})
    system = build(DataSet("check", Split(x)), s, gg.Generator(3))

    def f(*parameters):
        return system.with_parameters(parameters).objective(Batch(x))

    return f, [p.numpy() + 0.1 * rng.standard_normal(p.shape) for p in system.parameters()]


NOTE = (
    "A and B are free, trained by gradients alone; U from the eigenvectors of the training FᵀF;"
    " descent in finite time comes near equality, and 1e-3 is what we call near"
)
EQUALITY = "0 (equality; Baldi & Hornik 1989)"
BOTH = {"published": EQUALITY, "bound": 1e-3, "own": True, "note": NOTE}

LINEAR = Recipe(
    name="linear-autoencoder",
    title="Linear autoencoder: PCA by gradient descent",
    lecture="lecture 1 (V0 202-204, 252-268)",
    rows=(8, 9, 10),
    build=build,
    prepare=prepare,
    takes=("images", "table", "binary"),
    settings=Settings,
    presets={
        "digits": {"batch": 1297, "passes": 50, "epochs": 40, "lr": 2e-2},
        "mnist": {"code": 30, "batch": 1000, "epochs": 40, "lr": 1e-2, "dtype": "float32"},
        "fashion_mnist": {"code": 30, "batch": 1000, "epochs": 40, "lr": 1e-2, "dtype": "float32"},
        "table": {"code": 2, "batch": 1000, "passes": 50, "epochs": 40, "lr": 2e-2},
        "binary": {"batch": 1000, "passes": 20, "epochs": 40, "lr": 2e-2},
    },
    metric="error_gap",
    targets=(
        Target("digits, rank 10: error above PCA's, relative", "digits", "error_gap", **BOTH),
        Target(
            "digits, rank 10: sine of the largest angle to PCA's subspace", "digits", "sine", **BOTH
        ),
    ),
    figures=figures,
    check=check,
)
RECIPES = (LINEAR,)
