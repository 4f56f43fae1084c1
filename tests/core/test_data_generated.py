"""Generated tones and graphs: what each promises, and that one number of a seed stays the same."""

import numpy as np
import pytest

from glassgrad.core.data import DataError, digest, load, spectrogram, synthetic_tones
from glassgrad.core.data.synthetic_graphs import tree_of
from glassgrad.core.data.synthetic_tones import RATE, tone
from tests.tools import assert_close


def connected(nodes, edges):
    """The number of parts of a graph, and of independent rings, by union and find."""
    root, rings = list(range(nodes)), 0

    def find(v):
        while root[v] != v:
            v = root[v]
        return v

    for u, v in edges.tolist():
        a, b = find(u), find(v)
        rings += a == b
        root[a] = b
    return sum(find(v) == v for v in range(nodes)), rings


# ------------------------------------------------------------------ graphs


@pytest.fixture(scope="module")
def graphs():
    return load("rings_and_trees", train=1200, valid=100, test=60, seed=1)


def test_every_tree_has_its_code_and_every_code_its_tree():
    """On four nodes there are 4^2 codes and as many labelled trees (Cayley), all different."""
    found = set()
    for code in np.ndindex(4, 4):
        edges = tree_of(np.array(code))
        assert connected(4, edges) == (1, 0)
        assert (np.bincount(edges.ravel(), minlength=4) - 1).tolist() == (
            np.bincount(code, minlength=4).tolist()
        )
        found.add(frozenset(map(frozenset, edges.tolist())))
    assert len(found) == 16
    assert tree_of(np.zeros(0, np.int64)).tolist() == [[0, 1]]


def test_a_ring_is_a_ring_and_a_tree_is_a_tree(graphs):
    for part, split in graphs.splits():
        for g, y, k in zip(split.x, split.y, graphs.info.extra["k"][part]):
            assert len(g.edges) == g.nodes - 1 and 12 <= g.nodes <= 40 and 3 <= k <= 8
            assert connected(g.nodes, g.edges) == ((2, 1) if y else (1, 0))
            assert (g.labels == 0).all() and len(g.labels) == g.nodes
            if y:  # take leaves off until none is left: the ring remains
                left = g.edges
                while True:
                    degree = np.bincount(left.ravel(), minlength=g.nodes)
                    kept = left[(degree[left] > 1).all(axis=1)]
                    if len(kept) == len(left):
                        break
                    left = kept
                assert len(left) == k and set(degree[np.unique(left)]) == {2}
    assert graphs.info.kind == "graphs" and graphs.info.classes == ("tree", "ring")


def test_counts_of_nodes_and_edges_say_nothing(graphs):
    """Within a size the classes are equally frequent, as far as 1200 draws can tell."""
    n, y = np.array([g.nodes for g in graphs.train.x]), graphs.train.y
    assert abs(y.mean() - 0.5) < 4 * 0.5 / np.sqrt(1200)
    table = np.array([np.bincount(n[y == c] - 12, minlength=29) for c in (0, 1)])
    total = table.sum(axis=0)
    chi2 = (((table - total / 2) ** 2) / (total / 2)).sum()
    assert chi2 < 29 + 4 * np.sqrt(2 * 29), "29 degrees of freedom"
    assert set(n) == set(range(12, 41))


