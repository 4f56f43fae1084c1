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
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from .. import compiling
from ..cache import (
    fingerprint,
    keep_newest,
    private_folder,
    stored,
    temporary_folder,
    user_folder,
)
from ..debug import say
from ..errors import BackendError, CompileError
from ..source import KERNEL, Text, numbered, place, without_comments
from ..trust import distrust, seal

HERE = Path(__file__).parent
HEADERS = "cuda.h", "intrinsics.h", "runtime.h", "watch.h"
PARTS = (
    *("first.cpp", "runtime.cpp", "signals.cpp", "apart.cpp", "findings.cpp", "warp.cpp"),
    "calls.cpp",
)
WATCHERS = "monitor.cpp", "shadow.cpp", "fences.cpp", "counters.cpp"
ALIGNED = r"(?:__align__|alignas)\s*\(([^()]+)\)"
DECLARED = r"\w+(?:\s*\[[^\];]+\])*"  # a name and its sizes
SHARED = re.compile(
    rf"(?:\bstatic\s+)?(?:{ALIGNED}\s*)?\b__shared__\s+(?:{ALIGNED}\s*)?"
    rf"(?!__align__|alignas)([\w ]+?)\s+({DECLARED}(?:\s*,\s*{DECLARED})*)\s*;"
)
DYNAMIC = re.compile(
    rf"\bextern\s+(?:{ALIGNED}\s*)?__shared__\s+(?:{ALIGNED}\s*)?([\w ]+?)\s+(\w+)\s*\[\s*\]\s*;"
)
DEVICE_VARIABLE = re.compile(
    r"\b__device__\b(?![^;{}()=\[]*\b(?:const|constexpr|operator|struct|class|union)\b)[^;{}()=\[]*[;{=\[]"
)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
UNSUPPORTED = {
    r"\bcooperative_groups\b|\bcg::": "cooperative groups (grid_barrier of device.cuh is there)",
    r"<<<": "launches of kernels from functions other than main()",
    r"\basm\b": "inline PTX outside device.cuh",
    r"\b(tex|surf)[123]D\w*|\btexture\s*<|\bcuda(Texture|Surface)Object_t\b": (
        "textures and surfaces"
    ),
    r"\bwmma\b": "the wmma namespace (mma_tf32 and mma_bf16 of device.cuh are there)",
    r"\b__activemask\b": "__activemask",
    r"\b__match_(any|all)_sync\b": "__match_any_sync and __match_all_sync",
    r"\b__nanosleep\b|\bclock(64)?\s*\(": "clocks",
    r"\bmem(cpy|move|set)\s*\(": "memcpy, memmove and memset in kernels",
    r"\b(malloc|free)\s*\(|\bnew\s+\w|\bdelete\b": "malloc, free, new and delete in kernels",
    r"\bassert\s*\(": "assert in kernels",
    r"\b__managed__\b": "managed memory",
    r"\b__cluster_dims__\b": "clusters of blocks",
    r"\b__half2?\b|\bhalf2?\s+\w|\b(__)?nv_bfloat16\w*|<cuda_(fp16|bf16)": (
        "half precision types (pack_bf16 of device.cuh is there)"
    ),
}
TYPES = "-DGLASSGRAD_REAL=float", "-DGLASSGRAD_INDEX=int"
TRIAL = """
extern "C" __global__ void k(float* y, int* n) {
  y[threadIdx.x] += exp(y[atomicAdd(n, 1)]);
  __syncthreads();
}
EMULATE(k)
"""
PROBE = "#include <atomic>\nstd::atomic<int> count;\n"
KEPT = 200  # libraries in the cache
ALWAYS = (
    "-std=c++17",
    "-gdwarf-4",  # binutils reads the files of version 5 wrongly after #line
    "-fPIC",
    "-fno-plt",  # a tick in a stub between two functions would find no line there
    "-pthread",
    "-fno-strict-aliasing",
    "-fno-optimize-sibling-calls",  # a call returns to its own line
    "-fsanitize=integer-divide-by-zero",  # it would end the process
    "-U_FORTIFY_SOURCE",  # its longjmp believes that there is one stack
    "-fstack-clash-protection",  # a large frame must not step over the guard of its stack
    "-w",
    f"-I{HERE}",
)
WATCHED = "-DGLASSGRAD_INSTRUMENTED", "-O1", "-fsanitize=thread,signed-integer-overflow,alignment"
WATCHED_BY_GCC = (
    "-fsanitize=bounds",
    "--param=tsan-distinguish-volatile=1",  # calls of their own before volatile accesses
    "-fno-tree-loop-distribute-patterns",  # a loop must not become a call that nobody sees
)
WATCHED_BY_CLANG = (
    "-fsanitize=array-bounds",
    "-mllvm",
    "-tsan-distinguish-volatile=1",
    "-mllvm",
    "-disable-loop-idiom-all",
    "-mllvm",
    "-tsan-instrument-atomics=0",  # they announce themselves
    "-mllvm",
    "-tsan-instrument-read-before-write=1",  # else the load of `y[0] += 1` is not seen
)


