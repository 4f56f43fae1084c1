"""Generated tasks that share a subspace: what one task learns helps the others.

Everything is drawn from Philox, as in `synthetic`: a seed gives the same numbers on every machine,
and row i of a task does not depend on how many rows or tasks there are.
"""

import numpy as np

from .dataset import DataSet, Info, Split
from .files import DataError
from .streams import check_seed, whole_number
from .synthetic_lupi import normal_rows, shared_normal

STRIDE = 2**20  # the first row of a task is this far from that of the one before
MOST = 200  # tasks, so that all rows are below those that `shared_normal` uses


def shared_tasks(
    tasks: int = 16,
    d: int = 12,
    shared: int = 2,
    noise: float = 0.3,
    train: int = 24,
    valid: int = 24,
    test: int = 200,
    seed: int = 0,
) -> DataSet:
    """Regressions that all look at the same few directions of ℝ^d, each with its own coefficients.

        y = ⟨β_t, √2 tanh(A x)⟩ / √k + noise · ε         x ~ N(0, I_d),  ε ~ N(0, 1)

    A [k, d] has k = `shared` orthonormal rows that all tasks t = 0 .. `tasks` - 1 share,
    β_t ~ N(0, I_k). y has a variance near 1 + noise². `train`, `valid` and `test` are rows of each
    task; the first column of x is t. x is float32 [N, 1 + d], y float32 [N, 1].

    >>> d = shared_tasks(tasks=2, train=3, valid=0, test=0)
    >>> d.train.x.shape, d.train.x[:, 0].tolist()
    ((6, 13), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    """
    name = "shared_tasks"
    tasks = whole_number(name, "tasks", tasks, 1, MOST)
    d = whole_number(name, "d", d, 1, 1000)
    k = whole_number(name, "shared", shared, 1, d)
    sizes = [whole_number(name, "rows of a task", n, 0, 2**18) for n in (train, valid, test)]
    seed = check_seed(name, seed)
    if isinstance(noise, bool) or not isinstance(noise, int | float) or not 0 <= noise < 1e6:
        raise DataError(f"{name}: noise must be from 0 to 1e6; got {noise!r}")
    drawn = shared_normal(seed, k * d + MOST * k)
    directions = np.linalg.qr(drawn[: k * d].reshape(k, d).T)[0].T
    beta = drawn[k * d :].reshape(MOST, k)

    def make(first: int, size: int) -> Split:
        xs, ys = [], []
        for t in range(tasks):
            z = normal_rows(seed, t * STRIDE + first, size, d + 1)
            y = np.sqrt(2 / k) * np.tanh(z[:, :d] @ directions.T) @ beta[t] + noise * z[:, d]
            xs.append(np.concatenate([np.full((size, 1), t), z[:, :d]], axis=1))
            ys.append(y)
        return Split(
            np.concatenate(xs).astype(np.float32), np.concatenate(ys)[:, None].astype(np.float32)
        )

    starts = (0, sizes[0], sizes[0] + sizes[1])
    info = Info(
        source="generated",
        feature_names=("task", *(f"x{j}" for j in range(1, d + 1))),
        target_names=("y",),
        note=f"{tasks} tasks, {k} directions of {d}, noise {noise}, seed {seed}",
        extra={"directions": directions, "coefficients": beta[:tasks]},
        kind="table",
    )
    return DataSet(name, *(make(a, n) for a, n in zip(starts, sizes)), info)
