"""NVIDIA's compiler without a GPU: does a `.cu` compile for a chip, and what does each kernel take?

The library of the wheel ``nvidia-cuda-nvrtc`` needs no driver. It compiles to machine code and says
of every kernel how many registers and bytes of shared memory it takes, and what it spills.
"""

import ctypes
import functools
import importlib.util
import os
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import BackendError, CompileError
from .source import Text

NAMES = ("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so")
KERNEL = re.compile(r"Compiling entry function '(\w+)'")
SPILLS = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers(?:.*?(\d+) bytes smem)?")


@dataclass(frozen=True)
class Resources:
    """What one kernel takes: registers a thread, static shared memory a block, spills a thread."""

    registers: int
    shared: int  # bytes
    spilled: int  # bytes stored and loaded


@functools.cache
def library() -> ctypes.CDLL:
    """NVRTC, from its wheel or from $CUDA_PATH. Raises BackendError where there is none."""
    spec = importlib.util.find_spec("nvidia")
    folders = [Path(p) for p in (spec.submodule_search_locations if spec else ())]
    found = [f for folder in folders for f in sorted(folder.glob("*/lib/libnvrtc.so.*[0-9]"))]
    cuda = Path(os.environ.get("CUDA_PATH", "/usr/local/cuda"))
    for path in (*map(str, found), *(str(cuda / "lib64" / n) for n in NAMES), *NAMES):
        try:
            return ctypes.CDLL(path)
        except OSError:
            continue
    raise BackendError("NVRTC is not installed (pip install nvidia-cuda-nvrtc)")


def version() -> str:
    """The library's version, such as "13.0"."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    _expect(library().nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)))
    return f"{major.value}.{minor.value}"


def compile(text: Text, chip: str, real: str = "float", index: str = "int") -> dict[str, Resources]:
    """Kernel -> its Resources, of a whole file compiled for a chip such as "sm_80".

    Raises CompileError where the file does not compile, BackendError without NVRTC.
    """
    nvrtc, program = library(), ctypes.c_void_p()
    name, flat = text.path.name.encode(), text.flat.encode()
    _expect(nvrtc.nvrtcCreateProgram(ctypes.byref(program), flat, name, 0, None, None))
    try:
        options = [
            "-std=c++17", f"--gpu-architecture={chip}", "--ptxas-options=-v",
            f"-DGLASSGRAD_REAL={real}", f"-DGLASSGRAD_INDEX={index}",
        ]  # fmt: skip
        given = (ctypes.c_char_p * len(options))(*(o.encode() for o in options))
        refused = nvrtc.nvrtcCompileProgram(program, len(options), given)
        log = _log(nvrtc, program)
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    if refused:
        raise CompileError(f"{text.path.name} for {chip}: NVRTC says\n{log.strip()}")
    return _resources(log)


def _expect(code: int) -> None:
    if code:
        raise BackendError(f"NVRTC failed with error {code}")


def _log(nvrtc, program) -> str:
    size = ctypes.c_size_t()
    _expect(nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size)))
    log = ctypes.create_string_buffer(size.value)
    _expect(nvrtc.nvrtcGetProgramLog(program, log))
    return log.value.decode("utf-8", "replace")


def _resources(log: str) -> dict[str, Resources]:
    found = {}
    for name, part in zip(KERNEL.findall(log), KERNEL.split(log)[2::2]):
        stores, loads = map(int, SPILLS.search(part).groups())
        registers, shared = USED.search(part).groups()
        found[name] = Resources(int(registers), int(shared or 0), stores + loads)
    return found
