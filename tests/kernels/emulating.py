"""What the tests of the emulator share: kernels written into files of a test."""

import numpy as np
import pytest

from glassgrad.kernels.launcher import UNWRITTEN, Source
from tests.kernels.checking import why_no_emulator

NONE = why_no_emulator()
needs_compiler = pytest.mark.skipif(bool(NONE), reason=NONE or "a compiler is there")
HEAD = '#include "device.cuh"\n'


def source(tmp_path, text, name="planted.cu"):
    """A Source of the text, with device.cuh before it."""
    path = tmp_path / name
    path.write_text(HEAD + text)
    return Source(path)


def marked(made) -> int:
    """The number of the line marked `// <-`."""
    lines = made.path.read_text().splitlines()
    return next(i for i, line in enumerate(lines, 1) if "// <-" in line)


def numbers(n, dtype="float32"):
    """0 to n - 1."""
    return np.arange(n, dtype=dtype)


def unwritten(n):
    """n float32 as `launcher.empty` poisons them: nobody has written them."""
    return np.full(n, UNWRITTEN, "uint32").view("float32")
