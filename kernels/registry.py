"""Every implementation of every kernel is one record here; dispatch picks one and remembers which.

An operation ("conv2d") has passes ("forward", "input_grad", ...); a pass has implementations, one
or more versions on each backend:

    reference   NumPy, reads like the formula, the oracle         (kernels/*/reference.py)
    numba       compiled for the CPU, the default there           (kernels/*/cpu.py)
    cuda        CuPy arrays, hand-written CUDA C                  (kernels/*/cuda.py)
    emulated    NumPy arrays, the same CUDA C run on the CPU      (kernels/*/cuda.py)

All implementations of a pass have the same arguments in the same order. A module registers its
functions when it is imported, and is imported when its backend is first asked for: importing
glassgrad compiles nothing and loads neither Numba nor CuPy.

Operations are ours, those that a file of yours registers when it is executed (own.py), and those
that installed packages announce as entry points of the group ``glassgrad.kernels``, the name that
of the operation, the value a module, or a package laid out like one of our families.
"""

import contextlib
import functools
import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import notice
from .arrays import is_cupy
from .errors import BackendError, DeviceError, nearest
from .numba_here import default_on_cpu, why_not

OPERATIONS = (
    *("conv2d", "pool2d", "lstm", "gru", "nade", "som", "reparam", "dropout", "philox"),
    *("batchnorm", "cross_entropy", "descent", "embedding", "skip_gram", "lrn", "attention"),
    "spmm",
)
OURS = frozenset(OPERATIONS)
MODULES = {"reference": "reference", "numba": "cpu", "cuda": "cuda", "emulated": "cuda"}
BACKENDS = tuple(MODULES)
GROUP = "glassgrad.kernels"  # of entry points


@dataclass(frozen=True)
class Implementation:
    """One implementation of one pass of one operation."""

    op: str
    pass_: str
    backend: str
    version: int
    idea: str  # in a phrase, what makes this version what it is
    deterministic: bool
    dtypes: tuple[str, ...]
    function: Callable
    supports: Callable[..., bool]  # (*args) -> may this version run on these arguments?
    precision: str = "full"  # "tf32", "bf16": products of numbers rounded to that; only by number

    @property
    def name(self) -> str:
        """As errors and reports name it: ``conv2d.forward[numba v1]``."""
        return f"{self.op}.{self.pass_}[{self.backend} v{self.version}]"


_records: dict[tuple[str, str, str], dict[int, Implementation]] = {}
_homes: dict[str, str] = {}  # an operation that is not ours -> the module or package that has it
_state = threading.local()


def register(
    op: str,
    pass_: str,
    *,
    backend: str,
    idea: str,
    version: int = 1,
    deterministic: bool = True,
    dtypes: tuple[str, ...] = ("float32", "float64"),
    supports: Callable[..., bool] | None = None,
    precision: str = "full",
):
    """Decorator: record the function as one implementation of (op, pass_) on a backend.

    Outside this package `op` may be an operation of your own, which begins with its first
    implementation, or one of ours, to which this adds a version ::

        @register("halving", "forward", backend="reference", idea="the formula")
        def forward(x):
            return x / 2

    Raises BackendError for an unknown backend, for names that are no identifiers, and for a version
    that another module has.
    """
    if backend not in BACKENDS:
        hint = nearest(backend, BACKENDS)
        raise BackendError(f"register: unknown backend {backend!r}{hint}")
    for what, name in (("operation", op), ("pass", pass_)):
        if not (isinstance(name, str) and name.isidentifier()):
            raise BackendError(f"register: the name of the {what} is no identifier: {name!r:.80}")

    def record(function):
        if op not in OPERATIONS:
            _claim(op, function.__module__)
        versions = _records.setdefault((op, pass_, backend), {})
        known = versions.get(version)
        if known and known.function.__module__ != function.__module__:
            raise BackendError(f"register: {known.name} is registered twice")
        versions[version] = Implementation(
            op,
            pass_,
            backend,
            version,
            idea,
            deterministic,
            dtypes,
            function,
            supports or (lambda *args: True),
            precision,
        )
        return function

    return record


def _claim(op: str, module: str) -> None:
    """Remember which module an operation of somebody else's lies in."""
    if module.startswith(f"{__package__}."):
        raise BackendError(f"register: unknown operation {op!r}{nearest(op, OPERATIONS)}")
    package, _, last = module.rpartition(".")
    _homes.setdefault(op, package if package and last in MODULES.values() else module)


def settle(op: str, module: str) -> None:
    """Say that a module or package, which is imported already, has the operation."""
    _homes[op] = module


