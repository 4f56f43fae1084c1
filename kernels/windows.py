"""Windows that slide over an image: how many there are, for convolution and pooling alike."""


def output_size(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> int:
    """Windows along one axis of `size` pixels with `padding` zeros on each side.

    A window has `kernel` taps, `dilation` pixels apart; the next window begins `stride` further.

    >>> output_size(28, 5, stride=1, padding=2), output_size(7, 3, stride=2, padding=0)
    (28, 3)
    """
    span = dilation * (kernel - 1) + 1  # pixels from the first tap to the last
    return (size + 2 * padding - span) // stride + 1


def output_sizes(sizes, kernel, stride, padding, dilation=(1, 1)) -> tuple[int, ...]:
    """The same for each axis: every argument holds one number an axis.

    >>> output_sizes((32, 30), (5, 3), stride=(2, 1), padding=(2, 0))
    (16, 28)
    """
    return tuple(map(output_size, sizes, kernel, stride, padding, dilation))
