"""Random numbers by counter: a generator is a seed and a position, nothing else.

The same (seed, offset) gives the same numbers on every backend (kernels/philox), so a dropout mask
or the noise of a VAE can be regenerated instead of stored, and a run resumes from two integers.
"""

import contextlib
import operator
import zlib

import numpy as np

from ..kernels import philox
from ..kernels.annotations import Count, DType, Shape
from ..kernels.checks import choice
from ..kernels.errors import DeviceError, DTypeError, ValueRangeError, expect
from .arrays import DEVICES, module_for, xp_of
from .tensor import as_tensor

PIECE = 1 << 20  # numbers drawn at a time where drawing needs more memory than the result


class Generator:
    """A stream of random numbers, identified by a seed and a position, both in 0..2⁶⁴-1.

    Numbers are drawn on `device`. Raises DTypeError for a seed that is not an integer,
    ValueRangeError outside the range, DeviceError for an unknown device.

    >>> import glassgrad as gg
    >>> a, b = gg.Generator(1), gg.Generator(1)
    >>> bool((a.normal((3,)) == b.normal((3,))).all())
    True
    """

    def __init__(self, seed: int = 0, offset: int = 0, device: str = "cpu"):
        self.state = seed, offset
        self.device = choice("Generator", "device", device, DEVICES, DeviceError)

    def __repr__(self):
        """The seed, the position if it is not the first, and the device if it is not the CPU."""
        seed, offset = self.state
        more = f", offset={offset}" if offset else ""
        more += f", device={self.device!r}" if self.device != "cpu" else ""
        return f"Generator({seed}{more})"

    def take(self, n: int) -> tuple[int, int]:
        """Reserve n numbers and return the (seed, offset) to draw them with.

        >>> import glassgrad as gg
        >>> rng = gg.Generator(7)
        >>> rng.take(5), rng.take(1)  # a block holds four numbers
        ((7, 0), (7, 2))
        """
        expect(n >= 0, "Generator", "a draw must not be negative", "≥ 0", n)
        start = self.offset
        self.offset += philox.blocks(n)
        return self.seed, start

    def child(self, *names) -> "Generator":
        """An independent stream that depends only on the seed and on the names.

        >>> import glassgrad as gg
        >>> gg.Generator(1).child("encoder", 0).seed == gg.Generator(1).child("encoder", 1).seed
        False
        """
        text = "/".join(str(n) for n in names).encode()
        mixed = (zlib.crc32(text) << 32 | zlib.adler32(text)) ^ (self.seed * 0x9E3779B97F4A7C15)
        return Generator(mixed & (2**64 - 1), 0, self.device)

    def uniform(
        self, shape: Shape = (), low: float = 0.0, high: float = 1.0, dtype: DType = "float32"
    ) -> np.ndarray:
        """Array of uniform numbers in [low, high).

        >>> import glassgrad as gg
        >>> gg.Generator(1).uniform((2, 3), low=-1.0).shape
        (2, 3)
        """
        what = "high must not be below low"
        expect(low <= high, "Generator.uniform", what, f"≥ {low}", high, ValueRangeError)
        xp, number = module_for(self.device), np.dtype(dtype).type
        u = philox.uniform(shape, *self.take(_count(shape)), dtype, xp)
        if (low, high) == (0.0, 1.0):
            return u
        below = np.nextafter(number(high), number(low))  # the sum may round up to `high` itself
        return xp.minimum(u * number(high - low) + number(low), below)

    def normal(self, shape: Shape = (), dtype: DType = "float32") -> np.ndarray:
        """Array of independent N(0, 1) numbers.

        >>> import glassgrad as gg
        >>> gg.Generator(1).normal((2, 3), "float64").dtype
        dtype('float64')
        """
        return philox.normal(shape, *self.take(_count(shape)), dtype, module_for(self.device))

    def bernoulli(self, p) -> np.ndarray:
        """Array of 0 and 1, element i being 1 with probability p[i].

        Raises ValueRangeError if any p is outside 0..1 or NaN.

        >>> import glassgrad as gg
        >>> gg.Generator(1).bernoulli([0.0, 1.0])
        array([0., 1.], dtype=float32)
        """
        p = as_tensor(p).data
        p = p if p.dtype.kind == "f" else p.astype(np.float32)
        inside, what = bool(((p >= 0) & (p <= 1)).all()), "p must hold probabilities"
        got = f"{float(p.min()):g}..{float(p.max()):g}" if p.size else ""
        expect(inside, "Generator.bernoulli", what, "0..1", got, ValueRangeError)
        u = philox.uniform(p.shape, *self.take(p.size), p.dtype, xp_of(p))  # on p's device
        return (u < p).astype(p.dtype)

    def permutation(self, n: Count) -> np.ndarray:
        """A random order of 0..n-1 (int64).

        >>> import glassgrad as gg
        >>> sorted(gg.Generator(1).permutation(4).tolist())
        [0, 1, 2, 3]
        """
        words = philox.bits(*self.take(2 * n), 2 * n).astype(np.uint64)
        return np.argsort(words[:n] << np.uint64(32) | words[n:], kind="stable")

    def integers(self, high: int, n: Count) -> np.ndarray:
        """n integers uniform in 0..high-1 (int64), by multiplication of 32-bit words.

        The probability of a value is off by at most 2⁻³².

        >>> import glassgrad as gg
        >>> bool((gg.Generator(1).integers(6, 100) < 6).all())
        True
        """
        fits, what = 1 <= high <= 2**32, "high must fit 32 bits"
        expect(fits, "Generator.integers", what, "1..2**32", high, ValueRangeError)
        found = np.empty(n, np.int64)  # allocated first: fail before drawing, not after
        seed, start = self.take(n)
        for i in range(0, n, PIECE):
            part = found[i : i + PIECE]
            words = philox.bits(seed, start + philox.blocks(i), len(part)).astype(np.uint64)
            part[...] = words * np.uint64(high) >> np.uint64(32)
        return found

    @property
    def state(self) -> tuple[int, int]:
        """(seed, offset): all that has to be saved.

        >>> import glassgrad as gg
        >>> rng = gg.Generator(7)
        >>> kept, first = rng.state, rng.normal((3,))
        >>> rng.state = kept
        >>> bool((rng.normal((3,)) == first).all())
        True
        """
        return self.seed, self.offset

    @state.setter
    def state(self, value):
        try:
            seed, offset = value
        except (TypeError, ValueError):
            raise DTypeError(
                f"Generator: a state must be a pair (seed, offset); got {value!r:.80}"
            ) from None
        self.seed, self.offset = _word("seed", seed), _word("offset", offset)


