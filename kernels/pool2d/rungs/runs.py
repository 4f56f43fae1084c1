"""What version 2 does with a run of numbers: loops that LLVM turns into vector instructions."""

from ...elementary import vectorised


@vectorised
def copy(a, b):
    """Copy as many numbers of a as b has."""
    for i in range(b.size):
        b[i] = a[i]


@vectorised
def fill(b, value):
    """Set every number of b to `value`."""
    for i in range(b.size):
        b[i] = value


@vectorised
def add(values, total):
    """Add as many of the values as total has numbers."""
    for q in range(total.size):
        total[q] += values[q]


@vectorised
def over(total, area):
    """Divide every number of total by `area`."""
    for q in range(total.size):
        total[q] /= area
