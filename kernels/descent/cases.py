"""Cases of the steps: every slot there and not there, tails, scalars, size 0."""

import math

import numpy as np

from ..case import Case
from .rules import Adadelta, Adagrad, Adam, RMSProp, Sgd

COST = {"sgd": (20, 4), "adagrad": (20, 6), "adadelta": (28, 14), "rmsprop": (20, 8)}
COST["adam"] = (28, 11)
SLOTS = {"sgd": ("v",), "adagrad": ("s",), "adadelta": ("v", "u"), "rmsprop": ("v", "m", "b")}
SLOTS["adam"] = ("m", "v", "top")
NUMBERS = {"adagrad": Adagrad, "adadelta": Adadelta.of, "rmsprop": RMSProp.of, "adam": Adam.of}
SQUARES = {"s", "u", "top"}  # sums or means of squares: not negative; v is one but in sgd


def together(rule: str, numbers: tuple) -> tuple:
    """The numbers of a rule's public function as its versions take them.

    >>> together("sgd", (0.1, 0.9, True, 0.2))
    (Sgd(lr=0.1, momentum=0.9, weight_decay=0.2), True)
    """
    if rule != "sgd":
        return (NUMBERS[rule](*numbers),)
    lr, momentum, nesterov, weight_decay = numbers
    return Sgd(lr, momentum, weight_decay), nesterov


def _case(rule: str, shape: tuple, numbers: tuple, without=(), bench: bool = False) -> Case:
    """`numbers` are those of the public function, in its order."""

    def make(draw, dtype):
        slots = []
        for name in SLOTS[rule]:
            a = np.asarray(draw(*shape))
            square = name in SQUARES or (name == "v" and rule != "sgd")
            slots.append(None if name in without else np.asarray(a * a) if square else a)
        return draw(*shape), draw(*shape), *slots, *together(rule, numbers), False

    size, (moved, work) = math.prod(shape), COST[rule]
    return Case(
        "descent",
        rule,
        f"shape {shape} {numbers}" + "".join(f" no {w}" for w in without),
        make,
        flops=work * size,
        bytes=moved * size,
        reduction=4,
        bench=bench,
    )


RULES = [
    ("sgd", (0.1, 0.0, False, 0.0), ("v",)),
    ("sgd", (0.1, 0.9, False, 0.2), ()),
    ("sgd", (0.1, 0.8, True, 0.0), ()),
    ("adagrad", (0.3, 0.01, 0.1), ()),
    ("adadelta", (0.5, 0.7, 1e-3, 0.1), ()),
    ("rmsprop", (0.02, 0.9, 0.01, 0.0, 0.1), ("m", "b")),
    ("rmsprop", (0.02, 0.9, 0.1, 0.5, 0.0), ()),
    ("adam", (0.1, 1.5, 0.5, 0.9, 1e-3, 1.0, 0.1), ("top",)),
    ("adam", (0.1, 1.5, 0.5, 0.9, 1e-3, 0.97, 0.0), ()),
    ("adam", (0.1, 300.0, 0.9, 0.99999, 1e-3, 1.0, 0.0), ("top",)),  # 1 - beta2 is a small number
]
CASES = [
    *(_case(rule, s, numbers, without) for rule, numbers, without in RULES for s in ((3, 5), ())),
    *(_case(*RULES[k][:1], (n,), *RULES[k][1:]) for k in (1, 3, 4, 5, 7) for n in (0, 31, 2050)),
    *(_case(*RULES[k][:1], (1024, 1024), *RULES[k][1:], bench=True) for k in (1, 3, 4, 5, 7)),
]
