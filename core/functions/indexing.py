"""Picking elements, and adding them back to where they came from.

`getitem` and `scatter` are transposes of each other: the derivative of either is the other. An
element picked several times gets the sum of its gradients, added in a fixed order: the same bits
in every run, on every device.
"""

import contextlib
import threading

import numpy as np

from ...kernels import embedding as kernel
from ...kernels.annotations import Axis, DType, Shape
from ...kernels.errors import DTypeError, ShapeError, ValueRangeError, describe, expect
from ..arrays import is_array, placed, to_numpy, xp_of
from ..differentiable import differentiable, moves
from ..kinds import Like
from ..tensor import Tensor, as_tensor, values_of


def _is_basic(index) -> bool:
    """Slices, ints, None and Ellipsis pick each element at most once."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(p is None or p is Ellipsis or isinstance(p, (slice, int, np.integer)) for p in parts)


@differentiable(x=lambda g, index: _getitem(g, index), name="scatter")
def _scatter(x, /, index, shape):
    """Zeros of `shape` with x added at `index`."""
    xp, index = xp_of(x), placed(index, x)
    out = xp.zeros(shape, x.dtype)
    if _is_basic(index):
        out[index] += x
        return out
    if xp is np:
        np.add.at(out, index, x)
    elif x.dtype.kind != "f":  # whole numbers have the same sum in any order
        import cupyx

        cupyx.scatter_add(out, index, x)
    else:  # as rows of one number
        place = xp.arange(out.size).reshape(shape)[index].reshape(-1)
        out = kernel.scatter_add(x.reshape(-1, 1), place, out.size).reshape(shape)
    return out


def scatter(x: Like, index, shape: Shape) -> Tensor:
    """Zeros of `shape` with x added at `index`: the transpose of getitem.

    x must have the shape of ``zeros(shape)[index]``. Raises ShapeError if not, or if the index does
    not fit the shape.

    >>> import numpy as np, glassgrad as gg
    >>> gg.scatter(gg.tensor([1.0, 2.0, 3.0]), index=np.array([0, 0, 2]), shape=(4,))
    tensor([3., 0., 3., 0.])
    """
    x, index = as_tensor(x), _unwrapped(index)
    room = np.broadcast_to(np.zeros((), bool), shape)  # takes no memory
    try:
        picked = room[placed(index, room)].shape
    except IndexError as error:
        raise ShapeError(f"scatter: {error} {describe(x=x, shape=room.shape)}") from None
    what = "x must have the shape of what the index picks"
    expect(x.shape == picked, "scatter", what, picked, x.shape, x=x)
    return _scatter(x, index, room.shape)


@differentiable(
    x=lambda g, index, x_shape: _scatter(g, index, x_shape), name="getitem", flops=moves
)
def _getitem(x, /, index):
    """x[index]: slices, integers, None, Ellipsis, integer or boolean arrays."""
    out = x[placed(index, x)]
    return xp_of(x).asarray(out)


def _unwrapped(index):
    if isinstance(index, tuple):
        return tuple(_unwrapped(i) for i in index)
    index = values_of(index)
    return _whole(index) if isinstance(index, list) else index


def _whole(numbers) -> np.ndarray:
    """A list of indices as an array of integers; NumPy would turn an empty list into floats."""
    array = as_tensor(numbers).data
    return array if array.size else array.astype(np.int64)


def getitem(x: Like, index) -> Tensor:
    """x[index] by NumPy's rules; `x[...]` calls it.

    >>> import glassgrad as gg
    >>> x = gg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> gg.grad(x[[0, 0, 2]].sum(), x)
    tensor([2., 0., 1.])
    """
    return _getitem(x, _unwrapped(index))


_state = threading.local()


@contextlib.contextmanager
def known_targets():
    """Inside the block the range of targets is not checked: the same ones were checked before.

    The check reads two numbers back from the GPU, which is impossible while a step is captured.
    """
    before = getattr(_state, "known", False)
    _state.known = True
    try:
        yield
    finally:
        _state.known = before


def targets_are_known() -> bool:
    """Inside `known_targets`?"""
    return getattr(_state, "known", False)


def labels_as_array(labels):
    """Labels given as a tensor, an array or lists."""
    labels = values_of(labels)
    return labels if is_array(labels) else _whole(labels)


def check_labels(function: str, labels, classes: int, what: str = "labels"):
    """Integer labels in 0..classes-1 as an array, or a clear error."""
    labels = labels_as_array(labels)
    if labels.dtype.kind not in "iu":
        raise DTypeError(f"{function}: {what} must be integers; got {labels.dtype}")
    if labels.size and not targets_are_known():
        low, high = int(labels.min()), int(labels.max())
        bad = low if low < 0 else high
        expect(
            low >= 0 and high < classes,
            function,
            f"{what} must lie in the range of the {'classes' if what == 'labels' else 'rows'}",
            f"0..{classes - 1}" if classes > 0 else "no label: there are none",
            bad,
            ValueRangeError,
        )
    return labels


def check_lengths(function: str, lengths, form: str, shape: tuple, span: tuple, x):
    """Lengths int64 of that shape next to x, or an error; each lies in `span`.

    form  what the shape is, in words; span  (least, most, the name of the most)
    """
    least, most, name = span
    lengths = labels_as_array(lengths)
    expect(lengths.shape == shape, function, f"lengths must {form}", shape, lengths.shape, x=x)
    if lengths.dtype.kind not in "iu":
        raise DTypeError(f"{function}: lengths must be integers; got {lengths.dtype}")
    if lengths.size:
        low, high = int(lengths.min()), int(lengths.max())
        ok, what = low >= least and high <= most, f"lengths must lie in {least}..{name}"
        expect(ok, function, what, f"{least}..{most}", f"{low}..{high}", ValueRangeError, x=x)
    return placed(lengths, x.data).astype(np.int64, copy=False)


def one_hot(labels, classes: int, dtype: DType = "float32") -> Tensor:
    """Row i is 1 at labels[i] and 0 elsewhere, as a constant.

    >>> import glassgrad as gg
    >>> gg.one_hot([2, 0], 3)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    labels = check_labels("one_hot", labels, classes)
    xp = xp_of(labels)
    return Tensor((labels[..., None] == xp.arange(classes)).astype(dtype))


