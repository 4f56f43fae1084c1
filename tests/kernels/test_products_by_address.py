"""The product of the recurrent layers, called by its address: for arrays that fit it alone."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from glassgrad.kernels.recurrent import panels, products  # noqa: E402
from glassgrad.kernels.recurrent.tile import Rows  # noqa: E402


def test_products_by_address_take_arrays_of_that_dtype_alone(monkeypatch):
    """Numbers of the wrong size would be read without a word; an error inside is not lost."""

    @numba.njit
    def apply(at, a, packed, c):
        to = Rows(c, 0, 3, 1)
        products.product(at, Rows(a, 0, 3, 1), 2, packed, to, to)

    a, b = np.arange(6.0).reshape(2, 3), np.arange(9.0).reshape(3, 3)
    for dtype, other in (("float32", "float64"), ("float64", "float32")):
        given = a.astype(dtype).reshape(-1), panels.columns(b.astype(dtype))
        c = np.zeros(6, dtype)
        at = products.product_at(c.dtype)
        apply(at, *given, c)
        assert c.reshape(2, 3).tolist() == (a @ b).tolist()
        for wrong in (
            (products.product_at(np.dtype(other)), *given, c),
            (at[0], *given, c),
            (at, given[0].astype(other), given[1], c),
            (at, given[0], given[1]._replace(numbers=given[1].numbers.astype(other)), c),
            (at, *given, c.astype(other)),
            (at, *given, c.reshape(2, 3)),
            (at, np.zeros(12, dtype)[::2], given[1], c),
        ):
            with pytest.raises(numba.TypingError, match="product: every array must be"):
                apply(*wrong)

    @numba.njit
    def refuse(a, rows, w, s, c):
        raise ValueError("refused")

    monkeypatch.setattr(products, "_product", refuse)
    with pytest.raises(ValueError, match="refused"):
        apply(products.product_at.__wrapped__(c.dtype), *given, c)
