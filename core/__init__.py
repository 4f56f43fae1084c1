"""The engine: tensor and tape, differentiable functions, layers, optimisers, training, data.

Reading order: tensor, tape, differentiable, sparsity, functions/, derivatives, gradcheck, trace,
debug, nn/, optim/, training/, data/, distributed/.
"""

from ..kernels.doors import check_all
from . import functions
from .debug import NonFiniteError, debugging
from .derivatives import hvp, jacobian
from .differentiable import FUNCTIONS, differentiable
from .functions import *  # noqa: F403
from .gradcheck import GradcheckError, GradcheckReport, gradcheck
from .interchange import from_dlpack
from .operators import ones, zeros
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

__all__ = [
    "FUNCTIONS", "Generator", "GradcheckError", "GradcheckReport", "GraphError", "NonFiniteError",
    "SparsePattern", "System", "Tensor", "TensorError", "TrainingSettings", "backward",
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "data",
    "debugging", "differentiable", "distributed", "fit", "from_dlpack", "grad", "gradcheck",
    "hinge", "huber", "hvp", "jacobian", "kl_divergence", "l1", "manual_seed", "mse", "nn",
    "no_grad", "ones", "optim", "predict", "setting", "tensor", "trace", "zeros",
    *functions.__all__,
]  # fmt: skip
check_all(
    globals(),
    ("Generator", "SparsePattern", "backward", "debugging", "differentiable", "fit", "from_dlpack",
     "grad", "gradcheck", "hvp", "jacobian", "manual_seed", "ones", "predict", "setting",
     "tensor", "zeros"),
)  # fmt: skip
