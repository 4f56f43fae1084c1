"""Skip-gram with negative sampling: word vectors from pairs of words, one pair after another.

A word u is to predict a word w that stood near it, and not to predict v_1 ... v_k, which did not
(lecture 3, V2 545-560). Each word has a vector as centre of its window, and one as context:

    loss_n = -ln σ(<w_u, c_w>) - sum_i ln σ(-<w_u, c_vi>)          σ(f) = 1 / (1 + e^-f)

    V  words    D  numbers of a vector    N  pairs    k  negatives of a pair

    w, c [V,D]    centre, context int64 [N]    negative int64 [N,k]    rates [N]

In the lecture both are one table (c is None: c = w); in Mikolov's program they are two.

**The step.** Pair n, with the tables as the pair before has left them, x a copy of w_u, and e = 0:

    for t, label in (w, 1), (v_1, 0), ..., (v_k, 0):
        g = rates_n (label - σ(<x, c_t>));    e += g c_t;    c_t += g x
    w_u += e

which is a step of gradient descent on loss_n, and word2vec's program on one thread. As there, a
negative that is w itself is left out; so is -1, for "no word". Pair after pair is slow to run side
by side: two pairs that share a word, and common words are in nearly all, must not be exchanged. So
`step` is one thread by definition, and its bits depend on nothing else. `racing` lets threads take
parts of the pairs and write to the tables as they come ("Hogwild"): now and then an addition is
lost or late, and no two runs are the same.

**The negatives.** `noise` draws words with given probabilities (word2vec: count^(3/4)) by the alias
method: V columns of equal width, each of one word up to a height and of another one above it
(`alias_table`), so that a draw is two random words of 32 bits. `outside` draws among the words that
are *not* in the context of u, all equally likely, as the lecture has it: the r-th number that is
missing from the sorted list of those that are, by bisection.

    pass      work
    loss      2 D (k + 1) a pair, k + 1 exponentials and logarithms
    step      6 D (k + 1) a pair, k + 1 exponentials
    racing    the same
    noise     2 words of Philox a draw
    outside   1 word of Philox, and ln_2 of the list's length comparisons

**The ladder.**

    glassgrad bench skip_gram          time and GFLOP/s of these; one of them:
                                       glassgrad bench skip_gram.step --version 2

    reference   reference.py             the formulas, pair after pair
    numba v1    cpu.py                   the same as plain loops, compiled
    numba v2    rungs/cpu_v2_lanes.py    step, racing: a vector's numbers side by side in registers
    numba v3    rungs/cpu_v3_ahead.py    the same, and the vectors of the next pair are on their way

    glassgrad lab skip_gram            loads, sectors and registers of these, without a GPU

    cuda v1     cuda.cu                  loss: a warp a pair. step: a single warp takes all pairs.
                                         racing: a warp a pair, additions by atomics. noise,
                                         outside: a thread a draw

Sources: Mikolov, Sutskever, Chen, Corrado, Dean, "Distributed representations of words and phrases
and their compositionality", 2013, and their program word2vec.c; Niu, Recht, Ré, Wright, "Hogwild!",
2011; Walker, "An efficient method for generating random variables with general distributions",
1977; lecture 3 (Vorontsov), V2 496-560.
"""

import numpy as np

from ..annotations import Count
from ..doors import check_all
from ..errors import DTypeError, ValueRangeError, expect, expect_floats
from ..philox import check_stream
from ..registry import dispatch
from .alias import alias_table as alias_table


def _check_index(name: str, key: str, a, shape: tuple, least: int, below: int) -> None:
    """`a` is int64 of that shape, each number in least..below-1."""
    dtype = getattr(a, "dtype", type(a).__name__)
    expect(str(dtype) == "int64", name, f"{key}.dtype must be int64", "int64", dtype, DTypeError)
    expect(tuple(a.shape) == shape, name, f"{key}.shape must fit the others", shape, a.shape)
    if a.size and isinstance(a, np.ndarray):  # on a GPU it would wait for the device
        low, high = int(a.min()), int(a.max())
        must, got = f"{key} must hold words below {below}", f"{low}..{high}"
        ok = low >= least and high < below
        expect(ok, name, must, f"{least}..{below - 1}", got, ValueRangeError)


def _check(name: str, w, c, centre, context, negative) -> None:
    tables = {"w": w} if c is None else {"w": w, "c": c}
    expect_floats(name, **tables)
    for key, a in tables.items():
        expect(a.ndim == 2, name, f"{key} must have the axes [V, D]", "2 axes", a.ndim, **tables)
    if c is not None:
        expect(c.shape == w.shape, name, "c.shape must equal w.shape", w.shape, c.shape, **tables)
    n = getattr(centre, "size", 0)
    ndim = getattr(negative, "ndim", 0)
    expect(ndim == 2, name, "negative must have the axes [N, k]", "2 axes", ndim)
    for key, a, shape, least in (
        ("centre", centre, (n,), 0),
        ("context", context, (n,), 0),
        ("negative", negative, (n, negative.shape[1]), -1),
    ):
        _check_index(name, key, a, shape, least, w.shape[0])


