"""What classifiers of rows and of images claim."""

from .baselines import frequencies, linear_map, majority_class, wrong
from .claims import claims

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
)
