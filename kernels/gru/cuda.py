"""GRU on the GPU: the launch geometry of `cuda.cu`, where the ladder is explained.

Products that are not part of a version's idea go to cuBLAS, as in `kernels/lstm/cuda.py`: in v1 of
the sequences all of them, and in every version the weight gradients and, for the library's form,
h W_nᵀ + b_n of all steps, which the forward pass did not store.
"""

from ..arrays import xp_of
from ..launcher import Source, ceil_div, empty, zeros
from ..lstm.cuda import THREADS, TILE, fits, flat, fours, over_steps, persistent, plain

source = Source(__file__)


def _fours(*args):
    """May a cell kernel take four units a thread? The last argument is the variant."""
    return fours(*args[:-1])


def _cell(kernel, units, h, variant, *arrays):
    """Launches a cell kernel whose threads take `units` units each."""
    if h.size:
        grid, library = ceil_div(h.size, units * THREADS), int(variant == "library")
        source.launch(kernel, grid, THREADS, *arrays, h.size, h.shape[1], library)


@source.implements("gru", "cell_forward", version=1, idea="fused, one thread a unit")
def cell_forward_v1(xa, ha, h, variant):
    """h', gates of one step (see `gru.cell_forward`)."""
    xa, ha, h = plain(xa, ha, h)
    h_new, gates = empty(h, h.shape), empty(xa, xa.shape)
    _cell("gru_cell_forward_v1", 1, h, variant, xa, ha, h, h_new, gates)
    return h_new, gates


@source.implements(
    "gru",
    "cell_forward",
    version=2,
    idea="four units a thread, 16-byte requests",
    dtypes=("float32",),
    supports=_fours,
)
def cell_forward_v2(xa, ha, h, variant):
    """h', gates of one step (see `gru.cell_forward`)."""
    xa, ha, h = plain(xa, ha, h)
    h_new, gates = empty(h, h.shape), empty(xa, xa.shape)
    _cell("gru_cell_forward_v2", 4, h, variant, xa, ha, h, h_new, gates)
    return h_new, gates


@source.implements("gru", "cell_backward", version=1, idea="fused, one thread a unit")
def cell_backward_v1(gh_new, gates, ha, h, variant):
    """gxa, gha, gh of one step (see `gru.cell_backward`)."""
    gh_new, gates, ha, h = plain(gh_new, gates, ha, h)
    gxa, gha, gh = empty(gates, gates.shape), empty(gates, gates.shape), empty(h, h.shape)
    _cell("gru_cell_backward_v1", 1, h, variant, gh_new, gates, ha, h, gxa, gha, gh)
    return gxa, gha, gh


@source.implements(
    "gru",
    "cell_backward",
    version=2,
    idea="four units a thread, 16-byte requests",
    dtypes=("float32",),
    supports=_fours,
)
def cell_backward_v2(gh_new, gates, ha, h, variant):
    """gxa, gha, gh of one step (see `gru.cell_backward`)."""
    gh_new, gates, ha, h = plain(gh_new, gates, ha, h)
    gxa, gha, gh = empty(gates, gates.shape), empty(gates, gates.shape), empty(h, h.shape)
    _cell("gru_cell_backward_v2", 4, h, variant, gh_new, gates, ha, h, gxa, gha, gh)
    return gxa, gha, gh


@source.implements(
    "gru", "sequence_forward", version=1, idea="a cuBLAS product and a fused cell a step"
)
def sequence_forward_v1(xa, h0, wh, bh, variant):
    """hs, gates of all steps (see `gru.sequence_forward`)."""
    xa, h, wh, bh = plain(xa, h0, wh, bh)
    hs, gates = empty(xa, (len(xa), *h.shape)), empty(xa, xa.shape)
    width, two = h.shape[1], 2 * h.shape[1]
    for t in range(len(xa) if hs.size else 0):
        ha = _recurrent(h, wh, bh)
        _cell("gru_cell_forward_v1", 1, h, variant, xa[t], ha, h, hs[t], gates[t])
        if variant == "lecture":  # the first pass was for r, on which the second product waits
            reset = gates[t, :, :width] * h
            ha[:, two:] = _recurrent(reset, wh[two:], None if bh is None else bh[two:])
            _cell("gru_cell_forward_v1", 1, h, variant, xa[t], ha, h, hs[t], gates[t])
        h = hs[t]
    return hs, gates


