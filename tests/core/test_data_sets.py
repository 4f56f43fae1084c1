"""The real files, where they are at hand: every count and balance that their descriptions state."""

from collections import Counter

import numpy as np
import pytest

from glassgrad.core.data import DataError, available, find, load, order, pad
from glassgrad.core.data.canon import FILES

pytestmark = pytest.mark.data


def real(name, **options):
    """The set, or a skip with the reason: nothing is downloaded by a test."""
    if available(name) is None:
        pytest.skip(f"the files of {name} are not on this machine")
    return load(name, **options)


def sizes(d):
    return tuple(len(s) for _, s in d.splits())


def test_a_real_file_cut_off_is_refused(tmp_path):
    (tmp_path / "small_graphs").mkdir()
    whole = find(FILES["small_graphs/lesmis.gml"]).read_bytes()
    (tmp_path / "small_graphs" / "lesmis.gml").write_bytes(whole[:-1])
    with pytest.raises(DataError, match=f"wrong checksum(.|\n)*{len(whole) - 1} bytes"):
        load("lesmis", tmp_path)


def test_mnist():
    d = real("mnist")
    assert sizes(d) == (50_000, 10_000, 10_000) and d.train.x.shape[1:] == (1, 28, 28)
    y = np.concatenate([d.train.y, d.valid.y])
    assert np.bincount(y).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(d.test.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    x = np.concatenate([d.train.x, d.valid.x])
    assert x.mean(dtype=np.float64) == pytest.approx(0.13066, abs=5e-6)
    assert x.std(dtype=np.float64) == pytest.approx(0.30811, abs=5e-6)
    assert x.min() == 0 and x.max() == 1 and (x[:, :, 0] == 0).mean() > 0.99, "0 is background"


def test_fashion_mnist():
    d = real("fashion_mnist")
    assert sizes(d) == (50_000, 10_000, 10_000) and d.info.classes[9] == "Ankle boot"
    assert np.bincount(np.concatenate([d.train.y, d.valid.y])).tolist() == [6000] * 10
    assert np.bincount(d.test.y).tolist() == [1000] * 10
    assert d.train.y[0] == 9, "the first picture is the well-known ankle boot"


def test_frey_faces():
    d = real("frey_faces")
    assert sizes(d) == (1565, 200, 200) and d.info.image_shape == d.train.x.shape[1:] == (1, 28, 20)
    x = d.whole().x * 255
    assert len(x) == 1965 and round(float(x.min())) == 8 and round(float(x.max())) == 238


def test_cifar10_jpeg_subset():
    d = real("cifar10_jpeg_subset")
    assert sizes(d) == (4500, 500, 1000) and d.train.x.shape[1:] == (3, 32, 32)
    assert np.bincount(d.train.y).tolist() == [450] * 10
    assert np.bincount(d.valid.y).tolist() == [50] * 10
    assert np.bincount(d.test.y).tolist() == [100] * 10
    x = np.concatenate([d.train.x, d.valid.x])
    assert np.abs(x.mean(axis=(0, 2, 3)) - [0.491, 0.481, 0.444]).max() < 6e-4
    assert np.abs(x.std(axis=(0, 2, 3)) - [0.246, 0.244, 0.262]).max() < 6e-4
    assert d.info.classes[:2] == ("airplane", "automobile")


def test_omniglot():
    d = real("omniglot")
    assert sizes(d) == (136 * 12, 136 * 4, 136 * 4) and d.train.x.shape[1:] == (1, 105, 105)
    for (_, split), per in zip(d.splits(), (12, 4, 4)):
        assert np.bincount(split.y).tolist() == [per] * 136
    x = d.whole().x
    assert set(np.unique(x)) == {0, 1} and x.mean(dtype=np.float64) == pytest.approx(
        0.076, abs=5e-4
    )
    names = d.info.extra["alphabet_names"]
    assert names == ("Balinese", "Early_Aramaic", "Greek", "Korean", "Latin")
    assert d.info.classes[0] == "Balinese 1" and d.info.classes[-1] == "Latin 26"
    small = load("omniglot", shrink=3)
    blocks = d.test.x[:, 0].reshape(-1, 35, 3, 35, 3).mean(axis=(2, 4))
    assert np.abs(small.test.x[:, 0] - blocks).max() < 1e-6


def test_omniglot_one_shot():
    runs = real("omniglot_one_shot")
    assert runs.train.shape == runs.test.shape == (20, 20, 1, 105, 105)
    assert (np.sort(runs.answer, axis=1) == np.arange(20)).all()
    wrong = 0
    for train, test, answer in zip(runs.train, runs.test, runs.answer):
        a, b = test.reshape(20, -1), train.reshape(20, -1)
        d2 = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
        wrong += int((d2.argmin(1) != answer).sum())
    assert wrong / 400 == pytest.approx(0.81, abs=0.005), "the nearest neighbour in pixels"


def test_house_votes_84():
    d = real("house_votes_84", encoding="onehot")
    whole = d.whole()
    assert sizes(d) == (261, 87, 87) and np.bincount(whole.y).tolist() == [267, 168]
    counts = whole.x.sum(axis=0).reshape(16, 3)
    assert counts.sum(axis=0).tolist() == [3421, 3147, 392]
    assert counts[:, 2].tolist() == [12, 48, 11, 11, 15, 11, 14, 15, 22, 7, 21, 31, 25, 17, 28, 104]
    assert (whole.x.reshape(-1, 16, 3)[:, :, 2].sum(1) == 0).sum() == 232
    plain = load("house_votes_84").info.feature_names
    assert plain[0] == "handicapped-infants"
    assert plain[15] == "export-administration-act-south-africa"


def test_iris_uci():
    d = real("iris_uci")
    corrected = load("iris")
    assert np.bincount(d.whole().y).tolist() == [50] * 3
    assert d.info.classes == ("setosa", "versicolor", "virginica") == corrected.info.classes
    differ = np.flatnonzero((d.whole().x != corrected.whole().x).any(axis=1))
    assert sorted(order(150, 0)[differ].tolist()) == [34, 37], "UCI's errors, rows 35 and 38"


def test_binary_mushrooms():
    d = real("binary_mushrooms")
    assert sizes(d) == (2000, 500, 5624)
    assert all(s.x.mean(dtype=np.float64) == 21 / 112 for _, s in d.splits())
    p = d.train.x.mean(axis=0, dtype=np.float64)
    p = (p * 2000 + 1) / 2002  # an independent Bernoulli for each column, one count added to each
    x = d.test.x
    nats = (x * np.log(p) + (1 - x) * np.log1p(-p)).sum(1).mean()
    assert nats == pytest.approx(-34.23, abs=0.05)


def test_tinyshakespeare():
    d = real("tinyshakespeare")
    assert sum(sizes(d)) == 1_115_394 and sizes(d)[0] == 1_003_854
    assert len(d.info.vocabulary) == 65
    words = "".join(d.info.vocabulary.decode(d.whole().x))
    assert words.startswith("First Citizen:\nBefore we proceed") and words.count("\n") == 40_000


def test_ptb():
    d = real("ptb")
    v = d.info.vocabulary
    assert sizes(d) == (929_589, 73_760, 82_430) and len(v) == 10_000
    ends = [int((s.x == v.index["<eos>"]).sum()) for _, s in d.splits()]
    assert ends == [42_068, 3_370, 3_761] and "N" in v and "<unk>" in v
    assert v.words[:3] == ("the", "<unk>", "<eos>")
    unknown = [int((s.x == v.index["<unk>"]).sum()) for _, s in d.splits()]
    assert unknown[2] == 4794, "an unknown word of the test text would have become <unk> too"
    p = np.bincount(d.train.x, minlength=len(v)) / len(d.train)
    assert np.exp(-np.log(p[d.test.x]).mean()) == pytest.approx(639.3, abs=0.05), "unigram"
    characters = load("ptb", level="char")
    assert len(characters.info.vocabulary) == 50
    assert characters.info.vocabulary.decode(characters.train.x[:5]) == list("aer b")


def test_rt_polarity():
    d = real("rt_polarity")
    whole = d.whole()
    assert sizes(d) == (8528, 1067, 1067) and np.bincount(whole.y).tolist() == [5331, 5331]
    lengths = [len(x) for x in whole.x]
    assert max(lengths) == 59 and 20.9 < np.mean(lengths) < 21.1 and min(lengths) > 0
    assert np.bincount(d.info.extra["folds"]).max() == 1067
    for _, split in d.splits():
        assert abs(split.y.mean() - 0.5) < 0.01
    assert pad(d.test.x[:7])[0].shape[1] == 7


def test_trec():
    d = real("trec")
    assert sizes(d) == (4952, 500, 500)
    assert d.info.classes == ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
    train = np.concatenate([d.train.y, d.valid.y])
    assert np.bincount(train).tolist() == [86, 1162, 1250, 1223, 835, 896]
    assert np.bincount(d.test.y).tolist() == [9, 138, 94, 65, 81, 113]
    assert len(load("trec", labels="fine").info.classes) == 50
    whole = load("trec", valid=0, lower=False)
    first = whole.info.vocabulary.decode(whole.whole().x[0])
    assert sizes(whole) == (5452, 0, 500) and "?" in first


def test_ag_news():
    d = real("ag_news")
    assert sizes(d) == (6000, 1600) and d.info.classes == (
        "World",
        "Sports",
        "Business",
        "Sci/Tech",
    )
    assert np.bincount(d.test.y).tolist() == [381, 407, 430, 382]
    assert np.bincount(d.whole().y).tolist() == [1900] * 4
    assert sizes(load("ag_news", valid=600)) == (5400, 600, 1600)
    first = d.info.vocabulary.decode(d.train.x[0])
    assert d.train.y[0] == 2 and first[:4] == ["fears", "for", "t", "n"]


def test_word_eval():
    e = real("word_eval")
    assert len(e.analogies) == 14 and sum(map(len, e.analogies.values())) == 19_544
    grammar = sum(len(v) for k, v in e.analogies.items() if k.startswith("gram"))
    assert (grammar, 19_544 - grammar) == (10_675, 8_869)
    assert e.analogies["capital-common-countries"][0] == ("Athens", "Greece", "Baghdad", "Iraq")
    assert len(e.similarity) == 353
    assert all(0 <= score <= 10 for _, _, score in e.similarity)


@pytest.mark.slow
def test_enwiki_a():
    corpus = real("enwiki_a")
    titles = corpus.titles()
    assert len(titles) == 5724 and titles[0] == (12, "Anarchism")
    counts, articles, characters = Counter(), 0, 0
    for line in corpus.lines():
        articles, characters = articles + 1, characters + len(line) + 1
        counts.update(line.split())
    assert articles == 5724 and abs(characters - 100_000_000) < 100_000
    assert sum(counts.values()) == 16_913_890 and len(counts) == 221_212
    assert sum(c >= 5 for c in counts.values()) == 67_964
    short = corpus.vocabulary(min_count=5, limit=20)
    assert short.words[0] == "the" and set(short.words) <= set(counts)


def test_jsb_chorales():
    d = real("jsb_chorales")
    assert sizes(d) == (229, 76, 77)
    assert [sum(map(len, s.x)) for _, s in d.splits()] == [13_807, 4_602, 4_725]
    keys = np.flatnonzero(np.concatenate(d.whole().x).any(axis=0)) + 21
    assert (keys.min(), keys.max()) == (43, 96) and d.info.feature_names[60 - 21] == "C4"
    p = np.concatenate(d.train.x).mean(axis=0, dtype=np.float64).clip(1e-5)
    nats = [-(x * np.log(p) + (1 - x) * np.log1p(-p)).sum(1) for x in d.test.x]
    assert np.concatenate(nats).mean() == pytest.approx(11.06, abs=0.03), "independent Bernoulli"


def test_cora():
    g = real("cora")
    assert g.nodes == 2708 and len(g.edges) == 5278 and g.features[3] == (2708, 1433)
    assert np.bincount(g.labels).tolist() == [351, 217, 418, 818, 426, 298, 180]
    assert [len(a) for a in (g.train, g.valid, g.test)] == [140, 500, 1000]
    assert len(set(g.train) | set(g.valid) | set(g.test)) == 1640
    assert np.bincount(g.labels[g.train]).tolist() == [20] * 7
    assert np.bincount(g.labels[g.test]).tolist() == [130, 91, 144, 319, 149, 103, 64]
    assert g.degree().min() > 0 and g.degree().max() == 168
    same = g.labels[g.edges[:, 0]] == g.labels[g.edges[:, 1]]
    assert same.mean() == pytest.approx(0.810, abs=5e-4)
    x = g.dense_features()
    assert x.sum() == 49_216 and set(np.unique(x)) == {0, 1}
    assert (g.sparse_features().toarray() == x).all()


def test_blogcatalog():
    g = real("blogcatalog")
    assert g.nodes == 10_312 and len(g.edges) == 333_983 and len(g.label_pairs) == 14_476
    groups = g.label_matrix().sum(axis=0)
    assert len(groups) == 39 and groups.min() == 8 and groups.max() == 1623
    assert g.adjacency().nnz == 2 * 333_983


def test_small_graphs():
    k, m = real("karate"), real("lesmis")
    assert k.nodes == 34 and len(k.edges) == 78 and k.weights is None and k.node_names[0] == "1"
    hi = [*range(1, 10), *range(11, 15), 17, 18, 20, 22]
    assert (np.flatnonzero(k.labels == 0) + 1).tolist() == hi
    assert k.degree()[[0, 33]].tolist() == [16, 17]
    assert m.nodes == 77 and len(m.edges) == 254 and m.weights.sum() == 820
    assert "Valjean" in m.node_names and m.degree()[m.node_names.index("Valjean")] == 36


def test_mutag():
    d = real("mutag")
    whole = d.whole()
    assert len(whole) == 188 and np.bincount(whole.y).tolist() == [63, 125]
    assert sum(g.nodes for g in whole.x) == 3371 and sum(2 * len(g.edges) for g in whole.x) == 7442
    assert np.mean([g.nodes for g in whole.x]) == pytest.approx(17.93, abs=5e-3)
    assert np.mean([len(g.edges) for g in whole.x]) == pytest.approx(19.79, abs=5e-3)
    assert {int(k) for g in whole.x for k in g.edge_labels} == {0, 1, 2, 3}
    assert {int(k) for g in whole.x for k in g.labels} == set(range(7))
    tests = [load("mutag", fold=f).test for f in range(10)]
    assert sum(map(len, tests)) == 188 and {len(t) for t in tests} == {18, 19}
    assert all(12 <= t.y.sum() <= 13 for t in tests)
