"""LSTM: a memory that a network writes, keeps and reads through three gates.

A plain recurrent net h_t = tanh(W x_t + U h_{t-1}) multiplies its state by U at every step, so the
gradient through many steps vanishes or explodes. The LSTM keeps a second state C and changes it by
adding; what multiplies it, the forget gate, can stay near one for as long as the net needs.

**Forward.** One step, given the four pre-activations a = (a_i, a_f, a_g, a_o):

    i = σ(a_i)      how much of the candidate to write      (input gate)
    f = σ(a_f)      how much of the old cell to keep        (forget gate)
    g = tanh(a_g)   what to write                           (candidate)
    o = σ(a_o)      how much of the cell to show            (output gate)
    C' = f ⊙ C + i ⊙ g
    h  = o ⊙ tanh(C')

over a whole sequence, with xa_t = x_t W_xᵀ + b prepared for all steps by one matrix product:

    a_t = xa_t + h_{t-1} W_hᵀ                     and, with peepholes,
    a_i += C_{t-1} P_iᵀ,   a_f += C_{t-1} P_fᵀ,   a_o += C_t P_oᵀ

The output gate peeps at the *new* cell, so it is computed after it.

**Backward.** Let δv be the gradient of the loss with respect to v, and recall σ' = σ(1-σ),
tanh' = 1 - tanh². Walking back from the last step, δh_t and δC_t hold what the later steps and the
caller's own use of hs[t] and cs[t] ask for. Read the forward lines from the bottom up:

    δa_o  = δh ⊙ tanh(C_t) ⊙ o(1-o)
    δC_t += δh ⊙ o ⊙ (1 - tanh²(C_t)) + δa_o P_o      h shows the cell, the gate o peeps at it
    δa_i  = δC_t ⊙ g       ⊙ i(1-i)
    δa_f  = δC_t ⊙ C_{t-1} ⊙ f(1-f)
    δa_g  = δC_t ⊙ i       ⊙ (1-g²)
    δC_{t-1} = δC_t ⊙ f + δa_i P_i + δa_f P_f           no matrix in the first term: the highway
    δh_{t-1} = δa_t W_h

The second line must be complete before the next three use it: that is where the peephole of o
enters. The parameters are shared by all steps, so their gradients are sums over t, each one product
of tall matrices with T·N rows instead of T small ones:

    δxa_t = δa_t     δW_h = Σ_t δa_tᵀ h_{t-1}
    δP_i  = Σ_t δa_iᵀ C_{t-1}     δP_f = Σ_t δa_fᵀ C_{t-1}     δP_o = Σ_t δa_oᵀ C_t

In the code the δ is a leading g: gh is δh, ga_i is δa_i.

**Shapes.**

    T steps   N sequences side by side   H width of h and C
    a, xa_t, gates_t  [N, 4H]  in the order i, f, g, o       h, C  [N, H]
    wh [4H, H]                                                p [3H, H]  rows P_i, P_f, P_o

**Cost.** Forward, the product with W_h takes 8NH² FLOPs a step, and peepholes add 6NH². Backward
takes each twice, once for the states and once for the weights. The gates take some tens of
operations on each of N·H cells, so the products dominate as soon as H is more than a few. Traffic,
if everything is read and written once: 10H numbers per sequence and step forward (xa in; gates, h
and C out), plus the weights, which a good version keeps in cache from step to step.

**From the lecture to the library.** The lecture (Vorontsov, "CNN, RNN, embeddings", after
Hochreiter and Schmidhuber 1997, Olah 2015 and Greff 2015) writes σ(W · [h_{t-1}, x_t] + b): one
matrix on the concatenation, one bias per gate. That is W = [W_h | W_x] cut in two, so that the part
in x leaves the loop. cuDNN and PyTorch carry two biases whose sum is this one b. The lecture's
peepholes, after Gers and Schmidhuber 2000, sit inside the concatenation, σ(W · [C, h, x] + b),
hence full matrices; in the paper and in most libraries each cell sees only itself (P diagonal).

**The ladder.** Files of `rungs/` unless a folder is named; each begins with what the version before
it wastes. The products and the geometry, which GRU shares, are in `kernels/recurrent/`.

    glassgrad bench lstm       time, GFLOP/s and share of the roofline of these; one of them:
                               glassgrad bench lstm.sequence_forward --version 2

    reference     lstm/reference.py         the lines above in NumPy; about twenty passes over
                                            memory for each step
    numba v1      lstm/cpu.py               the lines above as plain loops, one number at a time
    numba v2      cpu_v2_fused.py           cell: fused passes over rows that stay in the
                                            first-level cache, σ and tanh in vector instructions
                  cpu_v2_blas.py            sequence: that cell, and the products by BLAS; weight
                                            gradients in one product over all steps
    numba v3      cpu_v3_rows.py            sequence: each thread takes its rows of the batch
                                            through all steps, weights packed once for a register
                                            tile of its own; threads meet once, not at every step

    glassgrad lab lstm         loads, sectors, bank conflicts and registers of these, without a GPU;
                               line by line: glassgrad lab lstm.sequence_forward --version 3

    cuda v1       lstm/cuda.cu              cell: one thread a unit, in registers between one read
                                            and one write. Sequence: at every step a product by
                                            cuBLAS, then the cell (lstm/cuda.py)
    cuda v2       cuda_v2_quads.cuh         cell: four units a thread, requests of 16 bytes
                                            (float32, H a multiple of 4)
                  cuda_v2_one_kernel.cuh    sequence: one kernel a step; tiles of h and W_h in
                                            shared memory, the sums in registers until the cell
                                            takes them. With peepholes two kernels, as o needs all
                                            C_t
    cuda v3       cuda_v3_one_launch.cuh    sequence: one launch for all steps; a block owns eight
                                            units and keeps their weights in shared memory, only h
                                            travels, all blocks meet in a barrier after each step
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

from ..checks import plane, shapes, steps
from ..doors import check_all
from ..errors import expect_floats
from ..registry import dispatch

__all__ = ["cell_backward", "cell_forward", "sequence_backward", "sequence_forward"]


def cell_forward(a, c):
    """One LSTM step: gates from pre-activations, new cell, new hidden state.

    C' = σ(a_f) C + σ(a_i) tanh(a_g);  h = σ(a_o) tanh(C').

    a [N, 4H] in the order i, f, g, o; c [N, H]. Returns h [N, H], C' [N, H] and the activated gates
    [N, 4H]. Raises ShapeError, DTypeError, DeviceError. Source: Hochreiter & Schmidhuber 1997;
    Vorontsov's lecture.

    >>> import numpy as np
    >>> a = np.array([[50.0, -50.0, 50.0, 0.0]])  # write all of 1, forget the old, show half
    >>> h, c, gates = cell_forward(a, np.array([[7.0]]))
    >>> c.round(4), h.round(4)
    (array([[1.]]), array([[0.3808]]))
    """
    arrays = {"a": a, "c": c}
    expect_floats("lstm.cell_forward", **arrays)
    n, h = plane("lstm.cell_forward", "c", arrays)
    shapes("lstm.cell_forward", {"a": (n, 4 * h)}, arrays)
    return dispatch("lstm", "cell_forward", a, c)


def cell_backward(gh, gc_new, gates, c, c_new):
    """Gradients of one LSTM step: those of h and C' in, those of a and C out.

    δC' = gc_new + gh o (1 - tanh² C');  δa_o = gh tanh(C') o(1-o);  δa_i = δC' g i(1-i);
    δa_f = δC' C f(1-f);  δa_g = δC' i (1-g²);  δC = δC' f.

    gh, gc_new, c, c_new [N, H]; gates [N, 4H] as returned by `cell_forward`. Returns ga [N, 4H] and
    gc [N, H]. Raises ShapeError, DTypeError, DeviceError. Source: the page of this family.

    >>> import numpy as np
    >>> one, zero = np.ones((1, 1)), np.zeros((1, 1))
    >>> gates = np.array([[0.5, 0.25, 0.0, 1.0]])
    >>> ga, gc = cell_backward(zero, one, gates, one, 0.25 * one)
    >>> ga, gc
    (array([[0.    , 0.1875, 0.5   , 0.    ]]), array([[0.25]]))
    """
    arrays = {"gh": gh, "gc_new": gc_new, "gates": gates, "c": c, "c_new": c_new}
    expect_floats("lstm.cell_backward", **arrays)
    n, h = plane("lstm.cell_backward", "c", arrays)
    wanted = {"gh": (n, h), "gc_new": (n, h), "c_new": (n, h), "gates": (n, 4 * h)}
    shapes("lstm.cell_backward", wanted, arrays)
    return dispatch("lstm", "cell_backward", gh, gc_new, gates, c, c_new)


def sequence_forward(xa, h0, c0, wh, p=None):
    """All steps of an LSTM layer, given the part of the pre-activations that comes from the input.

    a_t = xa_t + h_{t-1} Whᵀ (+ peepholes C_{t-1} P_{i,f}ᵀ and C_t P_oᵀ), then the step.

    xa [T, N, 4H]; h0, c0 [N, H]; wh [4H, H]; p None or [3H, H] in the order i, f, o. Returns hs [T,
    N, H], cs [T, N, H], gates [T, N, 4H]; T = 0 gives empty arrays. Raises ShapeError, DTypeError,
    DeviceError. Source: Hochreiter & Schmidhuber 1997; peepholes Gers & Schmidhuber 2000; both as
    in Vorontsov's lecture.

    >>> import numpy as np
    >>> xa, h0 = np.full((3, 1, 4), 50.0), np.zeros((1, 1))  # all gates open: C counts the steps
    >>> hs, cs, gates = sequence_forward(xa, h0, h0, np.zeros((4, 1)))
    >>> cs.ravel().round(6)
    array([1., 2., 3.])
    """
    arrays = {"xa": xa, "h0": h0, "c0": c0, "wh": wh} | ({} if p is None else {"p": p})
    expect_floats("lstm.sequence_forward", **arrays)
    n, h = plane("lstm.sequence_forward", "h0", arrays)
    t = steps("lstm.sequence_forward", "xa", arrays)
    wanted = {"c0": (n, h), "xa": (t, n, 4 * h), "wh": (4 * h, h), "p": (3 * h, h)}
    shapes("lstm.sequence_forward", wanted, arrays)
    return dispatch("lstm", "sequence_forward", xa, h0, c0, wh, p)


def sequence_backward(ghs, gcs, hs, cs, gates, h0, c0, wh, p=None):
    """Gradients of a whole LSTM layer: backpropagation through time.

    The recursion and the sums over t stand on the page of this family. Costs twice the forward
    pass.

    ghs [T, N, H] and gcs [T, N, H] are the gradients with respect to every h_t and C_t (gcs None
    means zero: nobody looked at the cells); hs, cs, gates as returned by `sequence_forward`; the
    rest as given to it. Returns gxa [T, N, 4H], gh0 [N, H], gc0 [N, H], gwh [4H, H] and gp [3H, H]
    (None without peepholes). With T = 0 nothing ties the inputs to the empty outputs: all are zero.
    Raises ShapeError, DTypeError, DeviceError. Source: Greff et al. 2015, and the page.

    >>> import numpy as np
    >>> xa, h0, wh = np.full((3, 1, 4), 50.0), np.zeros((1, 1)), np.zeros((4, 1))
    >>> hs, cs, gates = sequence_forward(xa, h0, h0, wh)
    >>> last = np.zeros((3, 1, 1)); last[-1] = 1.0
    >>> gxa, gh0, gc0, gwh, gp = sequence_backward(0 * hs, last, hs, cs, gates, h0, h0, wh)
    >>> gc0.round(6), gp is None  # open forget gates carry the gradient back undiminished
    (array([[1.]]), True)
    """
    arrays = {"ghs": ghs, "gcs": gcs, "hs": hs, "cs": cs, "gates": gates}
    arrays |= {"h0": h0, "c0": c0, "wh": wh, "p": p}
    arrays = {name: a for name, a in arrays.items() if a is not None or name not in ("gcs", "p")}
    expect_floats("lstm.sequence_backward", **arrays)
    n, h = plane("lstm.sequence_backward", "h0", arrays)
    t = steps("lstm.sequence_backward", "ghs", arrays)
    wanted = dict.fromkeys(("ghs", "gcs", "hs", "cs"), (t, n, h))
    wanted |= {"gates": (t, n, 4 * h), "c0": (n, h), "wh": (4 * h, h), "p": (3 * h, h)}
    shapes("lstm.sequence_backward", wanted, arrays)
    return dispatch("lstm", "sequence_backward", ghs, gcs, hs, cs, gates, h0, c0, wh, p)


check_all(globals(), prefix="lstm.")
