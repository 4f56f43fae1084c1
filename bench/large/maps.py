"""Self-organising maps and NADE."""

from . import Large

NODES, FEATURES = 32, 1 << 15  # few nodes, long rows: every version has enough to do
WIDTH, HIDDEN = 1024, 5  # of NADE


def _small(fill, *shape, seed):
    return fill(*shape, seed=seed, form=lambda a: a / 8)


def _features(n):
    """Long rows where n is large, so that versions with a thread a sample have not too many."""
    return min(FEATURES, max(NODES, n // 256))


def _nodes(fill, n):
    return fill(n // _features(n), _features(n)), fill(NODES, _features(n), seed=1)


def _distances(fill, n):
    nodes = 1000
    return fill(n // nodes, 33), fill(nodes, 33, seed=1)


def _update(rule):
    """Only samples of the windows move the map: all others win at a node whose K is 0."""

    def make(fill, n):
        x, w = _nodes(fill, n)
        winner = fill.xp.arange(len(x)) % (NODES - 1) + 1
        K = fill(NODES, NODES, seed=2)
        K[0] = 0
        return w, x, winner, K, 0.125, rule

    return make


def _online(fill, n):
    """Only samples of the windows move the map: the rate of all others is zero."""
    width = 3072 if n > 1 << 20 else 513
    w, x = fill(8, width, seed=1), fill(n // width, width)
    rates = fill(len(x), seed=2, form=lambda a: 0 * a + 0.25)
    return w, x, fill(1, 8, 8, seed=3), fill.xp.zeros(len(x), "int64"), rates, "difference"


def _nade(fill, n):
    x = fill(n // WIDTH, WIDTH, form=lambda a: a > 0.8)
    w, v = (_small(fill, WIDTH, HIDDEN, seed=k) for k in (1, 3))
    return x, w, fill(HIDDEN, seed=2), v


def _nade_forward(fill, n):
    return *_nade(fill, n), fill(WIDTH, seed=4)


def _nade_back(fill, n):
    return fill(n // WIDTH, WIDTH, seed=5), *_nade(fill, n)


CALLS = [
    Large("som", "distances", "rows", _distances, (0, None), (0,), reduction=33),
    Large("som", "winners", "long rows", _nodes, (0, None), (0, 0), reduction=FEATURES),
    *(Large("som", "update", rule, _update(rule), (None, 0, 0, None, None, None), (None,),
            alone=(2,), reduction=12 * FEATURES)
      for rule in ("difference", "additive")),
    # in v1 a thread walks alone through what a node is to a sample
    Large("som", "online", "the last samples", _online, (None, 0, None, 0, 0, None), (None, 0, 0),
          alone=(4,), reduction=9216, patient=frozenset({1})),
    Large("nade", "forward", "rows", _nade_forward, (0, None, None, None, None), (0,),
          reduction=WIDTH),
    Large("nade", "input_grad", "rows", _nade_back, (0, 0, None, None, None), (0,),
          reduction=WIDTH),
    # in v1 a thread walks alone through all samples
    Large("nade", "weight_grad", "rows", _nade_back, (0, 0, None, None, None), (None,) * 3,
          alone=(0,), reduction=12 * WIDTH, patient=frozenset({1})),
]  # fmt: skip
