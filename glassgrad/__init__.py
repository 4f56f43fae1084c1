"""glassgrad: a glass-box deep-learning laboratory.

>>> import glassgrad as gg
>>> w = gg.tensor([2.0, -1.0], requires_grad=True)
>>> ((w * w).sum()).backward()
>>> w.grad
tensor([ 4., -2.])
"""

from . import checkout  # noqa: F401  # isort: skip  (finds the rooms: before the first is imported)
from . import kernels  # noqa: F401  # isort: skip  (before NumPy is loaded: kernels/threads.py)
from .core import *  # noqa: F403
from .core import __all__ as _core
from .core.hints import missing
from .kernels import GlassgradError, backend
from .saving import load, save

__version__ = "0.1.0"
__all__ = ["GlassgradError", "__version__", "backend", "load", "save", *_core]


def __getattr__(name: str):
    raise missing(__name__, name, __all__)
