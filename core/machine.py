"""What this machine is and has, in plain values: for `doctor`, `kernels` and recorded results."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

COMPILERS = ("g++", "clang++", "nvcc")
VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2"}  # the widest first


def cpu_model(text: str | None = None) -> str:
    """The processor's name and its widest vectors, as the operating system gives them.

    A virtual machine may lack vectors that its processor has, and then it is another machine.
    `text` is in place of /proc/cpuinfo.

    >>> cpu_model("model name : This one\\nflags : sse2 avx2 avx512f\\n")
    'This one, AVX-512'
    """
    if text is None:
        info = Path("/proc/cpuinfo")
        text = info.read_text(errors="replace") if info.is_file() else ""
    found = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        found.setdefault(key.strip(), value.strip())
    name = found.get("model name") or platform.processor() or platform.machine()
    flags = found.get("flags", "").split()
    return ", ".join([name, *[what for flag, what in VECTORS.items() if flag in flags][:1]])


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def version(package: str) -> str | None:
    """The version of an installed package, without importing it."""
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def blas() -> str:
    """The library behind NumPy's matrix products, and its threads."""
    import numpy
    from threadpoolctl import threadpool_info

    built = numpy.show_config(mode="dicts")["Build Dependencies"].get("blas", {})
    name = f"{built.get('name', 'unknown')} {built.get('version', '')}".strip()
    threads = [p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"]
    return f"{name}, {threads[0]} thread{'s' * (threads[0] != 1)}" if threads else name


def describe() -> dict[str, str | int | None]:
    """The machine and the versions that measurements depend on."""
    return {
        "cpu": cpu_model(),
        "cores": cores(),
        "os": platform.platform(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "numba": version("numba"),
        "blas": blas(),
    }


def in_words(described: dict) -> str:
    """The processor, the system and the versions of `describe`, in a line.

    >>> in_words(describe()).startswith(cpu_model())
    True
    """
    m = described
    return (
        f"{m['cpu']}, {m['cores']} cores, {m['os']}, Python {m['python']}, NumPy {m['numpy']},"
        f" Numba {m['numba']}"
    )


def commit() -> str | None:
    """The commit of the checkout that this is, with "+" after it where files differ; else None.

    >>> found = commit()
    >>> found is None or len(found) in (12, 13)
    True
    """
    folder = Path(__file__).resolve().parents[1]
    if not (folder / ".git").exists():
        return None

    def git(*command: str) -> str:
        done = subprocess.run(["git", "-C", folder, *command], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        found = git("rev-parse", "--short=12", "HEAD")
        return found + "+" * bool(git("status", "--porcelain", "-uno")) if found else None
    except OSError:  # no git here
        return None


def gpu() -> tuple[bool, str]:
    """(is a GPU usable, which one or why not). CuPy is imported only where it is installed."""
    import importlib.util

    if importlib.util.find_spec("cupy") is None:
        return False, "CuPy is not installed (pip install 'glassgrad[cuda13]' or [cuda12])"
    from ..kernels.errors import DeviceError
    from .arrays import module_for

    try:
        cupy = module_for("cuda")
    except DeviceError as error:
        return False, str(error)
    device = cupy.cuda.Device()
    name = cupy.cuda.runtime.getDeviceProperties(device.id)["name"].decode()
    free, total = (n / 2**30 for n in device.mem_info)
    chip = f"sm_{device.compute_capability}"
    return True, f"{name} ({chip}, {free:.0f} of {total:.0f} GiB free), CuPy {cupy.__version__}"


def emulator(whole: bool = False) -> tuple[bool, str]:
    """(can CUDA kernels run on the CPU, with which compiler or what to install).

    The compiler is tried on one line, or with `whole` on a kernel in both modes, which is slow.
    """
    from ..kernels.emulator.compiler import compiler, probe, trial
    from ..kernels.errors import BackendError

    try:
        path = compiler()
        (trial if whole else probe)(path)
    except BackendError as error:
        return False, str(error)
    lines = shutil.which("addr2line") or shutil.which("llvm-addr2line")
    return True, path if lines else f"{path}; glassgrad lab needs addr2line: install binutils"


def nvrtc() -> str:
    """NVIDIA's compiler, which needs no GPU, or what to install."""
    from ..kernels import nvrtc
    from ..kernels.errors import BackendError

    try:
        return f"version {nvrtc.version()}"
    except BackendError as error:
        return str(error)


def compilers() -> dict[str, str | None]:
    """C++ and CUDA compilers, each with its path, or with its error if it cannot compile."""
    from ..kernels.emulator.compiler import probe
    from ..kernels.errors import BackendError

    found = {name: shutil.which(name) for name in COMPILERS}
    for name, path in found.items():
        if path and name != "nvcc":  # nothing here uses nvcc
            try:
                probe(path)
            except BackendError as error:
                found[name] = str(error)
    return found


def backends() -> dict[str, tuple[bool, str]]:
    """Each backend: (does it run here, what it runs on or why not)."""
    from ..kernels import BACKENDS, implementations
    from ..kernels.numba_here import why_not

    no_numba = why_not()
    here = {
        "reference": (True, f"NumPy {version('numpy')}"),
        "numba": (no_numba is None, no_numba or f"Numba {version('numba')}"),
        "cuda": gpu(),
        "emulated": emulator(),
    }
    for name in BACKENDS:
        if here[name][0] and not implementations(backend=name):
            here[name] = False, "no kernel is registered for it"
    return {name: here[name] for name in BACKENDS}
