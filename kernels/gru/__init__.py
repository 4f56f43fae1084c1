"""GRU: the LSTM's idea with one state and two gates.

The LSTM keeps a cell C and shows a gated copy h. The gated recurrent unit keeps only h: what the
update gate z does not replace, it keeps, so one gate serves for writing and forgetting; the
reset gate r decides how much of the past the candidate n may see.

**Forward.** Two forms are in use. They differ in where r acts and in what z means; neither can
stand for the other, because r ⊙ h and the product with W_n do not commute.

    variant="lecture"  (Cho 2014; Vorontsov's lecture)      variant="library"  (PyTorch, cuDNN)

    r = σ(xa_r + h W_rᵀ + b_r)                              the same
    z = σ(xa_z + h W_zᵀ + b_z)                              the same
    n = tanh(xa_n + (r ⊙ h) W_nᵀ + b_n)                     n = tanh(xa_n + r ⊙ (h W_nᵀ + b_n))
    h' = (1-z) ⊙ h + z ⊙ n       z writes                   h' = (1-z) ⊙ n + z ⊙ h       z keeps

xa_t = x_t W_xᵀ (+ its bias) comes ready for all steps. Call ha = (ha_r, ha_z, ha_n) what the
recurrent product adds: in the library form one product h Whᵀ + bh for all three; in the lecture
form ha_n has to wait for r, two products one after the other. That wait is why libraries reset
*after* the product.

**Backward.** δv is the gradient of the loss with respect to v; σ' = σ(1-σ), tanh' = 1 - tanh².
The last line gives three paths; the straight one, without a matrix, is what keeps gradients alive:

                  lecture                                   library
    δz  =         δh' ⊙ (n-h)                               δh' ⊙ (h-n)
    δn  =         δh' ⊙ z                                   δh' ⊙ (1-z)
    δh  =         δh' ⊙ (1-z) + …                           δh' ⊙ z + …
    δa_z = δz ⊙ z(1-z),   δa_n = δn ⊙ (1-n²)                the same
    δr  =         (δa_n W_n) ⊙ h                            δa_n ⊙ (h W_nᵀ + b_n)
    δa_r = δr ⊙ r(1-r)                                      the same
    δha = (δa_r, δa_z,    δa_n)                             (δa_r, δa_z, δa_n ⊙ r)
    δh += δa_r W_r + δa_z W_z + (δa_n W_n) ⊙ r              δha Wh

and over the sequence δxa = (δa_r, δa_z, δa_n), δbh = Σ δha, and one tall product for the weights:
δW_{r,z} = Σ_t δa_{r,z}ᵀ h_{t-1}; δW_n = Σ_t δa_nᵀ (r ⊙ h_{t-1}) or, library, Σ_t (δa_n ⊙ r)ᵀ
h_{t-1}.

**Shapes.**

    T steps   N sequences side by side   H width of h
    xa_t, ha, gates_t  [N, 3H]  in the order r, z, n       h [N, H]      wh [3H, H]      bh [3H]

**Cost.** Per step the recurrent products take 6NH² FLOPs, three quarters of an LSTM's; backward
takes twice that, and the library form once more 2NH² to find h W_nᵀ + b_n again rather than store
it.

**From the lecture to the library.** The lecture writes σ(W · [h_{t-1}, x_t]) without biases: cut W
= [W_h | W_x] in two, bh None. The library's two biases are both needed here: the one in xa_n is
outside r ⊙ (…), the n-part of bh inside. Swapping z for 1-z turns one sense of the update gate into
the other (σ(-a) = 1 - σ(a): negate W_z and b_z), moving r does not come undone that way.

**The ladder.** Files of `rungs/` unless a folder is named; each begins with what the version before
it wastes. The products and the geometry, which LSTM shares, are in `kernels/recurrent/`.

    glassgrad bench gru       time, GFLOP/s and share of the roofline of these; one of them:
                               glassgrad bench gru.sequence_forward --version 2

    reference     gru/reference.py         the lines above in NumPy
    numba v1      gru/cpu.py               the lines above as plain loops, one number at a time
    numba v2      cpu_v2_fused.py           cell: fused passes over rows that stay in the
                                            first-level cache, σ and tanh in vector instructions
                  cpu_v2_blas.py            sequence: that cell, and the products by BLAS; weight
                                            gradients in one product over all steps
    numba v3      cpu_v3_rows.py            sequence: each thread takes its rows of the batch
                                            through all steps, weights packed once for a register
                                            tile of its own; one routine for both forms, which
                                            differ in what the candidate's product sees: h, or r ⊙ h

    glassgrad lab gru         loads, sectors, bank conflicts and registers of these, without a GPU;
                               line by line: glassgrad lab gru.sequence_forward --version 3

    cuda v1       gru/cuda.cu              cell: one thread a unit, in registers between one read
                                            and one write. Sequence: at every step a product by
                                            cuBLAS, then the cell (gru/cuda.py)
    cuda v2       cuda_v2_quads.cuh         cell: four units a thread, requests of 16 bytes
                                            (float32, H a multiple of 4)
                  cuda_v2_one_kernel.cuh    sequence: one kernel a step; tiles of h and W_h in
                                            shared memory, the sums in registers until the cell
                                            takes them. The lecture's form takes two, as n needs all
                                            of r ⊙ h
    cuda v3       cuda_v3_one_launch.cuh    sequence: one launch for all steps; a block owns eight
                                            units and keeps their weights in shared memory, only h
                                            travels, all blocks meet in a barrier after each step,
                                            in the lecture's form twice
    cuda v4       cuda_v4_ahead.cuh         sequence: the next piece of h is copied during the
                                            products; a thread takes four rows, so that shared
                                            memory is asked half as often, by lanes that agree in
                                            pairs

**Files that the versions share**, next to this page:

    states.py     what travels together through all CPU versions: the arrays of all steps
    gates.py      numba v2 and v3: the lines above between two products, in vectorised loops
    gates.cuh     the lines above for one unit, in registers: all CUDA versions
    cuda.py       blocks and threads of each CUDA version; cases.py: shapes for tests and benchmarks
"""

