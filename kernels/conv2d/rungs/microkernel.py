"""The three inner loops of the fast convolutions, written for vector registers.

Numba's vectoriser works on one loop at a time; it cannot keep a tile of sums in registers across a
loop, nor shuffle a square of numbers. So these three functions are written directly in LLVM's
intermediate language, with vectors of sixteen float32 (64 bytes; LLVM splits them where registers
are smaller). Each is an `intrinsic`: Numba puts it straight into the loop that calls it. All arrays
are flat and float32; every place is a number of elements from the start.

**multiply** is the heart of a matrix product. R x V vectors of sums stay in registers while the
whole sum is added to them; a step loads V vectors of b and R single numbers of a for R*V vector
multiply-adds, so 10 loads serve 16 at R=8, V=2 and the multipliers are the limit, not the cache:

    out[r*out_row + l]  =  sum over i, k of  a[rows[r] + runs[i] + k*step] * b[(i*K + k)*b_row + l]

With the 16 registers of AVX2 it is summed in four blocks of 4 x 1 (kernels/llvm.py).

The rows of `a` may lie anywhere (`rows` is a table), and the sum may run over several stretches of
it (`runs`): that is what turns a matrix product into a convolution without unfolding anything.

**transpose** turns a 16 x 16 square of numbers with 64 shuffles, between rows that may lie
anywhere. It is how pixels-together (N,C,H,W) becomes channels-together, and back.

**transform** computes  M d M^T  for a small constant matrix M and 16 independent d at once: the
input, weight and output transforms of Winograd, each with only the products M needs.
"""

from typing import NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...llvm import LANE, blocks, moved, spread

LANES = 16
ROWS = 8  # rows of a tile of sums
REAL, SIZE = ir.FloatType(), ir.IntType(64)
VECTOR = ir.VectorType(REAL, LANES)


def _number(n: int):
    return ir.Constant(SIZE, n)


def _indices(*lanes: int):
    return ir.Constant(ir.VectorType(LANE, len(lanes)), list(lanes))


def _constant(value: float):
    return ir.Constant(VECTOR, [ir.Constant(REAL, value)] * LANES)


class Factors(NamedTuple):
    """Where a matrix product has its factors and its result: numbers of elements from their starts.

    Row r of the left factor begins at start + rows[r] and has K numbers in each of its runs; the
    right one has a row of `lanes` numbers for each of them.
    """

    start: int  # of the left factor
    count: int  # rows
    K: int
    b_start: int  # of the right factor
    lanes: int  # columns: 32 or 16
    out: int  # where the result begins
    out_row: int
    keep: int  # not 0: add to what is there


