"""What `reduction` means in every loss."""

from ...kernels.checks import choice
from ...kernels.errors import ShapeError
from ..tensor import Tensor


def reduced(values: Tensor, function: str, reduction: str) -> Tensor:
    """The losses as `reduction` says: their mean, their sum, or as they are."""
    choice(function, "reduction", reduction, ("mean", "sum", "none"))
    if reduction == "none":
        return values
    if values.size == 0:
        raise ShapeError(f"{function}: the batch is empty, it has no {reduction} {values.shape}")
    return values.mean() if reduction == "mean" else values.sum()
