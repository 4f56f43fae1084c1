"""What kernels written in LLVM's intermediate language share: addresses, and vectors of one number.

A pointer has no type in LLVM: each load, store and step names the type of what lies there. Numba's
own pointers still carry one, which llvmlite checks and will drop one day; an address made here
carries none, so the kernels work before and after. `b` is llvmlite's builder of the function.

LLVM splits a vector that is larger than a register, and stores numbers for which no register is
left, in every round of a loop. So a kernel that holds sums in registers has to know them: `WIDE`
says whether there are the 32 of 64 bytes of AVX-512; otherwise AVX2's 16 of 32 bytes are assumed.
"""

from collections.abc import Iterator
from itertools import product

from llvmlite import binding, ir

WIDE = bool(binding.get_host_cpu_features().get("avx512f"))
# Rows, and vectors of 64 bytes, of a tile of sums that registers hold at a time: half of the
# registers, since the factors need some. Without AVX-512 these are 8 sums of 32 bytes, as many as
# two multipliers need that take four to five cycles each.
BLOCK = (8, 2) if WIDE else (4, 1)
POINTER, LANE = ir.PointerType(), ir.IntType(32)


def blocks(rows: int, vectors: int) -> Iterator[tuple[range, range]]:
    """The parts of a tile whose sums fit into registers, one after another: rows and vectors.

    Where there are fewer rows than in a block, it has more vectors instead.

    >>> [part for part in blocks(1, 2)]
    [(range(0, 1), range(0, 2))]
    """
    tall = min(rows, BLOCK[0])
    wide = BLOCK[0] * BLOCK[1] // tall

    def cut(n, size):
        return [range(i, min(n, i + size)) for i in range(0, n, size)]

    return product(cut(rows, tall), cut(vectors, wide))


def element(context, b, kind, array, index):
    """The address of array[index]; `kind` is Numba's type of the array, which is contiguous."""
    data = context.make_array(kind)(context, b, array).data
    return moved(b, data, index, context.get_value_type(kind.dtype))


def moved(b, address, steps, kind):
    """The address `steps` elements of LLVM's type `kind` further on."""
    to = b.gep(address, [steps], source_etype=kind)
    to.type = POINTER  # llvmlite hands down the type of a pointer of Numba's
    return to


def spread(b, number, kind):
    """A vector of LLVM's type `kind` with the number in every lane."""
    undefined = ir.Constant(kind, ir.Undefined)
    one = b.insert_element(undefined, number, LANE(0))
    return b.shuffle_vector(one, undefined, ir.VectorType(LANE, kind.count)([0] * kind.count))
