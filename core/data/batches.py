"""Order, minibatches, padding and windows: the same on every machine and after every resume.

The order of an epoch is a function of (seed, epoch) without state: it sorts 64-bit Philox words. A
run that resumes at batch k of epoch e asks for exactly that batch.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from .dataset import Split
from .files import DataError
from .streams import BINARISE, FOLDS, SHUFFLE, check_seed, permutation, uniform, whole_number


def order(n: int, seed: int, epoch: int = 0, shuffle: bool = True) -> np.ndarray:
    """The order of n examples in an epoch: int64[n], a permutation of 0 .. n-1.

    Raises DataError for a negative n or epoch. Without `shuffle` it is 0, 1, ..., n-1.

    >>> order(5, seed=0).tolist(), order(5, seed=0, epoch=1).tolist()
    ([3, 2, 4, 0, 1], [4, 0, 1, 3, 2])
    """
    n = whole_number("order", "n", n, 0, 2**31)
    seed = check_seed("order", seed)
    epoch = whole_number("order", "epoch", epoch, 0, 2**28 - 1)
    if not shuffle:
        return np.arange(n, dtype=np.int64)
    return permutation(n, seed, SHUFFLE + (epoch << 32))


def count(n: int, size: int, drop_last: bool = False) -> int:
    """How many minibatches of `size` an epoch of n examples has."""
    return n // size if drop_last else -(-n // size)


def minibatches(
    split: Split,
    size: int,
    seed: int = 0,
    epoch: int = 0,
    start: int = 0,
    drop_last: bool = False,
    shuffle: bool = True,
) -> Iterator[Split]:
    """The minibatches of an epoch from batch `start` on; the last one may be smaller.

    Batch k holds the examples order[k*size : (k+1)*size], copied; without `shuffle`, views.
    Raises DataError immediately (not at the first batch) for an empty split, a size below 1, a
    start beyond the epoch, or if `drop_last` leaves nothing.

    >>> s = Split(np.arange(5))
    >>> [len(b) for b in minibatches(s, 2)], [b.x[0] for b in minibatches(s, 2, shuffle=False)]
    ([2, 2, 1], [np.int64(0), np.int64(2), np.int64(4)])
    """
    n = len(split)
    if n == 0:
        raise DataError("minibatches: the split is empty")
    size = whole_number("minibatches", "size", size, 1)
    batches = count(n, size, drop_last)
    if batches == 0:
        raise DataError(f"minibatches: drop_last leaves nothing of {n} examples for size {size}")
    start = whole_number("minibatches", "start", start, 0, batches)
    index = order(n, seed, epoch, shuffle) if shuffle else None

    def run():
        for k in range(start, batches):
            part = slice(k * size, min(n, (k + 1) * size))
            yield split[part if index is None else index[part]]

    return run()


def pad(
    sequences: Sequence[np.ndarray], value: float = 0, at_least: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Sequences [T_n, ...] of different lengths as one array, time first, with a mask.

    Returns x[T, N, ...] with T = max(T_n, at_least), padded with `value`, and mask[T, N] float32,
    1 where a step exists. Raises DataError for no sequences or different trailing axes.

    >>> x, mask = pad([np.array([1, 2, 3]), np.array([4])])
    >>> x.T.tolist(), mask.T.tolist()
    ([[1, 2, 3], [4, 0, 0]], [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
    """
    arrays = [np.asarray(s) for s in sequences]
    if not arrays:
        raise DataError("pad: there are no sequences")
    for k, a in enumerate(arrays):
        if a.ndim == 0 or a.shape[1:] != arrays[0].shape[1:]:
            raise DataError(
                f"pad: all sequences must agree in the axes after time; sequence 0 has shape"
                f" {arrays[0].shape}, sequence {k} has {a.shape}"
            )
    steps = max(max(len(a) for a in arrays), at_least)
    x = np.full((steps, len(arrays), *arrays[0].shape[1:]), value, np.result_type(*arrays))
    mask = np.zeros((steps, len(arrays)), np.float32)
    for k, a in enumerate(arrays):
        x[: len(a), k] = a
        mask[: len(a), k] = 1
    return x, mask


