"""Self-organising maps (Kohonen): distances, winners, and the two ways to move the weights.

M nodes with weights w_m stand on a grid; each sample x pulls its winner and the winner's
neighbours on the grid.

    N  samples    D  features    M  nodes of the map, row by row    S  steps of the width schedule

    d2[n, m]   = sum_j (x_nj - w_mj)^2                                   squared Euclidean distance
    winner[n]  = argmin_m d2[n, m]                                       the lowest m wins a tie
    K[c, m]    how strongly node m moves when c wins: any matrix, the kernel does not know the grid

Three rules move the nodes; h = rate K[winner, m]:

    difference            w_m <- w_m + h (x - w_m)            lecture 1 (Vorontsov): WTA, WTM, SOM
    additive              w_m <- w_m + h x                    lecture 2 (Dyakonov): SOM
    additive_normalised   the same, then w_m <- w_m / |w_m|   the cure for the additive rule

The first is a gradient step on K d2 / 2 and stops at the data. The second never stops growing, and
the longer a weight the less it turns: dividing each row by its norm after the step (a row of zeros
stays) makes it the rule of cosine similarity, for which winners of unit rows are the same as those
of the Euclidean distance.

K is K(r), r a distance on the grid between the nodes (a, b) and (i, j): sqrt((a-i)^2 + (b-j)^2) in
lecture 1, with an example of the kind exp(-(|a-i| + |b-j|)) in lecture 2 (the slide lacks the inner
brackets). The unit matrix is hard competition (WTA). Where K is 0 the `online` rule leaves a node
alone, as the loop over a neighbourhood does.

    pass       reads                    writes        work
    distances  x, w                     d2            3 N M D
    winners    x, w                     winner, d2    3 N M D directly, 2 N M D as a matrix product
    update     w, x, winner, K          w             N D + 2 M^2 D    (batch: every x at the old w)
    online     w, x, table, schedule    w, winners    N (3 M D + 2 M D)   (each x at the newest w)

How the batch becomes matrices. sum_n K[winner_n, m] (x_n - w_m) depends on a sample only through
its winner: with S_c = sum of the samples that c won and n_c their number it is (K^T S)_m -
(K^T n)_m w_m. All of it is computed about the mean of w, or data far from the origin would cancel.

How the arg-min stays exact. x^2 - 2 x w + w^2 by a matrix product is fast, and useless as a
decision: data around 1000 in float32 leave no digit of a distance. So every version decides by
differences: subtract, square, add. On the CPU that costs no more than the product would
(cpu_v2_lanes.py); on a GPU the versions on tensor cores centre by the mean of w, bound their own
rounding error, and settle every node within the bound by differences. Winners are those of the
distances computed in the dtype of the input; in CUDA every version of winners has the winners and
distances of v1 to the last bit.

The ladder. From version 2 on, the files are those of rungs/. Each begins with what the version
before it wastes.

    glassgrad bench som        time, GFLOP/s and share of the roofline of these; one of them:
                               glassgrad bench som.winners --version 2

    reference   reference.py              the lecture: one sample at a time
    numba v1    cpu.py                    the formulas as plain loops
    numba v2    cpu_v2_lanes.py           distances, winners: 32 nodes side by side in vector
                                          registers, four samples at a time (lanes.py)
                cpu_v2_online.py          online: the map stays in that layout for the whole run
                cpu_v2_per_winner.py      update: N D additions and M^2 D products, as above

    glassgrad lab som          loads, sectors, bank conflicts and registers of these, without a
                               GPU; line by line: glassgrad lab som.winners --version 3

    cuda v1     cuda.cu                   one thread a pair (distances), a sample (winners), a
                                          weight (update); one block for the whole run (online)
    cuda v2     cuda_v2_tiles.cuh         distances, winners, update: 16 samples x 16 nodes in
                                          shared memory; the N x M distances are never stored
                cuda_v2_on_chip.cuh       online: the map in the shared memory of up to 64 blocks,
                                          which meet once a sample, in one 64-bit word (word.cuh)
    cuda v3     cuda_v3_registers.cuh     distances, winners: 4 x 4 pairs a thread, the next tile
                                          copied meanwhile; blocks share out the nodes
                cuda_v3_per_winner.cuh    update: N D additions and M^2 D products, as above
    cuda v4     cuda_v4_screened.cuh      winners: tensor cores multiply about the mean of w, in 11
                                          bits; the nodes that their error leaves in doubt, three
                                          or four of 400, are settled by differences (screen.cuh)
    cuda v5     cuda_v5_waiting.cuh       winners: those in doubt wait until they fill the block

A distance that is NaN wins only where the whole row is NaN; the winner is then node 0.

A density map colours node m by the mean of its k smallest distances sqrt(d2[:, m]) to the training
samples (lecture 1), which is one partial sort of the columns of `distances`.

Sources: Kohonen, "Self-organized formation of topologically correct feature maps", 1982; lecture 1
(Vorontsov), slides on competitive learning and Kohonen maps; lecture 2 (Dyakonov), slides on SOM.
"""

