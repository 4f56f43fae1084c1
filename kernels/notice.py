"""Lines on standard error that a user should see, each once in a process."""

import sys

from .errors import printable

_said: set[str] = set()


def once(text: str, key: str | None = None) -> None:
    """Print ``glassgrad: text``, unless this process has said so, or another line of this `key`."""
    if (key or text) not in _said:
        _said.add(key or text)
        print(f"glassgrad: {printable(text)}", file=sys.stderr, flush=True)
