"""The numbers of one pooling, in the order of `struct Geometry` in cuda.cu."""

import functools
from typing import NamedTuple

from ..windows import output_sizes


class Geometry(NamedTuple):
    """Sizes and options of a pooling; the letters are those of the page of this family."""

    N: int
    C: int
    H: int
    W: int
    OH: int
    OW: int
    KH: int
    KW: int
    SH: int
    SW: int
    PH: int
    PW: int

    @classmethod
    @functools.lru_cache(maxsize=4096)  # the same few in every step of a training
    def of(cls, x_shape, kernel, stride, padding) -> "Geometry":
        """The geometry of x [N,C,H,W] and its options, all pairs."""
        out = output_sizes(x_shape[2:], kernel, stride, padding)
        return cls(*x_shape, *out, *kernel, *stride, *padding)

    @property
    def y_shape(self) -> tuple[int, int, int, int]:
        """Shape of the output."""
        return self.N, self.C, self.OH, self.OW
