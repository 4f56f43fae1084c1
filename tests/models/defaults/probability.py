"""What the basics of probability claim: to beat frequencies, one normal law, lone bits."""

import numpy as np
from scipy.stats import multivariate_normal

from .baselines import frequencies, independent_bits, majority_class, wrong
from .claims import claims


def one_normal(done) -> float:
    """-ln N of the quantity, with the mean and the deviation of the training set for all, nats."""
    y, held = (np.asarray(k.y, np.float64).ravel() for k in (done.data.train, done.held))
    u = (held - y.mean()) / y.std()
    return float((0.5 * u * u).mean() + np.log(y.std() * np.sqrt(2 * np.pi)))


def normal_density(done) -> float:
    """-ln N of the rows, with the mean and the covariance of the training set, nats."""
    x = done.seen.astype(np.float64)
    fitted = multivariate_normal(x.mean(axis=0), np.cov(x.T, ddof=0))
    return float(-fitted.logpdf(done.rows).mean())


CLAIMS = (
    *claims("naive-bayes", "digits", "loss", (frequencies, (0.183, 0.183, 0.183), 0.25)),
    *claims("naive-bayes", "digits", wrong, (majority_class, (0.102, 0.102, 0.102), 0.15)),
    *claims("naive-bayes-gaussian", "digits", "loss", (frequencies, (0.138, 0.137, 0.137), 0.2)),
    *claims("logistic-regression", "digits", "loss", (frequencies, (0.036, 0.035, 0.035), 0.05)),
    *claims("linear-svm", "digits", wrong, (majority_class, (0.047, 0.047, 0.047), 0.07)),
    *claims("regression", "diabetes", "nll", (one_normal, (0.937, 0.938, 0.938), 0.965)),
    *claims("latent-curve", "moons", "nll", (normal_density, (0.683, 0.684, 0.684), 0.8)),
    *claims("latent-classes", "digits", "nll", (independent_bits, (0.876, 0.875, 0.872), 0.935)),
)
