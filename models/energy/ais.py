"""Partition functions: by enumeration for small models, by annealed importance sampling for large.

A model of binary units with two groups, v [n] and h [m], without connections inside a group ::

    p(v, h) = exp(vᵀWh + bᵀv + aᵀh)/Z        Z = Σ_v Σ_h exp(…)

(a restricted Boltzmann machine; also a deep one, with the layers grouped alternately into v and h).

Enumeration: ln Z = ln Σ_h exp(aᵀh + Σ_i ln(1 + e^{b_i + (Wh)_i})) over the 2^m states of the
smaller group.

AIS (Neal 2001; Salakhutdinov & Murray 2008) goes from a base model with a known Z, here independent
v with biases β₀ and m unconnected units h, to the model, with β from 0 to 1 ::

    ln p*_β(v) = ((1-β) β₀ + β b)ᵀv + Σ_j ln(1 + e^{β(a_j + (vᵀW)_j)})
    ln Z_0     = Σ_i ln(1 + e^{β₀_i}) + m ln 2
    ln w       = Σ_k ln p*_{β_{k+1}}(v_k) - ln p*_{β_k}(v_k),    v_{k+1} by a Gibbs step at β_{k+1}

The mean of w over independent chains is an unbiased estimate of Z/Z_0. Its logarithm is therefore
too low on average, and the likelihood too high. `spread` is the standard deviation of the mean of w
divided by that mean, estimated from the chains: to first order the standard deviation of ln Ẑ. It
does not include modes that no chain has found, and it cannot exceed 1, its value if one chain has
all the weight. So `effective`, the equivalent number of chains of equal weight (Σw)²/Σw² (Kong
1992), is reported too: near 1 the estimate is meaningless.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from ...core.arrays import to_numpy, xp_of
from ...kernels.errors import ShapeError, ValueRangeError, expect
from ...kernels.product import product
from .units import draw, logistic, logsumexp, softplus

MOST = 25  # units that can be enumerated: 2²⁵ states


@dataclass(frozen=True)
class Estimate:
    """ln Ẑ with its spread, the effective number of chains, and the logarithms of their weights."""

    log_z: float
    spread: float
    effective: float
    log_weights: np.ndarray = field(repr=False)

    def figures(self) -> dict[str, float]:
        """The metrics of an evaluation: log_z, log_z_spread, ais_effective."""
        found = {"log_z": self.log_z, "log_z_spread": self.spread}
        return {**found, "ais_effective": self.effective}


def estimate(log_weights, log_z0: float) -> Estimate:
    """ln Ẑ = ln Z_0 + ln mean w, std(w)/(√M · mean w), and (Σw)²/Σw².

    >>> found = estimate(np.log([1.0, 3.0]), 1.0)
    >>> round(found.log_z - 1, 4), found.spread, round(found.effective, 4)  # ln 2, √2/(√2·2), 16/10
    (0.6931, 0.5, 1.6)
    """
    log_w = np.asarray(to_numpy(log_weights), np.float64)
    w = np.exp(log_w - log_w.max())
    scatter = float(w.std(ddof=1)) if len(w) > 1 else 0.0
    spread = scatter / (float(w.mean()) * math.sqrt(len(w)))
    effective = float(w.sum() ** 2 / (w * w).sum())
    return Estimate(log_z0 + logsumexp(log_w) - math.log(len(w)), spread, effective, log_w)


def ladder(n: int) -> np.ndarray:
    """n + 1 inverse temperatures from 0 to 1: a tenth of the steps up to 0.5, half from 0.9 on.

    The corners are those of Salakhutdinov & Murray 2008, whose program has 3, 28 and 69 % of its
    steps between them.

    >>> ladder(10).round(3).tolist()
    [0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.92, 0.94, 0.96, 0.98, 1.0]
    """
    return np.interp(np.linspace(0, 1, n + 1), [0, 0.1, 0.5, 1], [0, 0.5, 0.9, 1])


def log_partition(w, b, a, rng, base=None, chains: int = 100, temperatures: int = 1000) -> Estimate:
    """ln Z of W [n, m], b [n], a [m] by AIS from independent v with biases `base` (0 if None).

    Raises ShapeError if the sizes do not fit, ValueRangeError for fewer than 1 chain or step.

    >>> import glassgrad as gg
    >>> w = np.zeros((3, 2)); b = np.ones(3); a = np.zeros(2)
    >>> round(log_partition(w, b, a, gg.Generator(0), chains=9, temperatures=9).log_z, 1)
    5.3
    >>> round(exact(w, b, a), 1)
    5.3
    """
    _expect_sizes("log_partition", w, b, a)
    for name, value in (("chains", chains), ("temperatures", temperatures)):
        expect(
            value >= 1, "log_partition", f"{name} must be positive", "≥ 1", value, ValueRangeError
        )
    xp = xp_of(w)
    base = xp.zeros_like(b) if base is None else xp.asarray(base, b.dtype)
    betas = ladder(temperatures)
    p = xp.broadcast_to(logistic(base), (chains, len(b)))
    v = draw(rng, xp.ascontiguousarray(p))
    x, h = xp.empty((chains, len(a)), w.dtype), xp.empty((chains, len(a)), w.dtype)
    log_w, wt = xp.zeros(chains, "float64"), xp.ascontiguousarray(w.T)
    for low, high in zip(betas[:-1].tolist(), betas[1:].tolist()):
        product(v, w, x)
        x += a  # inputs of h at β = 1
        # ln p*_high(v) - ln p*_low(v): the visible part, then the hidden one
        log_w += (high - low) * (v @ (b - base))
        y = x * low
        softer = softplus(y, logistic(y))
        xp.multiply(x, high, out=x)
        logistic(x, out=h)
        log_w += (softplus(x, h) - softer).sum(axis=1)
        # a Gibbs step at β = high, for the next pair
        draw(rng, h, out=h)
        product(h, wt, v)
        v *= high
        v += (1 - high) * base + high * b
        draw(rng, logistic(v, out=v), out=v)
    # the base model: independent v, and m unconnected h, each with two states
    wide = np.asarray(to_numpy(base), np.float64)
    log_z0 = float(softplus(wide, logistic(wide)).sum()) + len(a) * math.log(2)
    return estimate(log_w, log_z0)


def exact(w, b, a) -> float:
    """ln Z by enumeration of the smaller group, in float64.

    Raises ValueRangeError if both groups have more than 25 units.

    >>> round(exact(np.zeros((30, 2)), np.zeros(30), np.zeros(2)), 4)  # 2³² states: 32 ln 2
    22.1807
    """
    _expect_sizes("exact", w, b, a)
    w, b, a = (np.asarray(to_numpy(k), np.float64) for k in (w, b, a))
    if len(b) < len(a):
        w, b, a = w.T, a, b
    m = len(a)
    expect(m <= MOST, "exact", "too many units to enumerate", f"≤ {MOST}", m, ValueRangeError)
    # Split a state into a high and a low part: b + Wh adds one column of each.
    few = min(m, 10)
    low, high = states(few), states(m - few)
    x_low, x_high = w[:, :few] @ low.T, w[:, few:] @ high.T + b[:, None]
    e_low, found = low @ a[:few], np.empty(len(high))
    for k in range(len(high)):
        x = x_low + x_high[:, k, None]
        found[k] = logsumexp(e_low + _softplus_sum(x)) + high[k] @ a[few:]
    return logsumexp(found)


def states(m: int) -> np.ndarray:
    """All states of m binary units, [2^m, m], the first unit changing fastest.

    >>> states(2).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    return (np.arange(2**m)[:, None] >> np.arange(m) & 1).astype(np.float64)


def _softplus_sum(x) -> np.ndarray:
    """Σ_i ln(1 + e^{x_i}) down the columns; overwrites x.

    Σ max(x, 0) + ln Π (1 + e^{-|x|}): up to 1000 factors of at most 2 fit a float64, so one
    logarithm is enough for all of them.
    """
    total = np.maximum(x, 0).sum(axis=0)
    np.abs(x, out=x)
    np.negative(x, out=x)
    np.exp(x, out=x)
    x += 1
    for k in range(0, len(x), 1000):
        total += np.log(x[k : k + 1000].prod(axis=0))
    return total


def _expect_sizes(function: str, w, b, a) -> None:
    fits = w.ndim == 2 and b.ndim == a.ndim == 1 and w.shape == (len(b), len(a))
    got = f"w={w.shape}, b={b.shape}, a={a.shape}"
    expect(fits, function, "w must be [n, m], b [n], a [m]", "sizes that fit", got, ShapeError)