class _Code:
    """Vector operations written at one place of a function being generated."""

    def __init__(self, context, builder, signature, args):
        self.b = builder
        self.data = {
            i: context.make_array(t)(context, builder, args[i])
            for i, t in enumerate(signature.args)
            if isinstance(t, types.Array)
        }

    def start(self, array: int, place):
        """The address of number `place` of argument number `array`."""
        return moved(self.b, self.data[array].data, place, REAL)

    def entry(self, table: int, place):
        """Entry `place` of argument number `table`, a table of places."""
        return self.b.load(moved(self.b, self.data[table].data, place, SIZE), typ=SIZE)

    def size(self, array: int):
        return self.b.extract_value(self.data[array].shape, 0)

    def at(self, address, *steps):
        """The address some numbers further on."""
        for step in steps:
            address = moved(self.b, address, step, REAL)
        return address

    def times(self, value, n: int):
        return self.b.mul(value, _number(n))

    def load(self, address):
        return self.b.load(address, align=4, typ=VECTOR)

    def store(self, vector, address):
        self.b.store(vector, address, align=4)

    def _call(self, name, result, *args):
        kind = ir.FunctionType(result, [a.type for a in args])
        return self.b.call(cgutils.get_or_insert_function(self.b.module, kind, name), args)

    def muladd(self, a, b, c):
        return self._call("llvm.fmuladd.v16f32", VECTOR, a, b, c)

    def first(self, count):
        """A mask whose first `count` lanes are set."""
        kind = ir.VectorType(SIZE, LANES)
        lanes = ir.Constant(kind, list(range(LANES)))
        return self.b.icmp_signed("<", lanes, spread(self.b, count, kind))

    def load_some(self, address, mask):
        name, align = "llvm.masked.load.v16f32.p0", ir.Constant(LANE, 4)
        return self._call(name, VECTOR, address, align, mask, _constant(0.0))

    def store_some(self, vector, address, mask):
        name, align = "llvm.masked.store.v16f32.p0", ir.Constant(LANE, 4)
        self._call(name, ir.VoidType(), vector, address, align, mask)

    def least(self, a, n: int):
        """min(n, a - 1): the index n, or the last one there is."""
        last = self.b.sub(a, _number(1))
        return self.b.select(self.b.icmp_signed("<", last, _number(n)), last, _number(n))

    def loop(self, count, begin: list):
        """Blocks of a loop: `index, values` inside it, and a function that ends it.

        The values start as `begin` and go on as what is handed to the function, which returns them
        as they are after the last round.
        """
        b, entry = self.b, self.b.block
        head, body, end = (b.append_basic_block(name) for name in ("head", "body", "end"))
        b.branch(head)
        b.position_at_end(head)
        index = b.phi(SIZE)
        index.add_incoming(_number(0), entry)
        values = [b.phi(v.type) for v in begin]
        for value, first in zip(values, begin):
            value.add_incoming(first, entry)
        b.cbranch(b.icmp_signed("<", index, count), body, end)
        b.position_at_end(body)

        def close(after):
            index.add_incoming(b.add(index, _number(1)), b.block)
            for value, new in zip(values, after):
                value.add_incoming(new, b.block)
            b.branch(head)
            b.position_at_end(end)
            return values

        return index, values, close


def make_multiply(V: int):
    """`multiply` for V vectors of b and ROWS rows from `row` on, where Factors say; see the page.

    `step` and `b_row`, by which the inner loop moves on, are arguments apart: where the caller
    writes a number, Numba compiles the loop for that number, and no register holds it.
    """

    @intrinsic
    def multiply(typing, a, rows, row, runs, step, b, b_row, out, out_start, factors):
        size = types.intp
        given = (a, rows, size, runs, size, b, size, out, size, factors)

        def generate(context, builder, signature, args):
            code = _Code(context, builder, signature, args)
            _, _, row, _, step, _, b_row, _, out_start, factors = args
            p = Factors(*cgutils.unpack_tuple(builder, factors))

            def add_up(rows: range, vectors: range):
                """One block of the tile: its sums stay in registers through all runs."""
                a_rows = [
                    code.start(0, builder.add(p.start, code.entry(1, r)))
                    for r in (builder.add(row, _number(r)) for r in rows)
                ]
                out = code.start(7, out_start)
                places = [
                    code.at(out, builder.add(code.times(p.out_row, r), _number(v * LANES)))
                    for r in rows
                    for v in vectors
                ]
                kept = builder.icmp_signed("!=", p.keep, _number(0))
                sums = [builder.select(kept, code.load(to), _constant(0.0)) for to in places]
                run, (b_at, *sums), close_runs = code.loop(
                    code.size(3), [code.start(5, p.b_start), *sums]
                )
                start = [code.entry(3, run), b_at, *sums]
                _, (a_at, b_at, *sums), close_steps = code.loop(p.K, start)
                # one step: the vectors of b serve all rows, each row one number of a in all lanes
                loaded = [code.load(code.at(b_at, _number(v * LANES))) for v in vectors]
                after, old = [], iter(sums)
                for a_row in a_rows:
                    number = builder.load(code.at(a_row, a_at), typ=REAL)
                    number = spread(builder, number, VECTOR)
                    after += [code.muladd(number, vector, next(old)) for vector in loaded]
                a_next, b_next = builder.add(a_at, step), code.at(b_at, b_row)
                _, b_at, *sums = close_steps([a_next, b_next, *after])
                _, *sums = close_runs([b_at, *sums])
                for place, total in zip(places, sums):
                    code.store(total, place)

            for rows, vectors in blocks(ROWS, V):
                add_up(rows, vectors)
            return context.get_dummy_value()

        return types.void(*given), generate

    return multiply