@source.implements(
    "gru", "sequence_backward", version=1, idea="a cuBLAS product and a fused cell a step"
)
def sequence_backward_v1(ghs, hs, gates, h0, wh, bh, variant):
    """gxa, gh0, gwh, gbh of all steps (see `gru.sequence_backward`)."""
    ghs, hs, gates, h0, wh, bh = plain(ghs, hs, gates, h0, wh, bh)
    gxa, gha, gh = empty(gates, gates.shape), empty(gates, gates.shape), zeros(h0, h0.shape)
    width, two = h0.shape[1], 2 * h0.shape[1]
    for t in reversed(range(len(ghs) if ghs.size else 0)):
        h, asked = hs[t - 1] if t else h0, gh + ghs[t]
        ha = _recurrent(h, wh, bh) if variant == "library" else None
        gh = empty(h0, h0.shape)
        arrays = asked, gates[t], ha, h, gxa[t], gha[t], gh
        _cell("gru_cell_backward_v1", 1, h, variant, *arrays)
        if variant == "library":
            gh += gha[t] @ wh
            continue
        r, asked = gates[t, :, :width], gxa[t, :, two:] @ wh[two:]  # of r h
        gxa[t, :, :width] = asked * h * r * (1 - r)
        gh += asked * r + gxa[t, :, :two] @ wh[:two]
    if variant == "lecture":
        gha = gxa
    return gxa, gh, *_weights(gha, hs, gates, h0, wh, bh, variant)


@source.implements("gru", "sequence_forward", version=2, idea="product and cell in one kernel")
def sequence_forward_v2(xa, h0, wh, bh, variant):
    """hs, gates of all steps (see `gru.sequence_forward`)."""
    xa, h, wh, bh = plain(xa, h0, wh, bh)
    hs, gates = empty(xa, (len(xa), *h.shape)), empty(xa, xa.shape)
    n, width = h.shape
    grid, block = (ceil_div(n, TILE), ceil_div(width, TILE)), (TILE, TILE)
    library = int(variant == "library")
    reset = None if library else empty(h, h.shape)
    for t in range(len(xa) if hs.size else 0):
        arrays = xa[t], h, wh, bh, gates[t], hs[t] if library else None, reset
        source.launch("gru_sequence_forward_v2", grid, block, *arrays, n, width, library)
        if not library:
            arrays = xa[t], h, reset, wh[2 * width :], bh, gates[t], hs[t]
            source.launch("gru_candidate_forward_v2", grid, block, *arrays, n, width)
        h = hs[t]
    return hs, gates


@source.implements("gru", "sequence_backward", version=2, idea="product and cell in one kernel")
def sequence_backward_v2(ghs, hs, gates, h0, wh, bh, variant):
    """gxa, gh0, gwh, gbh of all steps (see `gru.sequence_backward`)."""
    ghs, hs, gates, h0, wh, bh = plain(ghs, hs, gates, h0, wh, bh)
    gxa, gha, ha_n, gh = _gradients(hs, gates, h0, wh, bh, variant)
    n, width = h0.shape
    grid, block = (ceil_div(n, TILE), ceil_div(width, TILE)), (TILE, TILE)
    library, later = int(variant == "library"), None
    for t in reversed(range(len(ghs) if ghs.size else 0)):
        h = hs[t - 1] if t else h0
        of_library = (ha_n[t], gha[t]) if library else (None, None)
        arrays = ghs[t], later, gates[t], h, of_library[0], wh, gxa[t], of_library[1], gh
        source.launch("gru_sequence_backward_v2", grid, block, *arrays, n, width, library)
        if not library:
            arrays = gates[t], h, wh[2 * width :], gxa[t], gh
            source.launch("gru_reset_backward_v2", grid, block, *arrays, n, width)
        later = gha[t]
    return gxa, _first(gha, gh, wh, variant), *_weights(gha, hs, gates, h0, wh, bh, variant)


def _kept_forward(h0):
    """Quads for a unit: its three rows of wh."""
    return 3 * ceil_div(h0.shape[1], 4)


def _kept_backward(h0):
    """Quads for a unit: its column of wh, of W_r over W_z and of W_n."""
    return ceil_div(2 * h0.shape[1], 4) + ceil_div(h0.shape[1], 4)


@source.implements(
    "gru",
    "sequence_forward",
    version=3,
    idea="one launch, weights stay in shared memory",
    supports=lambda xa, h0, wh, bh, variant: fits(h0, _kept_forward(h0)),
)
def sequence_forward_v3(xa, h0, wh, bh, variant):
    """hs, gates of all steps (see `gru.sequence_forward`)."""
    return _all_steps(3, xa, h0, wh, bh, variant)


