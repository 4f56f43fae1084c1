"""Launch geometry of the steps: a thread a number."""

from ..launcher import Source, ceil_div, contiguous

source = Source(__file__)
THREADS = 256


def _run(kernel, in_place, x, g, slots, *numbers):
    arrays = [a if a is None or in_place else contiguous(a).copy() for a in (x, *slots)]
    first, *others = arrays
    if x.size:
        grid = ceil_div(x.size, THREADS)
        source.launch(kernel, grid, THREADS, first, contiguous(g), *others, x.size, *numbers)
    return tuple(arrays)


@source.implements("descent", "sgd", version=1, idea="a thread a number")
def sgd_v1(x, g, v, lr, momentum, nesterov, weight_decay, in_place):
    numbers = lr, momentum, int(nesterov), weight_decay
    return _run("descent_sgd_v1", in_place, x, g, (v,), *numbers)


@source.implements("descent", "adagrad", version=1, idea="a thread a number")
def adagrad_v1(x, g, s, lr, eps, weight_decay, in_place):
    return _run("descent_adagrad_v1", in_place, x, g, (s,), lr, eps, weight_decay)


@source.implements("descent", "adadelta", version=1, idea="a thread a number")
def adadelta_v1(x, g, v, u, lr, rho, eps, weight_decay, in_place):
    return _run("descent_adadelta_v1", in_place, x, g, (v, u), lr, rho, 1 - rho, eps, weight_decay)


@source.implements("descent", "rmsprop", version=1, idea="a thread a number")
def rmsprop_v1(x, g, v, m, b, lr, alpha, eps, momentum, weight_decay, in_place):
    numbers = lr, alpha, 1 - alpha, eps, momentum, weight_decay
    return _run("descent_rmsprop_v1", in_place, x, g, (v, m, b), *numbers)


@source.implements("descent", "adam", version=1, idea="a thread a number")
def adam_v1(x, g, m, v, top, lr, scale, beta1, beta2, eps, keep, weight_decay, in_place):
    numbers = lr, scale, beta1, 1 - beta1, beta2, 1 - beta2, eps, keep, weight_decay
    return _run("descent_adam_v1", in_place, x, g, (m, v, top), *numbers)
