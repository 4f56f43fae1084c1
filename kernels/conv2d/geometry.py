"""The numbers of one convolution, in the order of `struct Geometry` in cuda.cu."""

from typing import NamedTuple

from ..windows import output_sizes


class Geometry(NamedTuple):
    """Sizes and options of a convolution; the letters are those of the page of this family."""

    N: int
    C: int
    H: int
    W: int
    O: int
    KH: int
    KW: int
    OH: int
    OW: int
    SH: int
    SW: int
    PH: int
    PW: int
    DH: int
    DW: int
    G: int

    @classmethod
    def of(cls, x_shape, w_shape, stride, padding, dilation, groups) -> "Geometry":
        """The geometry of `forward` for x [N,C,H,W], w [O,C/G,KH,KW] and its options."""
        kernel = w_shape[2:]
        out = output_sizes(x_shape[2:], kernel, stride, padding, dilation)
        sizes = *x_shape, w_shape[0], *kernel, *out
        return cls(*sizes, *stride, *padding, *dilation, groups)

    @property
    def y_shape(self) -> tuple[int, int, int, int]:
        """Shape of the output."""
        return self.N, self.O, self.OH, self.OW
