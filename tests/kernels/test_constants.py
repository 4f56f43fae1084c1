"""Sizes of blocks and tiles stand in CUDA C and again in the Python that launches it: they agree.

A block that is smaller than its kernel takes it for would leave results out; the launcher cannot
know, because it sees the number of threads alone.
"""

import contextlib
import importlib
import re
from pathlib import Path

import pytest

import glassgrad.kernels
from glassgrad.kernels import OPERATIONS, implementations
from glassgrad.kernels.conv2d import cuda as conv2d

KERNELS = Path(glassgrad.kernels.__file__).parent
LAUNCHED_BY = dict.fromkeys(OPERATIONS, "cuda") | {"recurrent": "launch"}


def constants(family: str) -> dict[str, int]:
    """The values of `constexpr int` outside functions, in all sources of a family."""
    values = {}
    texts = [p.read_text(encoding="utf-8") for p in sorted((KERNELS / family).rglob("*.cu*"))]
    given = re.findall(r"^constexpr int ([^;]+);", "\n".join(texts), re.MULTILINE)
    parts = [part.split("=") for statement in given for part in statement.split(",")]
    for _ in parts:  # some are made of others, in any order of the files
        for name, term in parts:
            with contextlib.suppress(NameError, SyntaxError):
                values[name.strip()] = eval(term.replace("/", "//"), {}, values)
    return values


def in_both() -> dict[str, tuple[int, int]]:
    """family.NAME -> the number in Python and in CUDA C, where both have one."""
    found = {}
    for family, module in LAUNCHED_BY.items():
        python = vars(importlib.import_module(f"glassgrad.kernels.{family}.{module}"))
        for name, value in constants(family).items():
            if isinstance(python.get(name), int):
                found[f"{family}.{name}"] = python[name], value
    return found


def test_numbers_that_two_languages_name_alike_are_equal():
    found = in_both()
    assert {"conv2d.CHANNELS", "recurrent.TILE", "recurrent.DEPTH", "nade.WARPS"} <= found.keys()
    assert {name: pair for name, pair in found.items() if pair[0] != pair[1]} == {}


def test_blocks_of_convolution_have_the_threads_and_the_tiles_of_their_kernels():
    """Their numbers are tables by version in Python."""
    named = constants("conv2d")
    assert {2: named["V2_TILE"]} | dict.fromkeys(range(3, 10), named["TILE"]) == conv2d.TILE
    small = {1: 256, 2: named["V2_TILE"] ** 2}
    assert small | dict.fromkeys(range(3, 10), named["THREADS"]) == conv2d.THREADS


@pytest.mark.parametrize("version", range(1, 10))
def test_launch_bounds_of_convolution_are_the_threads_of_its_blocks(version):
    sources = "\n".join(p.read_text(encoding="utf-8") for p in (KERNELS / "conv2d").rglob("*.cu*"))
    kernel = rf"__launch_bounds__\((\w+)[^)]*\)\s+conv2d_(\w+)_v{version}\("
    found = re.findall(kernel, sources)
    passes = {r.pass_ for r in implementations("conv2d", backend="cuda") if r.version == version}
    assert {pass_ for _, pass_ in found} == passes
    for bound, _ in found:
        assert int(constants("conv2d").get(bound, bound)) == conv2d.THREADS[version]
