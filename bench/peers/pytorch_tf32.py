"""PyTorch's convolutions with TF32 on, as cuDNN does them by default.

Factors are rounded to 11 bits before tensor cores multiply them: the results are judged by that.
"""

from dataclasses import replace

from ..job import Contender
from . import pytorch
from .pytorch import set_threads, version

__all__ = ["JOBS", "contender", "set_threads", "version", "why_not"]
JOBS = frozenset(name for name in pytorch.JOBS if name.startswith("conv2d."))


def why_not(device: str) -> str:
    """Only tensor cores know TF32."""
    return pytorch.why_not(device) or ("" if device == "cuda" else "TF32 is for GPUs")


def contender(name: str, *given) -> Contender | None:
    """A contender for a convolution."""
    if name not in JOBS:
        return None
    plain = pytorch.contender(name, *given)
    return plain and replace(plain, call=_allowed(plain.call), precision="tf32")


def _allowed(call):
    """The call with TF32 allowed while it lasts: the other peer runs in the same process."""
    import torch

    def with_tf32():
        torch.backends.cudnn.allow_tf32 = True
        try:
            return call()
        finally:
            torch.backends.cudnn.allow_tf32 = False

    return with_tf32