from ..annotations import Number
from ..doors import check_all
from ..errors import DTypeError, ValueRangeError, expect, expect_floats, nearest
from ..registry import dispatch

RULES = ("difference", "additive", "additive_normalised")


def _check_matrices(name: str, x, w, **others) -> None:
    arrays = {"x": x, "w": w, **others}
    expect_floats(name, **arrays)
    for axes, key in (("[N, D]", "x"), ("[M, D]", "w")):
        ndim = arrays[key].ndim
        expect(ndim == 2, name, f"{key} must have the axes {axes}", "2 axes", ndim, **arrays)
    d = x.shape[1]
    expect(w.shape[1] == d, name, "w.shape[1] must equal x.shape[1]", d, w.shape[1], **arrays)


def _check_nodes(name: str, x, w) -> None:
    ok = w.shape[0] > 0 or x.shape[0] == 0
    expect(ok, name, "a sample needs a node to win it", "M >= 1", 0, x=x, w=w)


def _check_rule(name: str, rule: str) -> None:
    if rule not in RULES:
        known = ", ".join(RULES)
        raise ValueRangeError(
            f"{name}: unknown rule {rule!r}; known are {known}{nearest(rule, RULES)}"
        )


def _check_indices(name: str, key: str, index, length: int, below: int) -> None:
    """index is an integer array of `length` entries in 0..below-1."""
    integer = hasattr(index, "dtype") and index.dtype.kind in "iu"
    got = getattr(index, "dtype", type(index).__name__)
    arrays = {key: index}
    expect(integer, name, f"{key} must be an array of integers", "int64", got, DTypeError)
    expect(index.shape == (length,), name, f"{key}.shape", (length,), index.shape, **arrays)
    if length:
        low, high = int(index.min()), int(index.max())
        must = f"{key} must hold indices below {below}"
        ok = low >= 0 and high < below
        expect(ok, name, must, f"0..{below - 1}", f"{low}..{high}", ValueRangeError, **arrays)


def distances(x, w):
    """Squared Euclidean distances d2[N, M] = |x_n - w_m|^2 of samples x[N, D] to nodes w[M, D].

    Computed from differences, in the dtype of the input. Raises ShapeError, DTypeError.
    Source: lecture 1 (Vorontsov).

    >>> import numpy as np
    >>> distances(np.array([[1000.0, 0.0]]), np.array([[1000.0, 1.0], [1003.0, 4.0]]))
    array([[ 1., 25.]])
    """
    _check_matrices("som.distances", x, w)
    return dispatch("som", "distances", x, w)


