"""Optimisers and schedules by name, as given in settings and on the command line."""

import math

from ...kernels.errors import GlassgradError, nearest
from .. import optim
from .settings import SettingError

OPTIMISERS = {
    "sgd": optim.SGD,
    "momentum": optim.Momentum,
    "nesterov": lambda parameters, **k: optim.Momentum(parameters, nesterov=True, **k),
    "adagrad": optim.AdaGrad,
    "adadelta": optim.Adadelta,
    "rmsprop": optim.RMSProp,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
}
MOMENTA = {"adam": "betas", "adamw": "betas", "momentum": "momentum", "nesterov": "momentum"}
# name -> (arguments as numbers, epochs) -> schedule
SCHEDULES = {
    "constant": lambda args, epochs: optim.Constant(*args),
    "step": lambda args, epochs: optim.Step(int(args[0]), *args[1:]),
    "exponential": lambda args, epochs: optim.Exponential(*args),
    "halving": lambda args, epochs: optim.Halving(int(args[0])),
    "inverse-time": lambda args, epochs: optim.InverseTime(*args),
    "cosine": lambda args, epochs: optim.Cosine(max(1, epochs), *args),
    "warm-up": lambda args, epochs: optim.WarmUp(int(args[0])),
}


def _pick(kind: str, name: str, known: dict):
    if name not in known:
        hint = nearest(name, known)
        raise SettingError(f"unknown {kind} {name!r}{hint} (known: {', '.join(known)})")
    return known[name]


def make_optimiser(name: str, parameters, lr: float, weight_decay: float = 0.0, **options):
    """The optimiser of that name over the parameters; None if there are no parameters.

    `options` are its other arguments, such as ``momentum``.
    """
    build = _pick("optimiser", name, OPTIMISERS)
    more = {"weight_decay": weight_decay} if weight_decay else {}
    return build(parameters, lr=lr, **more, **options) if parameters else None


def with_momentum(name: str, value: float) -> dict:
    """The options that give an optimiser this momentum (Adam's β₁); empty if it has no momentum.

    >>> with_momentum("adam", 0.5), with_momentum("sgd", 0.5)
    ({'betas': (0.5, 0.999)}, {})
    """
    key = MOMENTA.get(name)
    return {} if key is None else {key: (value, 0.999) if key == "betas" else value}


def make_schedule(text: str, epochs: int) -> optim.Schedule:
    """A schedule from text: a name with numbers after colons; several are joined by ``*``.

    Raises SettingError for an invalid schedule, or one with a negative or infinite factor.

    >>> make_schedule("warm-up:5*cosine", 100)(2) < 1
    True
    >>> make_schedule("exponential:0.5", 10)(3)
    0.125
    """
    result = None
    for part in text.split("*"):
        name, *args = part.strip().split(":")
        build = _pick("schedule", name, SCHEDULES)
        try:
            schedule = build([float(a) for a in args], epochs)
        except (GlassgradError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise SettingError(f"schedule {part.strip()!r}: {error}") from None
        result = schedule if result is None else result * schedule
    for epoch in range(min(epochs, 10_000)):  # fail now, not halfway through the training
        _expect_factor(text, result, epoch)
    return result


def _expect_factor(text: str, schedule, epoch: int) -> None:
    try:
        factor = schedule(epoch)
    except (ArithmeticError, GlassgradError) as error:
        raise SettingError(f"schedule {text!r}: {error} in epoch {epoch + 1}") from None
    if not (isinstance(factor, (int, float)) and 0 <= factor < math.inf):
        raise SettingError(
            f"schedule {text!r}: the factor must be finite and at least 0; it is {factor} in epoch"
            f" {epoch + 1}"
        )
