"""glassgrad: a glass-box deep-learning laboratory.

>>> import glassgrad as gg
>>> w = gg.tensor([2.0, -1.0], requires_grad=True)
>>> ((w * w).sum()).backward()
>>> w.grad
tensor([ 4., -2.])
"""

# ruff: noqa: F405  (names of core/, which is imported by a star)

from typing import TYPE_CHECKING

from . import checkout  # noqa: F401  # isort: skip  (finds the rooms: before the first is imported)
from . import kernels  # noqa: F401  # isort: skip  (before NumPy is loaded: kernels/threads.py)
from .core import *  # noqa: F403
from .core.hints import missing
from .kernels import GlassgradError, backend
from .saving import load, save

__version__ = "0.1.0"
# written out, as type checkers do not run code; a test compares it with what is there
__all__ = [
    "FUNCTIONS", "Generator", "GlassgradError", "GradcheckError", "GradcheckReport", "GraphError",
    "NonFiniteError", "SparsePattern", "System", "Tensor", "TensorError", "TrainingSettings",
    "__version__", "absolute", "add", "all", "any", "arange", "argmax", "argmin", "argsort",
    "astype", "avg_pool1d", "avg_pool2d", "backend", "backward", "batch_norm",
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "broadcast_to", "ceil", "clip",
    "concatenate", "conv1d", "conv2d", "conv_transpose2d", "cos", "cross_entropy", "cumprod",
    "cumsum", "data", "debugging", "differentiable", "distributed", "div", "dropout",
    "einsum", "elu", "embedding",
    "erf", "exp", "expand_dims", "expm1", "eye", "fit", "flatten", "flip", "floor", "floor_divide",
    "from_dlpack", "full", "gaussian_noise", "gelu", "getitem", "grad", "gradcheck", "group_norm",
    "gru", "gru_step", "hinge", "huber", "hvp", "isfinite", "isinf", "isnan", "jacobian",
    "kl_divergence", "l1", "layer_norm", "leaky_relu", "linear", "load", "local_response_norm",
    "log", "log1p", "log_sigmoid", "log_softmax", "logsumexp", "lstm", "lstm_step", "manual_seed",
    "masking_noise", "matmul", "max", "max_pool1d", "max_pool2d", "maximum", "mean", "min",
    "minimum", "mod", "mse", "mul", "nade", "neg", "nn", "no_grad", "norm", "normal_cdf", "one_hot",
    "ones", "ones_like", "optim", "pad", "power", "predict", "prod", "rand", "randn", "relu",
    "reparameterise", "repeat", "reshape", "rnn", "roll", "round", "save",
    "scaled_dot_product_attention", "scatter", "sddmm", "setting", "sigmoid", "sign", "silu", "sin",
    "softmax", "softplus", "sort", "sparse_softmax", "split", "spmm", "sqrt", "squeeze", "stack",
    "sub", "sum", "sum_to", "swap_axes", "take_along", "tanh", "tensor", "tile", "topk", "trace",
    "transpose", "variance", "where", "zeros", "zeros_like",
]  # fmt: skip


if not TYPE_CHECKING:  # else checkers would take every name for one that is there

    def __getattr__(name: str):
        raise missing(__name__, name, __all__)
