"""The register tile: the product of a few rows with packed weights, for one thread.

    c[r, j] = s[r, j] + Σ_k a[r, k] w[k, j]

R rows times V vectors of sums stay in registers through all of k. Each k loads V vectors of weights
and R single numbers of `a`, for R·V multiply-adds: with the 24 sums that 32 registers allow there
is less than one load for two of them. Numba's vectoriser cannot keep such a tile across the loop,
so it is written in LLVM's intermediate language: one loop for each R and V, and a switch between
them, so that no row of a short batch is computed in vain.

    wasted without it   `python -m glassgrad bench lstm.sequence_forward`: the plain loops of v1
                        against v3
    the instructions    `tile` inlined into `product`: R·V `vfmadd231ps` and V + R loads a round

Every sum has its terms in the order of k, whichever tile it falls into: the same bits for every
number of threads and every split of the rows.
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..llvm import LANE, POINTER, WIDE, element, moved, spread

REGISTERS, VECTOR = (32, 64) if WIDE else (16, 32)  # how many, and the bytes of each
MOST_VECTORS = 4  # the four gates of an LSTM


def tallest(vectors: int) -> int:
    """Rows of a tile of so many vectors: registers hold those of w, one `a`, and all sums."""
    return min(8, (REGISTERS - vectors - 1) // vectors)


TALLEST = np.array([0, *(tallest(v) for v in range(1, MOST_VECTORS + 1))])


class Rows(NamedTuple):
    """A matrix inside a flat array: number (r, k) is `array[at + r * row + k * step]`."""

    array: np.ndarray
    at: int
    row: int
    step: int


class Packed(NamedTuple):
    """Packed weights: `terms` k for each of `width` units of so many gates; 0 gates: columns."""

    numbers: np.ndarray
    terms: int
    width: int
    gates: int


class Place(NamedTuple):
    """Where one tile lies and how large it is.

    It has `vectors` vectors of columns of `rows` rows from (`row`, `column`) on. Vector v begins
    v * `between` numbers in; of it the first `lanes` - v * `fewer` lanes are used. Its weights
    begin with number `panel`.
    """

    row: int
    column: int
    panel: int
    rows: int
    vectors: int
    between: int
    lanes: int
    fewer: int


@intrinsic
def tile(typing, a, w, s, c, place):
    """c = s + a w for one tile: `a`, `s`, `c` are Rows, `w` is Packed.

    They are passed on as they came: a tuple of arrays made for each tile would count references.
    """
    signature = types.void(a, w, s, c, place)

    def generate(context, builder, signature, args):
        loops = _Loops(context, builder, signature.args, args)
        b = builder
        end = b.append_basic_block("end")
        which = b.add(b.mul(loops.rows, loops.number(8)), loops.vectors)
        choice = b.switch(which, end)
        for vectors in range(1, MOST_VECTORS + 1):
            for rows in range(1, tallest(vectors) + 1):
                begin = b.append_basic_block(f"tile{rows}x{vectors}")
                choice.add_case(loops.number(8 * rows + vectors), begin)
                loops.write(begin, end, rows, vectors)
        b.position_at_end(end)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def fetch(typing, array, index):
    """Calls for the cache line of array[index], flat, wherever it is; it may lie past the end."""

    def generate(context, b, signature, args):
        _prefetch(b, element(context, b, signature.args[0], *args), written=False)
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


def _prefetch(b, at, written: bool):
    """LLVM's prefetch of data (the last 1) that is to stay in every cache (the 3)."""
    flag = ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [POINTER, flag, flag, flag])
    function = cgutils.get_or_insert_function(b.module, kind, "llvm.prefetch.p0")
    b.call(function, [at, *(ir.Constant(flag, n) for n in (int(written), 3, 1))])


