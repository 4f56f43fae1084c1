"""MiniSom: the self-organising map in NumPy, one sample after another."""

from ..job import Contender
from . import not_installed


def why_not(device: str) -> str:
    """It works on NumPy arrays alone."""
    return "MiniSom has no GPU version" if device == "cuda" else not_installed("minisom")


def set_threads(number: int) -> None:
    """It has one; NumPy's products inside are the session's matter."""


def version(device: str) -> str:
    """Of the package."""
    from importlib import metadata

    return metadata.version("minisom")


def _epoch(x, w, sigma: float, rate: float, rows: int) -> Contender:
    from minisom import MiniSom

    columns = len(w) // rows
    som = MiniSom(rows, columns, x.shape[1], sigma=sigma, learning_rate=rate)
    start = w.reshape(rows, columns, -1).astype("float64")

    def train():
        som._weights = start.copy()
        som.train(x, len(x))

    return Contender(train, other=True)  # its rate and width fall as it goes


BUILDERS = {
    "som.epoch": lambda x, w, neighbourhood, sigma, rate, rows: _epoch(x, w, sigma, rate, rows)
}


JOBS = frozenset(BUILDERS)


def contender(name: str, *given) -> Contender | None:
    """An epoch of the map, online."""
    return BUILDERS[name](*given) if name in BUILDERS else None
