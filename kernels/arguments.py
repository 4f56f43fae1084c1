"""The arguments of a launch, compared with the signature of their kernel.

    count and kind of arguments    dtype of every array    one device    C-contiguous
    no output shares memory        sizes fit their integers    fields of every struct

What depends on the dtypes alone is decided once for each combination and kept; what can differ from
launch to launch (where the arrays lie, their order, their size, the numbers) is looked at each
time, in a few hundred nanoseconds an argument. CuPy's `Device` is not hashable, its `shares_memory`
takes microseconds a pair, and `__cuda_array_interface__` asks the driver for the stream: none of
them is used here.
"""

import functools
import numbers
import operator
import struct

import numpy as np

from .arrays import is_cupy
from .errors import DeviceError, DTypeError, ShapeError, ValueRangeError, expect
from .source import Parameter, Signature

POINTERS = {
    "float": "float32",
    "double": "float64",
    "int": "int32",
    "unsigned": "uint32",
    "unsigned char": "uint8",
    "long long": "int64",
    "unsigned long long": "uint64",
}
INTEGERS = {  # scalars: (dtype, least, most)
    "int": (np.int32, -(2**31), 2**31 - 1),
    "unsigned": (np.uint32, 0, 2**32 - 1),
    "unsigned char": (np.uint8, 0, 255),
    "long long": (np.int64, -(2**63), 2**63 - 1),
    "unsigned long long": (np.uint64, 0, 2**64 - 1),
}
REALS = {"float": np.float32, "double": np.float64}
CODES = {  # of the module struct
    "int": "i",
    "unsigned": "I",
    "unsigned char": "B",
    "long long": "q",
    "unsigned long long": "Q",
    "float": "f",
    "double": "d",
}
FLOATS = {"float32": "float", "float64": "double"}  # what `real` may be
MOST_INT = 2**31 - 2**20  # numbers of an array that an int counts, and the threads beyond its end
HOST = {np.ndarray, np.memmap}  # a masked array has more, which a kernel would lose
CPU = -1  # the place of NumPy's arrays; a GPU's is its number

_name = functools.cache(str)  # of a dtype: NumPy spells it out each time


def _types(fields: tuple[Parameter, ...], real: str, index: str) -> list[str]:
    own = {"real": real, "index_t": index}
    return [own.get(f.type, f.type) for f in fields]


def layout(fields: tuple[Parameter, ...], real: str, index: str) -> np.dtype:
    """The dtype of a struct of numbers as C lays it out, for one type of `real` and `index_t`."""
    kinds = [REALS.get(t) or INTEGERS[t][0] for t in _types(fields, real, index)]
    return np.dtype([(f.name, kind) for f, kind in zip(fields, kinds)], align=True)


def _packer(fields: tuple[Parameter, ...], real: str, index: str):
    """What packs a struct, the types of Python's numbers that it is for, and its layout."""
    types, kind = _types(fields, real, index), layout(fields, real, index)
    form = "".join(CODES[t] for t in types)
    gap = kind.itemsize - struct.calcsize(form)  # after the last field
    plain = tuple([float if t in REALS else int for t in types])
    return struct.Struct(f"{form}{gap}x").pack, plain, kind


