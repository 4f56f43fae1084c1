"""The bare matrix product inside a kernel: NumPy's BLAS, or cuBLAS through CuPy.

It does the full job only for the nearest nodes, where an arg-min follows the product. Elsewhere the
difference is what the rest of the kernel takes.
"""

from ...core.machine import blas
from ...kernels.arrays import is_cupy, xp_of
from ...kernels.conv2d import output_shape
from ..job import Contender
from . import fastest


def why_not(device: str) -> str:
    """The array library is always there."""
    return ""


def set_threads(number: int) -> None:
    """The process has limited BLAS already."""


def version(device: str) -> str:
    """Name and version of NumPy's BLAS, or cuBLAS."""
    return blas() if device == "cpu" else "cuBLAS"


def _product(a, b, times: int = 1) -> Contender:
    """a b, so many times."""
    xp = xp_of(a)
    out = xp.empty((len(a), b.shape[1]), a.dtype)

    def call():
        for _ in range(times):
            xp.matmul(a, b, out=out)

    return Contender(call, other=True)


def _samples_by_nodes(x, w, *others) -> Contender:
    return _product(x, w.T)


def _nearest(x, w) -> Contender:
    """|x - w|² by x² - 2 x w + w², a block of samples after another, and its arg-min."""
    xp = xp_of(x)

    def by(rows: int):
        def call():
            squares, half = (w * w).sum(1), -2 * w.T
            found = []
            for start in range(0, len(x), rows):
                scores = x[start : start + rows] @ half
                scores += squares
                index = scores.argmin(1)
                found.append((index, xp.take_along_axis(scores, index[:, None], 1)[:, 0]))
            index, least = (xp.concatenate(parts) for parts in zip(*found))
            return index, least + (x * x).sum(1)

        return call

    wait = xp.cuda.Device().synchronize if is_cupy(x) else lambda: None
    return Contender(fastest([by(1 << k) for k in (11, 14, 17)], wait))


def _convolution(x, w, stride, padding, dilation, groups) -> Contender | None:
    """One product of as many operations, with its large factor already in memory."""
    if groups > 1:
        return None
    N, _, OH, OW = output_shape(x.shape, w.shape, stride, padding, dilation)
    rows = w.reshape(len(w), -1)
    return _product(rows, xp_of(x).ones((rows.shape[1], N * OH * OW), x.dtype))


BUILDERS = {
    "conv2d.forward": _convolution,
    "lstm.sequence_forward": lambda xa, h0, c0, wh, p: _product(h0, wh.T, len(xa)),
    "gru.sequence_forward": lambda xa, h0, wh, bh, variant: _product(h0, wh.T, len(xa)),
    "som.distances": _samples_by_nodes,
    "som.winners": _samples_by_nodes,
    "som.epoch": _samples_by_nodes,
    "som.nearest": _nearest,
}


JOBS = frozenset(BUILDERS)


def contender(name: str, *given) -> Contender | None:
    """The products that the kernel needs."""
    return BUILDERS[name](*given) if name in BUILDERS else None
