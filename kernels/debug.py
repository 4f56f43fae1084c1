"""The switches of the kernel layer for finding mistakes; core/debug.py turns them by its levels."""

import contextlib
import sys
from collections.abc import Iterator

UNWRITTEN = 0x7FF5A5A5  # as float32, and twice as float64, a NaN that no arithmetic makes


class Switches:
    """`poisoning`: new outputs of CUDA kernels say where nobody has written; `compilers`: print
    what the compilers of CUDA kernels are asked and what they say.
    """

    poisoning = False
    compilers = False
    blocks = 0  # of `poisoned_outputs` around the present call

    @property
    def poison(self) -> bool:
        """Are outputs poisoned now, by the level or by a block?"""
        return self.poisoning or self.blocks > 0


switches = Switches()


@contextlib.contextmanager
def poisoned_outputs() -> Iterator[None]:
    """Inside the block every new output of a CUDA kernel is filled with NaN before it runs.

    What a kernel forgets to write is then NaN, not the right answer of the call before.
    """
    switches.blocks += 1
    try:
        yield
    finally:
        switches.blocks -= 1


def say(text: str) -> None:
    """A line about compilers, where `switches.compilers` is on."""
    if switches.compilers and text.strip():
        print(f"[glassgrad] {text.rstrip()}", file=sys.stderr)