def registered_by(module: str) -> list[str]:
    """The operations that a module, or a package with what is in it, has registered so far."""
    found = [op for op, name in _homes.items() if name == module]
    for (op, *_), versions in _records.items():
        for record in versions.values():
            if f"{record.function.__module__}.".startswith(f"{module}.") and op not in found:
                found.append(op)
    return found


def forget(module: str) -> None:
    """Take back what a module or package of somebody else's has registered: it has changed."""
    for versions in _records.values():
        for number, record in list(versions.items()):
            if f"{record.function.__module__}.".startswith(f"{module}."):
                del versions[number]
    for key in [key for key, versions in _records.items() if not versions]:
        del _records[key]
    for op in [op for op, name in _homes.items() if name == module]:
        del _homes[op]


@functools.cache
def _announced() -> dict:
    """The operations of installed packages, by name."""
    from importlib.metadata import entry_points

    found = {}
    for entry in entry_points(group=GROUP):
        if entry.name in OPERATIONS or entry.name in found:
            said = f"{_owner(entry)} announces a kernel {entry.name!r}, which there is already"
            notice.once(f"{said}: it is left out")
        else:
            found[entry.name] = entry
    return found


def _owner(entry) -> str:
    return f"the package {entry.dist.name}" if entry.dist else "a package"


def operations() -> tuple[str, ...]:
    """The names of all operations: ours, then those of your files and of installed packages.

    >>> operations()[:2]
    ('conv2d', 'pool2d')
    """
    return tuple(dict.fromkeys((*OPERATIONS, *_homes, *_announced())))


def home(op: str) -> str:
    """The name of the module or package that an operation lies in.

    Raises BackendError for an unknown operation, and for a package that cannot be imported.

    >>> home("conv2d")
    'glassgrad.kernels.conv2d'
    """
    if op in OPERATIONS:
        return f"{__package__}.{op}"
    if op not in _homes:
        if op not in _announced():
            hint = nearest(op, operations())
            raise BackendError(f"unknown operation {op!r}{hint}")
        entry = _announced()[op]
        _homes.setdefault(op, of_others(op, entry.module, _owner(entry)).__name__)
    return _homes[op]


def of_others(op: str, module: str, owner: str = ""):
    """A module of somebody else's, imported; BackendError for whatever it raises."""
    try:
        return importlib.import_module(module)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise BackendError(f"{op}: {owner or module} cannot be imported: {said}") from error


def _load(op: str, backend: str) -> None:
    """Import the module that holds `op` on `backend`, if the family has one and Numba is here.

    Raises BackendError for an operation of somebody else's whose module raises anything.
    """
    package = home(op)
    if backend == "numba" and why_not():
        return
    # a file may be executed without being one of Python's modules: it has registered all it has
    if op not in OPERATIONS and not hasattr(sys.modules.get(package), "__path__"):
        return  # one file, which is executed
    name = f"{package}.{MODULES[backend]}"
    try:
        importlib.import_module(name) if op in OPERATIONS else of_others(op, name)
    except (ModuleNotFoundError, BackendError) as error:
        missing = error.__cause__ if isinstance(error, BackendError) else error
        if getattr(missing, "name", None) != name:
            raise  # the module is there, something that it needs is not


def implementations(op=None, pass_=None, backend=None) -> list[Implementation]:
    """All registered implementations that match, in order of operation, pass, backend, version."""
    for o in operations() if op is None else (op,):
        try:
            for b in BACKENDS if backend is None else (backend,):
                _load(o, b)
        except (BackendError, ImportError) as error:
            if op is not None or o in OPERATIONS:
                raise
            notice.once(str(error))  # somebody else's package must not hide all others
    found = [r for versions in _records.values() for r in versions.values()]
    found = [
        r
        for r in found
        if op in (None, r.op) and pass_ in (None, r.pass_) and backend in (None, r.backend)
    ]
    passes, known = list(dict.fromkeys((r.op, r.pass_) for r in found)), operations()
    return sorted(
        found,
        key=lambda r: (
            known.index(r.op),
            passes.index((r.op, r.pass_)),
            BACKENDS.index(r.backend),
            r.version,
        ),
    )


