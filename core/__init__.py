"""The engine: tensor and tape, differentiable functions, layers, optimisers, training, data.

Reading order: tensor, tape, differentiable, sparsity, functions/, derivatives, gradcheck, trace,
debug, nn/, optim/, training/, data/, distributed/.
"""

# ruff: noqa: F405  (names of functions/, which is imported by a star)

from ..kernels.doors import check_all
from . import functions, operators  # noqa: F401  (operators: methods of Tensor)
from .creation import arange, eye, full, ones, ones_like, rand, randn, zeros, zeros_like
from .debug import NonFiniteError, debugging
from .derivatives import hvp, jacobian
from .differentiable import FUNCTIONS, differentiable
from .functions import *  # noqa: F403
from .gradcheck import GradcheckError, GradcheckReport, gradcheck
from .interchange import from_dlpack
from .random import Generator, manual_seed
from .recording import no_grad
from .sparsity import SparsePattern
from .tape import GraphError, backward, grad
from .tensor import Tensor, TensorError, tensor
from .trace import trace

from . import data, distributed, nn, optim  # isort: skip  (they are built on all of the above)
from .nn.losses import (  # isort: skip
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge,
    huber,
    kl_divergence,
    l1,
    mse,
)
from .training.loop import fit  # isort: skip
from .training.predictor import predict  # isort: skip
from .training.settings import TrainingSettings, setting  # isort: skip
from .training.system import System  # isort: skip

# written out, as type checkers do not run code; a test compares it with what is there
__all__ = [
    "FUNCTIONS", "Generator", "GradcheckError", "GradcheckReport", "GraphError", "NonFiniteError",
    "SparsePattern", "System", "Tensor", "TensorError", "TrainingSettings", "absolute", "add",
    "all", "any", "arange", "argmax", "argmin", "argsort", "astype", "avg_pool1d", "avg_pool2d",
    "backward", "batch_norm", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "broadcast_to", "ceil", "clip", "concatenate", "conv1d", "conv2d", "conv_transpose2d", "cos",
    "cross_entropy", "cumprod", "cumsum", "data", "debugging", "differentiable",
    "distributed", "div", "dropout",
    "einsum", "elu", "embedding", "erf", "exp", "expand_dims", "expm1", "eye", "fit", "flatten",
    "flip", "floor", "floor_divide", "from_dlpack", "full", "gaussian_noise", "gelu", "getitem",
    "grad", "gradcheck", "group_norm", "gru", "gru_step", "hinge", "huber", "hvp", "isfinite",
    "isinf", "isnan", "jacobian", "kl_divergence", "l1", "layer_norm", "leaky_relu", "linear",
    "local_response_norm", "log", "log1p", "log_sigmoid", "log_softmax", "logsumexp", "lstm",
    "lstm_step", "manual_seed", "masking_noise", "matmul", "max", "max_pool1d", "max_pool2d",
    "maximum", "mean", "min", "minimum", "mod", "mse", "mul", "nade", "neg", "nn", "no_grad",
    "norm", "normal_cdf", "one_hot", "ones", "ones_like", "optim", "pad", "power", "predict",
    "prod", "rand", "randn", "relu", "reparameterise", "repeat", "reshape", "rnn", "roll", "round",
    "scaled_dot_product_attention", "scatter", "sddmm", "setting", "sigmoid", "sign", "silu", "sin",
    "softmax", "softplus", "sort", "sparse_softmax", "split", "spmm", "sqrt", "squeeze", "stack",
    "sub", "sum", "sum_to", "swap_axes", "take_along", "tanh", "tensor", "tile", "topk", "trace",
    "transpose", "variance", "where", "zeros", "zeros_like",
]  # fmt: skip
check_all(
    globals(),
    ("Generator", "SparsePattern", "arange", "backward", "debugging", "differentiable", "eye",
     "fit", "from_dlpack", "full", "grad", "gradcheck", "hvp", "jacobian", "manual_seed", "ones",
     "ones_like", "predict", "rand", "randn", "setting", "tensor", "zeros", "zeros_like"),
)  # fmt: skip
