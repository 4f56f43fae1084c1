"""The inner loop of cpu_v2_shifted.py: a tile of sums that stays in registers.

Numba's vectoriser works on one loop at a time and cannot keep a tile of sums in registers across
it. So this one function is written in LLVM's intermediate language, with vectors of 64 bytes, which
LLVM splits where registers are smaller. It is an `intrinsic`: Numba puts it straight into the loop
that calls it. Arrays are flat; every place is a number of elements from the start.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _make_tile(rows: int):
    """out[r*ld + q] = sum over k of w[k*rows + r] * x[taps[k] + q], q < two vectors, r < rows."""

    @intrinsic
    def tile(typing, x, x_start, taps, w, w_start, out, out_start, ld):
        signature = types.void(x, types.intp, taps, w, types.intp, out, types.intp, types.intp)
        bits = x.dtype.bitwidth
        lanes, align = 512 // bits, bits // 8

        def generate(context, b, signature, args):
            size_t, lane_t = args[1].type, ir.IntType(32)
            real = context.get_value_type(x.dtype)
            vector = ir.VectorType(real, lanes)
            broadcast = ir.Constant(ir.VectorType(lane_t, lanes), [0] * lanes)
            muladd = cgutils.get_or_insert_function(
                b.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fmuladd.v{lanes}f{bits}"
            )

            def array(i):
                return context.make_array(signature.args[i])(context, b, args[i])

            def at(pointer, index):
                return b.gep(pointer, [index])

            def number(n):
                return ir.Constant(size_t, n)

            tap_array = array(2)
            x_at, w_at = at(array(0).data, args[1]), at(array(3).data, args[4])
            out_at, count = at(array(5).data, args[6]), b.extract_value(tap_array.shape, 0)

            # for k in range(count): the sums are values of the loop, so they stay in registers
            entry = b.block
            head, body, end = (b.append_basic_block(name) for name in ("head", "body", "end"))
            b.branch(head)
            b.position_at_end(head)
            k = b.phi(size_t)
            k.add_incoming(number(0), entry)
            sums = [[b.phi(vector) for _ in range(2)] for _ in range(rows)]
            for s in (s for row in sums for s in row):
                s.add_incoming(ir.Constant(vector, [ir.Constant(real, 0.0)] * lanes), entry)
            b.cbranch(b.icmp_signed("<", k, count), body, end)

            # one step: two vectors of pixels, and for each row a weight copied into all lanes
            b.position_at_end(body)
            source = at(x_at, b.load(at(tap_array.data, k)))
            pixels = [
                b.load(
                    b.bitcast(at(source, number(half * lanes)), vector.as_pointer()), align=align
                )
                for half in range(2)
            ]
            for r, row in enumerate(sums):
                weight = b.load(at(w_at, b.add(b.mul(k, number(rows)), number(r))))
                undefined = ir.Constant(vector, ir.Undefined)
                weight = b.insert_element(undefined, weight, ir.Constant(lane_t, 0))
                weight = b.shuffle_vector(weight, undefined, broadcast)
                for s, p in zip(row, pixels):
                    s.add_incoming(b.call(muladd, [weight, p, s]), body)
            k.add_incoming(b.add(k, number(1)), body)
            b.branch(head)

            b.position_at_end(end)  # stored once, after the last k
            for r, row in enumerate(sums):
                for half, s in enumerate(row):
                    where = b.add(b.mul(args[7], number(r)), number(half * lanes))
                    target = b.bitcast(at(out_at, where), vector.as_pointer())
                    b.store(s, target, align=align)
            return context.get_dummy_value()

        return signature, generate

    return tile


tile8, tile4, tile1 = _make_tile(8), _make_tile(4), _make_tile(1)
