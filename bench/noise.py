"""Did the machine belong to this run alone? Load from other processes is the largest error."""

import os
from collections.abc import Callable
from pathlib import Path

STAT = Path("/proc/stat")
WORTH_SAYING = 0.05
IDLE = (3, 4)  # the columns idle and iowait; the rest is somebody's work, or stolen by other guests


def ticks(text: str) -> tuple[int, int]:
    """(busy, all) ticks of all cores since the start, from the text of /proc/stat.

    >>> ticks("cpu  10 0 5 80 5 0 0 0 0 0\\ncpu0 ...")
    (15, 100)
    """
    values = [int(v) for v in text.splitlines()[0].split()[1:9]]
    return sum(values) - sum(values[i] for i in IDLE), sum(values)


class Others:
    """The part of the processors' time that others have taken since this was made."""

    def __init__(self, more: Callable[[], float] = lambda: 0.0):
        self.more = more  # seconds of work of this run in processes that have not ended
        self.before = self._now()

    def _now(self) -> tuple[float, float, float] | None:
        """Seconds of work on all cores, seconds that there were, seconds of our own work."""
        if not STAT.exists():
            return None
        busy, every = (n / os.sysconf("SC_CLK_TCK") for n in ticks(STAT.read_text()))
        return busy, every, sum(os.times()[:4]) + self.more()

    def share(self) -> float | None:
        """From 0 to 1; None where the system does not say."""
        now = self._now()
        if now is None or self.before is None:
            return None
        busy, every, ours = (b - a for a, b in zip(self.before, now))
        return max(0.0, busy - ours) / every if every > 0 else 0.0

    def sentence(self) -> str:
        """What the reader of the figures must know; empty where it was quiet."""
        share = self.share()
        if share is None or share < WORTH_SAYING:
            return ""
        return f"other processes took {100 * share:.0f} % of the processors during a run"
