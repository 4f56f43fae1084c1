"""A `.cu` text to a shared library, with the machine's C++ compiler; kept by content.

Three things in CUDA C have no counterpart in C++ and are rewritten, each within its line so that
lines keep their numbers:

    __shared__ real tile[16][17];       a reference into the block's arena of shared memory
    extern __shared__ real scratch[];   a pointer to the arena's start
    extern "C" __global__ void k(...)   preceded by an entry that takes its arguments as one array
"""

import atexit
import contextlib
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..cache import fingerprint, first_writable, keep_newest, temporary_folder, user_folder
from ..debug import say
from ..errors import BackendError, CompileError
from ..source import KERNEL, Text, numbered, without_comments

HERE = Path(__file__).parent
HEADERS = "cuda.h", "runtime.h", "watch.h"
PARTS = "runtime.cpp", "signals.cpp", "findings.cpp", "warp.cpp", "calls.cpp"
WATCHERS = "monitor.cpp", "fences.cpp", "counters.cpp"
SHARED = re.compile(
    r"(?:\bstatic\s+)?\b__shared__\s+(?!__align__)([\w ]+?)\s+(\w+)((?:\s*\[[^\];]+\])*)\s*;"
)
DYNAMIC = re.compile(
    r"\bextern\s+__shared__\s+(?:__align__\(\d+\)\s*)?([\w ]+?)\s+(\w+)\s*\[\s*\]\s*;"
)
UNSUPPORTED = {
    r"\bcooperative_groups\b|\bcg::": "cooperative groups (grid_barrier of device.cuh is there)",
    r"<<<": "kernels that launch kernels",
    r"\basm\b": "inline PTX outside device.cuh",
    r"\b(tex|surf)[123]D\w*|\btexture\s*<|\bcuda(Texture|Surface)Object_t\b": (
        "textures and surfaces"
    ),
    r"\bwmma\b": "the wmma namespace (mma_tf32 and mma_bf16 of device.cuh are there)",
    r"\b__activemask\b": "__activemask",
    r"\b__match_(any|all)_sync\b": "__match_any_sync and __match_all_sync",
    r"\b__nanosleep\b|\bclock(64)?\s*\(": "clocks",
    r"\bmem(cpy|move|set)\s*\(": "memcpy, memmove and memset in kernels",
    r"^\s*(static\s+)?__device__\s+(?!const)(\w+[\s*]+)+\w+\s*[;=\[]": "variables of the device",
    r"\b(malloc|free)\s*\(|\bnew\s+\w|\bdelete\b": "malloc, free, new and delete in kernels",
    r"\bassert\s*\(": "assert in kernels",
    r"\b__managed__\b": "managed memory",
    r"\b__cluster_dims__\b": "clusters of blocks",
    r"\b__half2?\b|\bhalf2?\s+\w|\b(__)?nv_bfloat16\w*|<cuda_(fp16|bf16)": (
        "half precision types (pack_bf16 of device.cuh is there)"
    ),
}
DIGEST = 32  # bytes
KEPT = 200  # libraries in the cache
ALWAYS = (
    "-std=c++17",
    "-gdwarf-4",  # binutils reads the files of version 5 wrongly after #line
    "-fPIC",
    "-pthread",
    "-fno-strict-aliasing",
    "-fsanitize=integer-divide-by-zero",  # it would end the process
    "-U_FORTIFY_SOURCE",  # its longjmp believes that there is one stack
    "-fstack-clash-protection",  # a large frame must not step over the guard of its stack
    "-w",
    f"-I{HERE}",
)
WATCHED = (
    "-DGLASSGRAD_INSTRUMENTED",
    "-O1",
    "-fno-tree-loop-distribute-patterns",  # a loop must not become a call that nobody sees
    "-fsanitize=thread",
    "-fsanitize=signed-integer-overflow,bounds",
)


@functools.cache
def compiler() -> str:
    """Path of the C++ compiler: $CXX, g++ or clang++. Raises BackendError where there is none."""
    asked = os.environ.get("CXX")
    for name in (asked,) if asked else ("g++", "clang++"):
        path = shutil.which(name)
        if path:
            return path
    if asked:
        raise BackendError(f"the emulator needs a C++17 compiler: CXX is {asked!r}, not a program")
    raise BackendError(
        "the emulator needs a C++17 compiler: install g++ (Debian: apt install g++) or clang++,"
        " or set CXX"
    )


@functools.cache
def trial(path: str) -> None:
    """Compile and link a tiny kernel. Raises BackendError with what a compiler says that cannot."""
    kernel = 'extern "C" __global__ void k(float* y) { y[threadIdx.x] = exp(y[0]); }\nEMULATE(k)\n'
    with tempfile.TemporaryDirectory(prefix="glassgrad-") as folder:
        (Path(folder) / "trial.cpp").write_text(kernel, encoding="utf-8")
        options = *ALWAYS, "-O2", "-shared", "-include", "cuda.h", "trial.cpp", "-o", "trial.so"
        try:
            _run(*options, cwd=folder, program=path)
        except CompileError as error:
            said = str(error).splitlines()
            line = next((s for s in said if "error" in s), said[-1])
            raise BackendError(f"{path} cannot compile a kernel of one line: {line}") from None