from typing import Literal

from ..checks import choice, plane, shapes, steps
from ..doors import check_all
from ..errors import DTypeError, expect, expect_floats
from ..registry import dispatch

__all__ = ["VARIANTS", "cell_backward", "cell_forward", "sequence_backward", "sequence_forward"]

VARIANTS = ("lecture", "library")


def cell_forward(xa, ha, h, variant: Literal["lecture", "library"] = "lecture"):
    """One GRU step, given both parts of the pre-activations.

    r, z = σ(xa + ha). lecture: n = tanh(xa_n + ha_n), h' = (1-z) h + z n, where the caller has
    formed ha_n = (r h) W_nᵀ + b_n with r = σ(xa_r + ha_r). library: n = tanh(xa_n + r ha_n), h' =
    (1-z) n + z h, where ha = h Whᵀ + bh.

    xa, ha [N, 3H] in the order r, z, n; h [N, H]. Returns h' [N, H] and the activated gates [N,
    3H]. Raises ShapeError, DTypeError, DeviceError, ValueRangeError (unknown variant). Source: Cho
    et al. 2014 and Vorontsov's lecture; PyTorch's documentation of `GRU` for the library form.

    >>> import numpy as np
    >>> xa = np.array([[0.0, 50.0, 50.0]])  # z = 1, n = 1
    >>> zero, h = np.zeros((1, 3)), np.array([[7.0]])
    >>> cell_forward(xa, zero, h, "lecture")[0], cell_forward(xa, zero, h, "library")[0]
    (array([[1.]]), array([[7.]]))
    """
    arrays = {"xa": xa, "ha": ha, "h": h}
    n, width = _check("gru.cell_forward", variant, "h", arrays)
    wanted = {"xa": (n, 3 * width), "ha": (n, 3 * width)}
    shapes("gru.cell_forward", wanted, arrays)
    return dispatch("gru", "cell_forward", xa, ha, h, variant)