@differentiable(x=lambda g, index: _rows(g, index), name="embedding_backward")
def _add_rows(x, /, index, rows):
    """The transpose of picking rows: out[index[i]] += x[i], in a fixed order."""
    flat = _places(index, x)
    return kernel.scatter_add(x.reshape(flat.size, x.shape[-1]), flat, rows)


@differentiable(
    w=lambda g, index, w_shape: _add_rows(g, index, w_shape[0]), name="embedding", flops=moves
)
def _rows(w, /, index):
    """Rows of w by number."""
    if w.dtype.kind != "f":  # whole numbers: no derivative, no kernel
        return w[placed(index, w)]
    return kernel.gather(w, _places(index, w)).reshape(*np.shape(index), w.shape[1])


def _places(index, like):
    """The index on the device of an array, one after another."""
    return placed(index, like).reshape(-1).astype(np.int64, copy=False)


def embedding(w: Like, index) -> Tensor:
    """Row index[...] of the table w [V, D], as [..., D].

    Raises DTypeError for indices that are not integers, ValueRangeError outside 0..V-1.

    >>> import glassgrad as gg
    >>> gg.embedding(gg.tensor([[1.0, 2.0], [3.0, 4.0]]), [1, 1, 0]).shape
    (3, 2)
    """
    w = as_tensor(w)
    expect(w.ndim == 2, "embedding", "w must have two axes [V, D]", 2, w.ndim, w=w)
    return _rows(w, check_labels("embedding", index, w.shape[0], "indices"))


def take_along(x: Like, labels) -> Tensor:
    """x[..., labels[...]]: one element of the last axis for each row.

    x [..., C], labels [...] -> [...]. Raises DTypeError, ValueRangeError or ShapeError for labels
    that are not integers, outside 0..C-1 or of another shape.

    >>> import glassgrad as gg
    >>> gg.take_along(gg.tensor([[1.0, 2.0], [3.0, 4.0]]), [1, 0])
    tensor([2., 3.])
    """
    x = as_tensor(x)
    expect(x.ndim > 0, "take_along", "x must have a class axis", "≥ 1 axis", 0, x=x)
    labels = check_labels("take_along", labels, x.shape[-1])
    rows, what = x.shape[:-1], "labels must have x's leading shape"
    expect(labels.shape == rows, "take_along", what, rows, labels.shape, x=x)
    rows = np.indices(labels.shape) if labels.ndim else ()
    return _getitem(x, (*rows, labels))


def argmax(x: Like, axis: Axis | None = None) -> np.ndarray:
    """Index of the largest element along `axis` (the first on a tie), as a plain NumPy array.

    None takes all elements in order, as one axis, as NumPy does. It has no derivative. NaN counts
    as the largest. Raises ShapeError if the axis does not exist or has no element.

    >>> import glassgrad as gg
    >>> gg.argmax(gg.tensor([[1.0, 3.0, 3.0]]), axis=1)
    array([1])
    """
    x = as_tensor(x)
    shape = x.shape if axis is not None else (x.size,)
    if axis is not None:
        expect(-x.ndim <= axis < x.ndim, "argmax", "axis must exist", f"< {x.ndim}", axis, x=x)
    length = shape[axis or 0]
    expect(length > 0, "argmax", "there must be at least one element", "> 0", 0, x=x)
    return to_numpy(x.data.argmax(axis=axis))
