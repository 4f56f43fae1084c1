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


def nets_from_scratch(done) -> float:
    """The error of nets trained on the target task alone, the mean over its sizes."""
    return float(np.mean([done.test_figures[f"scratch_{m}"] for m in done.settings.sizes]))


def nearest_pixels(done) -> float:
    """The error of the class of the nearest example by pixels, in the same episodes."""
    return done.test_figures["error_pixels"]


def guess_of_eight(done) -> float:
    """The accuracy of a guess among eight places, in per cent."""
    return 12.5


def probe_of_f(done) -> float:
    """Right classes by a linear function of the trained f: what others are to be below."""
    return done.test_figures["probe"]


CLAIMS = (
    *claims(
        "lupi",
        "lupi_clean_labels",
        wrong,
        (majority_class, (0.107, 0.105, 0.098), 0.13),
        (regular_net, (0.418, 0.441, 0.392), 0.51),
    ),
    *claims(
        "distillation",
        "digits",
        "error",
        (majority_class, (0.091, 0.076, 0.091), 0.111),
        (plain_net, (0.694, 0.538, 0.714), 0.87),
    ),
    *claims(
        "multi-task",
        "shared_tasks",
        "error",
        (mean_of_a_quantity, (0.301, 0.301, 0.297), 0.35),
        (separate_nets, (0.702, 0.702, 0.695), 0.8),
    ),
    *claims(
        "surrogate",
        "heated_plate",
        "error",
        (mean_of_a_quantity, (0.002, 0.002, 0.002), 0.008),
        (linear_model, (0.009, 0.011, 0.010), 0.018),
    ),
    *claims("efficientnet", "digits", wrong, (majority_class, (0.073, 0.069, 0.073), 0.086)),
    *claims("vectoriser", "digits", missed, (images_at_random, (0.244, 0.244, 0.244), 0.27)),
    *claims("transfer", "glyphs", "error", (nets_from_scratch, (0.623, 0.744, 0.820), 0.93)),
    *claims("few-shot", "glyphs", "error", (nearest_pixels, (0.393, 0.370, 0.419), 0.48)),
    *claims("patch-position", "glyphs", "accuracy", (guess_of_eight, (0.248, 0.242, 0.248), 0.28)),
    *claims("patch-position", "glyphs", "probe_random", (probe_of_f, (0.926, 0.893, 0.900), 0.96)),
    *claims("patch-position", "glyphs", "probe_pixels", (probe_of_f, (0.789, 0.749, 0.767), 0.87)),
)
