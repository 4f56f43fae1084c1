"""PyTorch's training steps with its fused Adam, which has to be asked for.

By default `torch.optim.Adam` walks over the parameters one operation at a time; `fused=True`
updates each in one pass. Small networks, whose steps are mostly overhead, gain much by it.
"""

from ..job import Contender
from .pytorch import STEPS as JOBS
from .pytorch import set_threads, version, why_not

__all__ = ["JOBS", "contender", "set_threads", "version", "why_not"]


def contender(name: str, *given) -> Contender | None:
    """A contender for a training step."""
    if name not in JOBS:
        return None
    from .pytorch_models import step

    return step(name, *given, fused=True)
