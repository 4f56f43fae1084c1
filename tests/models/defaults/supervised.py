"""What classifiers of rows, of images and of recordings claim."""

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glassgrad.core.data.spectrogram import pictures

from .baselines import frequencies, linear_map, majority_class, wrong
from .claims import claims


def log_mel_regression(done) -> float:
    """Per cent wrong by logistic regression on 32 x 32 log-mel energies of the same recordings."""
    line = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    x, held = (pictures(part.x).reshape(len(part), -1) for part in (done.data.train, done.held))
    return 100 * (1 - line.fit(x, done.data.train.y).score(held, done.held.y))


CLAIMS = (
    *claims("mlp", "digits", "loss", (frequencies, (0.043, 0.042, 0.041), 0.053)),
    *claims(
        "mlp",
        "digits",
        wrong,
        (majority_class, (0.036, 0.033, 0.022), 0.051),
        (linear_map, (0.667, 0.600, 0.400), 0.86),
    ),
    *claims(
        "lenet",
        "digits",
        wrong,
        (majority_class, (0.015, 0.015, 0.018), 0.026),
        (linear_map, (0.267, 0.267, 0.333), 0.4),
    ),
    *claims(
        "speech",
        "fsdd_piece",
        wrong,
        (majority_class, (0.019, 0.019, 0.037), 0.06),
        (log_mel_regression, (0.200, 0.200, 0.400), 0.5),
    ),
)
