"""The pointwise lines of the GRU, as loops that the compiler vectorises (see `lstm/gates.py`)."""

from ..elementary import sigmoid, tanh, vectorised


@vectorised
def open_gates(gates, more):
    """r, z = σ(gates + more) in place, the first 2H columns of both."""
    rows, two = gates.shape[0], 2 * (gates.shape[1] // 3)
    for n in range(rows):
        row, added = gates[n, :two], more[n % len(more), :two]
        for j in range(two):
            row[j] = sigmoid(row[j] + added[j])


@vectorised
def candidate(xa, ha_n, gates, h, h_new, library):
    """n = tanh(xa_n + [r] ha_n) and h'; ha_n is the last H columns of what is given."""
    rows, width = h.shape
    start = ha_n.shape[1] - width
    one = gates.dtype.type(1)  # a plain 1 would turn float32 into float64
    for k in range(rows):
        r, z, n = gates[k, :width], gates[k, width : 2 * width], gates[k, 2 * width :]
        xk, hk, old, new = xa[k, 2 * width :], ha_n[k, start:], h[k], h_new[k]
        if library:
            for j in range(width):
                n[j] = tanh(xk[j] + r[j] * hk[j])
            for j in range(width):
                new[j] = (one - z[j]) * n[j] + z[j] * old[j]
        else:
            for j in range(width):
                n[j] = tanh(xk[j] + hk[j])
            for j in range(width):
                new[j] = (one - z[j]) * old[j] + z[j] * n[j]


@vectorised
def update_gradient(gh, gates, h, ga, library):
    """ga_z, ga_n of the page; gh becomes its straight path to the step before."""
    rows, width = h.shape
    one = gh.dtype.type(1)
    for k in range(rows):
        z, n, ga_n = gates[k, width : 2 * width], gates[k, 2 * width :], ga[k, 2 * width :]
        ga_z, old, g = ga[k, width : 2 * width], h[k], gh[k]
        if library:
            for j in range(width):
                ga_z[j] = g[j] * (old[j] - n[j]) * z[j] * (one - z[j])
            for j in range(width):
                ga_n[j] = g[j] * (one - z[j]) * (one - n[j] * n[j])
            for j in range(width):
                g[j] *= z[j]
        else:
            for j in range(width):
                ga_z[j] = g[j] * (n[j] - old[j]) * z[j] * (one - z[j])
            for j in range(width):
                ga_n[j] = g[j] * z[j] * (one - n[j] * n[j])
            for j in range(width):
                g[j] *= one - z[j]


@vectorised
def reset_after(ha_n, gates, ga, gha_n):
    """Library: ga_r = ga_n ha_n r(1-r) and gha_n = ga_n r, each the last H columns."""
    rows, width = gates.shape[0], gates.shape[1] // 3
    start, out = ha_n.shape[1] - width, gha_n.shape[1] - width
    one = ga.dtype.type(1)
    for k in range(rows):
        r, hk, ga_r, ga_n = gates[k, :width], ha_n[k, start:], ga[k, :width], ga[k, 2 * width :]
        result = gha_n[k, out:]
        for j in range(width):
            ga_r[j] = ga_n[j] * hk[j] * r[j] * (one - r[j])
        for j in range(width):
            result[j] = ga_n[j] * r[j]


@vectorised
def reset_before(g_reset, gates, h, ga, gh):
    """Lecture, with g_reset the gradient of r h: ga_r = g_reset h r(1-r), gh += g_reset r."""
    rows, width = h.shape
    one = gh.dtype.type(1)
    for k in range(rows):
        r, old, ga_r, g, gk = gates[k, :width], h[k], ga[k, :width], g_reset[k], gh[k]
        for j in range(width):
            ga_r[j] = g[j] * old[j] * r[j] * (one - r[j])
        for j in range(width):
            gk[j] += g[j] * r[j]


@vectorised
def reset(gates, h, result):
    """r h."""
    rows, width = h.shape
    for n in range(rows):
        r, old, out = gates[n, :width], h[n], result[n]
        for j in range(width):
            out[j] = r[j] * old[j]
