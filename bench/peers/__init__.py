"""Other people's code for the same job, each in a file of its own and needed by nothing.

A peer's module has

    why_not(device)            why it cannot run here, or an empty string
    set_threads(number)        fix the number of its threads
    version(device)            of the package
    contender(name, *given)    a Contender for the job of that name, or None where it has no such
                               thing; what is `given` the file of the job says

It works on the same arrays in the same process. What it computes is held against the reference like
ours; a peer that disagrees is left out, with a note.
"""

import importlib
import time
from collections.abc import Callable, Iterable

MODULES = {
    "torch": "pytorch",
    "torch-fused": "pytorch_fused",
    "torch-tf32": "pytorch_tf32",
    "blas": "blas",
    "sklearn": "scikit_learn",
    "minisom": "mini_som",
}
NAMES = tuple(MODULES)


def load(wanted: Iterable[str], device: str, threads: int) -> tuple[dict, dict[str, str]]:
    """(modules of the peers that run here, the others with the reason why not)."""
    found, missing = {}, {}
    for name in wanted:
        module = importlib.import_module(f".{MODULES[name]}", __package__)
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


def fastest(calls: Iterable, wait) -> Callable:
    """The call that is done soonest, of two tries each; ``wait()`` returns when it is done.

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
