"""Max-norm: no unit's incoming weights grow longer than a constant (Srebro & Shraibman 2005)."""

import numpy as np

from ...kernels.annotations import Number
from ...kernels.errors import ShapeError, ValueRangeError, expect
from ..arrays import xp_of
from ..tape import Tensors
from ..tensor import Tensor


def max_norm(weights: Tensors, limit: Number) -> None:
    """Scale the incoming weights of each unit back to the length `limit` where they are longer.

        w_o  <-  w_o min(1, c / ‖w_o‖)        for each unit o, in place

    weights [O, ...]: those of unit o are weights[o], a row of a dense layer or a kernel of a
    convolution. Call it after each step of the optimiser (Hinton et al. 2012): weights may then be
    trained at a high rate and still not explode. Shorter rows are not touched; NaN stays NaN.
    Raises ValueRangeError unless the limit is above 0, ShapeError for weights of fewer than two
    axes.

    >>> import glassgrad as gg
    >>> w = gg.tensor([[3.0, 4.0], [0.3, 0.4]], requires_grad=True)
    >>> max_norm([w], 1.0)
    >>> w.numpy().round(4).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.30000001192092896, 0.4000000059604645]]
    """
    expect(limit > 0, "max_norm", "the limit must be positive", "> 0", limit, ValueRangeError)
    weights = [weights] if isinstance(weights, Tensor) else list(weights)
    for w in weights:
        if w.ndim < 2:
            raise ShapeError(
                f"max_norm: weights must be [units, inputs, ...]; got {w.describe()}, in which no"
                " unit has weights of its own"
            )
    for w in weights:
        factor = _factors(w.data.reshape(len(w.data), -1), limit)
        if bool((factor != 1).any()):
            w.assign(w.data * factor.reshape(-1, *[1] * (w.ndim - 1)))


def _factors(rows, limit):
    """min(1, limit/‖row‖) of each row [O, I]: scaled, so that no square over- or underflows."""
    xp = xp_of(rows)
    if not rows.size:
        return xp.ones(len(rows), rows.dtype)
    top = xp.abs(rows).max(axis=1)
    top = xp.where(top == 0, xp.ones_like(top), top)
    with np.errstate(invalid="ignore"):  # inf / inf: such a row becomes NaN
        norm = xp.sqrt(xp.square(rows / top[:, None]).sum(axis=1)) * top
    long = ~(norm <= limit)  # NaN too: it must not be mistaken for a short row
    one = xp.ones_like(norm)
    return xp.where(long, rows.dtype.type(limit) / xp.where(long, norm, one), one)
