"""Steps of gradient descent: a parameter, its gradient and what the rule remembers, in one pass.

x is the parameter, g its gradient; all arrays have one shape, and everything is element by element.
Each rule first takes g + weight_decay x for g.

    sgd        v <- momentum v + g
               x <- x - lr v,  or  x - lr (g + momentum v) with `nesterov`,  or  x - lr g without v
    adagrad    s <- s + g^2
               x <- x - lr g / (sqrt(s) + eps)
    adadelta   v <- rho v + (1 - rho) g^2          d = g sqrt(u + eps) / sqrt(v + eps)
               u <- rho u + (1 - rho) d^2          x <- x - lr d
    rmsprop    v <- alpha v + (1 - alpha) g^2      q = v,  or  v - m^2  centred by
               m <- alpha m + (1 - alpha) g        d = g / (sqrt(max(q, 0)) + eps)
               b <- momentum b + d                 x <- x - lr b,  or  x - lr d without b
    adam       x <- keep x                         (1, or 1 - lr weight_decay where it is decoupled)
               m <- beta1 m + (1 - beta1) g        v <- beta2 v + (1 - beta2) g^2
               top <- max(top, v)                  x <- x - lr m / (scale sqrt(top or v) + eps)

What depends on the number t of the step comes ready: Adam's lr is lr / (1 - beta1^t) and its scale
1 / sqrt(1 - beta2^t). A slot that a rule does without (no momentum, not centred, no `top`) is None.

    pass       reads          writes        bytes a number in float32, work
    sgd        x, g, v        x, v          20, 4
    adagrad    x, g, s        x, s          20, 6
    adadelta   x, g, v, u     x, v, u       28, 14
    rmsprop    x, g, v        x, v          20, 8
    adam       x, g, m, v     x, m, v       28, 11

Written with array operations a step of Adam passes through memory fourteen times; the traffic above
is all there is to do, and little work goes with it: memory is the limit.

Results are new arrays, as with every kernel; with `in_place` they are the arguments themselves,
which must then be contiguous: an optimiser has no use for the old values.

The numbers of a rule travel as one struct (rules.py), from here to every version.

**The ladder.** All five rules in each version.

    glassgrad bench descent       time, GB/s and share of the roofline of these; one of them:
                                  glassgrad bench descent.adam --version 1

    reference   reference.py                    a line for each line above
    numba v1    cpu.py                          the rule as a plain loop
    numba v2    rungs/cpu_v2_short_loops.py     short vectorised loops over a piece in the cache

    glassgrad lab descent         loads, sectors and registers of this one, without a GPU

    cuda v1     cuda.cu                         a thread a number: no traffic is left to save

Sources: Robbins & Monro 1951; Polyak 1964; Sutskever et al. 2013; Duchi, Hazan & Singer 2011;
Zeiler 2012; Tieleman & Hinton 2012; Graves 2013; Kingma & Ba 2015; Reddi et al. 2018; Loshchilov &
Hutter 2019.
"""

from ..annotations import Number
from ..doors import check_all
from ..errors import expect, expect_floats
from ..registry import dispatch
from .rules import Adadelta, Adagrad, Adam, RMSProp, Sgd

OPTIONAL = {"sgd": ("v",), "adagrad": (), "adadelta": (), "rmsprop": ("m", "b"), "adam": ("top",)}


def _step(name: str, x, g, slots: dict, rule, *options):
    """A step of the rule `name`; the last option is `in_place`."""
    function, in_place = f"descent.{name}", options[-1]
    needed = {k: a for k, a in slots.items() if a is not None or k not in OPTIONAL[name]}
    arrays = {"x": x, "g": g, **needed}
    expect_floats(function, **arrays)
    for key, a in arrays.items():
        if a.shape != x.shape:
            expect(False, function, f"{key}.shape must equal x.shape", x.shape, a.shape, **arrays)
        if in_place and key != "g" and not a.flags.c_contiguous:
            must = f"{key} must be C-contiguous to be changed in place"
            expect(False, function, must, "C order", a.strides, **arrays)
    return dispatch("descent", name, x, g, *slots.values(), rule, *options)


