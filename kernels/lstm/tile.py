"""The matrix product that recurrent layers need: few rows, the same weights at every step.

A step multiplies a handful of rows, those of one batch, with weights that never change:

    c[r, j] = start[r, j] + sum over k of  a[r, k] * w[k, j]

A library's product unpacks and repacks the weights at each call, wakes its threads and lets them
wait for one another: 28 or 100 times a sequence. Here the weights are packed once, in the order in
which they will be read, and a product is a plain function that one thread runs by itself: threads
own rows of the batch, which never meet until the sequence is over.

**The tile.** R rows times V vectors of sums stay in registers through all of k. Each k loads V
vectors of weights and R single numbers of `a`, for R·V multiply-adds: with 24 sums there is less
than one load for two of them. Numba's vectoriser cannot keep such a tile across the loop, so it is
written in LLVM's intermediate language: one loop for each R and V, and a switch between them, so
that no row of a short batch is computed in vain. The last vector of a matrix is masked. What the
sums are added to, often far away in memory, is called for before the loop and used after it.

Every sum has its terms in the order of k, whichever tile it falls into: the same bits for every
number of threads and every split of the rows.
"""

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

WIDE = bool(binding.get_host_cpu_features().get("avx512f"))
VECTOR = 64 if WIDE else 32  # bytes
SUMS = 24 if WIDE else 12  # vectors of sums in a tile; the other registers hold a and w