@source.implements(
    "gru",
    "sequence_forward",
    version=4,
    idea="copies ahead, four rows a thread",
    supports=lambda xa, h0, wh, bh, variant: fits(h0, _kept_forward(h0), stages=2),
)
def sequence_forward_v4(xa, h0, wh, bh, variant):
    """hs, gates of all steps (see `gru.sequence_forward`)."""
    return _all_steps(4, xa, h0, wh, bh, variant)


def _all_steps(version, xa, h0, wh, bh, variant):
    xa, h0, wh, bh = plain(xa, h0, wh, bh)
    hs, gates = empty(xa, (len(xa), *h0.shape)), empty(xa, xa.shape)
    library = int(variant == "library")
    if hs.size:
        arrays = xa, h0, wh, bh, hs, gates, None if library else empty(h0, h0.shape), library
        kernel, quads = f"gru_sequence_forward_v{version}", _kept_forward(h0)
        persistent(source, kernel, h0, quads, *arrays, steps=len(xa))
    return hs, gates


@source.implements(
    "gru",
    "sequence_backward",
    version=3,
    idea="one launch, weights stay in shared memory",
    supports=lambda ghs, hs, gates, h0, wh, bh, variant: fits(h0, _kept_backward(h0)),
)
def sequence_backward_v3(ghs, hs, gates, h0, wh, bh, variant):
    """gxa, gh0, gwh, gbh of all steps (see `gru.sequence_backward`)."""
    return _all_steps_back(3, ghs, hs, gates, h0, wh, bh, variant)


@source.implements(
    "gru",
    "sequence_backward",
    version=4,
    idea="copies ahead, four rows a thread",
    supports=lambda ghs, hs, gates, h0, wh, bh, variant: fits(h0, _kept_backward(h0), stages=2),
)
def sequence_backward_v4(ghs, hs, gates, h0, wh, bh, variant):
    """gxa, gh0, gwh, gbh of all steps (see `gru.sequence_backward`)."""
    return _all_steps_back(4, ghs, hs, gates, h0, wh, bh, variant)


def _all_steps_back(version, ghs, hs, gates, h0, wh, bh, variant):
    ghs, hs, gates, h0, wh, bh = plain(ghs, hs, gates, h0, wh, bh)
    gxa, gha, ha_n, gh = _gradients(hs, gates, h0, wh, bh, variant)
    library = int(variant == "library")
    if gxa.size:
        arrays = ghs, hs, gates, h0, ha_n, wh, gxa, gha if library else None, gh, library
        kernel, quads = f"gru_sequence_backward_v{version}", _kept_backward(h0)
        persistent(source, kernel, h0, quads, *arrays, steps=len(ghs))
    return gxa, _first(gha, gh, wh, variant), *_weights(gha, hs, gates, h0, wh, bh, variant)


def _recurrent(h, w, b):
    """h Wᵀ + b, b None or not."""
    return h @ w.T if b is None else h @ w.T + b


def _before(hs, h0):
    """h_{t-1} for every step t: h0, then all of hs but the last."""
    return xp_of(hs).concatenate([h0[None], hs[:-1]]) if len(hs) else hs


def _gradients(hs, gates, h0, wh, bh, variant):
    """gxa and gha, yet to be filled, h W_nᵀ + b_n of all steps or None, and a zero gh."""
    gxa, gh = empty(gates, gates.shape), zeros(h0, h0.shape)
    if variant == "lecture":
        return gxa, gxa, None, gh
    two = 2 * h0.shape[1]
    ha_n = _recurrent(_before(hs, h0), wh[two:], None if bh is None else bh[two:])
    return gxa, empty(gates, gates.shape), ha_n, gh


def _first(gha, gh, wh, variant):
    """gh0: the straight path, and what the first step asks through the products with h."""
    if not gha.size:
        return gh
    used = slice(None) if variant == "library" else slice(2 * gh.shape[1])
    return gh + gha[0, :, used] @ wh[used]


def _weights(gha, hs, gates, h0, wh, bh, variant):
    """gwh and gbh: one product and one sum over all steps."""
    gbh = None if bh is None else zeros(bh, bh.shape)
    if not gha.size:
        return zeros(wh, wh.shape), gbh
    if bh is not None:
        gbh = flat(gha).sum(axis=0)
    if variant == "library":
        return over_steps(gha, hs, h0), gbh
    width, two, gwh = h0.shape[1], 2 * h0.shape[1], empty(wh, wh.shape)
    gwh[:two] = over_steps(gha[:, :, :two], hs, h0)
    gwh[two:] = flat(gha[:, :, two:]).T @ flat(gates[:, :, :width] * _before(hs, h0))
    return gwh, gbh
