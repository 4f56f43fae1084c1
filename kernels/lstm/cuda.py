"""LSTM on the GPU: the launch geometry of `cuda.cu`, where the ladder is explained.

Products that are not part of a version's idea go to cuBLAS: in v1 of the sequences all of them, and
in every version the weight gradients, one product over all steps.
"""

from ..arrays import aligned, is_cupy, multiprocessors
from ..launcher import SHARED_MOST, Source, ceil_div, contiguous, empty, zeros

source = Source(__file__)

THREADS = 256
TILE = 16  # of v2
UNITS, ROWS, DEPTH = 8, 32, 64  # of v3 and v4


def plain(*arrays):
    """Each array in C order; None stays None."""
    return [None if a is None else contiguous(a) for a in arrays]


def flat(a):
    """[T, N, …] as [T·N, …]."""
    return a.reshape(a.shape[0] * a.shape[1], a.shape[2])


def over_steps(ga, states, first):
    """Σ_t ga_tᵀ state_{t-1}, with state_{-1} = `first`: one product, and one for the first step."""
    return flat(ga[1:]).T @ flat(states[:-1]) + ga[0].T @ first


def fours(*arrays):
    """May a thread take four numbers of each row at once? Rows and first addresses allow it."""
    return all(a.shape[-1] % 4 == 0 for a in arrays) and aligned(*arrays)


@source.implements("lstm", "cell_forward", version=1, idea="fused, one thread a unit")
def cell_forward_v1(a, c):
    """h, C', gates of one step (see `lstm.cell_forward`)."""
    a, c = plain(a, c)
    h, c_new, gates = empty(c, c.shape), empty(c, c.shape), empty(a, a.shape)
    _cell("lstm_cell_forward_v1", 1, a, c, h, c_new, gates)
    return h, c_new, gates


@source.implements(
    "lstm",
    "cell_forward",
    version=2,
    idea="four units a thread, 16-byte requests",
    dtypes=("float32",),
    supports=fours,
)
def cell_forward_v2(a, c):
    """h, C', gates of one step (see `lstm.cell_forward`)."""
    a, c = plain(a, c)
    h, c_new, gates = empty(c, c.shape), empty(c, c.shape), empty(a, a.shape)
    _cell("lstm_cell_forward_v2", 4, a, c, h, c_new, gates)
    return h, c_new, gates


@source.implements("lstm", "cell_backward", version=1, idea="fused, one thread a unit")
def cell_backward_v1(gh, gc_new, gates, c, c_new):
    """ga, gc of one step (see `lstm.cell_backward`)."""
    gh, gc_new, gates, c, c_new = plain(gh, gc_new, gates, c, c_new)
    ga, gc = empty(gates, gates.shape), empty(c, c.shape)
    _cell("lstm_cell_backward_v1", 1, gh, gc_new, gates, c, c_new, ga, gc)
    return ga, gc


@source.implements(
    "lstm",
    "cell_backward",
    version=2,
    idea="four units a thread, 16-byte requests",
    dtypes=("float32",),
    supports=fours,
)
def cell_backward_v2(gh, gc_new, gates, c, c_new):
    """ga, gc of one step (see `lstm.cell_backward`)."""
    gh, gc_new, gates, c, c_new = plain(gh, gc_new, gates, c, c_new)
    ga, gc = empty(gates, gates.shape), empty(c, c.shape)
    _cell("lstm_cell_backward_v2", 4, gh, gc_new, gates, c, c_new, ga, gc)
    return ga, gc


def _cell(kernel, units, *arrays):
    """Launches a cell kernel whose threads take `units` each; the second array is [N, H]."""
    n, width = arrays[1].shape
    if n * width:
        grid = ceil_div(n * width, units * THREADS)
        source.launch(kernel, grid, THREADS, *arrays, n * width, width)


@source.implements(
    "lstm", "sequence_forward", version=1, idea="a cuBLAS product and a fused cell a step"
)
def sequence_forward_v1(xa, h0, c0, wh, p):
    """hs, cs, gates of all steps (see `lstm.sequence_forward`)."""
    xa, h, c, wh, p = plain(xa, h0, c0, wh, p)
    hs, cs, gates = _states(xa, h)
    two = 2 * h.shape[1]
    for t in range(len(xa) if hs.size else 0):
        a = xa[t] + h @ wh.T
        if p is not None:
            a[:, :two] += c @ p[:two].T
        _cell("lstm_cell_forward_v1", 1, a, c, hs[t], cs[t], gates[t])
        if p is not None:  # the first pass was for C', at which the output gate peeps
            a[:, -h.shape[1] :] += cs[t] @ p[two:].T
            _cell("lstm_cell_forward_v1", 1, a, c, hs[t], cs[t], gates[t])
        h, c = hs[t], cs[t]
    return hs, cs, gates


