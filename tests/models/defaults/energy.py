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


def single_words(done) -> float:
    """The perplexity of the frequencies of single words in the training documents."""
    return done.test_figures["unigram"]


CLAIMS = (
    *claims("helmholtz", "digits", "bound", (independent_bits, (0.899, 0.896, 0.889), 0.95)),
    *claims(
        "boltzmann-machine",
        "digits",
        "bound",
        (independent_bits, (0.839, 0.837, 0.843), 0.92),
        (without_hidden_units, (0.966, 0.964, 0.971), 0.986),
    ),
    *claims(
        "boltzmann-machine-visible",
        "digits",
        "bound",
        (independent_bits, (0.869, 0.868, 0.868), 0.935),
    ),
    *claims("rbm-words", "enwiki_piece", nll, (independent_bits, (0.920, 0.922, 0.922), 0.965)),
    *claims(
        "replicated-softmax",
        "enwiki_piece",
        "perplexity",
        (single_words, (0.732, 0.705, 0.704), 0.87),
    ),
    *claims("rbm", "digits", nll, (independent_bits, (0.849, 0.849, 0.847), 0.93)),
    *claims("dbm", "digits", "bound", (independent_bits, (0.854, 0.857, 0.854), 0.929)),
    *claims("dbn", "digits", "bound", (independent_bits, (0.856, 0.852, 0.852), 0.928)),
    *claims(
        "dbn-classifier",
        "digits",
        "error",
        (majority_class, (0.040, 0.040, 0.036), 0.051),
        (linear_map, (0.733, 0.733, 0.667), 0.83),
    ),
)