@functools.cache
def compiler() -> str:
    """The command of the C++ compiler: $CXX, which may have options, g++ or clang++. Raises
    BackendError where there is none.
    """
    asked = os.environ.get("CXX")
    for command in (asked,) if asked else ("g++", "clang++"):
        words = _words(command)
        path = shutil.which(words[0]) if words else None
        if path:
            return shlex.join([path, *words[1:]])
    if asked:
        raise BackendError(f"the emulator needs a C++17 compiler: CXX is {asked!r}, not a program")
    raise BackendError(
        "the emulator needs a C++17 compiler: install g++ (Debian: apt install g++) or clang++,"
        " or set CXX"
    )


def _words(command: str) -> list[str]:
    """A command's words; where its quotes do not end, none."""
    try:
        return shlex.split(command)
    except ValueError:
        return []


@functools.cache
def trial(command: str) -> None:
    """Compile and link a tiny kernel in both modes. Raises BackendError with what a compiler says
    that cannot.
    """
    with tempfile.TemporaryDirectory(prefix="glassgrad-") as folder:
        try:
            for instrumented in (False, True):
                runtime, made = _runtime(instrumented, command), Path(folder) / "trial.so"
                _build(TRIAL, TYPES, instrumented, runtime, Path(folder), made, command)
        except CompileError as error:
            raise _unfit(command, error) from None


@functools.cache
def probe(command: str) -> None:
    """Compile and link a program of one line: a tenth of a second, where `trial` takes many.

    Raises BackendError with what a compiler says that cannot.
    """
    with tempfile.TemporaryDirectory(prefix="glassgrad-") as folder:
        (Path(folder) / "probe.cpp").write_text(PROBE)
        options = "-std=c++17", "-fPIC", "-pthread", "-shared", "probe.cpp", "-o", "probe.so"
        try:
            _run(command, *options, cwd=Path(folder))
        except CompileError as error:
            raise _unfit(command, error) from None


def _unfit(command: str, error: CompileError) -> BackendError:
    said = str(error).splitlines()
    line = next((s for s in said if "error" in s), said[-1])
    return BackendError(f"{command} cannot compile a kernel of few lines: {line}")


def rewritten(text: Text) -> str:
    """The text as C++. Raises CompileError with path and line for what the emulator lacks."""
    lines, code = [], without_comments(text.flat)
    for where, line in numbered(code):
        if "device.cuh:" not in where:
            for pattern, feature in UNSUPPORTED.items():
                if re.search(pattern, STRING.sub('""', line)):
                    raise CompileError(f"{where}: the emulator does not support {feature}")
        if "__shared__" in line:
            said = line.strip()
            line = DYNAMIC.sub(r"\3* \4 = (\3*)emulator_dynamic_shared();", line)
            line = SHARED.sub(_shared, line)
            if "__shared__" in line:
                must = "one line `__shared__ type name[sizes], ...;` a declaration"
                raise CompileError(f"{where}: {must}, please: {said}")
        lines.append(line)
    blank = re.compile(rf"^[ \t]*#.*|{ALIGNED}", re.MULTILINE)
    variable = DEVICE_VARIABLE.search(blank.sub(lambda m: " " * len(m[0]), code))
    if variable:
        where = place(code, variable.end() - 1)
        raise CompileError(f"{where}: the emulator does not support variables of the device")
    return KERNEL.sub(_with_entry, "\n".join(lines) + "\n")


def _shared(found: re.Match) -> str:
    """References into the arena; the address of a static names the declaration, also in a macro or
    a template, where there are several of it.
    """
    before, after, type_, declared = found.groups()
    alignment = f"alignof({type_})"
    for wanted in filter(None, (before, after)):
        alignment = f"(({wanted}) > {alignment} ? ({wanted}) : {alignment})"
    out = []
    for one in re.findall(DECLARED, declared):
        name, sizes = re.fullmatch(r"(\w+)\s*(.*)", one).groups()
        wanted = f'&declared_{name}, sizeof({type_}{sizes}), {alignment}, "{name}"'
        reference = f"*reinterpret_cast<{type_}(*){sizes}>(emulator_shared({wanted}))"
        out.append(f"static char declared_{name}; auto& {name} = {reference};")
    return " ".join(out)


def _with_entry(found: re.Match) -> str:
    *_, kernel, parameters = found.groups()
    declaration = f'extern "C" void {kernel}({" ".join(parameters.split())});'
    return f"{declaration} EMULATE({kernel}) {found.group()}"


def library(text: Text, real: str, index: str, instrumented: bool) -> Path:
    """The shared library of a text for one dtype and size of index, from the cache or made now."""
    source, command = rewritten(text), compiler()
    types = f"-DGLASSGRAD_REAL={real}", f"-DGLASSGRAD_INDEX={index}"
    runtime = _runtime(instrumented, command)
    content = source, runtime.name, *types, *_options(instrumented, command)

    def build(scratch: Path, made: Path):
        _build(source, types, instrumented, runtime, scratch, made, command)

    name = text.path.parent.name if text.path.stem == "cuda" else text.path.stem
    return _kept(re.sub(r"\W", "_", name), ".so", content, build, command)