def _word(name: str, value) -> int:
    """The value as a 64-bit integer, or an error: a rounded seed would be a different one."""
    try:
        word = operator.index(value)
    except TypeError:
        raise DTypeError(
            f"Generator: {name} must be an integer; expected 0..2**64 - 1, got {value!r}"
        ) from None
    fits, what = 0 <= word < 2**64, f"{name} must fit 64 bits"
    expect(fits, "Generator", what, "0..2**64 - 1", word, ValueRangeError)
    return word


def _count(shape) -> int:
    n = 1
    for k in (shape,) if isinstance(shape, int) else shape:
        n *= k
    return n


_default = Generator(0)


def manual_seed(seed: int) -> Generator:
    """Start the stream of the layers that are made without `rng` again, with this seed.

    It is the one that `stream` gives; a program that does not call this has seed 0. Nothing else
    depends on it: systems, data and noise have generators of their own.

    >>> import glassgrad as gg
    >>> _ = gg.manual_seed(1)
    >>> a = gg.nn.Linear(3, 2)
    >>> _ = gg.manual_seed(1)
    >>> bool((gg.nn.Linear(3, 2).weight == a.weight).all())
    True
    """
    fresh = Generator(seed)
    _default.state = fresh.state
    return _default


def stream(rng: Generator | None = None) -> Generator:
    """The generator itself; without one, that of `manual_seed`, from its current position."""
    return _default if rng is None else rng


@contextlib.contextmanager
def streaming(rng: Generator):
    """Layers without `rng` draw from this generator inside the block, and as before after it."""
    before, _default.state = _default.state, rng.state
    try:
        yield
    finally:
        _default.state = before
