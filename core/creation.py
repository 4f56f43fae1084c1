"""New tensors: constant, in steps, like another one, and random."""

import math

import numpy as np

from ..kernels.annotations import Count, DType, Number, Shape
from ..kernels.capacity import expect_fits
from ..kernels.errors import ValueRangeError, expect
from .random import Generator, stream
from .tensor import Tensor, as_tensor


def zeros(shape: Shape, dtype: DType = "float32", requires_grad: bool = False) -> Tensor:
    """A leaf of zeros.

    >>> import glassgrad as gg
    >>> gg.zeros((2,), "float64")
    tensor([0., 0.], dtype=float64)
    """
    return Tensor(np.zeros(shape, dtype), requires_grad)


def ones(shape: Shape, dtype: DType = "float32", requires_grad: bool = False) -> Tensor:
    """A leaf of ones.

    >>> import glassgrad as gg
    >>> gg.ones((2,), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """
    return Tensor(np.ones(shape, dtype), requires_grad)


def full(
    shape: Shape,
    value: int | Number | bool,
    dtype: DType | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A leaf of one number: by default float32 for a float, int64 for an int, booleans for one.

    Raises ValueRangeError for a number that the dtype does not hold.

    >>> import glassgrad as gg
    >>> gg.full((2,), 0.5), gg.full((2,), 7)
    (tensor([0.5, 0.5]), tensor([7, 7], dtype=int64))
    """
    if dtype is None:
        dtype = np.bool_ if isinstance(value, bool | np.bool_) else type(value)
        dtype = {float: np.float32, int: np.int64}.get(dtype, dtype)
    must, name = "value must fit the dtype", f"a number of {np.dtype(dtype).name}"
    expect(_fits(value, np.dtype(dtype)), "full", must, name, value, ValueRangeError)
    return Tensor(np.full(shape, value, dtype), requires_grad)


def _fits(value, dtype: np.dtype) -> bool:
    """Is the number one of the dtype? A float may be rounded, but not become infinite."""
    if dtype.kind == "f":
        return not math.isfinite(value) or abs(float(value)) <= float(np.finfo(dtype).max)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return math.isfinite(value) and int(value) == value and limits.min <= value <= limits.max
    return bool(value) == value


def zeros_like(x: Tensor, dtype: DType | None = None, requires_grad: bool = False) -> Tensor:
    """A leaf of zeros with x's shape and device, and its dtype unless another is given.

    >>> import glassgrad as gg
    >>> gg.zeros_like(gg.tensor([1, 2])), gg.zeros_like(gg.ones((1, 2)), "float64").dtype
    (tensor([0, 0], dtype=int64), dtype('float64'))
    """
    x = as_tensor(x)
    return Tensor(x.xp.zeros(x.shape, dtype or x.dtype), requires_grad)


def ones_like(x: Tensor, dtype: DType | None = None, requires_grad: bool = False) -> Tensor:
    """A leaf of ones with x's shape and device, and its dtype unless another is given.

    >>> import glassgrad as gg
    >>> gg.ones_like(gg.tensor([3.0, 4.0]))
    tensor([1., 1.])
    """
    x = as_tensor(x)
    return Tensor(x.xp.ones(x.shape, dtype or x.dtype), requires_grad)


def arange(
    start: float, stop: float | None = None, step: float = 1, dtype: DType | None = None
) -> Tensor:
    """start, start + step, ... below stop; of one number 0, 1, ... below it.

    int64 for integers, float32 with a float among the three. Raises ValueRangeError for a step
    of 0, MemoryLimitError for more numbers than memory holds.

    >>> import glassgrad as gg
    >>> gg.arange(3), gg.arange(1, 0, -0.5)
    (tensor([0, 1, 2], dtype=int64), tensor([1. , 0.5]))
    """
    if stop is None:
        start, stop = 0, start
    expect(step != 0, "arange", "step must not be 0", "another number", step, ValueRangeError)
    expect_fits("arange", "the result", (max(0, math.ceil((stop - start) / step)),), np.zeros(1))
    if dtype is None:
        whole = all(isinstance(v, int | np.integer) for v in (start, stop, step))
        dtype = np.int64 if whole else np.float32
    return Tensor(np.arange(start, stop, step).astype(dtype, copy=False))


def eye(
    n: Count, columns: Count | None = None, dtype: DType = "float32", requires_grad: bool = False
) -> Tensor:
    """1 on the diagonal of n rows and as many columns, unless another number is given, else 0.

    >>> import glassgrad as gg
    >>> gg.eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    result = zeros((n, n if columns is None else columns), dtype, requires_grad)
    np.fill_diagonal(result.data, 1)
    return result


def rand(
    shape: Shape,
    dtype: DType = "float32",
    requires_grad: bool = False,
    *,
    rng: Generator | None = None,
) -> Tensor:
    """A leaf of independent uniform numbers in [0, 1).

    Drawn from `rng`, or from the stream that `manual_seed` starts; on the generator's device.

    >>> import glassgrad as gg
    >>> a, b = (gg.rand((2, 3), rng=gg.Generator(1)) for _ in range(2))
    >>> bool((a == b).all())
    True
    """
    return Tensor(stream(rng).uniform(shape, dtype=dtype), requires_grad)


def randn(
    shape: Shape,
    dtype: DType = "float32",
    requires_grad: bool = False,
    *,
    rng: Generator | None = None,
) -> Tensor:
    """A leaf of independent N(0, 1) numbers.

    Drawn from `rng`, or from the stream that `manual_seed` starts; on the generator's device.

    >>> import glassgrad as gg
    >>> gg.randn((2, 3), rng=gg.Generator(1)).shape
    (2, 3)
    """
    return Tensor(stream(rng).normal(shape, dtype), requires_grad)
