"""What models of binary units claim: a likelihood above that of unconnected units."""

from glassgrad import models, training

from .baselines import independent_bits, linear_map, majority_class
from .claims import claims


def nll(done) -> float:
    """-ln p, nats."""
    return -done.test_figures["log_likelihood"]


def without_hidden_units(done) -> float:
    """The bound of the machine without hidden units, trained with the same settings."""
    name, settings = "boltzmann-machine-visible", done.settings
    same = {k: getattr(settings, k) for k in ("epochs", "batch", "lr", "seed")}
    other = training.train(models.recipe(name), done.data_name, overrides=same)
    return other.test_figures["bound"]


X = (0.0, 0.0, 0.0)
CLAIMS = (
    *claims("helmholtz", "digits", "bound", (independent_bits, X, 0.01)),
    *claims(
        "boltzmann-machine",
        "digits",
        "bound",
        (independent_bits, X, 0.01),
        (without_hidden_units, X, 0.01),
    ),
    *claims("boltzmann-machine-visible", "digits", "bound", (independent_bits, X, 0.01)),
    *claims("rbm", "digits", nll, (independent_bits, X, 0.01)),
    *claims("dbm", "digits", "bound", (independent_bits, X, 0.01)),
    *claims("dbn", "digits", "bound", (independent_bits, X, 0.01)),
    *claims("dbn-classifier", "digits", "error", (majority_class, X, 0.01), (linear_map, X, 0.01)),
)