def windows(
    tokens: np.ndarray, batch: int, steps: int, start: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Windows of one long text for truncated back-propagation through time.

    The text is cut into `batch` rows of L = (len(tokens) - 1) // batch, side by side; window k is
    x[T, N] = steps k*steps .. of every row and y the tokens one later. Each window starts where
    the one before it stopped, so a state can be carried over. The last one may be shorter, and at
    most batch - 1 predictions at the end of the text are dropped. Raises DataError if the text is
    too short. Source: Zaremba, Sutskever, Vinyals 2014, section 4.

    >>> [(x.T.tolist(), y.T.tolist()) for x, y in windows(np.arange(7), batch=2, steps=2)]
    [([[0, 1], [3, 4]], [[1, 2], [4, 5]]), ([[2], [5]], [[3], [6]])]
    """
    tokens = np.asarray(tokens)
    if tokens.ndim != 1:
        raise DataError(f"windows: tokens must have one axis; got shape {tokens.shape}")
    batch = whole_number("windows", "batch", batch, 1)
    steps = whole_number("windows", "steps", steps, 1)
    length = (len(tokens) - 1) // batch
    if length < 1:
        raise DataError(f"windows: {len(tokens)} tokens are too few for {batch} rows")
    start = whole_number("windows", "start", start, 0, count(length, steps))
    x = tokens[: batch * length].reshape(batch, length).T
    y = tokens[1 : batch * length + 1].reshape(batch, length).T
    return (
        (np.ascontiguousarray(x[t : t + steps]), np.ascontiguousarray(y[t : t + steps]))
        for t in range(start * steps, length, steps)
    )


def folds(labels: np.ndarray, k: int = 10, seed: int = 0) -> np.ndarray:
    """The fold 0 .. k-1 of each example for cross-validation, int64[N], stratified by label.

    The examples, sorted by class and shuffled within each class, are dealt to the folds in turn:
    the counts of a class differ by at most one between folds.

    >>> np.bincount(folds(np.array([0] * 6 + [1] * 3), k=3)).tolist()
    [3, 3, 3]
    """
    labels = np.asarray(labels)
    k = whole_number("folds", "k", k, 1)
    if labels.ndim != 1 or len(labels) < k:
        raise DataError(f"folds: {k} folds need that many labels; got shape {labels.shape}")
    shuffled = permutation(len(labels), check_seed("folds", seed), FOLDS)
    dealt = shuffled[np.argsort(labels[shuffled], kind="stable")]
    fold = np.empty(len(labels), np.int64)
    fold[dealt] = np.arange(len(labels)) % k
    return fold


def three_way(
    x: np.ndarray | list, y: np.ndarray | list | None, valid: int, test: int, seed: int = 0
) -> tuple[Split, Split, Split]:
    """Train, valid and test by the fixed permutation order(n, seed): for sets without a split."""
    whole = Split(x, y)
    n = len(whole)
    valid, test = (
        whole_number("three_way", "valid", valid, 0),
        whole_number("three_way", "test", test, 0),
    )
    if valid + test >= n:
        raise DataError(f"three_way: {valid} + {test} examples leave none of {n} for training")
    p = order(n, seed)
    a, b = n - valid - test, n - test
    return whole[p[:a]], whole[p[a:b]], whole[p[b:]]


def binarised(x: np.ndarray, seed: int, epoch: int = 0) -> np.ndarray:
    """Each value of x in [0, 1] as 0 or 1, with P(1) = x: one fixed draw per epoch.

    The published binarised MNIST is another draw with the same probabilities: log-likelihoods
    are close to the published ones, but they are not the same measurement.
    Raises DataError if a value is outside [0, 1].
    """
    x = np.asarray(x)
    if x.size and not (x.min() >= 0 and x.max() <= 1):
        raise DataError("binarised: every value must lie in [0, 1]")
    seed = check_seed("binarised", seed)
    epoch = whole_number("binarised", "epoch", epoch, 0, 2**28 - 1)
    flat, out = x.reshape(-1), np.empty(x.size, x.dtype)
    step = 1 << 20  # elements at a time: for all images at once the random words take gigabytes
    for at in range(0, x.size, step):
        part = flat[at : at + step]
        draw = uniform(part.shape, seed, BINARISE + (epoch << 32) + at // 4, "float32")
        out[at : at + step] = draw < part
    return out.reshape(x.shape)
