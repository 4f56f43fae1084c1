"""Launch geometry of the cross-entropy: a warp a row forward, a thread a logit backward."""

from ..launcher import Source, ceil_div, contiguous, empty, zeros

source = Source(__file__)
ROWS, THREADS = 8, 256


@source.implements("cross_entropy", "forward", version=1, idea="a warp a row")
def forward_v1(z, label):
    """loss, lse of every row (see `cross_entropy.forward`)."""
    make = empty if z.size else zeros
    loss, lse = make(z, z.shape[:1]), make(z, z.shape[:1])
    if z.size:
        grid, arrays = ceil_div(len(z), ROWS), (contiguous(z), contiguous(label), loss, lse)
        source.launch("cross_entropy_forward_v1", grid, 32 * ROWS, *arrays, *z.shape)
    return loss, lse


@source.implements("cross_entropy", "backward", version=1, idea="a thread a logit")
def backward_v1(g, z, label, lse):
    """gz of every logit (see `cross_entropy.backward`)."""
    gz = empty(z, z.shape)
    if z.size:
        arrays = [contiguous(a) for a in (g, z, label, lse)]
        grid = ceil_div(z.size, THREADS)
        source.launch("cross_entropy_backward_v1", grid, THREADS, *arrays, gz, z.shape[1], z.size)
    return gz