def _build(
    source, types, instrumented: bool, runtime: Path, scratch: Path, made: Path, command: str
) -> None:
    """Compile C++ in a scratch folder and link it with the runtime."""
    options = (*ALWAYS, *types, *_options(instrumented, command))
    (scratch / "kernel.cpp").write_text(source, encoding="utf-8")
    kernel = ("-include", "cuda.h", "-c", "kernel.cpp", "-o", "kernel.o")
    _run(command, *options, *kernel, cwd=scratch)
    if instrumented and _is_clang(command):  # it moves structures by memcpy, unseen: now by ours
        wrap = "-Wl,--wrap=memcpy,--wrap=memmove,--wrap=memset"
        _run(command, "-r", "-nostdlib", wrap, "kernel.o", "-o", "wrapped.o", cwd=scratch)
        (scratch / "wrapped.o").replace(scratch / "kernel.o")
    link = ("-shared", "-pthread", "-Wl,-Bsymbolic,-z,defs", "kernel.o", runtime, "-o", made)
    _run(command, *link, cwd=scratch)


def _options(instrumented: bool, command: str) -> tuple[str, ...]:
    if not instrumented:
        return ("-O2",)
    return (*WATCHED, *(WATCHED_BY_CLANG if _is_clang(command) else WATCHED_BY_GCC))


@functools.cache
def _is_clang(command: str) -> bool:
    """As it says itself: neither its name nor a wrapper's need tell."""
    try:
        done = subprocess.run([*_words(command), "--version"], capture_output=True, text=True)
    except OSError:
        return False
    return "clang" in done.stdout


def _runtime(instrumented: bool, command: str) -> Path:
    """The runtime as an object file: the same for all kernels, so compiled once."""
    options = ("-O2", *(("-DGLASSGRAD_INSTRUMENTED",) if instrumented else ()))
    parts = PARTS + (WATCHERS if instrumented else ())
    sources = [(HERE / name).read_text(encoding="utf-8") for name in (*HEADERS, *parts)]

    def build(scratch: Path, made: Path):
        for name in parts:
            _run(command, *ALWAYS, *options, "-c", HERE / name, "-o", f"{name}.o", cwd=scratch)
        objects = (f"{name}.o" for name in parts)
        _run(command, "-r", "-nostdlib", *objects, "-o", made, cwd=scratch)

    return _kept("runtime", ".o", (*sources, *options), build, command)


def _kept(name: str, suffix: str, content: tuple, build, command: str) -> Path:
    """The file of this content in the cache; where there is none, or a damaged one, `build` makes
    it first. A file ends with the digest of what comes before, which no linker and loader minds.
    """
    folder = cache_folder()
    if not folder.is_dir():  # removed since
        cache_folder.cache_clear()
        folder = cache_folder()
    path = folder / f"{name}-{fingerprint(*content, *ALWAYS, command)}{suffix}"
    if _whole(path):
        say(f"{path.name} is in the cache")
        with contextlib.suppress(OSError):
            os.utime(path)
        return path
    compiling.expect_allowed(name)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch) / f"made{suffix}"
        compiling.begin(name, backend="emulated")
        try:
            build(Path(scratch), made)
        finally:
            compiling.end()
        seal(made)
        os.replace(made, path)  # whole or not at all, whoever else is building it
    keep_newest(folder, r"\w+-[0-9a-f]{16}\.(so|o)", KEPT)
    return path


def _whole(path: Path) -> bool:
    try:
        return stored(path) is not None
    except OSError as error:
        belongs = "where a compiled kernel belongs; remove it"
        raise BackendError(f"{path}: {error.strerror}, {belongs}") from None


def _run(command: str, *arguments, cwd: Path) -> None:
    words = [*_words(command), *map(str, arguments)]
    name, said = Path(words[0]).name, " ".join(words[1:])
    try:
        done = subprocess.run(words, cwd=cwd, capture_output=True, text=True)
    except OSError as error:
        raise CompileError(f"{command} cannot be run: {error.strerror}") from None
    say(f"{name} {said}\n{done.stderr}")
    if done.returncode:
        why = done.stderr.strip() or f"nothing, and ends with code {done.returncode}"
        if re.search(r"(\bunknown type name '|[‘'])(real|index_t)['’]", why):
            why += '\n(real and index_t are declared by #include "device.cuh")'
        raise CompileError(f"{name} says\n{why}")


@functools.cache
def cache_folder() -> Path:
    """Where libraries are kept; where nothing can be, a folder that goes with this process."""
    folder = private_folder(((user_folder, "emulator"), (temporary_folder, "emulator")))
    if folder is None:
        scratch = tempfile.TemporaryDirectory(prefix="glassgrad-")
        atexit.register(scratch.cleanup)
        folder = Path(scratch.name)
        doubt = distrust(folder)
        if doubt is not None:
            raise BackendError(f"no folder for compiled kernels: {doubt}; set TMPDIR to another")
    return folder
