"""The names that a pickle may use: types of storages, and the functions that rebuild tensors.

Each is a description here, not PyTorch's own function: a tensor becomes `Placed`, a storage with
an offset, lengths and strides, which storages.py checks and turns into an array at the end.
"""

from typing import NamedTuple

import numpy as np

from .machine import LONGEST_NAME, Known, Refused

DTYPES = {
    "float64": "Double", "float32": "Float", "float16": "Half", "bfloat16": "BFloat16",
    "int64": "Long", "int32": "Int", "int16": "Short", "int8": "Char", "uint8": "Byte",
    "bool": "Bool", "complex64": "ComplexFloat", "complex128": "ComplexDouble",
}  # fmt: skip
LATER = ("uint16", "uint32", "uint64")  # dtypes without a type of storage
MOST_AXES = 64  # of an array of NumPy's
SIZES = {  # bytes of a number
    d: 2 if d == "bfloat16" else np.dtype(d).itemsize for d in (*DTYPES, *LATER)
}


class Storage(NamedTuple):
    """`count` numbers of one dtype, in the file under `key`."""

    key: str
    dtype: str
    count: int


class Placed(NamedTuple):
    """A tensor: element (i, j, ...) is number `start` + i·strides[0] + ... of its storage.

    Of that number the conjugate where `conj`, then the negative where `neg`: PyTorch's views
    ``z.conj()`` and ``z.conj().imag`` share the storage of z.
    """

    storage: Storage
    start: int
    shape: tuple
    strides: tuple
    conj: bool = False
    neg: bool = False


def is_count(value) -> bool:
    """A whole number of at least 0 that fits 63 bits?"""
    return type(value) is int and 0 <= value < 1 << 63


def storage_of(key, kind, count) -> Storage:
    """The storage that a persistent id means; Refused for parts of other kinds."""
    if type(kind) is not Known or not isinstance(kind.means, str) or kind.call:
        raise Refused("is damaged: a storage without a type")
    if not is_count(count) or type(key) is not str:
        raise Refused("is damaged: a storage without a key or a length")
    return Storage(key, kind.means, count)


def _bits(metadata, dtype: str) -> tuple[bool, bool]:
    """(conj, neg) of a tensor's metadata, which is None or a dictionary of these two alone."""
    if metadata is None:
        return False, False
    if type(metadata) is not dict or not all(
        key in ("conj", "neg") and type(value) is bool for key, value in metadata.items()
    ):
        raise Refused("is damaged: a tensor's metadata are other than conj and neg, true or false")
    conj, neg = metadata.get("conj", False), metadata.get("neg", False)
    if (conj and not dtype.startswith("complex")) or (neg and dtype == "bool"):
        raise Refused(f"is damaged: a tensor of {dtype} that is {'conj' if conj else 'neg'}")
    return conj, neg


def tensor(storage, start, shape, strides, tracked=False, hooks=None, metadata=None) -> Placed:
    """A tensor on a storage; `tracked` and `hooks` say nothing about its numbers."""
    if type(storage) is not Storage:
        raise Refused("is damaged: a tensor without a storage")
    counts = (
        type(shape) is tuple and type(strides) is tuple and len(shape) == len(strides) <= MOST_AXES
    )
    if not counts or not is_count(start) or not all(map(is_count, (*shape, *strides))):
        raise Refused("is damaged: a tensor without lengths and strides")
    return Placed(storage, start, shape, strides, *_bits(metadata, storage.dtype))


def tensor_of_bytes(storage, start, shape, strides, tracked, hooks, dtype, metadata=None) -> Placed:
    """The same on bytes, for dtypes that have no storage of their own; `start` counts numbers."""
    if type(storage) is not Storage or type(dtype) is not Known or dtype.name[6:] not in SIZES:
        raise Refused("is damaged: a tensor without a dtype")
    name = dtype.name[6:]
    count = storage.count * SIZES[storage.dtype] // SIZES[name]
    return tensor(Storage(storage.key, name, count), start, shape, strides, metadata=metadata)


def parameter(data, tracked=True, hooks=None, attributes=None) -> Placed:
    """A parameter is its tensor; what else it was given as attributes is dropped."""
    if type(data) is not Placed:
        raise Refused("is damaged: a parameter without a tensor")
    return data


def ordered(pairs=()) -> dict:
    """An ordered dictionary, empty: its items follow."""
    if pairs != ():
        raise Refused("is damaged: an ordered dictionary of pairs")
    return {}


def lengths(of=()) -> tuple:
    """A shape."""
    if type(of) is not tuple or len(of) > MOST_AXES or not all(map(is_count, of)):
        raise Refused("is damaged: a shape that is no tuple of lengths")
    return of


KNOWN = {
    known.name: known
    for known in (
        *(Known(f"torch.{kind}Storage", means=dtype) for dtype, kind in DTYPES.items()),
        Known("torch.storage.UntypedStorage", means="uint8"),
        *(Known(f"torch.{dtype}") for dtype in SIZES),
        Known("torch._utils._rebuild_tensor", tensor),
        Known("torch._utils._rebuild_tensor_v2", tensor),
        Known("torch._utils._rebuild_tensor_v3", tensor_of_bytes),
        Known("torch._utils._rebuild_parameter", parameter),
        Known("torch._utils._rebuild_parameter_with_state", parameter),
        Known("torch.Size", lengths),
        Known("collections.OrderedDict", ordered),
    )
}
SAVE = "save net.state_dict() instead, whose numbers any program reads"


def find(module: str, name: str) -> Known:
    """What a name means. Refused unless it is in the list; nothing is imported."""
    full = f"{module}.{name}"
    if full in KNOWN:
        return KNOWN[full]
    full = full[:LONGEST_NAME]
    if module.startswith("__torch__"):
        raise Refused(f"is a TorchScript program ({full}), which is not run; {SAVE}")
    if name.endswith("Storage") and module == "torch":
        raise Refused(f"holds numbers of the type {full}, which NumPy does not have")
    if module.startswith("torch.") and name.startswith("_rebuild_") and name.isidentifier():
        raise Refused(f"holds a tensor that {full} would rebuild; plain ones are read")
    raise Refused(f"asks for {full}, which is not in the list of names that are read; {SAVE}")