def winners(x, w):
    """The nearest node of each sample, int64[N], and its squared distance d2[N].

    winner_n = argmin_m |x_n - w_m|^2; the lowest index wins a tie; a NaN distance wins only where
    all are NaN (node 0). x is [N, D], w [M, D]. Raises ShapeError, DTypeError.
    Source: lecture 1 (Vorontsov), competitive learning.

    >>> import numpy as np
    >>> winners(np.array([[0.0], [5.0], [9.0]]), np.array([[0.0], [10.0]]))
    (array([0, 0, 1]), array([ 0., 25.,  1.]))
    """
    _check_matrices("som.winners", x, w)
    _check_nodes("som.winners", x, w)
    return dispatch("som", "winners", x, w)


def update(w, x, winner, neighbourhood, rate: Number, rule: str = "difference"):
    """One batch step: every node moves by all samples at once; returns the new w[M, D].

    difference: w_m + rate sum_n K[winner_n, m] (x_n - w_m); additive: x_n instead of x_n - w_m;
    additive_normalised: then each row divided by its norm. x is [N, D], winner integers [N],
    neighbourhood K is [M, M] with the winner as its row. A NaN in feature j of any sample reaches
    feature j of every node. Raises ShapeError, DTypeError, ValueRangeError (winner, rule).
    Sources: lectures 1 (Vorontsov) and 2 (Dyakonov).

    >>> import numpy as np
    >>> w, x = np.array([[0.0], [10.0]]), np.array([[2.0], [4.0]])
    >>> update(w, x, np.array([0, 0]), np.array([[1.0, 0.5], [0.5, 1.0]]), rate=0.5)
    array([[3. ],
           [6.5]])
    """
    name = "som.update"
    _check_matrices(name, x, w, neighbourhood=neighbourhood)
    m, got = w.shape[0], neighbourhood.shape
    expect(got == (m, m), name, "neighbourhood.shape must be [M, M]", (m, m), got, w=w)
    _check_nodes(name, x, w)
    _check_indices(name, "winner", winner, x.shape[0], m)
    _check_rule(name, rule)
    return dispatch("som", "update", w, x, winner, neighbourhood, float(rate), rule)


def online(w, x, table, schedule, rates, rule: str = "difference"):
    """The sequential algorithm: one sample after another; returns (w[M, D], winner[N], d2[N]).

    For n = 0..N-1: c = argmin_m |x_n - w_m|^2 at the present w (lowest index wins a tie), then for
    every m where K = table[schedule_n, c, m] is not 0, w_m += rates_n K (x_n - w_m), or the rule's
    own step. table is [S, M, M], schedule integers [N] below S, rates [N] in the dtype of w. With
    additive_normalised every row is divided by its norm after every sample. winner and d2 are
    those at the moment of choice: their mean is the running criterion of the algorithm.
    Raises ShapeError, DTypeError, ValueRangeError (schedule, rule).
    Sources: lectures 1 (Vorontsov, stochastic-gradient algorithm) and 2 (Dyakonov).

    >>> import numpy as np
    >>> w, x = np.array([[0.0], [10.0]]), np.array([[4.0], [7.0]])
    >>> online(w, x, np.eye(2)[None], np.zeros(2, int), np.full(2, 0.5))
    (array([[2. ],
           [8.5]]), array([0, 1]), array([16.,  9.]))
    """
    name = "som.online"
    _check_matrices(name, x, w, table=table, rates=rates)
    n, m = x.shape[0], w.shape[0]
    ok = table.ndim == 3 and table.shape[1:] == (m, m)
    expect(ok, name, "table.shape must be [S, M, M]", ("S", m, m), table.shape, w=w)
    expect(rates.shape == (n,), name, "rates.shape must be [N]", (n,), rates.shape, x=x)
    _check_nodes(name, x, w)
    _check_indices(name, "schedule", schedule, n, table.shape[0])
    _check_rule(name, rule)
    return dispatch("som", "online", w, x, table, schedule, rates, rule)


check_all(globals(), prefix="som.")
