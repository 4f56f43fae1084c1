"""Batch maps and k-means on rows that stay in a file: a rank reads its own shards, in turn."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models
from glassgrad.core.data import DataSet, Info, Split
from glassgrad.core.data.mapped import Mapped
from glassgrad.core.distributed import OneProcess, using
from glassgrad.core.distributed.tree import block
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from tests.core.distributed.threads import on_ranks

N, SHARDS = 203, 4
SYSTEMS = {
    "som": {"form": "batch", "rows": 3, "columns": 3, "whole": False, "epochs": 3},
    "k-means": {"centres": 3, "restarts": 2, "init": "sample", "epochs": 3},
}


class Recorder(np.ndarray):
    """Rows of a file that notes which of them are read, and how many at a time."""

    notes = None

    def __getitem__(self, rows):
        if self.notes is not None:
            self.notes.append(np.asarray(rows))
        return np.asarray(self)[rows]


def numbers():
    return np.random.default_rng(0).normal(size=(N, 5)).astype(np.float32)


def in_file(notes=None):
    """(the data set, its rows in the order of the training): an eighth of them may be in memory."""
    raw, index = numbers().view(Recorder), np.random.default_rng(1).permutation(N)
    x = Mapped(raw, "rows.npy", 4 * numbers().size // 8, (5,), index=index)
    data = DataSet("rows", Split(x), info=Info(kind="table"))
    raw.notes = notes
    return data, index


def trained(name, world, data, notes=None, **changes):
    """The centres, by recipe as the command line trains them."""
    recipe = models.recipe(name)
    s = recipe.settings(**{"shards": SHARDS, "scale": False, **SYSTEMS[name], **changes})
    with using(world):
        data = recipe.prepare(data, s)
        system = recipe.build(data, s, gg.Generator(0))
        if notes:
            notes.clear()  # each part of a data set is looked through for NaN
        fit(system, data, s)
    return system.w.numpy().tobytes()


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("scale", [False, True])
def test_any_number_of_ranks_leaves_the_bits_of_one_process(name, scale):
    alone = trained(name, OneProcess(), in_file()[0], scale=scale)
    for ranks in (2, 3, 4):
        found = on_ranks(ranks, lambda w: trained(name, w, in_file()[0], scale=scale))
        assert found == [alone] * ranks
    if not scale:  # otherwise means are computed in blocks
        x = numbers()[in_file()[1]]
        whole = DataSet("rows", Split(x), info=Info(kind="table"))
        assert trained(name, OneProcess(), whole) == alone
    assert alone != trained(name, OneProcess(), in_file()[0], scale=scale, shards=3)


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_a_rank_reads_its_own_rows_a_shard_at_a_time(ranks):
    def work(world):
        notes = []
        data, index = in_file(notes)
        trained("som", world, data, notes)
        shards = [index[slice(*block(N, SHARDS, k))] for k in world.shards_of(SHARDS)]
        assert len(notes) == 3 * len(shards), "a read for each shard and epoch"
        for read, own in zip(notes, 3 * shards):
            assert np.array_equal(read, own)
        return len(np.unique(np.concatenate(notes)))

    found = on_ranks(ranks, work)
    assert sum(found) == N and max(found) <= -(-N // ranks) + SHARDS


def test_centres_start_from_a_file_as_from_memory():
    x = numbers()[in_file()[1]]
    whole = DataSet("rows", Split(x), info=Info(kind="table"))
    for init in ("k-means++", "sample", "lecture"):
        a, b = (trained("k-means", OneProcess(), d, init=init) for d in (whole, in_file()[0]))
        assert a == b


def test_figures_and_pictures_of_rows_in_a_file():
    whole = DataSet("rows", Split(numbers()[in_file()[1]]), info=Info(kind="table"))
    for name in SYSTEMS:
        recipe, found = models.recipe(name), []
        s = recipe.settings(shards=SHARDS, scale=False, **SYSTEMS[name])
        for data in (in_file()[0], whole):
            data = recipe.prepare(data, s)
            system = recipe.build(data, s, gg.Generator(0))
            fit(system, data, s)
            found.append(system.evaluate(data.train))
        assert found[0] == pytest.approx(found[1], rel=1e-6)
        pictures = recipe.figures(system, recipe.prepare(in_file()[0], s), s)
        assert pictures.keys() == recipe.figures(system, data, s).keys()


def test_what_cannot_stay_in_a_file_is_said():
    for name in SYSTEMS:
        with pytest.raises(SettingError, match="with shards=S one part in S is in memory"):
            trained(name, OneProcess(), in_file()[0], shards=1)
        with pytest.raises(SettingError, match="stays in its file, in parts: set whole=false"):
            trained(name, OneProcess(), in_file()[0], whole=True)


def test_a_small_file_stays_if_it_is_asked_to(tmp_path):
    np.save(tmp_path / "d.npy", numbers())
    found = gg.data.read(tmp_path / "d.npy", in_file=True)
    whole = gg.data.read(tmp_path / "d.npy")
    assert type(found.train.x) is Mapped and type(whole.train.x) is np.ndarray
    assert gg.data.digest(found) == gg.data.digest(whole)
    assert np.array_equal(found.train.x.part(3, 9).read(), whole.train.x[3:9])
