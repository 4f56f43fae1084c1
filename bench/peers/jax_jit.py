"""JAX: training steps compiled whole by `jax.jit`, from the batch to Adam's update.

The models are in jax_models.py. XLA on a CPU has one pool of threads for all; its size is read from
NPROC when the library is loaded.
"""

import os

from ..job import Contender
from . import not_installed

JOBS = frozenset({"lenet", "vae", "jsb-lstm", "mlp"})
COMPILES = True


def why_not(device: str) -> str:
    """It is a peer on the CPU only; it has not been tried on a GPU yet."""
    return "JAX is measured on the CPU alone" if device == "cuda" else not_installed("jax")


def set_threads(number: int) -> None:
    """Of XLA's pool, and keep it to the CPU."""
    os.environ["NPROC"] = str(number)
    os.environ["JAX_PLATFORMS"] = "cpu"


def version(device: str) -> str:
    """Of the package."""
    import jax

    return jax.__version__


def contender(name: str, *given) -> Contender | None:
    """A contender for a training step."""
    if name not in JOBS:
        return None
    from .jax_models import step

    return step(name, *given)