def test_degrees_say_little_and_colours_from_afar_nearly_all(graphs):
    """Colours of Weisfeiler and Leman after six rounds tell the classes apart, degrees do not."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    def colours(g, rounds):
        near, colour, seen = g.neighbours(), [0] * g.nodes, {}
        for r in range(rounds):
            colour = [
                hash((colour[v], *sorted(colour[w] for w in near[v]))) for v in range(g.nodes)
            ]
            for c in colour:
                seen[f"{r} {c}"] = seen.get(f"{r} {c}", 0) + 1
        return seen

    scores = []
    for rounds in (1, 6):
        table = DictVectorizer()
        x = table.fit_transform([colours(g, rounds) for g in graphs.train.x[:400]])
        model = LogisticRegression(max_iter=300).fit(x, graphs.train.y[:400])
        rest = graphs.train[400:800]
        scores.append(model.score(table.transform([colours(g, rounds) for g in rest.x]), rest.y))
    assert scores[0] < 0.65 and scores[1] > 0.97, scores


def test_graphs_depend_on_their_number_only(graphs):
    few = load("rings_and_trees", train=0, valid=3, test=2, seed=1)
    for g, h in zip(few.whole().x, graphs.train.x):
        assert np.array_equal(g.edges, h.edges)
    assert few.info.extra["k"]["test"].tolist() == graphs.info.extra["k"]["train"][3:5].tolist()
    other = load("rings_and_trees", train=5, valid=0, test=0, seed=2)
    assert [g.nodes for g in other.train.x] != [g.nodes for g in graphs.train.x[:5]]
    fixed = load("rings_and_trees", nodes=12, train=30, valid=0, test=0)
    assert {g.nodes for g in fixed.train.x} == {12}


@pytest.mark.parametrize("bad", [9, (9, 20), (30, 20), (12, 10**6), "many", (12, None), None])
def test_sizes_of_graphs_that_cannot_be(bad):
    with pytest.raises(DataError, match="rings_and_trees: nodes must be"):
        load("rings_and_trees", nodes=bad)


# ------------------------------------------------------------------- tones


@pytest.mark.parametrize("hertz", [131.0, 440.0, 1999.0])
def test_a_tone_has_its_harmonics_and_none_beyond_half_the_rate(hertz):
    length = 8000 * 4
    for name, wanted in (
        ("sine", lambda k: 1.0 * (k == 1)),
        ("square", lambda k: (k % 2) / k),
        ("saw", lambda k: 1 / k),
    ):
        x = tone(name, hertz, length, 0.3)
        spectrum = np.abs(np.fft.rfft(x)) / length * 2
        k = np.arange(1, int(np.ceil(RATE / 2 / hertz)))
        got = spectrum[np.round(k * hertz * length / RATE).astype(int)]
        want = np.array([wanted(n) for n in k.tolist()])
        assert_close(got, want / np.sqrt((want**2).sum() / 2), rtol=1e-6)
        spectrum[np.round(k * hertz * length / RATE).astype(int)] = 0
        assert spectrum.max() < 1e-6 and np.mean(x**2) == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("classes", ["waveform", "pitch"])
def test_tones_are_as_described(classes):
    d = load("tones", classes=classes, train=300, valid=20, test=10, seed=5)
    assert [len(s) for _, s in d.splits()] == [300, 20, 10] and d.info.kind == "audio"
    lengths = np.array([len(x) for x in d.train.x])
    loud = np.array([np.sqrt(np.mean(x**2)) for x in d.train.x])
    assert all(x.dtype == np.float32 and np.abs(x).max() <= 1 for x in d.whole().x)
    assert lengths.min() >= 1000 and lengths.max() <= 3000 and np.ptp(lengths) > 1800
    assert loud.max() / loud.min() > 6
    count = len(d.info.classes)
    assert np.bincount(d.train.y, minlength=count).min() > 300 / count / 2
    for hint in (lengths, loud):  # the means of the classes differ no more than by chance
        means = [hint[d.train.y == c].mean() for c in range(count)]
        assert np.ptp(means) < 5 * hint.std() / np.sqrt(300 / count)


def test_pitch_is_heard_by_adding_up_harmonics():
    """An independent listener: of the eight notes the one whose harmonics hold most energy."""
    d = load("tones", classes="pitch", train=120, valid=0, test=0, seed=2)
    notes = 440 * 2.0 ** ((np.array([0, 2, 4, 5, 7, 9, 11, 12]) - 9) / 12)
    right = 0
    for x, y in zip(d.train.x, d.train.y):
        t = np.arange(len(x)) / 8000
        energy = [np.abs(np.exp(-2j * np.pi * f * t) @ x) for f in notes]
        right += int(np.argmax(energy)) == y
    assert right / 120 > 0.97


def test_a_waveform_is_heard_by_its_second_and_third_harmonic():
    d = load("tones", noise=0.0, train=100, valid=0, test=0, seed=2)
    for x, y in zip(d.train.x, d.train.y):
        spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)), 1 << 15))
        first = spectrum[: int(600 / 8000 * 2**15)].argmax()
        second, third = spectrum[2 * first - 9 : 2 * first + 9], spectrum[3 * first - 9 :][:18]
        heard = [second.max() > spectrum[first] / 4, third.max() > spectrum[first] / 5]
        assert heard == {0: [False, False], 1: [False, True], 2: [True, True]}[int(y)]


@pytest.mark.slow
def test_what_a_linear_classifier_hears():
    """93.5 % of the waveforms and 97.5 % of the notes of the default's test split."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    for classes, said in (("waveform", 0.935), ("pitch", 0.975)):
        d = load("tones", classes=classes)
        x, test = (spectrogram.pictures(s.x).reshape(len(s), -1) for s in (d.train, d.test))
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
        assert abs(model.fit(x, d.train.y).score(test, d.test.y) - said) <= 0.02


def test_tones_depend_on_their_number_only():
    a = load("tones", train=6, valid=0, test=0)
    b = load("tones", train=2, valid=3, test=1)
    assert all(map(np.array_equal, a.train.x, b.whole().x))
    assert digest(a) == digest(load("tones", train=6, valid=0, test=0))
    assert digest(a) != digest(load("tones", train=6, valid=0, test=0, seed=1))


def test_tones_that_cannot_be():
    for options, message in (
        ({"classes": "speech"}, "classes must be 'waveform' or 'pitch'"),
        ({"noise": -1}, "noise must be from 0"), ({"noise": float("nan")}, "noise must be"),
        ({"noise": "loud"}, "noise must be"), ({"seed": -1}, "seed must be from 0"),
        ({"train": -1}, "size of a split must be from 0"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=message):
            load("tones", **options)
    for arguments in (("noise", 9.0, 9), ("saw", 4000.0, 9), ("saw", 0.0, 9), ("saw", 9.0, 0)):
        with pytest.raises(DataError, match="tone: "):
            tone(*arguments)


def test_known_values():
    """Fixed for ever: other numbers here would mean other data under the same name."""
    d = load("rings_and_trees", train=2, valid=0, test=0)
    assert d.train.y.tolist() == [1, 1] and d.train.x[1].edges.tolist() == [
        [0, 5],
        [1, 6],
        [1, 9],
        [2, 4],
        [2, 6],
        [3, 11],
        [4, 9],
        [5, 10],
        [5, 11],
        [7, 8],
        [8, 10],
    ]
    e = load("tones", train=2, valid=0, test=0)
    assert [len(x) for x in e.train.x] == [2234, 2901] and e.train.y.tolist() == [2, 0]
    assert_close(
        e.train.x[0][:3],
        np.array([0.24818693101406097, 0.2514113485813141, 0.15972216427326202], np.float32),
        rtol=1e-6,
    )
    assert synthetic_tones.WAVEFORMS == ("sine", "square", "saw")