def rewritten(text: Text) -> str:
    """The text as C++. Raises CompileError with path and line for what the emulator lacks."""
    lines = []
    for where, line in numbered(without_comments(text.flat)):
        if "device.cuh:" not in where:
            for pattern, feature in UNSUPPORTED.items():
                if re.search(pattern, line):
                    raise CompileError(f"{where}: the emulator does not support {feature}")
        if "__shared__" in line:
            code = line
            line = DYNAMIC.sub(r"\1* \2 = (\1*)emulator_dynamic_shared();", code)
            line = SHARED.sub(_shared, line)
            if "__shared__" in line:
                must = "one `__shared__ type name[sizes];` a declaration"
                raise CompileError(f"{where}: {must}, please: {code.strip()}")
        lines.append(line)
    return KERNEL.sub(_with_entry, "\n".join(lines) + "\n")


def _shared(found: re.Match) -> str:
    """A reference into the arena; the address of a static names the declaration, also where it
    stands in a macro or a template and there are several of it.
    """
    type_, name, sizes = found.groups()
    wanted = f'&declared_{name}, sizeof({type_}{sizes}), alignof({type_}), "{name}"'
    place = f"emulator_shared({wanted})"
    reference = f"auto& {name} = *reinterpret_cast<{type_}(*){sizes}>({place});"
    return f"static char declared_{name}; {reference}"


def _with_entry(found: re.Match) -> str:
    *_, kernel, parameters = found.groups()
    declaration = f'extern "C" void {kernel}({" ".join(parameters.split())});'
    return f"{declaration} EMULATE({kernel}) {found.group()}"


def library(text: Text, real: str, index: str, instrumented: bool) -> Path:
    """The shared library of a text for one dtype and size of index, from the cache or made now."""
    source = rewritten(text)
    types = f"-DGLASSGRAD_REAL={real}", f"-DGLASSGRAD_INDEX={index}"
    options = (*types, *(WATCHED if instrumented else ("-O2",)))
    runtime = _runtime(instrumented)
    if instrumented:
        options = (*options, *_distinguish_volatile())

    def build(scratch: Path, made: Path):
        (scratch / "kernel.cpp").write_text(source, encoding="utf-8")
        kernel = ("-include", "cuda.h", "-c", "kernel.cpp", "-o", "kernel.o")
        _run(*ALWAYS, *options, *kernel, cwd=scratch)
        _run(
            "-shared",
            "-pthread",
            "-Wl,-Bsymbolic,-z,defs",
            "kernel.o",
            runtime,
            "-o",
            made,
            cwd=scratch,
        )

    return _kept(text.path.parent.name, ".so", (source, runtime.name, *options), build)


def _distinguish_volatile() -> tuple[str, ...]:
    """Calls of their own before volatile accesses, in the words of either compiler."""
    option = "tsan-distinguish-volatile=1"
    clang = "clang" in Path(compiler()).resolve().name
    return ("-mllvm", f"-{option}") if clang else (f"--param={option}",)


def _runtime(instrumented: bool) -> Path:
    """The runtime as an object file: the same for all kernels, so compiled once."""
    options = ("-O2", *(("-DGLASSGRAD_INSTRUMENTED",) if instrumented else ()))
    parts = PARTS + (WATCHERS if instrumented else ())
    sources = [(HERE / name).read_text(encoding="utf-8") for name in (*HEADERS, *parts)]

    def build(scratch: Path, made: Path):
        for name in parts:
            _run(*ALWAYS, *options, "-c", HERE / name, "-o", f"{name}.o", cwd=scratch)
        _run("-r", "-nostdlib", *(f"{name}.o" for name in parts), "-o", made, cwd=scratch)

    return _kept("runtime", ".o", (*sources, *options), build)


def _kept(name: str, suffix: str, content: tuple, build) -> Path:
    """The file of this content in the cache; where there is none, or a damaged one, `build` makes
    it first. A file ends with the digest of what comes before, which no linker and loader minds.
    """
    folder = cache_folder()
    path = folder / f"{name}-{fingerprint(*content, *ALWAYS, compiler())}{suffix}"
    if _whole(path):
        say(f"{path.name} is in the cache")
        with contextlib.suppress(OSError):
            os.utime(path)
        return path
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch) / f"made{suffix}"
        build(Path(scratch), made)
        with made.open("ab") as file:
            file.write(_digest(made.read_bytes()))
        os.replace(made, path)  # whole or not at all, whoever else is building it
    keep_newest(folder, r"\w+-[0-9a-f]{16}\.(so|o)", KEPT)
    return path


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _whole(path: Path) -> bool:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return False
    return _digest(data[:-DIGEST]) == data[-DIGEST:]


def _run(*arguments, cwd: Path, program: str | None = None) -> None:
    program = program or compiler()
    name, said = Path(program).name, " ".join(map(str, arguments))
    try:
        done = subprocess.run(
            [program, *map(str, arguments)], cwd=cwd, capture_output=True, text=True
        )
    except OSError as error:
        raise CompileError(f"{program} cannot be run: {error.strerror}") from None
    say(f"{name} {said}\n{done.stderr}")
    if done.returncode:
        why = done.stderr.strip() or f"nothing, and ends with code {done.returncode}"
        raise CompileError(f"{name} says\n{why}")


@functools.cache
def cache_folder() -> Path:
    """Where libraries are kept; where nothing can be, a folder that goes with this process."""
    folder = first_writable(((user_folder, "emulator"), (temporary_folder, "emulator")))
    if folder is None:
        scratch = tempfile.TemporaryDirectory(prefix="glassgrad-")
        atexit.register(scratch.cleanup)
        return Path(scratch.name)
    return folder
