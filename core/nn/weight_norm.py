"""Weight normalisation: the length of a weight vector apart from its direction."""

import numpy as np

from ...kernels.annotations import DType
from ...kernels.checks import within
from ...kernels.errors import expect
from ..arrays import xp_of
from ..functions.linalg import linear  # unchecked: `forward` checks its arguments
from ..functions.reductions import norm
from ..functions.shapes import reshape
from ..random import Generator
from ..tensor import Tensor
from .init import expect_sizes, normal, parameter
from .module import Module


class WeightNormLinear(Module):
    """y = x Wᵀ + b with W_o = g_o v_o/‖v_o‖ for each output o (Salimans & Kingma 2016).

    x [..., I]; weight_v [O, I], weight_g [O, 1] and bias [O], as PyTorch's `weight_norm` names and
    shapes them. The gradient of v is orthogonal to v, so v only grows, and the more it has grown
    the less a step turns it: the layer finds its own learning rate, and, unlike with batch
    normalisation, no sample depends on the others of its batch.

    It starts from v ~ N(0, std²), W = v and b = 0; `adapt` sets g and b by data instead. With
    ``trained_scale=False`` g is a buffer, which no optimiser changes. Raises ValueRangeError for
    std ≤ 0.

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> layer = nn.WeightNormLinear(3, 2, rng=gg.Generator(0))
    >>> layer(gg.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        std: float = 0.05,
        trained_scale: bool = True,
        *,
        rng: Generator | None = None,
        dtype: DType = "float32",
    ):
        expect_sizes("WeightNormLinear", inputs=inputs, outputs=outputs)
        within("WeightNormLinear", "std", std, above=0)
        v = normal((outputs, inputs), rng, std=std, dtype=dtype)
        g = np.linalg.norm(v, axis=1, keepdims=True)
        self.weight_g = parameter(g) if trained_scale else Tensor(g)
        self.weight_v = parameter(v)
        self.bias = parameter(np.zeros(outputs, dtype))

    def forward(self, x: Tensor) -> Tensor:
        """x [..., I] -> [..., O]; g/‖v‖ multiplies the outputs, which are fewer than weights."""
        return self._scaled(x) + self.bias

    def _scaled(self, x):
        scale = self.weight_g / norm(self.weight_v, axis=1, keepdims=True)
        return linear(x, self.weight_v, None) * reshape(scale, (len(self.bias),))

    def adapt(self, x: Tensor) -> Tensor:
        """Set g and b so that each output has the mean 0 and the variance 1 over x [N, I].

        Returns these outputs [N, O]. The initial values of Salimans & Kingma, section 3: with
        t = x v/‖v‖ they are g = 1/σ(t) and b = -μ(t)/σ(t). An output that is constant keeps its g,
        and gets the mean 0.
        """
        expect(x.ndim == 2 and len(x) > 1, "adapt", "x must be [N, I], N > 1", "[N, I]", x.shape)
        y = self._scaled(x).data
        xp, mean, spread = xp_of(y), y.mean(axis=0), y.std(axis=0)
        spread = xp.where(spread > 1e-6 * (1 + abs(mean)), spread, 1).astype(y.dtype)
        self.weight_g.assign(self.weight_g.data / spread[:, None])
        self.bias.assign(-mean / spread)
        return self(x)

    def extra(self):
        """Inputs and outputs."""
        outputs, inputs = self.weight_v.shape
        return f"{inputs} -> {outputs}" + ("" if self.weight_g.requires_grad else ", fixed scale")
