"""PyTorch, eager: its CPU kernels, or cuDNN and cuBLAS on a GPU. The one place that imports it.

Arrays are shared, not copied. Whole training steps are in pytorch_models.py.
"""

import itertools
import warnings

from ...kernels.arrays import is_cupy
from ..fused import mean_step
from ..job import Contender
from ..verify import several
from . import fastest, not_installed


def why_not(device: str) -> str:
    """Is it installed, and on a GPU built for one?"""
    reason = not_installed("torch")
    if reason or device == "cpu":
        return reason
    import torch

    return "" if torch.cuda.is_available() else "this PyTorch finds no GPU"


def set_threads(number: int) -> None:
    """Of its operations on the CPU; float32 products are of float32 numbers."""
    import torch

    torch.set_num_threads(number)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True  # the fastest of cuDNN's algorithms, tried once


def version(device: str) -> str:
    """Of the package, and of cuDNN on a GPU."""
    import torch

    cudnn = f", cuDNN {torch.backends.cudnn.version()}" if device == "cuda" else ""
    return torch.__version__ + cudnn


def tensor(array):
    """The same memory as a tensor, on its device."""
    import torch

    return torch.from_dlpack(array)


def read(result) -> tuple:
    """Tensors as NumPy arrays."""
    return tuple(r.detach().cpu().numpy() for r in several(result))


def _contender(call, **more) -> Contender:
    return Contender(call, read, **more)


# ---- kernels: the arguments of the pass ----------------------------------------------------------


def _conv_forward(x, w, stride, padding, dilation, groups):
    import torch.nn.functional as F

    x, w = tensor(x), tensor(w)
    return _contender(lambda: F.conv2d(x, w, None, stride, padding, dilation, groups))


def _conv_backward(gy, x, w, options, mask):
    import torch

    stride, padding, dilation, groups = options
    more = (stride, padding, dilation, False, (0, 0), groups, mask)
    which = mask.index(True)
    return _contender(lambda: torch.ops.aten.convolution_backward(gy, x, w, None, *more)[which])


def _conv_input_grad(gy, w, x_shape, *options):
    gy, w = tensor(gy), tensor(w)
    return _conv_backward(gy, gy.new_empty(x_shape), w, options, [True, False, False])


def _conv_weight_grad(gy, x, w_shape, *options):
    gy, x = tensor(gy), tensor(x)
    return _conv_backward(gy, x, gy.new_empty(w_shape), options, [False, True, False])


def _max_forward(x, kernel, stride, padding):
    import torch.nn.functional as F

    if not _padding_fits(kernel, padding):
        return None
    x = tensor(x)
    return _contender(lambda: F.max_pool2d(x, kernel, stride, padding, return_indices=True))


def _padding_fits(kernel, padding) -> bool:
    """PyTorch pads by half a window at most."""
    return all(2 * p <= k for p, k in zip(padding, kernel))


def _avg_forward(x, kernel, stride, padding):
    import torch.nn.functional as F

    if not _padding_fits(kernel, padding):
        return None
    x = tensor(x)
    return _contender(lambda: F.avg_pool2d(x, kernel, stride, padding))


def _avg_backward(gy, x_shape, kernel, stride, padding):
    import torch

    if not _padding_fits(kernel, padding):
        return None
    gy = tensor(gy)
    x = gy.new_empty(x_shape)
    backward = torch.ops.aten.avg_pool2d_backward
    return _contender(lambda: backward(gy, x, kernel, stride, padding, False, True, None))


def _max_gather(x, index):
    x, index = tensor(x).flatten(2), tensor(index)
    flat = index.flatten(2)
    return _contender(lambda: x.gather(2, flat).view(index.shape))


def _dropout(x, p, seed, offset):
    import torch.nn.functional as F

    x = tensor(x)
    return _contender(lambda: F.dropout(x, p, True), random=True)


