"""What fully observed models claim: an exact likelihood above that of independent numbers."""

from .baselines import independent_bits
from .claims import claims

X = (0.0, 0.0, 0.0)
CLAIMS = (
    *claims("fvsbn", "digits", "nll", (independent_bits, X, 0.01)),
    *claims("nade", "digits", "nll", (independent_bits, X, 0.01)),
    *claims("made", "digits", "nll", (independent_bits, X, 0.01)),
    *claims("made", "binary_mushrooms", "nll", (independent_bits, (0.288, 0.289, 0.288), 0.3)),
    *claims("pixel-rnn", "digits", "nll", (independent_bits, X, 0.01)),
)
