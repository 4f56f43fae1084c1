"""What this machine has, what of it works, and a self-test of a second or two.

The self-test compiles nothing: a backend whose kernels are not on the disk yet is not tried, or
with --compile compiled and tried (usually half a minute, once).

Ends with 1 only where glassgrad itself cannot work: a missing GPU, compiler or data set is no
fault.
"""

import os
import sys

HELP = "what this machine has, and a self-test"


def arguments(parser) -> None:
    """Where to look for data, and whether the self-test may compile."""
    parser.add_argument("--data-dir", metavar="DIR", help="a folder to look for data in first")
    parser.add_argument("--compile", action="store_true", help="compile what the self-test needs")


def run(args) -> int:
    """Print the machine, backends, data sets and the self-test; 1 where that fails."""
    from .. import __version__, checkout
    from ..core import machine
    from ..core.terminal import console, good, table

    out = console()
    about = machine.describe()
    rows = [("glassgrad", f"{__version__}, {checkout.copy()}")]
    rows += [(k, v) for k, v in about.items() if v is not None]
    rows += [("packages", ", ".join(_packages())), ("cache", _folder_state())]
    rows += [(name, path or "not found") for name, path in machine.compilers().items()]
    rows.append(("NVRTC", machine.nvrtc()))
    out.print(table(rows, "what", "here", title="Machine"), "")
    state = [(name, good(ok), text) for name, (ok, text) in machine.backends().items()]
    out.print(table(state, "backend", "runs here", "with, or why not", title="Backends"), "")
    out.print(table(_data(args.data_dir), "data", "state", "where", title="Data sets"), "")
    tests = self_test(args.compile)
    results = {True: good(True, "ok"), False: good(False, no="FAILED"), None: "not tried"}
    rows = [(name, results[ok], text) for name, (ok, text) in tests.items()]
    out.print(table(rows, "self-test", "result", "detail", title="Self-test"))
    if None in (ok for ok, _ in tests.values()):
        out.print("glassgrad doctor --compile compiles and tries the rest (half a minute, once)")
    if False not in (ok for ok, _ in tests.values()):
        return 0
    print("glassgrad: the self-test failed: do not trust results on this machine", file=sys.stderr)
    return 1


def _packages() -> list[str]:
    from ..core.machine import version

    names = (
        "scipy",
        "scikit-learn",
        "matplotlib",
        "rich",
        "safetensors",
        "cupy-cuda13x",
        "cupy-cuda12x",
        "torch",
    )
    return [f"{n} {version(n)}" for n in names if version(n)]


def _folder_state() -> str:
    from ..core.data.files import cache_dir

    folder = cache_dir()
    there = next(p for p in (folder, *folder.parents) if p.exists())
    ok = there.is_dir() and os.access(there, os.W_OK)
    kind = "" if folder.exists() else ", not made yet"
    return f"{folder} ({'writable' if ok else 'NOT writable'}{kind})"


def _data(data_dir):
    """One row for each set that needs files; checksums are verified here."""
    from ..core import data
    from ..core.data.canon import folder

    bundled = []
    for name in data.names():
        where, entry = data.available(name, data_dir), data.entry(name)
        if not entry.folder:
            bundled.append(name)
        elif where is None:
            yield name, "missing", entry.source
        else:
            try:
                for file in folder(entry.folder):
                    if not entry.files or file.name in entry.files:
                        data.find(file, data_dir, download=False)
                yield name, "checksums right", where
            except data.DataError as error:
                yield name, "DAMAGED", str(error)
    yield f"{len(bundled)} more", "need no file", ", ".join(bundled)


# -------------------------------------------------------------------- self-test


def self_test(compiles: bool = False) -> dict[str, tuple[bool | None, str]]:
    """Name -> (passed, detail): gradients on the CPU, and each backend against the reference.

    None: it needs kernels that are not compiled yet, and `compiles` is False.
    """
    import contextlib

    from ..core.machine import emulator, gpu
    from ..kernels.compiling import NotCompiled, nothing_compiled
    from ..kernels.errors import GlassgradError
    from ..kernels.numba_here import why_not

    with_numba = {
        "gradients, numba": lambda: _gradients("numba"),
        "numba = reference": lambda: _agree("numba"),
        "numba threads": _threads,
        "random stream, numba": lambda: _stream("numba"),
    }
    others = {
        "emulated = reference": (lambda: emulator(compiles), lambda: _agree("emulated")),
        "cuda = reference": (gpu, lambda: _agree("cuda")),
    }
    found = {}
    for name, test in {
        "gradients, reference": lambda: _gradients("reference"),
        "random stream, reference": lambda: _stream("reference"),
        **({} if why_not() else with_numba),
        **{name: test for name, (there, test) in others.items() if there()[0]},
    }.items():
        try:
            with contextlib.nullcontext() if compiles else nothing_compiled():
                found[name] = test()
        except NotCompiled:
            found[name] = None, "its kernels are not compiled yet"
        except (GlassgradError, ImportError, OSError, RuntimeError) as error:
            found[name] = False, f"{type(error).__name__}: {error}"
    return found


def _gradients(backend: str) -> tuple[bool, str]:
    import numpy as np

    from .. import core as gg
    from .. import kernels

    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((1, 2, 4, 4)), rng.standard_normal((2, 2, 3, 3))
    with kernels.backend(backend):
        report = gg.gradcheck(lambda x, w: gg.tanh(gg.conv2d(x, w)), x, w, order=2, directions=8)
    return True, f"error {report.error:.1e}"


def _agree(backend: str) -> tuple[bool, str]:
    import numpy as np

    from .. import kernels
    from ..core.arrays import to_device, to_numpy

    rng = np.random.default_rng(1)
    # small whole numbers: sums are exact, so the two must be equal to the bit
    x = rng.integers(-4, 5, (2, 3, 7, 7)).astype(np.float32)
    w = rng.integers(-4, 5, (4, 3, 3, 3)).astype(np.float32)
    results = []
    for name in ("reference", backend):
        device = "cuda" if name == "cuda" else "cpu"
        with kernels.backend(name):
            y = kernels.conv2d.forward(to_device(x, device), to_device(w, device), 1, 1, 1, 1)
        results.append(to_numpy(y))
    ok = np.array_equal(*results)
    return ok, "convolution of whole numbers, equal to the bit" if ok else "results differ"


def _threads() -> tuple[bool, str]:
    import numba

    from ..kernels.compiled import cache_folder

    threads = numba.get_num_threads()
    place = cache_folder() or "not kept: no folder is writable, or safe from others"
    return True, f"{threads} threads, layer {numba.threading_layer()}; compiled code: {place}"


def _stream(backend: str) -> tuple[bool, str]:
    from .. import kernels

    # Salmon et al. 2011, known answer of Philox 4x32-10 for counter 0, key 0
    known = [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    with kernels.backend(backend):
        ok = kernels.philox.bits(0, 0, 4).tolist() == known
    return ok, f"Philox 4x32-10, {'' if ok else 'not '}the published numbers"