class Arguments:
    """What one kernel takes; called with the arguments of a launch, it returns them checked.

    The result is (values, real, index, gpu): each argument as the kernel takes it (None for a null
    pointer), the C type of `real`, that of `index_t`, and the number of the GPU that the arrays lie
    on, None for the CPU. There must be at least one array to tell. Raises ShapeError, DTypeError,
    DeviceError or ValueRangeError.
    """

    def __init__(self, signature: Signature):
        self.kernel, self.parameters = signature.kernel, signature.parameters
        self.bounds = signature.bounds
        self.pointers = [(i, p) for i, p in enumerate(self.parameters) if p.pointer]
        values = [(i, p) for i, p in enumerate(self.parameters) if not p.pointer]
        self.numbers = [(i, p) for i, p in values if not p.fields]
        self.structs = [
            (i, p, tuple(f.name for f in p.fields), [(f"{p.name}.{f.name}", f) for f in p.fields])
            for i, p in values
            if p.fields
        ]
        self.packers: dict[tuple, tuple] = {}  # struct, `real`, `index_t` -> what packs it
        self.known: dict[tuple, str] = {}  # index, kinds, dtypes -> the C type of `real`

    def __call__(self, arguments: tuple):
        want = len(self.parameters)
        if len(arguments) != want:
            must = "number of arguments"
            expect(False, self.kernel, must, want, len(arguments), ShapeError)
        arrays = [arguments[i] for i, _ in self.pointers]
        largest = max([getattr(a, "size", 0) for a in arrays], default=0)
        index = "int" if largest <= MOST_INT else "long long"
        key = index, *map(type, arrays), *[getattr(a, "dtype", None) for a in arrays]
        real = self.known.get(key)
        if real is None:
            real = self.known[key] = self._real(arguments, index)
        gpu = self._memory(arguments)
        values, own = list(arguments), {"real": real, "index_t": index}
        for i, p in self.numbers:
            values[i] = self._number(p.name, own.get(p.type, p.type), arguments[i])
        for i, *known in self.structs:
            values[i] = self._struct(*known, own, arguments[i])
        return values, real, index, gpu

    def _arrays(self, arguments) -> dict:
        """The arrays by name, as errors list them."""
        return {p.name: arguments[i] for i, p in self.pointers if arguments[i] is not None}

    def _real(self, arguments, index: str) -> str:
        """The C type of `real`; raises DTypeError where the dtypes are not the signature's."""
        arrays, kernel = self._arrays(arguments), self.kernel
        for name, a in arrays.items():
            if type(a) not in HOST and not (is_cupy(a) and hasattr(a, "dtype")):
                raise DTypeError(f"{kernel}: {name} must be an array; got {a!r}")
        here = [p for _, p in self.pointers if p.name in arrays]
        reals = {_name(arrays[p.name].dtype) for p in here if p.type == "real"}
        must = "all arrays of type real have one dtype, float32 or float64"
        known = len(reals) <= 1 and reals <= FLOATS.keys()
        expect(known, kernel, must, "one of float32, float64", sorted(reals), DTypeError, **arrays)
        real = FLOATS[reals.pop()] if reals else "float"
        for p in here:
            type_ = {"real": real, "index_t": index}.get(p.type, p.type)
            want, got = POINTERS[type_], _name(arrays[p.name].dtype)
            must = f"{p.name}.dtype must fit {type_}*"
            expect(got == want, kernel, must, want, got, DTypeError, **arrays)
        return real

    def _memory(self, arguments) -> int | None:
        """Where the arrays lie: in order, apart, on one device. The number of that GPU."""
        runs, place = [], None
        for i, p in self.pointers:
            a = arguments[i]
            if a is None:
                continue
            if is_cupy(a):
                memory = a.data
                begin, where = memory.ptr, memory.device_id
            else:
                begin, where = a.__array_interface__["data"][0], CPU
                if not (p.constant or a.flags.writeable):
                    must, want = f"{p.name} is written", "a writable array"
                    self._refuse(arguments, must, want, "read-only", ValueRangeError)
            if where != place:
                if place is not None:
                    both = sorted([_spelled(place), _spelled(where)])
                    self._refuse(arguments, "one device for all arrays", "one", both, DeviceError)
                place = where
            if not a.flags.c_contiguous:
                must = f"{p.name} must be C-contiguous"
                self._refuse(arguments, must, "C order", a.strides, ShapeError)
            if size := a.nbytes:
                runs.append((begin, begin + size, i))
        runs.sort()
        end = 0
        for run in runs:
            if run[0] < end:
                self._expect_apart(arguments, runs)
                break
            end = run[1]
        return None if place == CPU else place

    def _expect_apart(self, arguments, runs) -> None:
        """No array that the kernel writes shares memory with another argument.

        All are contiguous, so each is a run of bytes.
        """
        for begin, end, i in runs:
            p: Parameter = self.parameters[i]
            for other, last, j in runs:
                if not p.constant and i != j and begin < last and other < end:
                    reader, want = self.parameters[j].name, "memory of its own"
                    must = f"{p.name} is written and must not share memory with {reader}"
                    self._refuse(arguments, must, want, "shared memory", ShapeError)

    def _number(self, name: str, type_: str, argument):
        """A number as the kernel takes it: a NumPy scalar of the C type's size."""
        kind = REALS.get(type_)
        if type(argument) is not (int if kind is None else float):
            if isinstance(argument, np.ndarray) and argument.shape == ():
                argument = argument[()]  # one of CuPy's would have to be waited for
            kinds = numbers.Integral if kind is None else numbers.Real
            must = f"{name} must be a number"
            a_number = isinstance(argument, kinds)
            expect(a_number, self.kernel, must, type_, repr(argument), DTypeError)
        if kind is not None:
            return kind(argument)
        kind, least, most = INTEGERS[type_]
        value = operator.index(argument)
        if not least <= value <= most:
            must = f"{name} must fit {type_}"
            expect(False, self.kernel, must, f"{least} to {most}", value, ValueRangeError)
        return kind(value)

    def _struct(self, p: Parameter, names, fields, own: dict[str, str], argument):
        """A named tuple as the kernel takes it: an array of one struct.

        CuPy copies an array of size one into the arguments of a launch, byte by byte.
        """
        given = getattr(type(argument), "_fields", None)
        if given != names:
            must = f"{p.name} must be a named tuple with the fields of {p.type}"
            got = repr(argument) if given is None else ", ".join(given)
            expect(False, self.kernel, must, ", ".join(names), got, DTypeError)
        key = p.name, own["real"], own["index_t"]
        packer = self.packers.get(key)
        if packer is None:
            packer = self.packers[key] = _packer(p.fields, *key[1:])
        pack, plain, kind = packer
        if tuple(map(type, argument)) == plain:
            try:  # one call: a loop over the fields takes ten times as long
                return np.ndarray((), kind, pack(*argument))
            except (struct.error, OverflowError):
                pass  # one does not fit: below it is named
        packed = np.zeros((), kind)  # the gaps are zeros
        packed[()] = tuple(
            self._number(name, own.get(f.type, f.type), value)
            for (name, f), value in zip(fields, argument)
        )
        return packed

    def _refuse(self, arguments, must: str, expected, got, error) -> None:
        expect(False, self.kernel, must, expected, got, error, **self._arrays(arguments))


def _spelled(place: int) -> str:
    return "the CPU" if place == CPU else f"GPU {place}"
