"""`Tensor`: one array, and its place on the tape.

Operators and methods that compute are installed by `operators.py` from the differentiable
functions, so that each is written only once.
"""

import numpy as np

from ..kernels.annotations import BOOL, DType
from ..kernels.doors import read
from ..kernels.errors import DTypeError, GlassgradError, ShapeError
from .arrays import FLOATS, device_of, is_array, module_for, plain, to_device, to_numpy, xp_of
from .recording import grad_enabled
from .typed import Methods

_NUMBERS = frozenset({bool, int, float})
HELD = frozenset("fd?bBhHiIlLqQ")  # dtypes of tensors, by NumPy's letters


class TensorError(GlassgradError, TypeError):
    """A tensor was used in a way that would lose or corrupt its gradient."""


class Tensor(Methods):
    """One NumPy or CuPy array that may be tracked by the tape.

    A *leaf* is made by the user; with ``requires_grad=True`` gradients flow to it and `backward`
    leaves them in `.grad`. Any other tracked tensor is output `index` of the call `node`.

    >>> import glassgrad as gg
    >>> w = gg.tensor([[1.0, -2.0]], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> w.grad
    tensor([[ 2., -4.]])
    """

    __slots__ = (
        "__weakref__", "_derived", "_leaf_requires_grad", "changes", "data", "grad", "index", "node"
    )  # fmt: skip
    __array_ufunc__ = None  # let `array * tensor` call Tensor.__rmul__

    def __init__(
        self, data, requires_grad: bool = False, *, node=None, index: int = 0, derived: bool = False
    ):
        data = plain(data) if is_array(data) else array_of("Tensor", data)
        if data.dtype.char not in HELD:
            raise DTypeError(
                f"Tensor: float32, float64, integers or booleans expected, got {data.dtype};"
                " convert with .astype('float32')"
            )
        if not data.dtype.isnative:  # kernels read the native byte order
            data = data.astype(data.dtype.newbyteorder("="))
        if requires_grad and data.dtype not in FLOATS:
            raise DTypeError(
                f"Tensor: only float32 and float64 can require gradients, not {data.dtype}"
            )
        self.data = data
        self._leaf_requires_grad = requires_grad is not False and _flag(requires_grad)
        self.node, self.index = node, index
        self._derived = derived  # result of a call on tracked tensors that was not recorded
        self.grad = None
        self.changes = [0]  # how often `data` was changed in place; views share the counter

    # ------------------------------------------------------------- what it is

    @property
    def shape(self) -> tuple[int, ...]:
        """Its lengths, one per axis."""
        return self.data.shape

    @property
    def dtype(self):
        """NumPy's dtype of its values."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.data.size

    @property
    def device(self) -> str:
        """``"cpu"`` or ``"cuda"``."""
        return device_of(self.data)

    @property
    def xp(self):
        """The module of its array: `numpy` or `cupy`."""
        return xp_of(self.data)

    @property
    def requires_grad(self) -> bool:
        """True if it is tracked, as a leaf or as the result of a recorded call."""
        return self.node is not None or self._leaf_requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool):
        if self.node is not None:
            raise TensorError(
                f"requires_grad: {self.describe()} is the result of {self.node.function.name},"
                " not a leaf; use .detach() for a constant copy"
            )
        value = _flag(value)
        if value and self.data.dtype not in FLOATS:
            raise DTypeError(f"requires_grad: {self.describe()} is not a float tensor")
        self._leaf_requires_grad = value

    @property
    def computed(self) -> bool:
        """True for the result of a call on tracked tensors, recorded or not (under `no_grad`)."""
        return self.node is not None or (self._derived and not self._leaf_requires_grad)

    @property
    def edge(self):
        """How a node refers to it: itself if a leaf, (node, index), or None when untracked."""
        if self.node is not None:
            return (self.node, self.index)
        return self if self._leaf_requires_grad else None

    @property
    def version(self) -> int:
        """How often its values were changed in place, through it or through a view."""
        return self.changes[0]

    @version.setter
    def version(self, value: int):
        self.changes[0] = value

    def describe(self) -> str:
        """Shape and dtype, for messages."""
        return f"(shape {self.shape}, {self.dtype})"

    # ------------------------------------------------------- values going out

    def numpy(self) -> np.ndarray:
        """Its values as a NumPy array (shared memory on the CPU, a copy from the GPU)."""
        return to_numpy(self.data)

    def item(self) -> float:
        """The value of a one-element tensor as a Python number."""
        if self.size != 1:
            raise TensorError(
                f"item: expected one element, got {self.size} {self.describe()};"
                " reduce with .sum() or .mean(), or take .numpy()"
            )
        return self.data.item()

    def detach(self) -> "Tensor":
        """The same values as a constant: gradients stop here.

        The array is shared: a later `assign` to this leaf changes the constant as well.

        >>> import glassgrad as gg
        >>> x = gg.tensor([2.0], requires_grad=True)
        >>> gg.grad((x * x.detach()).sum(), x)
        tensor([2.])
        """
        constant = Tensor(self.data)
        constant.changes = self.changes
        return constant

    def to(self, device: str) -> "Tensor":
        """A leaf with the same values on ``"cpu"`` or ``"cuda"`` (itself if already there)."""
        module_for(device)
        if self.device == device:
            return self
        if self.node is not None:
            raise TensorError("to: move leaves only; a tracked result is where its inputs were")
        return Tensor(to_device(self.data, device), self._leaf_requires_grad)

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __bool__(self):
        return bool(self.item())

    def __len__(self):
        if self.ndim == 0:
            raise TensorError("len: a scalar tensor has no length")
        return self.shape[0]

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype=None, copy=None):
        if self.requires_grad:
            raise TensorError(
                "a tracked tensor is not converted to an array implicitly: its gradient would be"
                " lost; take .numpy(), or .detach() first"
            )
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __repr__(self):
        text = np.array2string(self.numpy(), separator=", ", prefix="tensor(", threshold=200)
        extra = "" if self.dtype == np.float32 else f", dtype={self.dtype}"
        if self.device == "cuda":
            extra += ", device=cuda"
        if self.node is not None:
            extra += f", from {self.node.function.name}"
        elif self._leaf_requires_grad:
            extra += ", requires_grad=True"
        return f"tensor({text}{extra})"

    # -------------------------------------------------------- values going in

    def __setitem__(self, index, value):
        if self.requires_grad:
            raise TensorError(
                f"assignment into a tracked tensor {self.describe()} would corrupt its gradient;"
                " build a new one with where(), concatenate() or a product with a mask, or change"
                " a leaf between steps with .assign(...)"
            )
        value = numbers_of("assignment", _untracked("assignment", value))
        try:
            self.data[index] = value
        except (IndexError, ValueError, TypeError) as error:
            raise ShapeError(f"assignment: {error} {self.describe()}") from error
        self.version += 1

    def assign(self, values) -> None:
        """Overwrite a leaf's values in place.

        Calls recorded before can then no longer be differentiated.

        Raises TensorError if `values` is a tracked tensor, whose gradient would be lost: assign its
        `.detach()`, or work under `no_grad()`.
        """
        if self.node is not None:
            raise TensorError(f"assign: {self.describe()} is not a leaf")
        values = self.xp.asarray(numbers_of("assign", _untracked("assign", values)))
        if values.shape != self.shape:
            raise TensorError(f"assign: expected shape {self.shape}, got {values.shape}")
        self.data[...] = values
        self.version += 1


def _flag(value) -> bool:
    """`requires_grad` as a bool."""
    return value if value is True else bool(read("Tensor", "requires_grad", value, BOOL))


def tensor(
    values, dtype: DType | None = None, requires_grad: bool = False, device: str = "cpu"
) -> Tensor:
    """A leaf tensor with its own copy of `values`; Python floats become float32.

    >>> import glassgrad as gg
    >>> gg.tensor([1, 2, 3]).dtype, gg.tensor([1.0]).dtype
    (dtype('int64'), dtype('float32'))
    """
    if isinstance(values, Tensor):
        values = values.data
    keeps = is_array(values) or isinstance(values, np.generic)
    array = to_numpy(plain(values)) if keeps else array_of("tensor", values)
    if dtype is None:
        dtype = np.float32 if array.dtype == np.float64 and not keeps else array.dtype
    array = np.array(array, dtype=dtype)
    if array.dtype.kind not in "fiub":
        raise DTypeError(f"tensor: cannot hold dtype {array.dtype}")
    if array.dtype.kind == "f" and array.dtype not in (np.float32, np.float64):
        raise DTypeError(f"tensor: float32 or float64 expected, got {array.dtype}")
    return Tensor(to_device(array, device), requires_grad)


def as_tensor(value) -> Tensor:
    """The value as a tensor: a tensor itself, an array, a number or nested lists of numbers.

    >>> as_tensor([[1.0, 2.0]]).shape
    (1, 2)
    """
    if isinstance(value, Tensor):
        return value
    return Tensor(value) if is_array(value) else tensor(value)


def array_of(function: str, values):
    """Numbers and lists of them as an array; ragged lists and other objects raise our own error."""
    if isinstance(values, (list, tuple)):
        values = _plain_parts(values)
    try:
        array = np.asarray(values)
    except GlassgradError:
        raise
    except Exception as error:  # from ragged lists, or raised by the object itself
        raise ShapeError(
            f"{function}: nested lists must have equal lengths; expected a box of numbers, got"
            f" {_uneven(values) or error}"
        ) from error
    if array.dtype == object:
        raise DTypeError(f"{function}: cannot make an array of {type(values).__name__}")
    return array


def _plain_parts(values):
    """Nested lists with every array in them made plain: NumPy would silently drop a mask."""
    if _NUMBERS.issuperset(map(type, values)):
        return values
    return [_plain_parts(v) if isinstance(v, (list, tuple)) else plain(v) for v in values]


def _uneven(values, at: str = "") -> str:
    """Where nested lists differ in length: ``[1] with 3 elements next to [0] with 2``.

    >>> _uneven([[1, 2], [3, 4, 5]])
    '[1] with 3 elements next to [0] with 2'
    """
    if not isinstance(values, (list, tuple)):
        return ""
    lengths = [len(v) if isinstance(v, (list, tuple)) else None for v in values]
    for i, n in enumerate(lengths):
        if n != lengths[0]:
            shown = ["a number" if k is None else f"{k} elements" for k in (n, lengths[0])]
            first = shown[1].removesuffix(" elements") if n is not None else shown[1]
            return f"{at}[{i}] with {shown[0]} next to {at}[0] with {first}"
    found = (_uneven(v, f"{at}[{i}]") for i, v in enumerate(values))
    return next(filter(None, found), "")


def numbers_of(function: str, values, like=None):
    """`array_of` for values that must be numbers, with the dtype and device of the array `like`."""
    array = values if is_array(values) else array_of(function, values)
    if array.dtype.char not in HELD:
        raise DTypeError(f"{function}: expected numbers, got {array.dtype} {type(values).__name__}")
    if like is None:
        return array
    try:
        return xp_of(like).asarray(array, dtype=like.dtype)
    except OverflowError as error:
        raise DTypeError(f"{function}: {error}") from error


def _untracked(function: str, value):
    """The values to write in place; an error for a tracked tensor, whose gradient would be lost."""
    if not isinstance(value, Tensor):
        return plain(value)
    if value.requires_grad and grad_enabled():
        raise TensorError(
            f"{function}: the gradient of the tracked value {value.describe()} would be lost;"
            " build a new tensor with stack(), concatenate() or where(), or write its .detach()"
        )
    return value.data


def values_of(x):
    """The array (or Python number) behind a tensor; subclasses of NumPy's arrays become plain."""
    return x.data if isinstance(x, Tensor) else plain(x)
