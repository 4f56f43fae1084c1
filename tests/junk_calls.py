"""One valid call of every public function, method and constructor: what junk.py spoils.

A name maps to a function that makes (callable, arguments, keyword arguments) for each call, so
that no call sees what another has left behind. The arguments are small, and valid: each call has to
succeed as it stands, so that one spoilt argument is reached with all others in order.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

import glassgrad as gg
from glassgrad import kernels
from glassgrad.core import data, nn, optim
from glassgrad.core.data import DataSet, Split
from glassgrad.core.data.catalogue import CATALOGUE
from glassgrad.core.nn import init, losses
from glassgrad.core.training.settings import TrainingSettings
from glassgrad.core.training.system import System
from glassgrad.kernels.descent.cases import SLOTS


def t(*shape, grad=False):
    """A tensor of floats, different from each other."""
    n = int(np.prod(shape))
    return gg.tensor(np.linspace(0.1, 0.9, n, dtype="float32").reshape(shape), requires_grad=grad)


def rng():
    return gg.Generator(1)


class Line(System):
    """The smallest thing that `fit` trains."""

    def __init__(self):
        self.layer = nn.Linear(2, 1, rng=rng())

    def objective(self, batch):
        return self.layer(gg.Tensor(batch.x)).mean()


def line():
    return DataSet("line", Split(np.ones((4, 2), "float32"), np.ones(4, "float32")))


PATTERN = gg.SparsePattern([0, 1, 2], [1, 0], 2)
SETTINGS = TrainingSettings(epochs=1, batch=4)
ONE = ("absolute", "cos", "cumsum", "erf", "exp", "expm1", "flatten", "log", "log1p", "log_sigmoid",
       "log_softmax", "logsumexp", "neg", "relu", "sigmoid", "sin", "softmax", "softplus", "sqrt",
       "tanh", "elu", "leaky_relu", "max", "mean", "min", "norm", "sum", "variance", "argmax",
       "transpose", "clip", "gelu", "silu", "normal_cdf", "prod", "cumprod", "sort", "argsort",
       "argmin", "floor", "ceil", "round", "sign", "any", "all", "isnan", "isinf",
       "isfinite")  # fmt: skip
TWO = ("add", "sub", "mul", "div", "power", "maximum", "minimum", "floor_divide", "mod")
FUNCTIONS = {
    "astype": lambda: ([t(2), "float64"], {}),
    "avg_pool1d": lambda: ([t(1, 1, 4), 2], {}),
    "avg_pool2d": lambda: ([t(1, 1, 4, 4), 2], {}),
    "batch_norm": lambda: ([t(4, 2), t(2), t(2)], {}),
    "broadcast_to": lambda: ([t(2), (3, 2)], {}),
    "concatenate": lambda: ([t(2), t(3)], {}),
    "conv1d": lambda: ([t(1, 2, 5), t(2, 2, 3), t(2)], {}),
    "conv2d": lambda: ([t(1, 2, 5, 5), t(2, 2, 3, 3), t(2)], {}),
    "conv_transpose2d": lambda: ([t(1, 2, 3, 3), t(2, 2, 2, 2), t(2)], {}),
    "dropout": lambda: ([t(3), 0.5, rng()], {}),
    "einsum": lambda: (["ij,kj->ik", t(2, 3), t(2, 3)], {}),
    "embedding": lambda: ([t(3, 2), [0, 2]], {}),
    "expand_dims": lambda: ([t(3), 0], {}),
    "flip": lambda: ([t(3), 0], {}),
    "gaussian_noise": lambda: ([t(3), 0.5, rng()], {}),
    "getitem": lambda: ([t(3), 1], {}),
    "group_norm": lambda: ([t(1, 4, 2), 2, t(4), t(4)], {}),
    "gru": lambda: ([t(2, 1, 2), t(1, 2), t(6, 2), t(6, 2), t(6), t(6)], {}),
    "gru_step": lambda: ([t(1, 6), t(1, 2), t(6, 2), t(6)], {}),
    "layer_norm": lambda: ([t(4, 2), t(2), t(2)], {}),
    "scaled_dot_product_attention": lambda: ([t(2, 3), t(4, 3), t(4, 2)], {"lengths": 2}),
    "local_response_norm": lambda: ([t(2, 4, 3)], {"size": 3, "alpha": 0.5}),
    "linear": lambda: ([t(4, 2), t(3, 2), t(3)], {}),
    "lstm": lambda: ([t(2, 1, 2), t(1, 2), t(1, 2), t(8, 2), t(8, 2), t(8)], {}),
    "lstm_step": lambda: ([t(1, 8), t(1, 2)], {}),
    "masking_noise": lambda: ([t(3), 0.5, rng()], {}),
    "matmul": lambda: ([t(2, 3), t(3, 2)], {}),
    "max_pool1d": lambda: ([t(1, 1, 4), 2], {}),
    "max_pool2d": lambda: ([t(1, 1, 4, 4), 2], {}),
    "nade": lambda: ([t(2, 3), t(3, 2), t(2), t(3, 2), t(3)], {}),
    "one_hot": lambda: ([[0, 2], 3], {}),
    "pad": lambda: ([t(3), ((1, 1),)], {}),
    "reparameterise": lambda: ([t(2, 3), t(2, 3), rng()], {}),
    "repeat": lambda: ([t(2, 3), 2, 1], {}),
    "reshape": lambda: ([t(4), (2, 2)], {}),
    "roll": lambda: ([t(2, 3), 1, 0], {}),
    "rnn": lambda: ([t(2, 1, 2), t(1, 3), t(3, 2), t(3, 3), t(3)], {}),
    "scatter": lambda: ([t(2)], {"index": np.array([0, 1]), "shape": (3,)}),
    "sddmm": lambda: ([t(2, 3), t(2, 3), PATTERN], {}),
    "sparse_softmax": lambda: ([t(2), PATTERN], {}),
    "split": lambda: ([t(4), 2], {}),
    "spmm": lambda: ([t(2), t(2, 3), PATTERN], {}),
    "squeeze": lambda: ([t(1, 3), 0], {}),
    "stack": lambda: ([[t(2), t(2)]], {}),
    "sum_to": lambda: ([t(3, 2), (2,)], {}),
    "swap_axes": lambda: ([t(3, 2), 0, 1], {}),
    "take_along": lambda: ([t(2, 3), [0, 2]], {}),
    "tile": lambda: ([t(2, 3), (2, 2)], {}),
    "topk": lambda: ([t(2, 3), 2], {}),
    "where": lambda: ([np.array([True, False]), t(2), t(2)], {}),
    **{name: lambda: ([t(2, 3)], {}) for name in ONE},
    **{name: lambda: ([t(2, 3), t(2, 3)], {}) for name in TWO},
}
ENGINE = {
    "SparsePattern": lambda: ([[0, 1, 2], [1, 0], 2], {}),
    "Generator": lambda: ([1], {}),
    "TrainingSettings": lambda: ([], {"epochs": 1, "lr": 0.1, "optimiser": "sgd"}),
    "arange": lambda: ([0, 4, 2], {}),
    "backward": lambda: ([(t(2, grad=True) * 2).sum()], {}),
    "debugging": lambda: ([0], {}),
    "eye": lambda: ([2, 3], {}),
    "fit": lambda: ([Line(), line(), SETTINGS], {}),
    "gradcheck": lambda: ([gg.tanh, np.ones(2)], {}),
    "hvp": lambda: ([lambda x: (x**3).sum(), t(2), t(2)], {}),
    "jacobian": lambda: ([gg.tanh, t(2)], {}),
    "full": lambda: ([(2,), 0.5], {}),
    "ones": lambda: ([(2,)], {}),
    "ones_like": lambda: ([t(2)], {}),
    "rand": lambda: ([(2,)], {"rng": rng()}),
    "randn": lambda: ([(2,)], {"rng": rng()}),
    "tensor": lambda: ([[1.0, 2.0]], {}),
    "zeros": lambda: ([(2,)], {}),
    "zeros_like": lambda: ([t(2)], {}),
}
METHODS = {  # of a tensor, besides those that are functions of the same name
    "argmax": [], "assign": [np.ones(4, "float32")], "astype": ["float64"], "backward": [],
    "broadcast_to": [(2, 4)], "clip": [0, 1], "detach": [], "expand_dims": [0], "flatten": [0],
    "item": None, "max": [], "mean": [], "norm": [], "numpy": [], "reshape": [2, 2],
    "squeeze": None, "sum": [], "to": ["cpu"], "transpose": [], "variance": [],
    "__add__": [1.0], "__sub__": [1.0], "__mul__": [1.0], "__truediv__": [1.0], "__pow__": [2.0],
    "__radd__": [1.0], "__rsub__": [1.0], "__rmul__": [1.0], "__rtruediv__": [1.0],
    "__rpow__": [2.0], "__lt__": [1.0], "__le__": [1.0], "__gt__": [1.0], "__ge__": [1.0],
    "__eq__": [1.0], "__ne__": [1.0], "__getitem__": [0], "__setitem__": [0, 1.0],
    "__matmul__": [t(4)], "describe": [], "all": [], "any": [], "argmin": [], "argsort": [],
    "cumprod": [], "cumsum": [], "prod": [], "repeat": [2], "round": [1], "sort": [],
    "__floordiv__": [2.0], "__rfloordiv__": [2.0], "__mod__": [2.0], "__rmod__": [2.0],
    "__divmod__": [2.0],
}  # fmt: skip
STREAM = {
    "bernoulli": [[0.5, 0.5]], "child": ["a"], "integers": [6, 4], "normal": [(2,)],
    "permutation": [4], "take": [4], "uniform": [(2,)],
}  # fmt: skip
LOSSES = {
    "binary_cross_entropy": lambda: [t(3), [0.0, 1.0, 0.5]],
    "binary_cross_entropy_with_logits": lambda: [t(3), [0.0, 1.0, 0.5]],
    "cross_entropy": lambda: [t(2, 3), [0, 2]],
    "gaussian_nll": lambda: [t(3), [0.0, 1.0, 0.5], t(3)],
    "hinge": lambda: [t(2), [1, -1]],
    "huber": lambda: [t(3), [0.0, 1.0, 0.5]],
    "kl_divergence": lambda: [[[0.5, 0.5]], t(1, 2)],
    "l1": lambda: [t(3), [0.0, 1.0, 0.5]],
    "linear_cross_entropy": lambda: [t(2, 3), t(4, 3), t(4), [0, 2]],
    "mse": lambda: [t(3), [0.0, 1.0, 0.5]],
    "nll": lambda: [t(2, 3), [0, 2]],
}
INIT = {
    "constant": lambda: ([(2, 3)], {"value": 1.0}),
    "everywhere": lambda: ([nn.Linear(2, 2, bias=False, rng=rng()), init.uniform, rng()], {}),
    "expect_sizes": lambda: (["Linear"], {"inputs": 2}),
    "fans": lambda: ([(2, 3)], {}),
    "gain": lambda: (["relu"], {}),
    "parameter": lambda: ([np.ones(2, "float32")], {}),
    "scaled": lambda: ([(2, 3), 3, rng(), "float32"], {}),
}
LAYERS = {  # constructor's arguments, the input of a call
    "AvgPool1d": ([2], lambda: t(1, 1, 4)), "MaxPool1d": ([2], lambda: t(1, 1, 4)),
    "GroupNorm": ([2, 4], lambda: t(1, 4, 2)),
    "AvgPool2d": ([2], lambda: t(1, 1, 4, 4)), "BatchNorm": ([2], lambda: t(4, 2)),
    "Conv1d": ([2, 2, 3], lambda: t(1, 2, 5)), "Conv2d": ([2, 2, 3], lambda: t(1, 2, 5, 5)),
    "ConvTranspose2d": ([2, 2, 2], lambda: t(1, 2, 3, 3)), "Dropout": ([0.5], lambda: t(3)),
    "ELU": ([1.0], lambda: t(3)), "Embedding": ([3, 2], lambda: [0, 2]),
    "Flatten": ([1], lambda: t(2, 3)), "GRU": ([2, 3], lambda: t(2, 1, 2)),
    "LSTM": ([2, 3], lambda: t(2, 1, 2)), "LayerNorm": ([2], lambda: t(4, 2)),
    "LeakyReLU": ([0.1], lambda: t(3)), "Linear": ([2, 3], lambda: t(4, 2)),
    "LocalResponseNorm": ([3, 0.5], lambda: t(1, 4, 2)),
    "MaxPool2d": ([2], lambda: t(1, 1, 4, 4)), "RNN": ([2, 3], lambda: t(2, 1, 2)),
    "GELU": (["tanh"], lambda: t(3)), "SiLU": ([], lambda: t(3)),
    "ReLU": ([], lambda: t(3)), "Sigmoid": ([], lambda: t(3)), "Softplus": ([], lambda: t(3)),
    "Tanh": ([], lambda: t(3)), "Sequential": ([nn.Tanh()], lambda: t(3)),
    "WeightNormLinear": ([2, 3], lambda: t(4, 2)),
}  # fmt: skip
RANDOM = {"Conv1d", "Conv2d", "ConvTranspose2d", "Dropout", "Embedding", "GRU", "LSTM", "Linear",
          "RNN", "WeightNormLinear"}  # fmt: skip
MODULE = {
    "astype": lambda: ["float64"], "load_state_dict": lambda: [linear().state_dict()],
    "state_dict": list, "to": lambda: ["cpu"], "train": lambda: [True],
    "with_parameters": lambda: [linear().parameters()], "parameters": list,
}  # fmt: skip
RULES = ("AdaGrad", "Adadelta", "Adam", "AdamW", "Momentum", "RMSProp", "RowAdadelta", "SGD")
SCHEDULES = {"Constant": [0.5], "Cosine": [4], "Exponential": [0.5], "Halving": [2],
             "InverseTime": [0.5], "MultiStep": [(1, 3)], "Step": [2], "WarmUp": [2],
             "ReduceOnPlateau": []}  # fmt: skip
X = np.linspace(0, 1, 6, dtype="float32").reshape(3, 2)
DATA = {
    "Split": lambda: ([X], {}), "DataSet": lambda: (["d", Split(X)], {}),
    "Vocabulary": lambda: ([("a", "b")], {}), "binarised": lambda: ([X, 1], {}),
    "Graph": lambda: ([], {"name": "g", "nodes": 3, "edges": np.array([[0, 1]])}),
    "OneShot": lambda: (["o", np.ones((2, 3, 1, 4, 4)), np.ones((2, 3, 1, 4, 4)), X.T], {}),
    "Weights": lambda: (["w", {"layer": X}], {}),
    "count": lambda: ([5, 2], {}), "describe": lambda: (["digits"], {}),
    "available": lambda: (["digits"], {}), "entry": lambda: (["digits"], {}),
    "folds": lambda: ([np.array([0, 0, 1, 1]), 2], {}),
    "join": lambda: ([[Split(X), Split(X)]], {}),
    "load": lambda: (["iris"], {}), "minibatches": lambda: ([Split(X), 2], {}),
    "names": lambda: ([], {}), "order": lambda: ([5, 1], {}),
    "pad": lambda: ([[np.arange(3), np.arange(2)]], {}),
    "three_way": lambda: ([X, None, 1, 1], {}), "tokenise": lambda: (["a b"], {}),
    "windows": lambda: ([np.arange(9), 2, 2], {}),
    "digest": lambda: ([DataSet("d", Split(X))], {}), "from_arrays": lambda: ([TEN], {}),
    "from_csv": lambda: ([own("d.csv")], {}), "from_folder": lambda: ([own("pictures")], {}),
    "from_text": lambda: ([own("d.txt")], {}), "looks_like_path": lambda: (["d.csv"], {}),
    "kind_of": lambda: ([DataSet("d", Split(X))], {}),
    "read": lambda: ([own("d.csv")], {}), "register": lambda: ([unused("junk"), own, "table"], {}),
}  # fmt: skip
TEN = np.linspace(0, 1, 20, dtype="float32").reshape(10, 2)


@cache
def own_folder() -> Path:
    """A table, a text and a folder of pictures, for the readers of a user's files."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "d.csv").write_text("1,a\n2,b\n" * 5)
    (folder / "d.txt").write_text("to be " * 50)
    (folder / "pictures").mkdir()
    for i in range(10):
        (folder / "pictures" / f"{i}.pgm").write_bytes(b"P5 2 2 255 " + bytes([i] * 4))
    return folder


