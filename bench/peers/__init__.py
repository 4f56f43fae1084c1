"""Other people's code for the same jobs, each in a file of its own that no other file needs.

A peer's module has

    why_not(device)            why it cannot run here, or an empty string; loads nothing
    set_threads(number)        fix the number of its threads, before it is loaded where it must be
    version(device)            of the package
    JOBS                       the names of the jobs that it can do
    contender(name, *given)    a Contender for the job of that name, or None where it cannot do this
                               case; what is `given` the file of the job says

It works on the same arrays, on a CPU in a process of its own (apart.py). Its result is compared
with the reference like ours; a peer that disagrees is left out, and its row says so.
"""

import importlib
import time
from collections.abc import Callable, Iterable

MODULES = {
    "torch": "pytorch",
    "torch-fused": "pytorch_fused",
    "torch-compile": "pytorch_compile",
    "torch-tf32": "pytorch_tf32",
    "jax": "jax_jit",
    "blas": "blas",
    "scipy": "scipy_sparse",
    "sklearn": "scikit_learn",
    "minisom": "mini_som",
    "gensim": "gensim_words",
}
ITSELF = "itself"  # ours again, in another process: its ratio shows the error of ratios
NAMES = (*MODULES, ITSELF)


def load(wanted: Iterable[str], device: str, threads: int) -> tuple[dict, dict[str, str]]:
    """(modules of the peers that run here, the others with the reason why not)."""
    found, missing = {}, {}
    for name in wanted:
        module = module_of(name)
        try:
            reason = module.why_not(device)
            if not reason:
                module.set_threads(threads)
        except Exception as error:  # whatever a broken installation raises: it is only a peer
            reason = in_words(error)
        if reason:
            missing[name] = reason
        else:
            found[name] = module
    return found, missing


def module_of(name: str):
    """The peer's module here, which loads nothing of the peer's."""
    return importlib.import_module(f".{MODULES[name]}", __package__)


def fastest(calls: Iterable, wait) -> Callable:
    """The fastest call, of two tries each; ``wait()`` returns when a call is done.

    >>> import time
    >>> fastest([lambda: time.sleep(0.02), print], lambda: None) is print
    <BLANKLINE>
    <BLANKLINE>
    True
    """

    def seconds(call) -> float:
        found = []
        for _ in range(2):
            wait()
            started = time.perf_counter()
            call()
            wait()
            found.append(time.perf_counter() - started)
        return min(found)

    return min(calls, key=seconds)


def in_words(error: Exception) -> str:
    """An error of somebody else's code in one line.

    >>> in_words(ImportError("libc10.so: cannot open"))
    'ImportError: libc10.so: cannot open'
    """
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def not_installed(package: str) -> str:
    """Why a package cannot run, empty if it can; it is not imported to find out."""
    from importlib import util

    if util.find_spec(package) is not None:
        return ""
    return f"{package} is not installed (pip install 'glassgrad[peers]')"
