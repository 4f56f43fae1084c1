"""The pointwise lines of the LSTM, as loops that the compiler vectorises.

A row of a step passes through short loops one after the other and stays in the first-level cache.
They are separate loops, one formula each, because the compiler vectorises a loop only while it can
check that few arrays overlap. σ and tanh without a branch come from elementary.py.
"""

from ..elementary import sigmoid, tanh, vectorised


@vectorised
def activate(gates, c_before, c):
    """Activates i, f, g in place and forms C = f C_before + i g; the gate o is left for `show`."""
    rows, width = c.shape
    for n in range(rows):
        row, before, after = gates[n], c_before[n], c[n]
        i, f, g = row[:width], row[width : 2 * width], row[2 * width : 3 * width]
        for j in range(width):
            i[j] = sigmoid(i[j])
        for j in range(width):
            f[j] = sigmoid(f[j])
        for j in range(width):
            g[j] = tanh(g[j])
        for j in range(width):
            after[j] = f[j] * before[j] + i[j] * g[j]


@vectorised
def show(gates, c, h):
    """Activates o in place and forms h = o tanh(C)."""
    rows, width = c.shape
    for n in range(rows):
        o, cn, hn = gates[n, 3 * width :], c[n], h[n]
        for j in range(width):
            o[j] = sigmoid(o[j])
        for j in range(width):
            hn[j] = o[j] * tanh(cn[j])


@vectorised
def show_gradient(gh, gates, c, ga, gc):
    """ga_o = gh tanh(C) o(1-o);  gc += gh o (1 - tanh² C)."""
    rows, width = c.shape
    one = c.dtype.type(1)  # a plain 1 would turn float32 into float64
    for n in range(rows):
        o, ga_o = gates[n, 3 * width :], ga[n, 3 * width :]
        ghn, cn, gcn = gh[n], c[n], gc[n]
        for j in range(width):
            tanh_c = tanh(cn[j])
            ga_o[j] = ghn[j] * tanh_c * o[j] * (one - o[j])
            gcn[j] += ghn[j] * o[j] * (one - tanh_c * tanh_c)


@vectorised
def activate_gradient(gc, gates, c_before, ga):
    """ga_i = gc g i(1-i);  ga_f = gc C_before f(1-f);  ga_g = gc i (1-g²);  then gc *= f."""
    rows, width = gc.shape
    one = gc.dtype.type(1)
    for n in range(rows):
        row, grow, gcn, before = gates[n], ga[n], gc[n], c_before[n]
        i, f, g = row[:width], row[width : 2 * width], row[2 * width : 3 * width]
        ga_i, ga_f, ga_g = grow[:width], grow[width : 2 * width], grow[2 * width : 3 * width]
        for j in range(width):
            ga_i[j] = gcn[j] * g[j] * i[j] * (one - i[j])
        for j in range(width):
            ga_f[j] = gcn[j] * before[j] * f[j] * (one - f[j])
        for j in range(width):
            ga_g[j] = gcn[j] * i[j] * (one - g[j] * g[j])
        for j in range(width):
            gcn[j] *= f[j]
