"""Is Numba here? Where it is not, the formulas in `reference.py` serve, and one line says so.

Numba may be missing (a Python that it does not support yet) or refuse to be imported (a NumPy that
is too new for it). Both are found out here and nowhere else: whoever needs to know asks `why_not`.
"""

import functools

from .notice import once


@functools.cache
def why_not() -> str | None:
    """None where Numba can be imported; otherwise why it cannot, in one phrase."""
    try:
        import numba  # noqa: F401
    except ModuleNotFoundError as error:
        return "Numba is not installed" if error.name == "numba" else f"Numba: {error}"
    except Exception as error:  # its library cannot be loaded, another package does not fit, ...
        first = str(error).strip().splitlines() or [type(error).__name__]
        return f"Numba cannot be imported ({first[0]})"
    return None


def default_on_cpu() -> str:
    """The backend of NumPy arrays: ``numba``, or without Numba ``reference``, which is said once.

    >>> default_on_cpu()
    'numba'
    """
    reason = why_not()
    if reason is None:
        return "numba"
    once(f"{reason}: kernels run as NumPy formulas (backend reference), which is slower")
    return "reference"
