"""Steps of gradient descent on the GPU: the launch geometry of `cuda.cu`, a thread a number."""

from ..launcher import Source, ceil_div, contiguous

source = Source(__file__)
THREADS = 256
NUMBERS = {"version": 1, "idea": "a thread a number"}


def _run(kernel, in_place, x, g, slots, rule, *options):
    arrays = [a if a is None or in_place else contiguous(a).copy() for a in (x, *slots)]
    first, *others = arrays
    if x.size:
        grid = ceil_div(x.size, THREADS)
        numbers = x.size, rule, *options
        source.launch(kernel, grid, THREADS, first, contiguous(g), *others, *numbers)
    return tuple(arrays)


@source.implements("descent", "sgd", **NUMBERS)
def sgd_v1(x, g, v, rule, nesterov, in_place):
    """x, v after a step (see `descent.sgd`)."""
    return _run("descent_sgd_v1", in_place, x, g, (v,), rule, int(nesterov))


@source.implements("descent", "adagrad", **NUMBERS)
def adagrad_v1(x, g, s, rule, in_place):
    """x, s after a step (see `descent.adagrad`)."""
    return _run("descent_adagrad_v1", in_place, x, g, (s,), rule)


@source.implements("descent", "adadelta", **NUMBERS)
def adadelta_v1(x, g, v, u, rule, in_place):
    """x, v, u after a step (see `descent.adadelta`)."""
    return _run("descent_adadelta_v1", in_place, x, g, (v, u), rule)


@source.implements("descent", "rmsprop", **NUMBERS)
def rmsprop_v1(x, g, v, m, b, rule, in_place):
    """x, v, m, b after a step (see `descent.rmsprop`)."""
    return _run("descent_rmsprop_v1", in_place, x, g, (v, m, b), rule)


@source.implements("descent", "adam", **NUMBERS)
def adam_v1(x, g, m, v, top, rule, in_place):
    """x, m, v, top after a step (see `descent.adam`)."""
    return _run("descent_adam_v1", in_place, x, g, (m, v, top), rule)
