"""What regimes of learning claim: next to the same net that learns alone."""

import numpy as np

from .baselines import majority_class, wrong
from .claims import claims


def regular_net(done) -> float:
    """Per cent wrong of the net that learns from labels alone."""
    return 100 * (1 - done.test_figures["accuracy_regular"])


def plain_net(done) -> float:
    """Per cent wrong of the student that learns from labels alone."""
    return done.test_figures["error_plain"]


def separate_nets(done) -> float:
    """The error of nets that each learn one task."""
    return done.test_figures["error_separate"]


def mean_of_a_quantity(done) -> float:
    """100 %: the mean explains nothing of the variance."""
    return 100.0


def linear_model(done) -> float:
    """Per cent of the variance that a linear map of the inputs does not explain."""
    x, z = (np.c_[rows, np.ones(len(rows))] for rows in (done.seen, done.rows))
    line = z @ np.linalg.lstsq(x, done.data.train.y, rcond=None)[0]
    return 100 * (1 - done.system.task.score(line, done.held.y))


def missed(done) -> float:
    """Per cent of the ten nearest images that are of another class than the query."""
    return 100 * (1 - done.test_figures["precision"])


def images_at_random(done) -> float:
    """The same of ten images drawn at random."""
    y = done.data.train.y
    share = np.bincount(y) / len(y)
    return 100 * float(1 - share[done.held.y].mean())


X = (0.0, 0.0, 0.0)
CLAIMS = (
    *claims("lupi", "lupi_clean_labels", wrong, (majority_class, X, 0.01), (regular_net, X, 0.01)),
    *claims("distillation", "digits", "error", (majority_class, X, 0.01), (plain_net, X, 0.01)),
    *claims(
        "multi-task",
        "shared_tasks",
        "error",
        (mean_of_a_quantity, X, 0.01),
        (separate_nets, X, 0.01),
    ),
    *claims(
        "surrogate", "heated_plate", "error", (mean_of_a_quantity, X, 0.01), (linear_model, X, 0.01)
    ),
    *claims("efficientnet", "digits", wrong, (majority_class, X, 0.01)),
    *claims("vectoriser", "digits", missed, (images_at_random, X, 0.01)),
)