def _turn(code, rows):
    """Sixteen vectors, transposed: four rounds that swap numbers, pairs, quarters, halves."""
    for width in (1, 2, 4, 8):
        turned = [None] * LANES
        low = [lane + (LANES - width if lane & width else 0) for lane in range(LANES)]
        high = [lane + (LANES if lane & width else width) for lane in range(LANES)]
        for i in range(LANES):
            if not i & width:
                pair = rows[i], rows[i + width]
                turned[i] = code.b.shuffle_vector(*pair, _indices(*low))
                turned[i + width] = code.b.shuffle_vector(*pair, _indices(*high))
        rows = turned
    return rows


@intrinsic
def transpose(typing, a, a_start, a_at, i, rows, b, b_start, b_at, j, columns):
    """b[b_start + b_at[j + y] + x] = a[a_start + a_at[i + x] + y] for x < rows, y < columns <= 16.

    Nothing outside is read; nothing outside is written.
    """
    size = types.intp
    given = (a, size, a_at, size, size, b, size, b_at, size, size)

    def generate(context, builder, signature, args):
        code = _Code(context, builder, signature, args)
        _, a_start, _, i, rows, _, b_start, _, j, columns = args
        here, there = code.first(columns), code.first(rows)

        def place(array, start, table, first, count, n):
            index = builder.add(first, code.least(count, n))
            return code.start(array, builder.add(start, code.entry(table, index)))

        lines = [code.load_some(place(0, a_start, 2, i, rows, x), here) for x in range(LANES)]
        lines = _turn(code, lines)
        # Sixteen rows need no mask: without AVX-512 it is slow (version 4 took 1.3 times as long).
        whole = builder.icmp_signed("==", rows, _number(LANES))
        places = [place(5, b_start, 7, j, columns, y) for y in range(LANES)]
        # A square with fewer than 16 columns is stored from its last row up: the rows past the last
        # column all go to that column's place, and the column itself is stored there after them.
        with builder.if_else(whole) as (all_of_them, some_of_them):
            with all_of_them:
                for y in reversed(range(LANES)):
                    code.store(lines[y], places[y])
            with some_of_them:
                for y in reversed(range(LANES)):
                    code.store_some(lines[y], places[y], there)
        return context.get_dummy_value()

    return types.void(*given), generate


def make_transform(matrices):
    """out[p, q] = sum over u, v of  M[p][u] * M[q][v] * d[u, v], sixteen d side by side.

    `matrices` holds an M for each size of tile; the length of the first argument, a tuple, is the
    size. Numba compiles each length by itself, when it is first used.
    """

    def combine(code, row, vectors):
        total = None
        for factor, vector in zip(row, vectors):
            if factor == 0:
                continue
            if total is None:
                total = vector if factor == 1 else code.b.fmul(vector, _constant(factor))
            elif factor == 1:
                total = code.b.fadd(total, vector)
            elif factor == -1:
                total = code.b.fsub(total, vector)
            else:
                total = code.muladd(vector, _constant(factor), total)
        return total

    # M d first, column by column, then (M d) M^T, row by row: both with the products M needs only
    def write(code, matrix, d_row, d_column, out_row, out_column, first, out):
        columns, size = [], len(matrix[0])
        for v in range(size):
            places = (
                code.at(first, code.times(d_row, u), code.times(d_column, v)) for u in range(size)
            )
            column = [code.load(place) for place in places]
            columns.append([combine(code, row, column) for row in matrix])
        for p, half in enumerate(zip(*columns)):
            for q, row in enumerate(matrix):
                where = code.at(out, code.times(out_row, p), code.times(out_column, q))
                code.store(combine(code, row, half), where)

    @intrinsic
    def transform(typing, tile, d, d_start, d_row, d_column, out, out_start, out_row, out_column):
        size = types.intp
        given = (tile, d, size, size, size, out, size, size, size)

        def generate(context, builder, signature, args):
            code = _Code(context, builder, signature, args)
            _, _, d_start, d_row, d_column, _, out_start, out_row, out_column = args
            steps = d_row, d_column, out_row, out_column
            write(
                code, matrices[tile.count], *steps, code.start(1, d_start), code.start(5, out_start)
            )
            return context.get_dummy_value()

        return types.void(*given), generate

    return transform
