"""The real counts, games and weights, where they are at hand: what their descriptions state."""

import hashlib

import numpy as np
import pytest

from glassgrad.core.data import DataError, available, digest, load
from tests.core.test_data_sets import real, sizes

pytestmark = pytest.mark.data

GROUPS = (
    480, 584, 591, 590, 578, 593, 585, 594, 598, 597, 600, 595, 591, 594, 593, 599, 546, 564, 465,
    377,
)  # fmt: skip
HELD = (
    319, 389, 394, 392, 385, 395, 390, 396, 398, 397, 399, 396, 393, 396, 394, 398, 364, 376, 310,
    251,
)  # fmt: skip


@pytest.fixture(scope="module")
def news():
    return real("20news", valid=0)


def test_20news(news):
    assert sizes(news) == (11_314, 7532) and news.train.x.shape[1] == 2000
    assert np.bincount(news.train.y).tolist() == list(GROUPS)
    assert np.bincount(news.test.y).tolist() == list(HELD)
    assert news.info.kind == "counts" and news.info.classes[0] == "alt.atheism"
    words = news.info.feature_names
    of_word = news.train.x.sum(axis=0, dtype=np.float64)
    assert of_word.sum() == 865_726 and news.test.x.sum(dtype=np.float64) == 544_245
    assert of_word.min() == 136 and (np.diff(of_word) <= 0).all(), "commonest first"
    assert words[9] == "max" and of_word[9] == 4660 and news.train.x[:, 9].max() == 800
    assert [(s.x.sum(axis=1) == 0).sum() for _, s in news.splits()] == [5, 8]
    assert "'max'" in news.info.note and "empty" in news.info.note


def test_20news_by_simple_means(news):
    """A unigram's perplexity, and naive Bayes: the figures of the description."""
    p = news.train.x.sum(axis=0, dtype=np.float64)
    p = np.log(p / p.sum())
    per_word = -(news.test.x @ p).sum() / news.test.x.sum(dtype=np.float64)
    assert np.exp(per_word) == pytest.approx(1278.7, abs=0.05)
    of_class = np.eye(20)[news.train.y]
    counts = of_class.T @ news.train.x.astype(np.float64) + 0.1
    prior = np.log(of_class.mean(axis=0))
    score = news.test.x @ np.log(counts / counts.sum(axis=1, keepdims=True)).T + prior
    accuracy = (score.argmax(axis=1) == news.test.y).mean()
    assert accuracy == pytest.approx(0.718, abs=5e-4)


def test_20news_options(news):
    drawn = load("20news", words=50, clip=3, seed=1)
    assert sizes(drawn) == (10_183, 1131, 7532) and drawn.train.x.max() == 3
    assert np.array_equal(drawn.test.x, np.minimum(news.test.x[:, :50], 3))
    assert set(drawn.valid.y) == set(range(20)), "the validation is of all groups"
    with pytest.raises(DataError, match="words must be from 1 to 2000; got 2001"):
        load("20news", words=2001)


def test_go():
    d = real("go")
    assert sizes(d) == (6906, 800, 800)
    assert [sum(map(len, s.x)) for _, s in d.splits()] == [1_499_270, 173_776, 174_807]
    games = d.whole()
    moves = np.concatenate(games.x)
    known = "73754e64978503a507e06ed45e3f7d36ab6e128537c43e042fa8b3a5619c04f6"
    assert hashlib.sha256(moves.astype("<i2").tobytes()).hexdigest() == known
    assert (moves == 361).sum() == 15 and moves.min() == 0 and moves.max() == 361
    lengths = np.array(list(map(len, games.x)))
    assert (lengths.min(), lengths.max()) == (60, 387) and round(lengths.mean(), 1) == 217.2
    assert np.bincount(games.y).tolist() == [4215, 4291] and d.info.classes == ("black", "white")
    first = np.bincount([x[0] for x in games.x])
    assert first[19 * 3 + 15] == 4256, "the star point at the top right"
    dates = d.info.extra["date"]
    assert dates["train"].max() <= dates["valid"].min() <= dates["valid"].max()
    assert dates["valid"].max() <= dates["test"].min() and dates["test"].min() == 20051227
    how = np.bincount(np.concatenate(list(d.info.extra["how"].values())))
    assert dict(zip(d.info.extra["how_names"], how)) == {
        "resign": 5177, "points": 2688, "time": 599, "offline": 42,
    }  # fmt: skip


