"""The inner loop of cpu_v2_shifted.py: a tile of sums that stays in registers.

Numba's vectoriser works on one loop at a time and cannot keep a tile of sums in registers across
it. So this one function is written in LLVM's intermediate language, with vectors of 64 bytes, which
LLVM splits where registers are smaller. It is an `intrinsic`: Numba puts it straight into the loop
that calls it. Arrays are flat; every place is a number of elements from the start.

A tile of 8 x 2 vectors fills half of the 32 registers of AVX-512. With the 16 of AVX2 it is summed
in four blocks of 4 x 1, and one of 1 x 2 whole (kernels/llvm.py).
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...llvm import blocks, element, moved, spread


def _make_tile(rows: int):
    """out[r*ld + q] = sum over k of w[k*rows + r] * x[taps[k] + q], q < two vectors, r < rows."""

    @intrinsic
    def tile(typing, x, x_start, taps, w, w_start, out, out_start, ld):
        signature = types.void(x, types.intp, taps, w, types.intp, out, types.intp, types.intp)
        bits = x.dtype.bitwidth
        lanes, align = 512 // bits, bits // 8

        def generate(context, b, signature, args):
            size_t, real = args[1].type, context.get_value_type(x.dtype)
            vector = ir.VectorType(real, lanes)
            muladd = cgutils.get_or_insert_function(
                b.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fmuladd.v{lanes}f{bits}"
            )

            def start(array, index):
                """The address of element `index` of argument number `array`."""
                return element(context, b, signature.args[array], args[array], index)

            def at(address, steps):
                return moved(b, address, steps, real)

            def number(n):
                return ir.Constant(size_t, n)

            x_at, w_at, out_at = start(0, args[1]), start(3, args[4]), start(5, args[6])
            tap_array = context.make_array(taps)(context, b, args[2])
            count = b.extract_value(tap_array.shape, 0)

            def add_up(some_rows: range, halves: range):
                """for k in range(count): the sums are values of the loop, so in registers."""
                entry = b.block
                head, body, end = (b.append_basic_block(name) for name in ("head", "body", "end"))
                b.branch(head)
                b.position_at_end(head)
                k = b.phi(size_t)
                k.add_incoming(number(0), entry)
                sums = {(r, half): b.phi(vector) for r in some_rows for half in halves}
                for s in sums.values():
                    s.add_incoming(ir.Constant(vector, [ir.Constant(real, 0.0)] * lanes), entry)
                b.cbranch(b.icmp_signed("<", k, count), body, end)

                # one step: vectors of pixels, and for each row a weight copied into all lanes
                b.position_at_end(body)
                source = at(x_at, b.load(moved(b, tap_array.data, k, size_t), typ=size_t))
                places = {half: at(source, number(half * lanes)) for half in halves}
                pixels = {h: b.load(place, align=align, typ=vector) for h, place in places.items()}
                for r in some_rows:
                    weight = b.load(at(w_at, b.add(b.mul(k, number(rows)), number(r))), typ=real)
                    weight = spread(b, weight, vector)
                    for half in halves:
                        s = sums[r, half]
                        s.add_incoming(b.call(muladd, [weight, pixels[half], s]), body)
                k.add_incoming(b.add(k, number(1)), body)
                b.branch(head)

                b.position_at_end(end)  # stored once, after the last k
                for (r, half), s in sums.items():
                    where = b.add(b.mul(args[7], number(r)), number(half * lanes))
                    b.store(s, at(out_at, where), align=align)

            for part in blocks(rows, 2):
                add_up(*part)
            return context.get_dummy_value()

        return signature, generate

    return tile


tile8, tile4, tile1 = _make_tile(8), _make_tile(4), _make_tile(1)
