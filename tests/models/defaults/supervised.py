"""What classifiers of rows and of images claim."""

from .baselines import frequencies, linear_map, majority_class, wrong
from .claims import claims

CLAIMS = (
    *claims("mlp", "digits", "loss", (frequencies, (0.043, 0.042), 0.054)),
    *claims(
        "mlp",
        "digits",
        wrong,
        (majority_class, (0.036, 0.033), 0.046),
        (linear_map, (0.667, 0.600), 0.76),
    ),
    *claims(
        "lenet",
        "digits",
        wrong,
        (majority_class, (0.015, 0.015), 0.022),
        (linear_map, (0.267, 0.267), 0.31),
    ),
)