def sgd(
    x,
    g,
    v,
    lr: Number,
    momentum: Number = 0.0,
    nesterov: bool = False,
    weight_decay: Number = 0.0,
    in_place: bool = False,
):
    """(x, v) after a step of gradient descent, with momentum where v is not None.

    Raises ShapeError, DTypeError, DeviceError. Sources: Robbins & Monro 1951; Polyak 1964.

    >>> import numpy as np
    >>> sgd(np.array([1.0]), np.array([2.0]), np.array([4.0]), lr=0.5, momentum=0.5)
    (array([-1.]), array([4.]))
    """
    rule = Sgd(float(lr), float(momentum), float(weight_decay))
    return _step("sgd", x, g, {"v": v}, rule, bool(nesterov), bool(in_place))


def adagrad(
    x,
    g,
    s,
    lr: Number,
    eps: Number = 1e-10,
    weight_decay: Number = 0.0,
    in_place: bool = False,
):
    """(x, s) after a step of AdaGrad. Raises as `sgd`. Source: Duchi, Hazan & Singer 2011.

    >>> import numpy as np
    >>> adagrad(np.array([1.0]), np.array([3.0]), np.array([16.0]), lr=0.5, eps=1.0)
    (array([0.75]), array([25.]))
    """
    rule = Adagrad(float(lr), float(eps), float(weight_decay))
    return _step("adagrad", x, g, {"s": s}, rule, bool(in_place))


def adadelta(
    x,
    g,
    v,
    u,
    lr: Number,
    rho: Number = 0.9,
    eps: Number = 1e-6,
    weight_decay: Number = 0.0,
    in_place: bool = False,
):
    """(x, v, u) after a step of Adadelta. Raises as `sgd`. Source: Zeiler 2012.

    >>> import numpy as np
    >>> one = np.array([1.0])
    >>> adadelta(one, one, one * 0, one * 0, lr=1.0, rho=0.5, eps=0.5)
    (array([0.29289322]), array([0.5]), array([0.25]))
    """
    rule = Adadelta.of(float(lr), float(rho), float(eps), float(weight_decay))
    return _step("adadelta", x, g, {"v": v, "u": u}, rule, bool(in_place))


def rmsprop(
    x,
    g,
    v,
    m,
    b,
    lr: Number,
    alpha: Number = 0.99,
    eps: Number = 1e-8,
    momentum: Number = 0.0,
    weight_decay: Number = 0.0,
    in_place: bool = False,
):
    """(x, v, m, b) after a step of RMSProp: centred where m, with momentum where b is not None.

    Raises as `sgd`. Sources: Tieleman & Hinton 2012; Graves 2013.

    >>> import numpy as np
    >>> rmsprop(np.array([1.0]), np.array([2.0]), np.array([0.0]), None, None, lr=0.25, alpha=0.75)
    (array([0.5]), array([1.]), None, None)
    """
    rule = RMSProp.of(float(lr), float(alpha), float(eps), float(momentum), float(weight_decay))
    return _step("rmsprop", x, g, {"v": v, "m": m, "b": b}, rule, bool(in_place))


def adam(
    x,
    g,
    m,
    v,
    top,
    lr: Number,
    scale: Number,
    beta1: Number = 0.9,
    beta2: Number = 0.999,
    eps: Number = 1e-8,
    keep: Number = 1.0,
    weight_decay: Number = 0.0,
    in_place: bool = False,
):
    """(x, m, v, top) after a step of Adam; `lr` and `scale` hold what depends on the step's number.

    Raises as `sgd`. Sources: Kingma & Ba 2015; Reddi et al. 2018; Loshchilov & Hutter 2019.

    >>> import numpy as np
    >>> zero = np.zeros(1)
    >>> adam(zero, zero + 2, zero, zero, None, lr=0.2, scale=2.0, beta1=0.5, beta2=0.75, eps=0.0)
    (array([-0.1]), array([1.]), array([1.]), None)
    """
    rule = Adam.of(*map(float, (lr, scale, beta1, beta2, eps, keep, weight_decay)))
    return _step("adam", x, g, {"m": m, "v": v, "top": top}, rule, bool(in_place))


check_all(globals(), prefix="descent.")
