"""`glassgrad data` on every kind: what it prints, and that its picture shows the data."""

import io
import re

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import cli
from glassgrad.core.data import DataSet, Graph, Info, OneShot, Split, Vocabulary
from glassgrad.core.data.catalogue import CATALOGUE
from glassgrad.core.data.entries import KINDS
from glassgrad.core.data.text import WordEval
from glassgrad.core.usage import UsageError
from glassgrad.data_picture import PICTURES, picture
from glassgrad.data_picture_graphs import layout
from glassgrad.data_picture_lists import spectrogram

RNG = np.random.default_rng(0)
WORDS = Vocabulary(("<pad>", "<unk>", "the", "cat", "$5$", "a very long word indeed"))
RING = np.array([[i, i + 1] for i in range(9)] + [[0, 9]])


class Network:
    """Looks like the weights that a loader returns."""

    def __init__(self, count=2):
        self.name, self.info = "net", Info(kind="weights")
        self.tensors = {
            f"layer{i}.weight": RNG.random((3, i + 1), np.float32) for i in range(count)
        }


def ints(low, high, least, most, n=12):
    return [RNG.integers(low, high, RNG.integers(least, most)) for _ in range(n)]


def of(kind, x, y=None, **info):
    half = None if y is None else y[:6]
    return DataSet("mine", Split(x, y), None, Split(x[:6], half), Info(kind=kind, **info))


def ring(labels=True, n=10):
    return Graph("ring", n, RING, labels=np.arange(n) % 2 if labels else None,
                 info=Info(classes=("even", "odd") if labels else ()))  # fmt: skip


def large():
    pairs = np.unique(np.sort(RNG.integers(0, 900, (2000, 2)), axis=1), axis=0)
    return pairs[pairs[:, 0] < pairs[:, 1]]


CLASSES = {"y": np.arange(12) % 2, "classes": ("one", "two")}
MADE = {
    "images": lambda: of("images", RNG.random((12, 1, 5, 5)), **CLASSES),
    "colours": lambda: of("images", RNG.random((12, 3, 5, 5))),
    "table": lambda: of("table", RNG.random((12, 6)), **CLASSES),
    "binary": lambda: of("binary", np.eye(12)[:, :3]),
    "counts": lambda: of("counts", RNG.poisson(1.0, (12, 30)).astype(np.float32), **CLASSES),
    "counts without classes": lambda: of("counts", np.ones((12, 3)), feature_names=("$", "b", "c")),
    "text": lambda: of("text", RNG.integers(0, 6, 50), vocabulary=WORDS),
    "sentences": lambda: of("sentences", ints(2, 6, 1, 9), vocabulary=WORDS, **CLASSES),
    "sentences of one word": lambda: of("sentences", [np.array([2])] * 12, vocabulary=WORDS),
    "pairs": lambda: of("pairs", ints(2, 6, 1, 9), ints(2, 6, 1, 9), vocabulary=WORDS,
                        extra={"target_vocabulary": WORDS}),
    "sequences": lambda: of("sequences", [RNG.random((t, 2)) for t in range(2, 14)], **CLASSES),
    "rolls": lambda: of("sequences", [RNG.random((t, 88)) > 0.9 for t in range(2, 14)]),
    "empty roll": lambda: of("sequences", [np.zeros((t, 88)) for t in range(2, 14)]),
    "series": lambda: of("series", RNG.random((12, 2)), feature_names=("sun", "moon")),
    "dated": lambda: of("series", RNG.random((12, 9)), extra={"times": {
        "train": np.arange(12).astype("M8[D]"), "test": np.arange(12, 18).astype("M8[D]")}}),
    "audio": lambda: of("audio", [RNG.random(n).astype("f4") for n in range(1, 700, 60)],
                        extra={"sample_rate": 8000}, **CLASSES),
    "silence": lambda: of("audio", [np.zeros(9, np.float32)] * 12),
    "games": lambda: of("games", ints(0, 82, 5, 60), extra={"board": 9, "pass": 81}, **CLASSES),
    "games without a board": lambda: of("games", ints(0, 9, 1, 9)),
    "graph": ring,
    "named graph": lambda: Graph("g", 10, RING, node_names=tuple("abcdefghi$"),
                                 weights=np.arange(10, dtype=np.float32)),
    "graph without edges": lambda: Graph("g", 3, np.zeros((0, 2), np.int64)),
    "large graph": lambda: Graph("g", 900, large()),
    "large graph with labels": lambda: Graph("g", 900, large(), labels=np.arange(900) % 30),
    "large graph with groups": lambda: Graph("g", 900, large(), label_pairs=np.array([[0, 1]])),
    "graphs": lambda: of("graphs", [ring(i % 2 == 0) for i in range(12)], **CLASSES),
    "weights": Network,
}  # fmt: skip


@pytest.mark.parametrize("kind", MADE)
def test_a_picture_of_every_kind(kind):
    figure = picture(MADE[kind]())
    axes = [ax for ax in figure.axes if ax.has_data()]
    assert axes
    figure.set_layout_engine("none")  # which draws everything twice
    figure.savefig(io.BytesIO(), format="raw", dpi=20)


