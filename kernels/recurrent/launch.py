"""The CUDA versions of both families: the table of rungs, and their geometry.

Products that are not part of a version's idea go to cuBLAS: in v1 of the sequences all of them, and
in every version the weight gradients, one product over all steps (`over_steps`).
"""

from ..arrays import aligned, is_cupy, multiprocessors
from ..launcher import SHARED_MOST, ceil_div, contiguous, zeros
from .arrays import flat

THREADS = 256  # of a block of the cells
TILE = 16  # of v2, see tiles.cuh
UNITS, ROWS, DEPTH = 8, 32, 64  # of v3 and v4, see kept.cuh
A100 = 108  # multiprocessors: what the emulator takes for a GPU

UNITS_OF = {1: 1, 2: 4}  # version of the cells -> units that a thread takes
SEQUENCES = {
    1: "a cuBLAS product and a fused cell a step",
    2: "product and cell in one kernel",
    3: "one launch, weights stay in shared memory",
    4: "copies ahead, four rows a thread",
}


def cells(supports) -> dict[int, dict]:
    """The rungs of a cell; `supports` says where a thread may take four units."""
    quads = {"idea": "four units a thread, 16-byte requests", "dtypes": ("float32",)}
    return {1: {"idea": "fused, one thread a unit"}, 2: quads | {"supports": supports}}


def sequences(supports) -> dict[int, dict]:
    """The rungs of a sequence; `supports(version)` says which shapes one launch can take."""
    return {
        version: {"idea": idea} | ({"supports": supports(version)} if version >= 3 else {})
        for version, idea in SEQUENCES.items()
    }


def each_contiguous(*arrays):
    """Each array in C order; None stays None."""
    return [None if a is None else contiguous(a) for a in arrays]


def over_steps(ga, states, first):
    """Σ_t ga_tᵀ state_{t-1}, with state_{-1} = `first`: one product, and one for the first step."""
    return flat(ga[1:]).T @ flat(states[:-1]) + ga[0].T @ first


def fours(*arrays) -> bool:
    """May a thread take four numbers of each row at once? Rows and first addresses allow it."""
    return all(a.shape[-1] % 4 == 0 for a in arrays) and aligned(*arrays)


def tiled(like):
    """Grid and block of v2 of the sequences, for states of the shape [N, H] of `like`."""
    n, width = like.shape
    return (ceil_div(n, TILE), ceil_div(width, TILE)), (TILE, TILE)


def resident(like) -> int:
    """Blocks that run at the same time however large they are: one for each multiprocessor."""
    return multiprocessors(like.device.id) if is_cupy(like) else A100


def grid(like) -> tuple[int, int]:
    """The blocks of v3 and v4, which share out the units in x and the sequences in y."""
    return ceil_div(like.shape[1], UNITS), ceil_div(like.shape[0], ROWS)


def fits(like, quads: int, version: int) -> bool:
    """Can all blocks of v3 or v4 be resident, with 4 · `quads` weights for each of their units?

    They meet in a barrier: a block that had to wait for the end of another would never begin. v3
    keeps one stage of h in shared memory, v4 two.
    """
    stages = {3: 1, 4: 2}[version]
    across, down = grid(like)
    held = stages * ROWS * (DEPTH // 4 + 1) + quads * UNITS
    return across * down <= resident(like) and 4 * held * like.dtype.itemsize <= SHARED_MOST


def persistent(source, kernel: str, like, quads: int, *arrays, size) -> None:
    """Launches a kernel of v3 or v4 on states of the shape [N, H] of `like`; `size` is its struct.

    `quads` as in `fits`. The counter of the barrier begins at zero.
    """
    counter, shared = zeros(like, 1, "uint32"), 4 * quads * UNITS * like.dtype.itemsize
    block = UNITS * ROWS
    source.launch(
        kernel, grid(like), block, *arrays, counter, size, shared=shared, cooperative=True
    )
