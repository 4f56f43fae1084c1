"""The arguments of a launch, compared with the signature of their kernel.

    count and kind of arguments    dtype of every array    one device    C-contiguous
    no output shares memory        sizes fit their integers

What depends on the dtypes alone is decided once for each combination and kept; what can differ from
launch to launch (where the arrays lie, their order, their size, the numbers) is looked at each
time, in a few hundred nanoseconds an argument. CuPy's `Device` is not hashable, its `shares_memory`
takes microseconds a pair, and `__cuda_array_interface__` asks the driver for the stream: none of
them is used here.
"""

import functools
import numbers
import operator

import numpy as np

from .arrays import is_cupy
from .errors import DeviceError, DTypeError, ShapeError, ValueRangeError, expect
from .source import Parameter, Signature

POINTERS = {
    "float": "float32",
    "double": "float64",
    "int": "int32",
    "unsigned": "uint32",
    "long long": "int64",
    "unsigned long long": "uint64",
}
INTEGERS = {  # scalars: (dtype, least, most)
    "int": (np.int32, -(2**31), 2**31 - 1),
    "unsigned": (np.uint32, 0, 2**32 - 1),
    "long long": (np.int64, -(2**63), 2**63 - 1),
    "unsigned long long": (np.uint64, 0, 2**64 - 1),
}
REALS = {"float": np.float32, "double": np.float64}
FLOATS = {"float32": "float", "float64": "double"}  # what `real` may be
MOST_INT = 2**31 - 2**20  # numbers of an array that an int counts, and the threads beyond its end
HOST = {np.ndarray, np.memmap}  # what a scalar or a masked array has besides, a kernel would lose
CPU = -1  # the place of NumPy's arrays; a GPU's is its number

_name = functools.cache(str)  # of a dtype: NumPy spells it out each time


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
        self.numbers = [(i, p) for i, p in enumerate(self.parameters) if not p.pointer]
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
                    self._refuse(
                        arguments, f"{p.name} is written", "a writable array", "read-only",
                        ValueRangeError,
                    )  # fmt: skip
            if where != place:
                if place is not None:
                    self._refuse(
                        arguments, "one device for all arrays", "one",
                        sorted([_spelled(place), _spelled(where)]), DeviceError,
                    )  # fmt: skip
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
                    must = f"{p.name} is written and must not share memory with "
                    self._refuse(
                        arguments, must + self.parameters[j].name, "memory of its own",
                        "shared memory", ShapeError,
                    )  # fmt: skip

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

    def _refuse(self, arguments, must: str, expected, got, error) -> None:
        expect(False, self.kernel, must, expected, got, error, **self._arrays(arguments))


def _spelled(place: int) -> str:
    return "the CPU" if place == CPU else f"GPU {place}"