def test_every_kind_of_the_catalogue_has_a_picture():
    assert set(KINDS) - set(PICTURES) == {"weights", "evaluation"}
    with pytest.raises(UsageError, match="there is no picture of words"):
        picture(type("Corpus", (), {"name": "words"})())


def test_colours_stay_colours():
    red = np.zeros((3, 3, 4, 4), np.float32)
    red[:, 0] = 1
    shown = picture(of("images", np.repeat(red, 4, 0))).axes[0].get_images()[0].get_array()
    assert (shown[0, 0] == [1, 0, 0]).all()


def test_a_layout_keeps_neighbours_close_and_is_the_same_again():
    two = np.concatenate([RING, RING + 10])  # two rings
    places = layout(20, two)
    assert np.array_equal(places, layout(20, two)) and np.isfinite(places).all()
    distance = np.linalg.norm(places[:, None] - places[None], axis=-1)
    along = distance[two[:, 0], two[:, 1]]
    assert along.mean() < 0.5 * distance[np.triu_indices(20, 1)].mean()
    assert layout(0, np.zeros((0, 2), np.int64)).shape == (0, 2)
    assert np.allclose(layout(1, np.zeros((0, 2), np.int64)), 0)


def test_a_spectrogram_finds_the_tone():
    t = np.arange(8000) / 8000
    loud = spectrogram(np.sin(2 * np.pi * 1000 * t), 256)
    assert loud.shape == (129, 61) and (loud.argmax(axis=0) == 32).all()  # 1000 Hz of 31.25
    assert loud.max() == 0 and loud.min() >= -80


def test_data_prints_graphs_lists_and_weights(capsys, tmp_path):
    made = {
        "round": (ring, "graph", ("nodes +10", "edges +10", "even 5, odd 5", "2.00 on average")),
        "rolls": (MADE["rolls"], "sequences", (r"12 bool \[T, 88\], T 2 … 13 \(mean 7.5\)",)),
        "many": (MADE["graphs"], "graphs", (r"12 graphs, nodes 10 … 10", "one 6, two 6")),
        "net": (
            lambda: Network(40),
            "weights",
            ("layer0.weight", r"3 x 1 ", "… 10 more", "in all +2,460"),
        ),
    }
    image = tmp_path / "some.png"
    try:
        for name, (load, kind, _) in made.items():
            gg.data.register(name, load, kind, f"made for {name}")
        assert cli.main(["list", "data"]) == 0
        listed = capsys.readouterr().out
        for name, (_, kind, words) in made.items():
            draw = ["--picture", str(image)] if name == "rolls" else []
            assert cli.main(["data", name, *draw]) == 0
            said = capsys.readouterr().out
            assert f"{name} is of the kind '{kind}'" in said
            for word in words:
                assert re.search(word, said), word
            assert f"{kind}: {KINDS[kind]}" in listed
            assert re.search(rf"^{name} +made for {name} .*registered", listed, re.M)
    finally:
        for name in made:
            CATALOGUE.pop(name, None)
    assert image.read_bytes().startswith(b"\x89PNG")


def test_list_names_kinds_that_only_files_have(capsys):
    assert cli.main(["list"]) == 0
    said = capsys.readouterr().out
    for kind, meaning in KINDS.items():
        assert re.search(rf"^{kind} +{re.escape(meaning)} ", said, re.M)


def evaluations():
    words = [("king", "queen", "man", "woman")] * 3
    pairs = [(f"a{i}", f"b${i}", i / 3) for i in range(30)]
    shape = 2, 3, 1, 5, 5
    answer = np.array([[2, 0, 1], [0, 1, 2]])
    return {
        "analogies": WordEval("a.txt", {"family": words, "empty": []}, []),
        "scores": WordEval("s.tsv", {}, pairs),
        "few": WordEval("s.tsv", {}, pairs[:1]),
        "runs": OneShot("runs.npz", np.zeros(shape), np.ones(shape), answer),
    }


@pytest.mark.parametrize("name", evaluations())
def test_a_picture_of_what_judges(name):
    figure = picture(evaluations()[name])
    assert any(ax.has_data() for ax in figure.axes)
    figure.savefig(io.BytesIO(), format="raw", dpi=20)


def test_words_without_questions_have_no_picture():
    with pytest.raises(UsageError, match="it has no questions"):
        picture(WordEval("s.tsv", {}, []))


def test_a_column_of_few_values_has_a_bar_for_each():
    x = np.array([[-1, 2.5], [0, 2.5], [1, 2.5], [1, 2.5]], np.float32)
    votes, constant = picture(of("table", x)).axes
    heights = [bar.get_height() for bar in votes.patches]
    assert [h for h in heights if h] == [1, 1, 2]
    assert [t.get_text() for t in votes.get_xticklabels()] == ["-1", "0", "1"]
    assert [bar.get_height() for bar in constant.patches] == [0, 4, 0]


def test_bits_are_shown_as_they_are_with_the_share_of_each_class():
    x = np.array([[1, 0], [1, 1], [0, 0], [0, 0]], np.float32)
    found = DataSet("bits", Split(x, np.array([0, 0, 1, 1])), info=Info(classes=("a", "b")))
    rows, shares = picture(found).axes
    assert np.array_equal(rows.get_images()[0].get_array(), x)
    assert [line.get_ydata().tolist() for line in shares.get_lines()] == [[1, 0.5], [0, 0]]
