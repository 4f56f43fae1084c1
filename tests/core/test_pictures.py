"""Figures that many systems share."""

import numpy as np
import pytest

from glassgrad.core import pictures
from glassgrad.kernels.errors import ValueRangeError

HISTORY = [{"epoch": 1, "loss": 3.0, "seconds": 0.1},
           {"epoch": 2, "loss": 2.0, "valid_loss": 2.5, "seconds": 0.1}]  # fmt: skip


def test_curves_are_the_history_with_gaps_where_a_row_lacks_a_key():
    ax = pictures.curves(HISTORY).axes[0]
    train, valid = (line.get_ydata() for line in ax.lines)
    assert list(train) == [3.0, 2.0]
    assert np.isnan(valid[0]) and valid[1] == 2.5


def test_a_key_that_no_row_has_is_refused():
    with pytest.raises(ValueRangeError, match="no 'valid_los'; did you mean 'valid_loss'"):
        pictures.curves(HISTORY, ["loss", "valid_los"])