@source.implements(
    "lstm", "sequence_backward", version=1, idea="a cuBLAS product and a fused cell a step"
)
def sequence_backward_v1(ghs, gcs, hs, cs, gates, h0, c0, wh, p):
    """gxa, gh0, gc0, gwh, gp of all steps (see `lstm.sequence_backward`)."""
    ghs, gcs, hs, cs, gates, h0, c0, wh, p = plain(ghs, gcs, hs, cs, gates, h0, c0, wh, p)
    gxa, gh, gc = empty(gates, gates.shape), zeros(h0, h0.shape), zeros(c0, c0.shape)
    width, two = h0.shape[1], 2 * h0.shape[1]
    for t in reversed(range(len(ghs) if ghs.size else 0)):
        gh = gh + ghs[t]
        gc_new = gc if gcs is None else gc + gcs[t]
        gc = empty(c0, c0.shape)
        step = gates[t], cs[t - 1] if t else c0, cs[t], gxa[t], gc
        _cell("lstm_cell_backward_v1", 1, gh, gc_new, *step)
        if p is not None:  # the first pass was for ga_o, whose peephole asks more of C'
            gc_new = gc_new + gxa[t, :, -width:] @ p[two:]
            _cell("lstm_cell_backward_v1", 1, gh, gc_new, *step)
            gc += gxa[t, :, :two] @ p[:two]
        gh = gxa[t] @ wh
    return gxa, gh, gc, *_weights(gxa, hs, cs, h0, c0, wh, p)


@source.implements("lstm", "sequence_forward", version=2, idea="product and cell in one kernel")
def sequence_forward_v2(xa, h0, c0, wh, p):
    """hs, cs, gates of all steps (see `lstm.sequence_forward`)."""
    xa, h, c, wh, p = plain(xa, h0, c0, wh, p)
    hs, cs, gates = _states(xa, h)
    n, width = h.shape
    grid, block = (ceil_div(n, TILE), ceil_div(width, TILE)), (TILE, TILE)
    for t in range(len(xa) if hs.size else 0):
        arrays = xa[t], h, c, wh, p, hs[t], cs[t], gates[t]
        source.launch("lstm_sequence_forward_v2", grid, block, *arrays, n, width)
        if p is not None:
            arrays = cs[t], p[2 * width :], gates[t], hs[t]
            source.launch("lstm_output_forward_v2", grid, block, *arrays, n, width)
        h, c = hs[t], cs[t]
    return hs, cs, gates


@source.implements("lstm", "sequence_backward", version=2, idea="product and cell in one kernel")
def sequence_backward_v2(ghs, gcs, hs, cs, gates, h0, c0, wh, p):
    """gxa, gh0, gc0, gwh, gp of all steps (see `lstm.sequence_backward`)."""
    ghs, gcs, hs, cs, gates, h0, c0, wh, p = plain(ghs, gcs, hs, cs, gates, h0, c0, wh, p)
    gxa, gc = empty(gates, gates.shape), zeros(c0, c0.shape)
    n, width = h0.shape
    grid, block = (ceil_div(n, TILE), ceil_div(width, TILE)), (TILE, TILE)
    later = None
    for t in reversed(range(len(ghs) if ghs.size else 0)):
        gc_t, c = None if gcs is None else gcs[t], cs[t - 1] if t else c0
        arrays = ghs[t], gc_t, later, gates[t], c, cs[t], wh, p, gxa[t], gc
        source.launch("lstm_sequence_backward_v2", grid, block, *arrays, n, width)
        if p is not None:
            arrays = gates[t], c, p[2 * width :], gxa[t], gc
            source.launch("lstm_memory_backward_v2", grid, block, *arrays, n, width)
        later = gxa[t]
    return gxa, *_first(gxa, gc, wh, p), *_weights(gxa, hs, cs, h0, c0, wh, p)


def resident(like):
    """Blocks that run at the same time however large they are: one for each multiprocessor."""
    return multiprocessors(like.device.id) if is_cupy(like) else 108  # an A100


def grid(like):
    """The blocks of v3, which share out the units in x and the sequences in y."""
    return ceil_div(like.shape[1], UNITS), ceil_div(like.shape[0], ROWS)


