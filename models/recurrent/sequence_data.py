"""Generated sequences, and the settings that each data set uses.

adding           `examples` training sequences of `length` steps
temporal_order   the same
embedded_reber   `examples` training strings; every validation and test string occurs once, and
                 not in the training set
counting         a^n b^n, or a^n b^n c^n with `letters="abc"`, n from `train_n`, `valid_n` and
                 `test_n`, both ends included
"""

from collections.abc import Callable
from dataclasses import dataclass

from ...core.data import DataSet
from ...core.data.grammars import counting, embedded_reber
from ...core.data.synthetic import adding, temporal_order
from .task import TaskSettings


def unseen(data: DataSet, n: int = 256) -> DataSet:
    """The first n validation and test strings that occur once there and not in training."""
    seen, parts = set(data.info.extra["strings"]["train"]), {"train": data.train}
    for name in ("valid", "test"):
        strings, keep = data.info.extra["strings"][name], []
        for i, string in enumerate(strings):
            if string not in seen and len(keep) < n:
                seen.add(string)
                keep.append(i)
        parts[name] = getattr(data, name)[keep]
    return DataSet(data.name, **parts, info=data.info)


def count_letters(s: TaskSettings) -> DataSet:
    """The counting language that the settings describe."""
    return counting(s.letters, s.train_n, s.valid_n, s.test_n)


@dataclass(frozen=True)
class Generated:
    """How a data set is generated from the settings, and which of them it uses."""

    draw: Callable
    reads: tuple[str, ...]


COUNTING = Generated(count_letters, ("letters", "train_n", "valid_n", "test_n"))
GENERATED = {
    "adding": Generated(lambda s: adding(s.length, train=s.examples), ("examples", "length")),
    "temporal_order": Generated(
        lambda s: temporal_order(s.length, train=s.examples), ("examples", "length")
    ),
    "embedded_reber": Generated(
        lambda s: unseen(embedded_reber(train=s.examples, valid=2500, test=5000)),
        ("examples",),
    ),
    "ab_counting": COUNTING,
    "abc_counting": COUNTING,
}


def prepare(data: DataSet, s: TaskSettings) -> DataSet:
    """Generate a set again with the sizes of the settings; other sets are returned unchanged."""
    return GENERATED[data.name].draw(s) if data.name in GENERATED else data