class _Loops:
    """Writes the loops of `tile` with one builder; what they have in common is made once."""

    def __init__(self, context, builder, kinds, args):
        self.b = builder
        a, w, s, c, place = (cgutils.unpack_tuple(builder, one) for one in args)
        real = kinds[0].types[0].dtype
        self.bytes = real.bitwidth // 8
        self.count = VECTOR // self.bytes
        self.size_t = a[1].type
        self.real = context.get_value_type(real)
        self.vector = ir.VectorType(self.real, self.count)
        self.zero = ir.Constant(self.vector, [0.0] * self.count)
        row, column, panel, self.rows, self.vectors, self.between, lanes, fewer = place

        def address(kind, array, at):
            return element(context, builder, kind.types[0], array, at)

        def first(kind, given, *columns):
            """The address of the tile's first number in a matrix."""
            at = builder.add(given[1], builder.mul(row, given[2]))
            for offset in columns:
                at = builder.add(at, offset)
            return address(kind, given[0], at)

        self.a, self.a_row, self.a_step = first(kinds[0], a), a[2], a[3]
        self.w, self.terms = address(kinds[1], w[0], panel), w[1]
        self.s, self.s_row = first(kinds[2], s, column), s[2]
        self.c, self.c_row = first(kinds[3], c, column), c[2]
        self.masks = [self._mask(lanes, fewer, v) for v in range(MOST_VECTORS)]
        self._declare()

    def number(self, n: int):
        return ir.Constant(self.size_t, n)

    def _declare(self):
        """LLVM's own functions on these vectors."""
        form, vector = f"v{self.count}f{8 * self.bytes}", self.vector
        mask = ir.VectorType(ir.IntType(1), self.count)

        def function(name, result, *arguments):
            kind = ir.FunctionType(result, arguments)
            return cgutils.get_or_insert_function(self.b.module, kind, f"llvm.{name}")

        self.muladd = function(f"fmuladd.{form}", vector, vector, vector, vector)
        self.load = function(f"masked.load.{form}.p0", vector, POINTER, LANE, mask, vector)
        self.store = function(f"masked.store.{form}.p0", ir.VoidType(), vector, POINTER, LANE, mask)

    def _mask(self, lanes, fewer, v: int):
        """Which lanes of vector v lie inside the matrix: the last vector may be cut."""
        left = self.b.sub(lanes, self.b.mul(fewer, self.number(v)))
        kind = ir.VectorType(self.size_t, self.count)
        lane = ir.Constant(kind, list(range(self.count)))
        return self.b.icmp_signed("<", lane, spread(self.b, left, kind))

    def _moved(self, address, steps):
        return moved(self.b, address, steps, self.real)

    def _place(self, start, row, r: int, v: int):
        """The address of vector v of row r."""
        b = self.b
        offset = b.add(b.mul(row, self.number(r)), b.mul(self.between, self.number(v)))
        return self._moved(start, offset)

    def write(self, begin, end, rows: int, vectors: int):
        """The blocks of one tile: what comes before the loop over k, the loop, what comes after."""
        b, grid = self.b, [(r, v) for r in range(rows) for v in range(vectors)]
        loop, after = b.append_basic_block("loop"), b.append_basic_block("after")

        b.position_at_end(begin)
        starts = {at: self._place(self.s, self.s_row, *at) for at in grid}
        targets = {at: self._place(self.c, self.c_row, *at) for at in grid}
        # what the sums are added to is often far away: it is on its way while the loop runs
        for at in grid:
            _prefetch(b, starts[at], written=False)
            _prefetch(b, targets[at], written=True)
        rows_from = [self._moved(self.a, b.mul(self.a_row, self.number(r))) for r in range(rows)]
        b.cbranch(b.icmp_signed(">", self.terms, self.number(0)), loop, after)

        sums = self._loop(begin, loop, after, rows_from, grid, vectors)

        b.position_at_end(after)
        totals = {at: b.phi(self.vector) for at in grid}
        for at, total in totals.items():
            total.add_incoming(self.zero, begin)  # no term at all
            total.add_incoming(sums[at], loop)
        align = ir.Constant(LANE, self.bytes)
        for at, total in totals.items():
            mask = self.masks[at[1]]
            start = b.call(self.load, [starts[at], align, mask, self.zero])
            b.call(self.store, [b.fadd(start, total), targets[at], align, mask])
        b.branch(end)

    def _loop(self, begin, loop, after, rows_from, grid, vectors: int) -> dict:
        """The loop over k: one multiply-add for each sum a round, all sums in registers."""
        b = self.b
        b.position_at_end(loop)
        k, a_off = b.phi(self.size_t), b.phi(self.size_t)
        running = {at: b.phi(self.vector) for at in grid}
        k.add_incoming(self.number(0), begin)
        a_off.add_incoming(self.number(0), begin)
        for total in running.values():
            total.add_incoming(self.zero, begin)

        # the V vectors of weights are loaded once and serve every row
        w_off = b.mul(k, self.number(vectors * self.count))
        weights = []
        for v in range(vectors):
            at = self._moved(self.w, b.add(w_off, self.number(v * self.count)))
            weights.append(b.load(at, align=self.bytes, typ=self.vector))
        new = {}
        for r, row in enumerate(rows_from):
            # one number of the row, in every lane: it meets a vector of neighbouring columns
            value = spread(b, b.load(self._moved(row, a_off), typ=self.real), self.vector)
            for v in range(vectors):
                new[r, v] = b.call(self.muladd, [value, weights[v], running[r, v]])
                running[r, v].add_incoming(new[r, v], loop)

        k_next, a_next = b.add(k, self.number(1)), b.add(a_off, self.a_step)
        k.add_incoming(k_next, loop)
        a_off.add_incoming(a_next, loop)
        b.cbranch(b.icmp_signed("<", k_next, self.terms), loop, after)
        return new
