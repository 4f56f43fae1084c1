"""The bare matrix product inside a kernel: NumPy's BLAS, or cuBLAS through CuPy.

No full peer: it says how much time the rest of the kernel takes.
"""

from ...cli.machine import blas
from ...kernels.arrays import xp_of
from ..job import Contender


def why_not(device: str) -> str:
    """The array library is always there."""
    return ""


def set_threads(number: int) -> None:
    """The session has limited BLAS already."""


def version() -> str:
    """Name and version of NumPy's BLAS."""
    return blas()


def _samples_by_nodes(x, w, *others) -> Contender:
    xp = xp_of(x)
    out = xp.empty((len(x), len(w)), x.dtype)
    return Contender(lambda: xp.matmul(x, w.T, out=out), other=True)


BUILDERS = {
    "som.distances": _samples_by_nodes,
    "som.winners": _samples_by_nodes,
    "som.epoch": _samples_by_nodes,
}


def contender(name: str, *given) -> Contender | None:
    """The product of all samples and all nodes."""
    return BUILDERS[name](*given) if name in BUILDERS else None
