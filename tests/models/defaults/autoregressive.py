"""What fully observed models claim: an exact likelihood above that of independent numbers."""

from .baselines import independent_bits
from .claims import claims

CLAIMS = (
    *claims("fvsbn", "digits", "nll", (independent_bits, (0.871, 0.871, 0.871), 0.936)),
    *claims("nade", "digits", "nll", (independent_bits, (0.854, 0.854, 0.854), 0.93)),
    *claims("made", "digits", "nll", (independent_bits, (0.848, 0.854, 0.854), 0.927)),
    *claims("made", "binary_mushrooms", "nll", (independent_bits, (0.288, 0.289, 0.288), 0.3)),
    *claims("pixel-rnn", "digits", "nll", (independent_bits, (0.881, 0.889, 0.886), 0.936)),
)
