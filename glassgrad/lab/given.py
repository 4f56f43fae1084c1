"""Arguments of a kernel as texts, as a command line holds them.

n=1024  a=0.5          a number, for a number
z=2,3,32               the fields of a struct, in their order
x=random:1024          an array: normal numbers; of integers those from 0 to 9
x=zeros:64x64          zeros, ones, arange (0, 1, 2, …)
y=empty:1024           nobody has written it: reading it is a finding, and so is not writing it
x=values.npy           a file of NumPy's, converted to what the kernel takes
x=null                 a null pointer
"""

import math
import re
from pathlib import Path

import numpy as np

from ..kernels.arguments import INTEGERS, POINTERS, REALS
from ..kernels.debug import UNWRITTEN
from ..kernels.errors import ValueRangeError, nearest
from ..kernels.source import Parameter, Signature

KINDS = ("random", "zeros", "ones", "arange", "empty")
MOST = 1 << 28  # numbers of one array: the emulator would take hours
TYPICAL = 1024  # of an example


def declared(signature: Signature) -> str:
    """The kernel as C declares it.

    >>> from ..kernels.source import signatures
    >>> declared(signatures('extern "C" __global__ void k(const float *x, int n) {}')["k"])
    'k(const float* x, int n)'
    """
    parts = (
        f"{'const ' if p.constant and p.pointer else ''}{p.type}{'*' if p.pointer else ''} {p.name}"
        for p in signature.parameters
    )
    return f"{signature.kernel}({', '.join(parts)})"


def values(signature: Signature, texts: dict[str, str], real: str = "float32") -> list:
    """The arguments of a launch, in the order of the signature.

    Raises ValueRangeError for a name that the kernel does not have, for one that is missing, with
    what could be given for it, and for a text that is not understood.
    """
    names = [p.name for p in signature.parameters]
    for name in texts:
        if name not in names:
            known = nearest(name, names)
            raise ValueRangeError(f"lab: no argument {name!r}{known} in {declared(signature)}")
    missing = [p for p in signature.parameters if p.name not in texts]
    if missing:
        such = " ".join(f"--arg {p.name}={_example(p)}" for p in missing)
        what = ", ".join(p.name for p in missing)
        raise ValueRangeError(f"lab: {declared(signature)} needs {what}, such as {such}")
    found = []
    for i, parameter in enumerate(signature.parameters):
        make = _array if parameter.pointer else _struct if parameter.fields else _number
        found.append(make(parameter, texts[parameter.name], real, i))
    return found


def _example(p: Parameter) -> str:
    if p.pointer:
        return f"{'random' if p.constant else 'empty'}:{TYPICAL}"
    if p.fields:
        return ",".join(_example(f) for f in p.fields)
    return "1.0" if p.type in ("real", "float", "double") else str(TYPICAL)


def _refused(p: Parameter, text: str, must: str) -> ValueRangeError:
    return ValueRangeError(f"lab: cannot read {p.name}={text:.80}; expected {must}")


def _number(p: Parameter, text: str, real: str, seed: int = 0):
    if p.type == "real" or p.type in REALS:
        try:
            return float(text)
        except ValueError:
            raise _refused(p, text, "a number") from None
    _, least, most = INTEGERS["int" if p.type == "index_t" else p.type]
    try:
        value = int(text, 0)
    except ValueError:
        raise _refused(p, text, f"a whole number, as {p.name} is of type {p.type}") from None
    if not least <= value <= most:
        raise _refused(p, text, f"{least} to {most}, as {p.name} is of type {p.type}")
    return value


def _struct(p: Parameter, text: str, real: str, seed: int):
    parts = text.split(",")
    names = [f.name for f in p.fields]
    if len(parts) != len(names):
        raise _refused(p, text, f"{len(names)} numbers for {', '.join(names)}, commas between")
    numbers = (_number(f, part.strip(), real) for f, part in zip(p.fields, parts))
    # a named tuple but for its attributes: C calls a field what Python reserves, `in` or `lambda`
    return type("Struct", (tuple,), {"_fields": tuple(names)})(numbers)


def _array(p: Parameter, text: str, real: str, seed: int):
    dtype = POINTERS.get("int" if p.type == "index_t" else p.type, real)
    if text == "null":
        return None
    if text.endswith(".npy"):
        return _loaded(p, text, dtype)
    kind, _, size = text.partition(":")
    sizes = re.fullmatch(r"\d{1,10}(x\d{1,10})*", size)
    if kind not in KINDS or not sizes:
        known = f"{', '.join(KINDS)} and a size, such as random:{TYPICAL} or zeros:32x32"
        raise _refused(p, text, f"{known}; null; or a file.npy")
    shape = tuple(map(int, size.split("x")))
    if math.prod(shape) > MOST:
        raise _refused(p, text, f"at most {MOST} numbers")
    return _made(kind, shape, dtype, seed)


def _made(kind: str, shape: tuple, dtype: str, seed: int):
    whole = np.dtype(dtype).kind in "iu"
    if kind == "random":
        rng = np.random.default_rng(seed)
        drawn = rng.integers(0, 10, shape) if whole else rng.standard_normal(shape)
        return np.ascontiguousarray(drawn.astype(dtype))
    if kind == "arange":
        return np.arange(math.prod(shape)).astype(dtype).reshape(shape)
    if kind == "empty":
        size = math.prod(shape) * np.dtype(dtype).itemsize
        words = np.full(-(-size // 4), UNWRITTEN, "uint32")
        return words.view("uint8")[:size].view(dtype).reshape(shape)
    return getattr(np, kind)(shape, dtype)


def _loaded(p: Parameter, text: str, dtype: str):
    try:
        array = np.load(Path(text), allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _refused(p, text, f"a file that NumPy has written ({error})") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise _refused(p, text, "a file with one array of numbers")
    return np.ascontiguousarray(array.astype(dtype))
