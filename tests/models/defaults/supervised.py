"""What classifiers of rows and of images claim."""

from .baselines import frequencies, linear_map, majority_class, wrong
from .claims import claims

X = (0.0, 0.0, 0.0)
CLAIMS = (
    *claims("mlp", "digits", "loss", (frequencies, X, 0.01)),
    *claims("mlp", "digits", wrong, (majority_class, X, 0.01), (linear_map, X, 0.01)),
    *claims("lenet", "digits", wrong, (majority_class, X, 0.01), (linear_map, X, 0.01)),
)
