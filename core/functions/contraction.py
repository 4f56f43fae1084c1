"""Sums of products by the letters of their axes: `einsum`, made of transposes and matrix products.

Two operands are contracted at a time, from left to right. A letter that nobody needs any more is
summed at once. What is left falls into four groups, and is one batched matrix product:

    letter is in   first   second   needed later
    batch            ×       ×          ×           [batch, rows, inner] @ [batch, inner, columns]
    inner            ×       ×                          -> [batch, rows, columns]
    rows             ×                  ×
    columns                  ×          ×
"""

import math
import string

from ...kernels.errors import ArgumentError, ShapeError, ValueRangeError, expect
from ..arrays import xp_of
from ..kinds import Like
from ..tensor import Tensor, as_tensor
from .indexing import _getitem
from .linalg import matmul
from .reductions import sum as total
from .shapes import reshape, transpose

LETTERS = string.ascii_letters


def einsum(subscripts: str, *tensors: Like) -> Tensor:
    """The sum of products that the letters say: ``einsum("bij,bjk->bik", x, y)``.

    Each operand has a letter for each of its axes; axes of one letter have one length. A letter
    that is not on the right of the arrow is summed over. Without an arrow the result has the
    letters that occur once, in alphabetical order. A letter twice in one operand takes its
    diagonal. Three dots stand for the axes in front, which broadcast. Operands are multiplied from
    left to right.

    Raises ValueRangeError for letters that make no sense, ShapeError for lengths that differ,
    ArgumentError for another number of operands.

    >>> import glassgrad as gg
    >>> x, y = gg.ones((2, 3)), gg.ones((3, 4))
    >>> gg.einsum("ij,jk->ik", x, y).shape, gg.einsum("ij->j", x), gg.einsum("ij,ij", x, x)
    ((2, 4), tensor([2., 2., 2.]), tensor(6.))
    """
    tensors = tuple(map(as_tensor, tensors))
    shapes = [t.shape for t in tensors]
    operands, result, dots = _parsed(subscripts, shapes)
    lengths = _lengths(operands, shapes, dots)
    parts = []
    for letters, t in zip(operands, tensors):
        letters, t = _diagonal(letters, t)
        gone = [a for a, k in enumerate(letters) if t.shape[a] != lengths[k]]
        if gone:  # the dots' axes of length 1: repeated, which a product does by itself
            t = reshape(t, tuple(n for a, n in enumerate(t.shape) if a not in gone))
            letters = "".join(k for a, k in enumerate(letters) if a not in gone)
        parts.append((letters, t))
    letters, t = parts[0]
    for i, (more, other) in enumerate(parts[1:], 2):
        later = {*result, *(k for rest, _ in parts[i:] for k in rest)}
        letters, t = _product(letters, t, more, other, later)
    letters, t = _summed(letters, t, set(result))
    return transpose(t, tuple(letters.index(k) for k in result)) if result else t


def _parsed(subscripts: str, shapes: list) -> tuple[list[str], str, str]:
    """The letters of each operand and of the result; and those that stand for the dots."""
    text = subscripts.replace(" ", "")
    left, arrow, result = text.partition("->")
    operands = left.split(",")
    one_for_each = "there must be letters for each operand"
    expect(len(operands) == len(shapes), "einsum", one_for_each, len(operands), len(shapes),
           ArgumentError)  # fmt: skip
    widest = 0
    for letters, shape in zip(operands, shapes):
        plain = _plain(letters, subscripts)
        dots = len(shape) - len(plain)
        if dots < 0 or (dots and "..." not in letters):
            raise ShapeError(
                f"einsum: {letters!r} must have a letter for each axis; expected {len(shape)}, got"
                f" {len(plain)}"
            )
        widest = max(widest, dots)
    free = [k for k in LETTERS if k not in text]
    expect(len(free) >= widest, "einsum", "axes must be fewer", len(LETTERS), widest)
    own = "".join(free[:widest])
    spelled = []
    for letters, shape in zip(operands, shapes):
        dots = len(shape) - len(letters.replace("...", ""))
        spelled.append(letters.replace("...", own[widest - dots :] if dots else ""))
    if not arrow:
        once = sorted(k for k in set(left) & set(LETTERS) if left.count(k) == 1)
        return spelled, own + "".join(once), own
    plain = _plain(result, subscripts)
    for k in plain:
        if k not in left or plain.count(k) > 1:
            why = "is in no operand" if k not in left else "is twice on the right of the arrow"
            raise ValueRangeError(f"einsum: {k!r} in {subscripts!r} {why}")
    if "..." not in result and widest:
        raise ValueRangeError(
            f"einsum: the dots of {subscripts!r} must be on the right of the arrow, too"
        )
    return spelled, result.replace("...", own), own


