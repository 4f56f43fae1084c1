"""PyTorch's training steps with forward and backward pass through `torch.compile`, and fused Adam.

Its inductor writes C++ and needs a compiler for it; a row says so where there is none. The step
itself, Adam and clipping, stays eager, as users leave it. Compiling is not in the times, and
no memory is given, since the compiler's would be counted too.
"""

import os

from ..job import Contender
from . import pytorch
from .pytorch import STEPS as JOBS
from .pytorch import version, why_not

__all__ = ["JOBS", "contender", "set_threads", "version", "why_not"]
COMPILES = True


def set_threads(number: int) -> None:
    """Those of PyTorch; it compiles in this process, so that no helper outlives it."""
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
    pytorch.set_threads(number)


def contender(name: str, *given) -> Contender | None:
    """A contender for a training step."""
    if name not in JOBS:
        return None
    from .pytorch_models import step

    return step(name, *given, fused=True, compiled=True)
