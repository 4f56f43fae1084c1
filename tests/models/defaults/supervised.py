"""What classifiers of rows, of images and of positions claim."""

from .baselines import frequencies, linear_map, majority_class, wrong
from .claims import claims
from .go_tables import excess, excess_of_the_table, most_frequent_point, pattern_table

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
        "go",
        "go_5x5",
        wrong,
        (most_frequent_point, (0.680, 0.688, 0.687), 0.73),
        (pattern_table, (0.875, 0.885, 0.883), 0.93),
    ),
    *claims("go", "go_5x5", excess, (excess_of_the_table, (0.203, 0.235, 0.208), 0.3)),
)
