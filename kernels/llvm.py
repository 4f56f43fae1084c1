"""What kernels written in LLVM's intermediate language share: addresses, and vectors of one number.

A pointer has no type in LLVM: each load, store and step names the type of what lies there. Numba's
own pointers still carry one, which llvmlite checks and will drop one day; an address made here
carries none, so the kernels work before and after. `b` is llvmlite's builder of the function.
"""

from llvmlite import ir

POINTER, LANE = ir.PointerType(), ir.IntType(32)


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
