"""Tests for kernels of your own: the same that ours must pass.

    # test_blur.py
    import my_blur
    from glassgrad.testing import contract

    test_blur = contract(my_blur)

`contract` gives one parametrised pytest test of everything that a file, a folder or an installed
package registers; `check` is the comparison with the reference that it makes, `assert_close` the
one of two arrays. `GradCase` is for the list GRADCASES of your file: the derivatives that
`glassgrad gradcheck my_blur.py` and the contract compare with finite differences.

arrays.py            when two arrays are equal; arrays in awkward layouts
device_functions.py  how far a GPU's exp, tanh and so on may be off
checking.py          one implementation on one case
contract.py          all of them
"""

from ..core.gradcases.case import GradCase
from .arrays import assert_close
from .checking import check
from .contract import contract

__all__ = ["GradCase", "assert_close", "check", "contract"]