def _plain(letters: str, subscripts: str) -> str:
    """The letters without the dots, checked."""
    plain = letters.replace("...", "", 1)
    for k in plain:
        if k not in LETTERS:
            raise ValueRangeError(f"einsum: {k!r} in {subscripts!r} is not a letter")
    return plain


def _lengths(operands: list[str], shapes: list, dots: str) -> dict[str, int]:
    """The length of each letter; only an axis of the dots may have length 1 instead."""
    found: dict[str, int] = {}
    for letters, shape in zip(operands, shapes):
        for k, n in zip(letters, shape):
            m = found.setdefault(k, n)
            if k in dots and m == 1:
                found[k] = n
            elif n != m and not (k in dots and n == 1):
                raise ShapeError(
                    f"einsum: axes of one letter must have one length; expected {m}, got {n} for"
                    f" {k!r} of {' and '.join(map(str, shapes))}"
                )
    return found


def _diagonal(letters: str, t: Tensor) -> tuple[str, Tensor]:
    """Letters that occur twice, once: elements whose places along these axes are equal."""
    for k in dict.fromkeys(letters):
        axes = [a for a, letter in enumerate(letters) if letter == k]
        if len(axes) < 2:
            continue
        lengths = {t.shape[a] for a in axes}
        expect(len(lengths) == 1, "einsum", f"a diagonal of {k!r} needs one length", min(lengths),
               max(lengths), x=t)  # fmt: skip
        rest = [a for a in range(t.ndim) if a not in axes]
        places = xp_of(t.data).arange(lengths.pop())
        t = _getitem(transpose(t, (*axes, *rest)), (places,) * len(axes))
        letters = k + "".join(letters[a] for a in rest)
    return letters, t


def _summed(letters: str, t: Tensor, wanted: set) -> tuple[str, Tensor]:
    """Sum over the letters that are not needed."""
    axes = tuple(a for a, k in enumerate(letters) if k not in wanted)
    if not axes:
        return letters, t
    return "".join(k for k in letters if k in wanted), total(t, axis=axes)


def _product(one: str, x: Tensor, two: str, y: Tensor, later: set) -> tuple[str, Tensor]:
    """Both operands as one, with the letters that are needed later."""
    one, x = _summed(one, x, later | set(two))
    two, y = _summed(two, y, later | set(one))
    batch = [k for k in one if k in two and k in later]
    inner = [k for k in one if k in two and k not in later]
    rows = [k for k in one if k not in two]
    columns = [k for k in two if k not in one]

    def block(letters, t, *groups):
        order = tuple(letters.index(k) for group in groups for k in group)
        shape = [math.prod(t.shape[letters.index(k)] for k in group) for group in groups]
        return reshape(transpose(t, order), tuple(shape))

    lengths = {k: n for ks, t in ((one, x), (two, y)) for k, n in zip(ks, t.shape)}
    z = matmul(block(one, x, batch, rows, inner), block(two, y, batch, inner, columns))
    letters = "".join(batch + rows + columns)
    return letters, reshape(z, tuple(lengths[k] for k in letters))