def _reparam(mu, logvar, seed, offset):
    import torch

    mu, logvar = tensor(mu), tensor(logvar)

    def forward():
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return z, -0.5 * (1 + logvar - mu * mu - logvar.exp()).sum(1)

    return _contender(forward, random=True)


def _gather(w, index):
    import torch.nn.functional as F

    w, index = tensor(w), tensor(index)
    return _contender(lambda: F.embedding(index, w))


def _scatter_add(g, index, rows):
    """The derivative of its own embedding; on a GPU it sorts as ours does."""
    import torch

    g, index = tensor(g), tensor(index)
    backward = torch.ops.aten.embedding_dense_backward
    return _contender(lambda: backward(g, index, rows, -1, False))


def _spmm(indptr, indices, values, x):
    """Its product of a matrix in compressed rows: MKL on a CPU, cuSPARSE on a GPU."""
    import torch

    x, parts = tensor(x), [tensor(a) for a in (indptr, indices, values)]
    with warnings.catch_warnings(action="ignore"):  # that its sparse tensors are in beta state
        a = torch.sparse_csr_tensor(*parts, (len(indptr) - 1, len(x)))
    return _contender(lambda: a @ x)


def _spmm_values_grad(rows, indices, g, x):
    """Inner products of the picked rows."""
    rows, indices, g, x = (tensor(a) for a in (rows, indices, g, x))
    return _contender(lambda: (g[rows] * x[indices]).sum(1))


def _spmm_softmax(indptr, scores):
    """As libraries for graphs do it: the largest of each row, exponentials, their sums."""
    import torch

    indptr, z = tensor(indptr), tensor(scores)
    nothing = z.new_zeros(len(indptr) - 1)
    rows = torch.repeat_interleave(torch.arange(len(nothing), device=z.device), indptr.diff())

    def call():
        largest = nothing.scatter_reduce(0, rows, z, "amax", include_self=False)
        e = torch.exp(z - largest[rows])
        return e / nothing.index_add(0, rows, e)[rows]

    return _contender(call)


def _nearest(x, w):
    """|x - w|² by x² - 2 x w + w², a block of samples after another, and its arg-min."""
    import torch

    x, w = tensor(x), tensor(w)

    def by(rows: int):
        def call():
            squares = (w * w).sum(1)
            found = [torch.addmm(squares, part, w.T, alpha=-2).min(1) for part in x.split(rows)]
            least = torch.cat([scores for scores, _ in found]) + (x * x).sum(1)
            return torch.cat([index for _, index in found]), least

        return call

    wait = torch.cuda.synchronize if x.is_cuda else lambda: None
    return _contender(fastest([by(1 << k) for k in (11, 14, 17)], wait))


# ---- layers: mode, leaves, cotangent, and what the layer's job adds ------------------------------


def _both(mode, leaves, cotangent, layer):
    import torch

    leaves, cotangent = [tensor(a) for a in leaves], tensor(cotangent)
    if mode == "forward":

        def forward():
            with torch.no_grad():
                return layer(*leaves)

        return _contender(forward)
    inputs = [a.detach().requires_grad_() for a in leaves]

    def both():
        y = layer(*inputs)
        return [y, *torch.autograd.grad(y, inputs, cotangent)]

    return _contender(both)


def _conv_layer(mode, leaves, cotangent, stride, padding):
    import torch.nn.functional as F

    return _both(mode, leaves, cotangent, lambda x, w: F.conv2d(x, w, None, stride, padding))


def _pool_layer(mode, leaves, cotangent, kernel, stride, padding):
    import torch.nn.functional as F

    return _both(mode, leaves, cotangent, lambda x: F.max_pool2d(x, kernel, stride, padding))


