"""scikit-learn: squared distances and nearest rows, the exact counterparts of two SOM kernels."""

from ..job import Contender
from . import not_installed


def why_not(device: str) -> str:
    """It works on NumPy arrays alone."""
    return "scikit-learn has no GPU version" if device == "cuda" else not_installed("sklearn")


def set_threads(number: int) -> None:
    """Its products are BLAS's, and its own loops follow OpenMP's threads."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(number)


def version(device: str) -> str:
    """Of the package."""
    import sklearn

    return sklearn.__version__


def _distances(x, w) -> Contender:
    from sklearn.metrics.pairwise import euclidean_distances

    return Contender(lambda: euclidean_distances(x, w, squared=True))


def _winners(x, w) -> Contender:
    from sklearn.metrics import pairwise_distances_argmin_min

    def read(result):
        index, distance = result
        return index.astype("int64"), distance**2

    return Contender(lambda: pairwise_distances_argmin_min(x, w), read)


BUILDERS = {"som.distances": _distances, "som.winners": _winners}


JOBS = frozenset(BUILDERS)


def contender(name: str, *given) -> Contender | None:
    """A contender for the SOM's kernels."""
    return BUILDERS[name](*given) if name in BUILDERS else None