def own(name: str) -> str:
    """The path of one of them."""
    return str(own_folder() / name)


def unused(name: str) -> str:
    """A name that the catalogue does not have (any more)."""
    CATALOGUE.pop(name, None)
    return name


def linear():
    return nn.Linear(2, 3, rng=rng())


def stepped(name):
    """An optimiser with a gradient to use."""
    x = t(2, grad=True)
    (x * x).sum().backward()
    return getattr(optim, name)([x])


def parameters():
    x = t(2, grad=True)
    (x * x).sum().backward()
    return [x]


def calls() -> dict:
    """name -> a function that makes (callable, arguments, keyword arguments)."""
    found = {}

    def add(name, get, make):
        found[name] = lambda: (get(), *make())

    for name, make in {**FUNCTIONS, **ENGINE}.items():
        add(f"gg.{name}", lambda name=name: getattr(gg, name), make)
    add("gg.grad", lambda: gg.grad, lambda: (_pair_of_grad(), {}))
    for name, args in METHODS.items():
        if args is None:
            continue
        shape, grad = ((), True) if name == "backward" else ((4,), False)
        add(
            f"Tensor.{name}",
            lambda name=name: getattr(gg.Tensor, name),
            lambda args=args, s=shape, g=grad: ([t(*s, grad=g), *args], {}),
        )
    for name, args in STREAM.items():
        add(
            f"Generator.{name}",
            lambda name=name: getattr(gg.Generator, name),
            lambda args=args: ([rng(), *args], {}),
        )
    for name, make in LOSSES.items():
        add(f"losses.{name}", lambda name=name: getattr(losses, name), lambda m=make: (m(), {}))
        if hasattr(gg, name):
            add(f"gg.{name}", lambda name=name: getattr(gg, name), lambda m=make: (m(), {}))
    add("gg.from_dlpack", lambda: gg.from_dlpack, lambda: ([np.ones(3, np.float32)], {}))
    add("gg.manual_seed", lambda: gg.manual_seed, lambda: ([0], {}))
    add("gg.predict", lambda: gg.predict, lambda: ([linear(), t(3, 2)], {"size": 1}))
    for name in [n for n in list(vars(init)) if _own(init, n)]:
        make = INIT.get(name, lambda: ([(3, 2), rng()], {}))
        add(f"init.{name}", lambda name=name: getattr(init, name), make)
    for name, (args, x) in LAYERS.items():
        more = (lambda: {"rng": rng()}) if name in RANDOM else dict
        kind = getattr(nn, name)
        add(f"nn.{name}", lambda kind=kind: kind, lambda a=args, m=more: ([*a], m()))
        add(f"nn.{name}()", lambda k=kind, a=args, m=more: k(*a, **m()), lambda x=x: ([x()], {}))
    for name, make in MODULE.items():
        add(
            f"Module.{name}",
            lambda name=name: getattr(nn.Module, name),
            lambda make=make: ([linear(), *make()], {}),
        )
    add("nn.mlp", lambda: nn.mlp, lambda: ([[2, 3], nn.Tanh], {"rng": rng()}))
    add("nn.detached", lambda: nn.detached, lambda: ([t(2)], {}))
    for name in RULES:
        add(f"optim.{name}", lambda name=name: getattr(optim, name), lambda: ([parameters()], {}))
        add(
            f"optim.{name}.load_state_dict",
            lambda name=name: stepped(name).load_state_dict,
            lambda name=name: ([stepped(name).state_dict()], {}),
        )
        add(f"optim.{name}.step", lambda name=name: stepped(name).step, lambda: ([], {}))
    for name, args in SCHEDULES.items():
        kind = getattr(optim, name)
        add(f"optim.{name}", lambda kind=kind: kind, lambda a=args: ([*a], {}))
        add(f"optim.{name}()", lambda k=kind, a=args: k(*a), lambda: ([1.0], {}))
    add(
        "optim.Alternating",
        lambda: optim.Alternating,
        lambda: ([0.1, {"a": optim.SGD(parameters(), lr=0.1)}], {}),
    )
    add("optim.max_norm", lambda: optim.max_norm, lambda: ([[t(3, 2, grad=True)], 1.0], {}))
    for name, args in {"clip_grad_norm": [1.0], "clip_grad_value": [1.0], "clip_weights": [1.0],
                       "grad_norm": [], "finite_gradients": []}.items():  # fmt: skip
        add(
            f"optim.{name}",
            lambda name=name: getattr(optim, name),
            lambda args=args: ([parameters(), *args], {}),
        )
    for name, make in DATA.items():
        add(f"data.{name}", lambda name=name: getattr(data, name), make)
    add("kernels.backend", lambda: kernels.backend, lambda: (["reference"], {"conv2d": 1}))
    for name, make in kernel_calls().items():
        add(f"kernels.{name}", *make)
    return found