def cell_backward(gh_new, gates, ha, h, variant: Literal["lecture", "library"] = "lecture"):
    """Gradients of one GRU step as a function of xa, ha and h.

    As on the page of this family, with gh only the straight path (what reaches h through ha is the
    caller's). In the lecture form the step does not use r, because the caller has already put it
    into ha_n: the r-parts of gxa and gha are therefore zero, and δr comes from gha_n on the
    caller's side.

    gh_new, h [N, H]; gates, ha [N, 3H] as in `cell_forward`. Returns gxa [N, 3H], gha [N, 3H],
    gh [N, H]. Raises ShapeError, DTypeError, DeviceError, ValueRangeError. Source: the page.

    >>> import numpy as np
    >>> one, gates = np.ones((1, 1)), np.array([[0.5, 0.25, 0.0]])
    >>> ha = np.array([[0.0, 0.0, 2.0]])
    >>> cell_backward(one, gates, ha, one, "library")
    (array([[0.375 , 0.1875, 0.75  ]]), array([[0.375 , 0.1875, 0.375 ]]), array([[0.25]]))
    """
    arrays = {"gh_new": gh_new, "gates": gates, "ha": ha, "h": h}
    n, width = _check("gru.cell_backward", variant, "h", arrays)
    wanted = {"gh_new": (n, width), "gates": (n, 3 * width), "ha": (n, 3 * width)}
    shapes("gru.cell_backward", wanted, arrays)
    return dispatch("gru", "cell_backward", gh_new, gates, ha, h, variant)


def sequence_forward(xa, h0, wh, bh=None, variant: Literal["lecture", "library"] = "lecture"):
    """All steps of a GRU layer, given the part of the pre-activations that comes from the input.

    xa [T, N, 3H]; h0 [N, H]; wh [3H, H] and bh None or [3H], both in the order r, z, n. Returns
    hs [T, N, H] and gates [T, N, 3H]; T = 0 gives empty arrays. Raises ShapeError, DTypeError,
    DeviceError, ValueRangeError. Source: see `cell_forward`.

    >>> import numpy as np
    >>> xa = np.tile([0.0, 0.0, 50.0], (3, 1, 1))  # z = 1/2: go half of the way to n = 1
    >>> hs, gates = sequence_forward(xa, np.zeros((1, 1)), np.zeros((3, 1)))
    >>> hs.ravel()
    array([0.5  , 0.75 , 0.875])
    """
    arrays = {"xa": xa, "h0": h0, "wh": wh} | ({} if bh is None else {"bh": bh})
    n, width = _check("gru.sequence_forward", variant, "h0", arrays)
    t = steps("gru.sequence_forward", "xa", arrays)
    wanted = {"xa": (t, n, 3 * width), "wh": (3 * width, width), "bh": (3 * width,)}
    shapes("gru.sequence_forward", wanted, arrays)
    return dispatch("gru", "sequence_forward", xa, h0, wh, bh, variant)


def sequence_backward(
    ghs, hs, gates, h0, wh, bh=None, variant: Literal["lecture", "library"] = "lecture"
):
    """Gradients of a whole GRU layer: backpropagation through time.

    ghs [T, N, H] is the gradient with respect to every h_t; hs, gates as returned by
    `sequence_forward`; the rest as given to it. Returns gxa [T, N, 3H], gh0 [N, H], gwh [3H, H] and
    gbh [3H] (None without bh). With T = 0 nothing ties the inputs to the empty outputs: all are
    zero. Raises ShapeError, DTypeError, DeviceError, ValueRangeError. Source: the page of this
    family.

    >>> import numpy as np
    >>> xa, h0, wh = np.zeros((3, 1, 3)), np.zeros((1, 1)), np.zeros((3, 1))
    >>> hs, gates = sequence_forward(xa, h0, wh)
    >>> last = np.zeros((3, 1, 1)); last[-1] = 1.0
    >>> sequence_backward(last, hs, gates, h0, wh)[1]  # z = 1/2: halved at each step back
    array([[0.125]])
    """
    arrays = {"ghs": ghs, "hs": hs, "gates": gates, "h0": h0, "wh": wh}
    arrays |= {} if bh is None else {"bh": bh}
    n, width = _check("gru.sequence_backward", variant, "h0", arrays)
    t = steps("gru.sequence_backward", "ghs", arrays)
    wanted = {"ghs": (t, n, width), "hs": (t, n, width), "gates": (t, n, 3 * width)}
    wanted |= {"wh": (3 * width, width), "bh": (3 * width,)}
    shapes("gru.sequence_backward", wanted, arrays)
    return dispatch("gru", "sequence_backward", ghs, hs, gates, h0, wh, bh, variant)


def _check(function, variant, name, arrays):
    """The variant is known and the arrays are floats; N and H from the array that defines them."""
    expect(isinstance(variant, str), function, "variant must be a str", "str", variant, DTypeError)
    choice(function, "variant", variant, VARIANTS)
    expect_floats(function, **arrays)
    return plane(function, name, arrays)


check_all(globals(), prefix="gru.")
