"""Where people look for a name, and what it is called here."""

from types import ModuleType

from ..kernels.errors import nearest

# names of PyTorch's and NumPy's -> what does it here
LOSSES = {
    "CrossEntropyLoss": "gg.cross_entropy(logits, labels)",
    "NLLLoss": "gg.nn.losses.nll(log_probabilities, labels)",
    "MSELoss": "gg.mse(x, y)",
    "L1Loss": "gg.l1(x, y)",
    "HuberLoss": "gg.huber(x, y)",
    "SmoothL1Loss": "gg.huber(x, y)",
    "BCELoss": "gg.binary_cross_entropy(p, y)",
    "BCEWithLogitsLoss": "gg.binary_cross_entropy_with_logits(z, y)",
    "KLDivLoss": "gg.kl_divergence(p, log_q)",
    "HingeEmbeddingLoss": "gg.hinge(scores, y)",
    "mse_loss": "gg.mse(x, y)",
    "l1_loss": "gg.l1(x, y)",
    "nll_loss": "gg.nn.losses.nll(log_probabilities, labels)",
    "smooth_l1_loss": "gg.huber(x, y)",
    "kl_div": "gg.kl_divergence(p, log_q)",
}
HINTS = LOSSES | {
    "functional": "the functions are in glassgrad itself, such as gg.relu",
    "F": "the functions are in glassgrad itself, such as gg.relu",
    "Parameter": "a tensor that requires gradients: gg.tensor(values, requires_grad=True)",
    "InstanceNorm1d": "gg.nn.GroupNorm(channels, channels)",
    "InstanceNorm2d": "gg.nn.GroupNorm(channels, channels)",
    "BatchNorm1d": "gg.nn.BatchNorm(channels)",
    "BatchNorm2d": "gg.nn.BatchNorm(channels)",
    "Dropout2d": "gg.nn.Dropout(p)",
    "ModuleList": "a list: its modules are found inside it",
    "ModuleDict": "a dictionary: its modules are found inside it",
    "Adam": "gg.optim.Adam(parameters, lr)",
    "SGD": "gg.optim.SGD(parameters, lr)",
    "random": "gg.Generator(seed), such as gg.Generator(0).normal((2, 3))",
    "from_numpy": "gg.from_dlpack(array) shares memory, gg.tensor(array) copies",
    "as_tensor": "gg.tensor(values)",
    "std": "gg.sqrt(gg.variance(x))",
    "numel": "x.size",
    "ravel": "x.flatten(0)",
    "full_like": "gg.full(x.shape, value, x.dtype)",
    "empty_like": "gg.zeros_like(x)",
    "array": "gg.tensor(values)",
    "cat": "gg.concatenate(tensors)",
    "permute": "gg.transpose(x, axes)",
    "clamp": "gg.clip(x, low, high)",
    "chunk": "gg.split(x, pieces, axis)",
    "empty": "gg.zeros(shape)",
    "linspace": "gg.tensor(numpy.linspace(start, stop, n))",
    "sgn": "gg.sign(x)",
    "view": "gg.reshape(x, shape)",
    "unsqueeze": "gg.expand_dims(x, axis)",
    "var": "gg.variance(x)",
    "remainder": "gg.mod(x, y)",
    "swish": "gg.silu(x)",
    "repeat_interleave": "gg.repeat(x, repeats, axis)",
    "enable_grad": "gradients are on; gg.no_grad() turns them off",
    "autograd": "gg.grad(y, x) and y.backward()",
    "utils": "gg.optim.clip_grad_norm(parameters, most), and gg.data for batches",
}


def missing(module: ModuleType | str, name: str, known) -> AttributeError:
    """The error for a name that a module does not have, with where it is to be found.

    >>> print(missing("glassgrad", "cat", []))
    module 'glassgrad' has no attribute 'cat': gg.concatenate(tensors)
    """
    hint = f": {HINTS[name]}" if name in HINTS else nearest(name, known)
    return AttributeError(f"module {module!r} has no attribute {name!r}{hint}")