def _recurrent_layer(kind: str):
    def make(mode, leaves, cotangent, names, hidden):
        import torch

        x, *values = (tensor(a) for a in leaves)
        net = getattr(torch.nn, kind)(x.shape[2], hidden).to(x.device)
        net.load_state_dict(dict(zip(names, values)))
        # the layer's own parameters, whose memory its kernels want in one piece
        own = dict(net.named_parameters())
        inputs, g = [x.detach().requires_grad_(), *(own[n] for n in names)], tensor(cotangent)
        if mode == "forward":

            def forward():
                with torch.no_grad():
                    return net(x)[0]

            return _contender(forward)

        def both():
            y = net(inputs[0])[0]
            return [y, *torch.autograd.grad(y, inputs, g)]

        return _contender(both)

    return make


def _batch_norm(mode, leaves, cotangent):
    import torch.nn.functional as F

    return _both(
        mode,
        leaves,
        cotangent,
        lambda x, gamma, beta: F.batch_norm(x, None, None, gamma, beta, training=True),
    )


def _cross_entropy(mode, leaves, cotangent, labels):
    import torch.nn.functional as F

    labels = tensor(labels)
    cotangent = tensor(cotangent).to(labels.device)
    return _both(mode, leaves, cotangent, lambda z: F.cross_entropy(z, labels))


def _attention_layer(mode, leaves, cotangent):
    import torch.nn.functional as F

    return _both(mode, leaves, cotangent, F.scaled_dot_product_attention)


def _lrn_layer(mode, leaves, cotangent):
    import torch.nn.functional as F

    return _both(
        mode, leaves, cotangent, lambda x: F.local_response_norm(x, 5, 5 * 1e-4, 0.75, 2.0)
    )


def _softmax_layer(mode, leaves, cotangent, labels):
    import torch.nn.functional as F

    labels = tensor(labels)
    cotangent = tensor(cotangent).to(labels.device)
    return _both(
        mode, leaves, cotangent, lambda x, w, b: F.cross_entropy(F.linear(x, w, b), labels)
    )


def _adam(x, g):
    import torch

    p = torch.nn.Parameter(tensor(x))
    p.grad = tensor(g)
    optimiser = torch.optim.Adam([p], lr=1e-3, fused=True)  # its default takes ten times as long

    taken = itertools.count(1)

    def step():
        optimiser.step()
        return p, next(taken)

    start = x.get() if is_cupy(x) else x.copy()
    return Contender(step, lambda got: mean_step(start, *read(got[0]), got[1]))


BUILDERS = {
    "embedding.gather": _gather,
    "embedding.scatter_add": _scatter_add,
    "spmm.forward": _spmm,
    "spmm.values_grad": _spmm_values_grad,
    "spmm.softmax": _spmm_softmax,
    "conv2d.forward": _conv_forward,
    "conv2d.input_grad": _conv_input_grad,
    "conv2d.weight_grad": _conv_weight_grad,
    "pool2d.max_forward": _max_forward,
    "pool2d.max_gather": _max_gather,
    "pool2d.avg_forward": _avg_forward,
    "pool2d.avg_backward": _avg_backward,
    "dropout.forward": _dropout,
    "reparam.forward": _reparam,
    "som.nearest": _nearest,
    "conv2d.layer": _conv_layer,
    "pool2d.layer": _pool_layer,
    "attention.layer": _attention_layer,
    "lrn.layer": _lrn_layer,
    "softmax.layer": _softmax_layer,
    "lstm.layer": _recurrent_layer("LSTM"),
    "gru.layer": _recurrent_layer("GRU"),
    "fused.dropout": lambda mode, *args: _dropout(*args),
    "fused.reparam": lambda mode, *args: _reparam(*args) if mode == "forward" else None,
    "fused.batch_norm": _batch_norm,
    "fused.cross_entropy": _cross_entropy,
    "fused.adam": _adam,
}
STEPS = frozenset({"lenet", "vae", "jsb-lstm", "mlp"})  # in pytorch_models.py
JOBS = STEPS | BUILDERS.keys()


def contender(name: str, *given) -> Contender | None:
    """A contender for a kernel, a layer or a training step."""
    if name in STEPS:
        from .pytorch_models import step

        return step(name, *given)
    return BUILDERS[name](*given) if name in BUILDERS else None