def fits(like, quads, stages=1):
    """Can all blocks of v3 be resident, with 4 · `quads` weights for each of their units?

    v4 takes the same, and two `stages` for h.
    """
    across, down = grid(like)
    held = stages * ROWS * (DEPTH // 4 + 1) + quads * UNITS
    return across * down <= resident(like) and 4 * held * like.dtype.itemsize <= SHARED_MOST


def persistent(source, kernel, like, quads, *arrays, steps):
    """Launches a kernel of v3 or v4 on states of the shape [N, H] of `like`."""
    arrays, threads = (*arrays, zeros(like, 1, "uint32")), UNITS * ROWS
    shared = 4 * quads * UNITS * like.dtype.itemsize
    source.launch(
        kernel, grid(like), threads, *arrays, steps, *like.shape, shared=shared, cooperative=True
    )


def _kept_forward(h0, p):
    """Quads for a unit: its rows of wh and, with peepholes, of p."""
    return (4 if p is None else 7) * ceil_div(h0.shape[1], 4)


def _kept_backward(h0, p):
    """Quads for a unit: its column of wh and, with peepholes, of P_i over P_f, and of P_o."""
    width = h0.shape[1]
    return width + (0 if p is None else ceil_div(2 * width, 4) + ceil_div(width, 4))


@source.implements(
    "lstm",
    "sequence_forward",
    version=3,
    idea="one launch, weights stay in shared memory",
    supports=lambda xa, h0, c0, wh, p: fits(h0, _kept_forward(h0, p)),
)
def sequence_forward_v3(xa, h0, c0, wh, p):
    """hs, cs, gates of all steps (see `lstm.sequence_forward`)."""
    return _all_steps(3, xa, h0, c0, wh, p)


@source.implements(
    "lstm",
    "sequence_forward",
    version=4,
    idea="copies ahead, four rows a thread",
    supports=lambda xa, h0, c0, wh, p: fits(h0, _kept_forward(h0, p), stages=2),
)
def sequence_forward_v4(xa, h0, c0, wh, p):
    """hs, cs, gates of all steps (see `lstm.sequence_forward`)."""
    return _all_steps(4, xa, h0, c0, wh, p)


def _all_steps(version, xa, h0, c0, wh, p):
    xa, h0, c0, wh, p = plain(xa, h0, c0, wh, p)
    hs, cs, gates = _states(xa, h0)
    if hs.size:
        arrays = xa, h0, c0, wh, p, hs, cs, gates
        kernel, quads = f"lstm_sequence_forward_v{version}", _kept_forward(h0, p)
        persistent(source, kernel, h0, quads, *arrays, steps=len(xa))
    return hs, cs, gates


@source.implements(
    "lstm",
    "sequence_backward",
    version=3,
    idea="one launch, weights stay in shared memory",
    supports=lambda ghs, gcs, hs, cs, gates, h0, c0, wh, p: fits(h0, _kept_backward(h0, p)),
)
def sequence_backward_v3(ghs, gcs, hs, cs, gates, h0, c0, wh, p):
    """gxa, gh0, gc0, gwh, gp of all steps (see `lstm.sequence_backward`)."""
    return _all_steps_back(3, ghs, gcs, hs, cs, gates, h0, c0, wh, p)


@source.implements(
    "lstm",
    "sequence_backward",
    version=4,
    idea="copies ahead, four rows a thread",
    supports=lambda ghs, gcs, hs, cs, gates, h0, c0, wh, p: fits(
        h0, _kept_backward(h0, p), stages=2
    ),
)
def sequence_backward_v4(ghs, gcs, hs, cs, gates, h0, c0, wh, p):
    """gxa, gh0, gc0, gwh, gp of all steps (see `lstm.sequence_backward`)."""
    return _all_steps_back(4, ghs, gcs, hs, cs, gates, h0, c0, wh, p)


def _all_steps_back(version, ghs, gcs, hs, cs, gates, h0, c0, wh, p):
    ghs, gcs, hs, cs, gates, h0, c0, wh, p = plain(ghs, gcs, hs, cs, gates, h0, c0, wh, p)
    gxa, gc = empty(gates, gates.shape), zeros(c0, c0.shape)
    if gxa.size:
        arrays = ghs, gcs, cs, gates, c0, wh, p, gxa, gc
        kernel, quads = f"lstm_sequence_backward_v{version}", _kept_backward(h0, p)
        persistent(source, kernel, h0, quads, *arrays, steps=len(ghs))
    return gxa, *_first(gxa, gc, wh, p), *_weights(gxa, hs, cs, h0, c0, wh, p)


def _states(xa, h0):
    """hs, cs, gates, yet to be filled."""
    shape = (len(xa), *h0.shape)
    return empty(xa, shape), empty(xa, shape), empty(xa, xa.shape)


def _first(gxa, gc, wh, p):
    """gh0 and gc0: what the first step asks of the states before it."""
    if not gxa.size:
        return zeros(gc, gc.shape), gc
    if p is not None:
        two = 2 * gc.shape[1]
        gc = gc + gxa[0, :, :two] @ p[:two]
    return gxa[0] @ wh, gc


def _weights(ga, hs, cs, h0, c0, wh, p):
    """gwh and gp: one product over all steps each."""
    if not ga.size:
        return zeros(wh, wh.shape), None if p is None else zeros(p, p.shape)
    gwh = over_steps(ga, hs, h0)
    if p is None:
        return gwh, None
    two, gp = 2 * h0.shape[1], empty(p, p.shape)
    gp[:two] = over_steps(ga[:, :, :two], cs, c0)
    gp[two:] = flat(ga[:, :, -h0.shape[1] :]).T @ flat(cs)
    return gwh, gp