@pytest.fixture(scope="module")
def weights():
    return real("efficientnet_lite0")


def test_efficientnet_lite0(weights):
    statistics = [n for n in weights.tensors if n.endswith(("running_mean", "running_var"))]
    trained = weights.parameters() - sum(weights.tensors[n].size for n in statistics)
    assert len(weights) == 247 and trained == 4_652_008
    assert weights.info.kind == "weights" and len(weights.info.classes) == 1000
    small = [(weights.tensors[n] < 1e-6).sum() for n in statistics if n.endswith("var")]
    assert sum(small) == 130, "eps matters"
    assert digest(weights) == digest(load("efficientnet_lite0"))


def test_the_last_layer_gives_the_logits_and_the_names(weights):
    w, check = weights.tensors, weights.check
    logits = check["pooled"].astype(np.float64) @ w["_fc.weight"].T + w["_fc.bias"]
    assert np.abs(logits - check["logits"]).max() < 1e-5
    best = dict(zip(check["image_names"], logits.argmax(axis=1)))
    named = {str(n).partition(".")[0]: weights.info.classes[k] for n, k in best.items()}
    assert named["chelsea"].startswith("tiger cat") and named["coffee"].startswith("espresso")
    chelsea = check["logits"][[str(n).startswith("chelsea") for n in check["image_names"]]][0]
    assert chelsea.argmax() == 282 and chelsea.sum() == pytest.approx(-60.4422, abs=1e-4)


@pytest.mark.parametrize("wrong", [None, "mean", "padding", "eps"])
def test_the_first_layer_needs_what_the_note_says(weights, wrong):
    """Normalisation, SAME padding and eps, each against the mean and deviation after the stem."""
    w, check, extra = weights.tensors, weights.check, weights.info.extra
    row = [str(n).startswith("chelsea") for n in check["image_names"]].index(True)
    x = check["images"][row].astype(np.float64)
    mean = 110.0 if wrong == "mean" else extra["mean"]
    x = ((x - mean) / extra["scale"]).transpose(2, 0, 1)
    x = np.pad(x, ((0, 0), *[(1, 0) if wrong == "padding" else (0, 1)] * 2))
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))[:, ::2, ::2]
    y = np.einsum("cijkl,ockl->oij", windows, w["_conv_stem.weight"], optimize=True)
    gain, bias, m, v = (
        w[f"_bn0.{n}"][:, None, None] for n in ("weight", "bias", "running_mean", "running_var")
    )
    y = (y - m) / np.sqrt(v + (1e-5 if wrong == "eps" else extra["eps"])) * gain + bias
    y = y.clip(0, 6)
    error = max(
        abs(y.mean() - check["chelsea_stage_mean"][0]),
        abs(y.std() - check["chelsea_stage_std"][0]),
    )
    assert tuple(check["chelsea_stage_shape"][0]) == y.shape
    assert error < 1e-5 if wrong is None else error > 1e-4, error


def test_files_that_are_missing(tmp_path, monkeypatch):
    from glassgrad.core.data import files

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("GLASSGRAD_DATA", raising=False)
    monkeypatch.setattr(files, "REPOSITORY", tmp_path)
    for name, what in (("20news", "20news_bydate"), ("go", "tygem"), ("efficientnet_lite0", "eff")):
        assert available(name) is None
        with pytest.raises(DataError, match=what):
            load(name)
