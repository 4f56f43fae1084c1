"""Cases: the losses of core/nn/losses.py, and the functions they are made of."""

import numpy as np

from .. import functions as F
from ..arrays import placed
from ..differentiable import FUNCTIONS
from ..nn import losses
from .case import GradCase, away, normal, positive, spread

BENT = "piecewise linear: second derivative zero"
LABELS = [2, 0]
SIGNS = np.array([[1, -1, 1], [-1, -1, 1]])


def probabilities(*shapes):
    """`make` for arrays with values in [0.2, 0.8].

    >>> bool((probabilities((9,))(np.random.default_rng(0))[0] >= 0.2).all())
    True
    """
    return lambda rng: [rng.uniform(0.2, 0.8, s) for s in shapes]


def _normal_and_probabilities(rng):
    return [rng.standard_normal((2, 3)), rng.uniform(0.2, 0.8, (2, 3))]


def _normal_and_variance(rng):
    return [*normal((2, 3), (2, 3))(rng), *positive((2, 3))(rng)]


CASES = [
    GradCase("clamped_log", FUNCTIONS["clamped_log"], positive((2, 3))),
    GradCase(
        "cross_entropy itself", lambda z: FUNCTIONS["cross_entropy"](z, labels=np.array(LABELS))[0],
        normal((2, 3)), note="fused backward at order 1",
    ),
    GradCase("logit_loss", FUNCTIONS["logit_loss"], normal((2, 3), (2, 3))),
    GradCase("mse", losses.mse, normal((2, 3), (2, 3))),
    GradCase("l1", losses.l1, spread((2, 3), (2, 3)), note=BENT),
    GradCase("huber", losses.huber, lambda rng: [3 * a for a in normal((8,), (8,))(rng)],
             note="piecewise"),
    GradCase("cross_entropy", lambda z: losses.cross_entropy(z, LABELS), normal((2, 3))),
    GradCase(
        "cross_entropy rows",
        lambda z: losses.cross_entropy(z, [LABELS, [1, 2]], reduction="none"),
        normal((2, 2, 3)),
    ),
    GradCase(
        "cross_entropy transposed",
        lambda z: losses.cross_entropy(z.transpose(0, 2, 1), [LABELS, [1, 2]], reduction="none"),
        normal((2, 3, 2)), note="fused backward at order 1",
    ),
    GradCase(
        "linear_cross_entropy itself",
        lambda x, w, b: FUNCTIONS["linear_cross_entropy"](
            x, w, b, labels=placed(np.array(LABELS), x.data)
        )[0],
        normal((2, 4), (3, 4), (3,)), note="fused backward at order 1",
    ),
    GradCase(
        "linear_cross_entropy", lambda x, w: losses.linear_cross_entropy(x, w, None, LABELS),
        normal((2, 4), (3, 4)), note="fused backward at order 1",
    ),
    GradCase("nll", lambda z: losses.nll(F.log_softmax(z), LABELS), normal((2, 3))),
    GradCase("binary_cross_entropy", losses.binary_cross_entropy, probabilities((2, 3), (2, 3))),
    GradCase(
        "binary_cross_entropy_with_logits", losses.binary_cross_entropy_with_logits,
        _normal_and_probabilities,
    ),
    GradCase(
        "kl_divergence", lambda z, p: losses.kl_divergence(p, F.log_softmax(z)),
        _normal_and_probabilities,
    ),
    GradCase(
        "gaussian_nll", lambda m, y, v: losses.gaussian_nll(m, y, v, full=True),
        _normal_and_variance,
    ),
    GradCase("hinge", lambda s: losses.hinge(s, SIGNS), away((2, 3)), note=BENT),
]  # fmt: skip