@contextlib.contextmanager
def backend(name: str, **versions: int) -> Iterator[None]:
    """Run every kernel inside the block on `name`, whatever the default would be.

    A keyword pins the version of one operation: ``backend("numba", conv2d=1)``. Its passes that
    exist in that version run it, or fail where it does not support the arguments; passes that were
    never written in it, and all other operations, take their newest. Raises BackendError for an
    unknown backend or operation, for numba where there is none, and for a version in which no pass
    of the operation exists.

    >>> from glassgrad.kernels import backend, philox
    >>> with backend("reference", philox=1):
    ...     philox.bits(seed=0, offset=0, n=1)
    array([1713891541], dtype=uint32)
    """
    if name not in BACKENDS:
        raise BackendError(f"backend: unknown backend {name!r}; known are {', '.join(BACKENDS)}")
    if name == "numba" and why_not():
        raise BackendError(f"backend: {name!r} does not run here: {why_not()}")
    for op, version in versions.items():
        if op not in OURS and op not in operations():
            known = ", ".join(operations()) + nearest(op, operations())
            raise BackendError(f"backend: unknown operation {op!r}; known are {known}")
        there = sorted({r.version for r in implementations(op, backend=name)})
        if version not in there:
            raise BackendError(
                f"backend: no pass of {op} has version {version} on backend {name!r}"
                f" (registered versions: {there or 'none'})"
            )
    before = getattr(_state, "override", None)
    _state.override = (name, versions)
    try:
        yield
    finally:
        _state.override = before


def current_backend(array=None) -> str:
    """The backend that a kernel called now on `array` would take."""
    on_gpu = is_cupy(array)
    override = getattr(_state, "override", None)
    if override is None:
        return "cuda" if on_gpu else default_on_cpu()
    if on_gpu != (override[0] == "cuda") and array is not None:
        where = "the GPU" if on_gpu else "the CPU"
        raise DeviceError(f"backend {override[0]!r} cannot run on an array on {where}")
    return override[0]


def _floats(args) -> set[str]:
    """The float dtypes among the arguments: those of the arrays, and those given by name."""
    names = {_name(a.dtype) for a in args if hasattr(a, "dtype")}
    names |= {a for a in args if isinstance(a, str)}
    return {n for n in names if n.startswith("float")}


_name = functools.cache(str)  # of a dtype: NumPy spells it out each time


def find(op: str, pass_: str, backend: str, args=(), version: int | None = None) -> Implementation:
    """The newest version of (op, pass_) on `backend` that supports the arguments and their dtypes.

    A version of reduced precision is taken only where `version` asks for it by number. Raises
    BackendError when there is none: there is no silent fallback to another backend.
    """
    if (op, pass_, backend) not in _records:
        _load(op, backend)
    versions = _records.get((op, pass_, backend), {})
    floats = _floats(args)
    for number in sorted(versions, reverse=True):
        record = versions[number]
        wanted = number == version or (version is None and record.precision == "full")
        if wanted and floats <= {*record.dtypes} and record.supports(*args):
            return record
    asked = "" if version is None else f" version {version}"
    raise BackendError(
        f"{op}.{pass_}: no implementation on backend {backend!r}{asked} for these arguments"
        f" (registered versions: {sorted(versions) or 'none'})"
    )


def dispatch(op: str, pass_: str, *args, like=None):
    """Run (op, pass_) on the backend that fits; the record of what ran is `last_run()`.

    `like` is the array that decides the device, by default the first argument. On the CPU an
    operation of your own that has no Numba version runs on `reference`, unless `backend` says
    where.
    """
    array = args[0] if like is None else like
    override = getattr(_state, "override", None)
    name = current_backend(array)
    if override is None and name == "numba" and op not in OURS:
        name = _default(op, pass_)
    version = override[1].get(op) if override else None
    if version not in _records.get((op, pass_, name), {}):
        version = None  # pinned in another pass of the operation, see `backend`
    record = find(op, pass_, name, args, version)
    watch = getattr(_state, "watch", None)
    result = record.function(*args) if watch is None else watch(record, args)
    _state.last = record
    return result


def _default(op: str, pass_: str) -> str:
    """The backend of arrays on the CPU, for an operation that is not ours."""
    if (op, pass_, "numba") not in _records:
        _load(op, "numba")
    return "numba" if _records.get((op, pass_, "numba")) else "reference"


def last_run() -> Implementation | None:
    """The implementation that the last dispatch of this thread ran, then forgotten."""
    record = getattr(_state, "last", None)
    if record is not None:
        _state.last = None
    return record


@contextlib.contextmanager
def watching(watch: Callable):
    """Have every dispatch of this thread call ``watch(record, args)``, which must run and return
    ``record.function(*args)``: the hook of the timers and debug levels.
    """
    before = getattr(_state, "watch", None)
    _state.watch = watch
    try:
        yield
    finally:
        _state.watch = before
