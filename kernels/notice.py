"""Lines on standard error that a user should see, each once in a process."""

import sys

_said: set[str] = set()


def once(text: str) -> None:
    """Print ``glassgrad: text``, unless this process has said so before."""
    if text not in _said:
        _said.add(text)
        print(f"glassgrad: {text}", file=sys.stderr, flush=True)
