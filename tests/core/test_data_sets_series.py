"""The real reviews and series: their counts, their traps, and forecasts measured elsewhere."""

from pathlib import Path

import numpy as np
import pytest

from glassgrad.core import data
from tests.core.test_data_sets import real, sizes

pytestmark = pytest.mark.data


def error(predicted, actual, known):
    """Root mean square error where the value is known."""
    return float(np.sqrt(((predicted - actual)[known] ** 2).mean()))


@pytest.mark.parametrize(
    "name, expected, persistence",
    [
        ("sunspots", (2472, 300, 513), 24.90),
        ("sunspots_zurich", (1980, 240, 600), 19.69),
        ("co2", (1502, 156, 626), 0.526),
        ("airline", (84, 12, 48), 48.04),
    ],
)
def test_series_and_their_yardstick(name, expected, persistence):
    d = real(name)
    assert sizes(d) == expected and d.info.kind == "series" and d.train.y is None
    x = np.concatenate([s.x for _, s in d.splits()])[:, 0].astype(np.float64)
    known = ~d.info.extra["missing"]["test"][:, 0]
    n = len(d.test)
    assert error(x[-n - 1 : -1], x[-n:], known) == pytest.approx(persistence, abs=0.005)
    steps = np.diff(np.concatenate([d.info.extra["times"][p] for p in ("train", "valid", "test")]))
    assert (steps > np.timedelta64(0)).all() and steps.max() <= np.timedelta64(31 * 86400, "s")


def test_series_in_figures():
    airline = real("airline")
    x = np.concatenate([s.x for _, s in airline.splits()])[:, 0]
    assert x[:3].tolist() == [112, 118, 132] and x.sum() == 40_363
    y = x.astype(np.float64)
    assert error(y[-60:-12], y[-48:], slice(None)) == pytest.approx(41.85, abs=0.005)
    product = y[95:-1] * y[84:-12] / y[83:-13]
    assert error(product, y[96:], slice(None)) == pytest.approx(15.62, abs=0.005)
    co2 = real("co2")
    gone = co2.info.extra["missing"]
    assert [int(gone[p].sum()) for p in ("train", "valid", "test")] == [59, 0, 0]
    assert str(co2.info.extra["times"]["test"][0]) == "1990-01-06T00:00:00"
    assert co2.train.x.min() > 310 and co2.test.x.max() < 375  # nothing empty became a zero
    spots = real("sunspots", errors=True)
    assert spots.info.feature_names == ("sunspot number", "standard deviation", "observations")
    unknown = spots.info.extra["missing"]["train"]
    assert unknown.sum(axis=0).tolist() == [0, 828, 828] and spots.train.x.min() >= 0
    assert np.float32(398.2) == max(s.x[:, 0].max() for _, s in spots.splits())
    assert (real("sunspots").test.x == spots.test.x[:, :1]).all()
    zurich = real("sunspots_zurich")
    assert len(zurich.whole()) == 2820


@pytest.mark.parametrize(
    "name, path, where",
    [
        ("jsb_chorales", "jsb-chorales-quarter.json", ("train", "valid", "test")),
        ("airline", "airline-passengers.csv", ()),
        ("co2", "co2.csv", ()),
    ],
)
def test_the_file_read_by_its_path_is_the_set_of_the_catalogue(name, path, where):
    d = real(name)
    own = data.read(Path(d.info.source) / path)
    assert own.info.kind == d.info.kind
    for part in where:
        for a, b in zip(getattr(own, part).x, getattr(d, part).x):
            assert a.dtype == b.dtype and (a == b).all()
    if not where:  # another split, the same values, but for gaps at the ends of a part
        assert len(own.whole()) == len(d.whole())
        assert (own.whole().x == d.whole().x).mean() > 0.99


def test_a_folder_and_a_file_of_sentences_read_by_their_path():
    d = real("rt_polarity")
    own = data.read(d.info.source)
    assert own.info.classes == d.info.classes and len(own.whole()) == 10_662
    decode = own.info.vocabulary.decode
    assert (
        " ".join(decode(own.train.x[0])).strip()
        and np.bincount(own.whole().y).tolist() == [5331] * 2
    )
    questions = data.read(Path(real("trec").info.source) / "TREC.train")
    counts = dict(zip(questions.info.classes, np.bincount(questions.whole().y).tolist()))
    assert counts == {"ENTY": 1250, "HUM": 1223, "DESC": 1162, "NUM": 896, "LOC": 835, "ABBR": 86}


@pytest.mark.slow
def test_imdb():
    d = real("imdb")
    assert sizes(d) == (22_500, 2_500, 25_000) and d.info.kind == "sentences"
    y = np.concatenate([d.train.y, d.valid.y])
    assert np.bincount(y).tolist() == np.bincount(d.test.y).tolist() == [12_500] * 2
    for _, split in d.splits():  # shuffled: the files hold the negative reviews first
        halves = np.array_split(split.y, 2)
        assert abs(halves[0].mean() - halves[1].mean()) < 0.05
    assert "418 texts repeat another, 123 are in both training and test" in d.info.note
    v = d.info.vocabulary
    assert len(v) > 25_000 and v.words[2] == "the" and "br" not in v.words[:200]
    lengths = [len(x) for x in (*d.train.x, *d.valid.x)]
    assert 250 < np.mean(lengths) < 300 and max(lengths) > 2_400  # with marks