def tallest(vectors: int) -> int:
    """Rows of a tile of so many vectors."""
    return min(8, SUMS // vectors)


TALLEST = np.array([0, *(tallest(v) for v in range(1, 5))])
CALL = (
    "a",
    "a_at",
    "a_row",
    "a_k",
    "w",
    "w_at",
    "terms",
    "s",
    "s_at",
    "s_row",
    "c",
    "c_at",
    "c_row",
)
CALL += ("vector_step", "rows", "vectors", "lanes", "lanes_step")


@intrinsic
def tile(
    typing, a, a_at, a_row, a_k, w, w_at, terms, s, s_at, s_row, c, c_at, c_row,
    vector_step, rows, vectors, lanes, lanes_step,
):  # fmt: skip
    """c[r, v] = s[r, v] + Σ_k a[r, k] w[k, v] on flat arrays."""
    arrays = {"a", "w", "s", "c"}
    signature = types.void(*(a if name in arrays else types.intp for name in CALL))
    real_bits, count = a.dtype.bitwidth, VECTOR * 8 // a.dtype.bitwidth

    def generate(context, b, signature, args):
        given = dict(zip(CALL, args))
        size_t, lane_t, bit = given["a_at"].type, ir.IntType(32), ir.IntType(1)
        real = context.get_value_type(a.dtype)
        vector, mask_t = ir.VectorType(real, count), ir.VectorType(bit, count)
        numbers = ir.VectorType(size_t, count)
        form = f"v{count}f{real_bits}"

        def function(name, result, *arguments):
            kind = ir.FunctionType(result, arguments)
            return cgutils.get_or_insert_function(b.module, kind, f"llvm.{name}")

        pointer = vector.as_pointer()
        muladd = function(f"fmuladd.{form}", vector, vector, vector, vector)
        load = function(f"masked.load.{form}.p0", vector, pointer, lane_t, mask_t, vector)
        store = function(f"masked.store.{form}.p0", ir.VoidType(), vector, pointer, lane_t, mask_t)
        byte = ir.IntType(8).as_pointer()
        prefetch = function("prefetch.p0", ir.VoidType(), byte, lane_t, lane_t, lane_t)
        align = ir.Constant(lane_t, real_bits // 8)

        def flag(n):
            return ir.Constant(lane_t, n)

        def to_bytes(at):
            return b.bitcast(at, byte)

        def number(n):
            return ir.Constant(size_t, n)

        def base(name):
            array = context.make_array(signature.args[CALL.index(name)])(context, b, given[name])
            return b.gep(array.data, [given[f"{name}_at"]])

        def spread(value, kind):
            undefined = ir.Constant(kind, ir.Undefined)
            first = b.insert_element(undefined, value, ir.Constant(lane_t, 0))
            zeros = ir.Constant(ir.VectorType(lane_t, count), [0] * count)
            return b.shuffle_vector(first, undefined, zeros)

        def place(start, row, r, v):
            offset = b.add(b.mul(row, number(r)), b.mul(given["vector_step"], number(v)))
            return b.bitcast(b.gep(start, [offset]), pointer)

        a_from, w_from, s_from, c_from = (base(name) for name in "awsc")
        lane = ir.Constant(numbers, list(range(count)))
        masks = []
        for v in range(4):
            left = b.sub(given["lanes"], b.mul(given["lanes_step"], number(v)))
            masks.append(b.icmp_signed("<", lane, spread(left, numbers)))
        end = b.append_basic_block("end")
        which = b.add(b.mul(given["rows"], number(8)), given["vectors"])
        choice = b.switch(which, end)

        for V in range(1, 5):
            for R in range(1, tallest(V) + 1):
                before = b.append_basic_block(f"tile{R}x{V}")
                loop, after = b.append_basic_block("loop"), b.append_basic_block("after")
                choice.add_case(number(8 * R + V), before)
                b.position_at_end(before)
                zero = ir.Constant(vector, [0.0] * count)
                grid = [(r, v) for r in range(R) for v in range(V)]
                starts = {at: place(s_from, given["s_row"], *at) for at in grid}
                targets = {at: place(c_from, given["c_row"], *at) for at in grid}
                for at in grid:  # on their way from memory while the loop runs
                    b.call(prefetch, [to_bytes(starts[at]), flag(0), flag(3), flag(1)])
                    b.call(prefetch, [to_bytes(targets[at]), flag(1), flag(3), flag(1)])
                rows_from = [b.gep(a_from, [b.mul(given["a_row"], number(r))]) for r in range(R)]
                b.cbranch(b.icmp_signed(">", given["terms"], number(0)), loop, after)

                b.position_at_end(loop)
                k, a_off = b.phi(size_t), b.phi(size_t)
                k.add_incoming(number(0), before)
                a_off.add_incoming(number(0), before)
                running = {at: b.phi(vector) for at in grid}
                for at in grid:
                    running[at].add_incoming(zero, before)
                w_off = b.mul(k, number(V * count))
                weights = []
                for v in range(V):
                    at = b.gep(w_from, [b.add(w_off, number(v * count))])
                    weights.append(b.load(b.bitcast(at, pointer), align=real_bits // 8))
                new = {}
                for r in range(R):
                    value = spread(b.load(b.gep(rows_from[r], [a_off])), vector)
                    for v in range(V):
                        new[r, v] = b.call(muladd, [value, weights[v], running[r, v]])
                        running[r, v].add_incoming(new[r, v], loop)
                k_next, a_next = b.add(k, number(1)), b.add(a_off, given["a_k"])
                k.add_incoming(k_next, loop)
                a_off.add_incoming(a_next, loop)
                b.cbranch(b.icmp_signed("<", k_next, given["terms"]), loop, after)

                b.position_at_end(after)
                sums = {at: b.phi(vector) for at in grid}
                for at, total in sums.items():
                    total.add_incoming(zero, before)
                    total.add_incoming(new[at], loop)
                for at, total in sums.items():
                    first = b.call(load, [starts[at], align, masks[at[1]], zero])
                    total = b.fadd(first, total)
                    b.call(store, [total, targets[at], align, masks[at[1]]])
                b.branch(end)

        b.position_at_end(end)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def fetch(typing, array, index):
    """Calls for the cache line of array[index], flat, wherever it is; it may lie past the end."""

    def generate(context, b, signature, args):
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        data = context.make_array(signature.args[0])(context, b, args[0]).data
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        prefetch = cgutils.get_or_insert_function(b.module, kind, "llvm.prefetch.p0")
        at = b.bitcast(b.gep(data, [args[1]]), byte)
        b.call(prefetch, [at, *(ir.Constant(number, n) for n in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate
