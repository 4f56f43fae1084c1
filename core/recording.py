"""Whether calls are recorded on the tape, in this thread."""

import contextlib
import threading
from collections.abc import Iterator

_state = threading.local()


def grad_enabled() -> bool:
    """True if calls are recorded at the moment, in this thread."""
    return getattr(_state, "enabled", True)


@contextlib.contextmanager
def recording(enabled: bool) -> Iterator[None]:
    """Switch recording on or off inside the block."""
    before = grad_enabled()
    _state.enabled = enabled
    try:
        yield
    finally:
        _state.enabled = before


def no_grad() -> contextlib.AbstractContextManager[None]:
    """Record nothing inside the block, in this thread.

    >>> import glassgrad as gg
    >>> x = gg.ones(2, requires_grad=True)
    >>> with gg.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """
    return recording(False)
