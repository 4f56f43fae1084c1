"""The differentiable functions, by subject; everything public is exported here.

Reading order: shapes, arithmetic, rounding, reductions, truth, cumulative, indexing, ordering,
repetition, linalg, contraction, activations, softmax, convolution, padding, pooling, normalisation,
dropout, latent, recurrent, attention, autoregressive, sparse.
Arguments are checked by their annotations (kernels/doors.py). The functions exported here include
that check; inside a module of this folder they call each other without it.
"""

from ...kernels.doors import check_all
from .activations import (
    elu,
    gelu,
    leaky_relu,
    log_sigmoid,
    normal_cdf,
    relu,
    sigmoid,
    silu,
    softplus,
    tanh,
)
from .arithmetic import (
    absolute,
    add,
    clip,
    cos,
    div,
    erf,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    mul,
    neg,
    power,
    sin,
    sqrt,
    sub,
    where,
)
from .attention import scaled_dot_product_attention
from .autoregressive import nade
from .contraction import einsum
from .convolution import conv1d, conv2d, conv_transpose2d
from .cumulative import cumprod, cumsum, prod
from .dropout import dropout, gaussian_noise, masking_noise
from .indexing import argmax, embedding, getitem, one_hot, scatter, take_along
from .latent import reparameterise
from .linalg import linear, matmul
from .normalisation import batch_norm, group_norm, layer_norm, local_response_norm
from .ordering import argmin, argsort, sort, topk
from .padding import pad
from .pooling import avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from .recurrent import gru, gru_step, lstm, lstm_step, rnn
from .reductions import max, mean, min, norm, sum, variance
from .repetition import repeat, roll, tile
from .rounding import ceil, floor, floor_divide, mod, round, sign
from .shapes import (
    astype,
    broadcast_to,
    concatenate,
    expand_dims,
    flatten,
    flip,
    reshape,
    split,
    squeeze,
    stack,
    sum_to,
    swap_axes,
    transpose,
)
from .softmax import log_softmax, logsumexp, softmax
from .sparse import sddmm, sparse_softmax, spmm
from .truth import all, any, isfinite, isinf, isnan

__all__ = [
    "absolute", "add", "all", "any", "argmax", "argmin", "argsort", "astype", "avg_pool1d",
    "avg_pool2d", "batch_norm", "broadcast_to", "ceil", "clip", "concatenate", "conv1d", "conv2d",
    "conv_transpose2d", "cos", "cumprod", "cumsum", "div", "dropout", "einsum", "elu", "embedding",
    "erf", "exp", "expand_dims", "expm1", "flatten", "flip", "floor", "floor_divide",
    "gaussian_noise", "gelu", "getitem", "group_norm", "gru", "gru_step", "isfinite", "isinf",
    "isnan", "layer_norm", "leaky_relu", "linear", "local_response_norm", "log", "log1p",
    "log_sigmoid", "log_softmax", "logsumexp", "lstm", "lstm_step", "masking_noise", "matmul",
    "max", "max_pool1d", "max_pool2d", "maximum", "mean", "min", "minimum", "mod", "mul", "nade",
    "neg", "norm", "normal_cdf", "one_hot", "pad", "power", "prod", "relu", "reparameterise",
    "repeat", "reshape", "rnn", "roll", "round", "scaled_dot_product_attention", "scatter", "sddmm",
    "sigmoid", "sign", "silu", "sin", "softmax", "softplus", "sort", "sparse_softmax", "split",
    "spmm", "sqrt", "squeeze", "stack", "sub", "sum", "sum_to", "swap_axes", "take_along", "tanh",
    "tile", "topk", "transpose", "variance", "where",
]  # fmt: skip
check_all(globals(), __all__)