def _pair_of_grad():
    x = t(2, grad=True)
    return [(x * x).sum(), x]


def _own(module, name):
    value = getattr(module, name)
    return not name.startswith("_") and getattr(value, "__module__", "") == module.__name__


def step(rule: str) -> list:
    """What a rule of gradient descent takes: x, g, its slots, the rate (and Adam's scale)."""
    return [np.ones(3, "float32") for _ in ("x", "g", *SLOTS[rule])] + [0.1] * (
        1 + (rule == "adam")
    )


def kernel_calls() -> dict:
    """One small case of each pass, and the functions about shapes and streams."""
    found = {}
    for op in kernels.OPERATIONS:
        family = getattr(kernels, op)
        for name in [n for n in list(vars(family)) if _own(family, n)]:
            case = next((c for c in kernels.cases(op, name) if "empty" not in c.name), None)
            if case is None or op == "descent":  # whose versions take their numbers as one struct
                continue
            args = lambda case=case: (list(case.normal()), {})  # noqa: E731
            found[f"{op}.{name}"] = (lambda f=family, n=name: getattr(f, n), args)
    by_hand = {
        ("conv2d", "output_shape"): [(1, 2, 5, 5), (2, 2, 3, 3)],
        ("pool2d", "output_shape"): [(1, 2, 4, 4), 2],
        ("philox", "blocks"): [5],
        ("philox", "bits"): [1, 0, 4],
        ("philox", "check_stream"): ["f", 1, 0, 4],
        ("philox", "uniform"): [(2,), 1, 0],
        ("philox", "normal"): [(2,), 1, 0],
        ("dropout", "threshold"): [0.5],
        ("spmm", "transpose"): [np.array([0, 1, 2]), np.array([1, 0]), 2],
        **{("descent", rule): step(rule) for rule in SLOTS},
    }
    for (op, name), args in by_hand.items():
        family = getattr(kernels, op)
        found[f"{op}.{name}"] = (lambda f=family, n=name: getattr(f, n), lambda a=args: ([*a], {}))
    return found