def loss(w, c, centre, context, negative):
    """-ln σ(<w_u, c_w>) - sum_i ln σ(-<w_u, c_vi>) of each pair [N], the tables being as they are.

    w, c [V,D], or c None for one table; centre u, context w int64 [N]; negative v int64 [N,k], of
    which those that are -1 or the context itself do not count. Raises ShapeError, DTypeError,
    ValueRangeError. Source: Mikolov et al. 2013.

    >>> import numpy as np
    >>> w, c = np.array([[0.0], [1.0]]), np.array([[2.0], [-1.0]])
    >>> loss(w, c, np.array([0, 1]), np.array([1, 0]), np.array([[0], [1]])).round(4)
    array([1.3863, 0.4402])
    """
    _check("skip_gram.loss", w, c, centre, context, negative)
    return dispatch("skip_gram", "loss", w, c, centre, context, negative)


def step(w, c, centre, context, negative, rates, racing: bool = False, in_place: bool = False):
    """(w, c) after a step of gradient descent for each pair in turn, as on the page of the family.

    Arguments as for `loss`, and rates [N] in the dtype of w. With `racing` threads take parts of
    the pairs and do not wait for each other: faster on several cores and on a GPU, and never twice
    the same. With `in_place` w and c themselves change, and must be C-contiguous. The c returned is
    None where there is one table. Raises ShapeError, DTypeError, ValueRangeError.
    Source: Mikolov et al. 2013; Niu et al. 2011.

    >>> import numpy as np
    >>> w, c, one = np.array([[0.0], [1.0]]), np.array([[2.0], [-1.0]]), np.array([1])
    >>> step(w, c, one, 0 * one, one[:, None], np.array([0.5]))[0].round(4)
    array([[0.    ],
           [1.2537]])
    """
    name = "skip_gram.step"
    _check(name, w, c, centre, context, negative)
    expect_floats(name, w=w, rates=rates)
    n = centre.size
    expect(rates.shape == (n,), name, "rates.shape must be [N]", (n,), rates.shape, w=w)
    if in_place:
        for key, a in (("w", w), ("c", c)):
            ok = a is None or a.flags.c_contiguous
            must = f"{key} must be C-contiguous to be changed in place"
            expect(ok, name, must, "C order", None if ok else a.strides)
    pass_ = "racing" if racing else "step"
    arrays = w, c, centre, context, negative, rates
    return dispatch("skip_gram", pass_, *arrays, bool(in_place))


def noise(keep, other, count: Count, each: Count, seed: int, offset: int):
    """int64 [count, each]: words drawn with the probabilities of an `alias_table` (keep, other).

    Draw i takes words 2i and 2i + 1 of the Philox stream (seed, offset): the column (word_2i V) >>
    32, of which it is the own word if word_2i+1 < keep, else the other one. It uses
    ``philox.blocks(2 count each)`` counters. keep, other int64 [V], V > 0. Raises ShapeError,
    DTypeError, ValueRangeError. Source: Walker 1977.

    >>> import numpy as np
    >>> noise(*alias_table(np.array([1.0, 0.0, 3.0])), count=2, each=4, seed=0, offset=0)
    array([[2, 2, 2, 2],
           [0, 0, 2, 2]])
    """
    name = "skip_gram.noise"
    n = getattr(keep, "size", 0)
    _check_index(name, "keep", keep, (n,), 0, 2**32 + 1)
    _check_index(name, "other", other, (n,), 0, n)
    expect(n > 0, name, "keep must have a word to draw", "V >= 1", n)
    seed, offset = check_stream(name, seed, offset, 2 * count * each)
    return dispatch("skip_gram", "noise", keep, other, count, each, seed, offset)


def outside(first, words, centre, each: Count, seed: int, offset: int):
    """int64 [N, each]: for each centre words not in its list, all equally likely; -1: all are.

    The list of word u is words[first[u]:first[u + 1]], without repetition and in ascending order
    (which is not looked at: there may be millions); first is int64 [V + 1]. Draw q takes word q of
    the Philox stream (seed, offset): the r-th number missing in the list, r = (word m) >> 32 of the
    m that are. It uses ``philox.blocks(N each)`` counters.
    Raises ShapeError, DTypeError, ValueRangeError. Source: lecture 3, V2 545-560.

    >>> import numpy as np
    >>> first, words = np.array([0, 2, 2, 5]), np.array([0, 2, 0, 1, 2])
    >>> outside(first, words, np.array([0, 1, 2]), each=3, seed=0, offset=0)
    array([[ 1,  1,  1],
           [ 1,  2,  1],
           [-1, -1, -1]])
    """
    name = "skip_gram.outside"
    v = max(0, getattr(first, "size", 0) - 1)
    n, length = getattr(centre, "size", 0), getattr(words, "size", 0)
    words_dtype = str(getattr(words, "dtype", type(words).__name__))
    must = "words.dtype must be int64"
    expect(words_dtype == "int64", name, must, "int64", words_dtype, DTypeError)
    _check_index(name, "first", first, (v + 1,), 0, length + 1)
    _check_index(name, "centre", centre, (n,), 0, v)
    if isinstance(first, np.ndarray):
        whole = first[0] == 0 and first[-1] == length and bool((np.diff(first) >= 0).all())
        must, got = "first must go from 0 up to words.size", f"{first[0]}..{first[-1]}"
        expect(whole, name, must, f"0..{length}", got, ValueRangeError)
    seed, offset = check_stream(name, seed, offset, n * each)
    return dispatch("skip_gram", "outside", first, words, centre, each, seed, offset)


check_all(globals(), prefix="skip_gram.")
