"""Music: NADE by the kernel, by brute force and by drawing; shifting; batches of ragged tunes."""

import itertools

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.data import DataSet, Split, load
from glassgrad.core.training.settings import SettingError
from glassgrad.models.recurrent import music
from glassgrad.models.recurrent.music import Composer, Settings, shifted
from tests.tools import assert_close

KEYS = 5


def made(seed=0, keys=KEYS, **changes):
    s = Settings(**{"hidden": 4, "units": 3, **changes})
    system = Composer(keys, s, gg.Generator(seed), "float64")
    for k, p in enumerate(system.parameters()):  # larger than at the start: strong dependence
        p.assign(np.random.default_rng(k).standard_normal(p.shape))
    return system


def rolls(*lengths, keys=KEYS, seed=0):
    rng = np.random.default_rng(seed)
    return Split([(rng.random((n, keys)) < 0.4).astype(float) for n in lengths])


def test_the_logits_are_those_of_the_nade_kernel_frame_by_frame():
    system, s = made(), gg.Tensor(np.random.default_rng(9).standard_normal((6, 4)))
    f = rolls(6).x[0]
    f[0], f[1] = 0, 1  # nothing sounds, everything does
    found, bias = system.logits(s, f).numpy(), system.bias(s)
    for n in range(6):
        one = gg.nade(gg.Tensor(f[n : n + 1]), system.w, system.start(s)[n], system.v, bias[n])
        assert_close(found[n : n + 1], one.numpy(), rtol=1e-12)


@pytest.mark.parametrize("chords", ["nade", "independent"])
def test_the_frames_that_may_come_next_have_probabilities_that_add_up_to_one(chords):
    system = made(chords=chords)
    s = gg.Tensor(np.random.default_rng(2).standard_normal((1, 4)).repeat(2**KEYS, 0))
    f = np.array(list(itertools.product([0.0, 1.0], repeat=KEYS)))
    nats = music.bernoulli_nll(system.logits(s, f), f).numpy()
    assert np.exp(-nats).sum() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("chords", ["nade", "independent"])
def test_chords_are_drawn_with_their_probabilities(chords):
    """32 frames of 5 keys, 20,000 draws: chi-squared below its 99.9 % point at 31 degrees."""
    system, n = made(chords=chords), 20_000
    row = np.random.default_rng(3).standard_normal((1, 4))
    f = np.array(list(itertools.product([0.0, 1.0], repeat=KEYS)))
    law = music.bernoulli_nll(system.logits(gg.Tensor(row.repeat(32, 0)), f), f).numpy()
    u = gg.Generator(1).uniform((KEYS, n), dtype="float64")
    drawn = system.chord(gg.Tensor(row.repeat(n, 0)), u)
    counts = np.bincount((drawn @ 2 ** np.arange(KEYS)[::-1]).astype(int), minlength=32)
    want = n * np.exp(-law)
    assert ((counts - want) ** 2 / want).sum() < 61.1


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_a_batch_of_tunes_is_the_mean_of_their_frames(cell):
    system, split = made(cell=cell), rolls(4, 1, 7)
    whole = system.batch(split)
    assert len(whole) == 12
    alone = [system.nats(system.batch(split[[k]])).numpy() for k in range(3)]
    assert system.objective(whole).item() == pytest.approx(np.concatenate(alone).mean(), rel=1e-12)
    figures = system.evaluate(split, size=2)
    assert figures["loss"] == pytest.approx(np.concatenate(alone).mean(), rel=1e-12)
    later = np.concatenate([a[1:] for a in alone])
    assert figures["later"] == pytest.approx(later.mean(), rel=1e-12)


def test_a_frame_sees_nothing_of_itself_or_of_later_ones():
    system, one = made(), rolls(6).x[0]
    other = one.copy()
    other[3:] = 1 - other[3:]
    a, b = (system.nats(system.batch(Split([x]))).numpy() for x in (one, other))
    assert np.array_equal(a[:3], b[:3]) and (a[3:] != b[3:]).all()


def test_what_is_composed_goes_on_from_what_is_given_as_the_whole_net_would():
    """The state that is carried from frame to frame is that of one call over all of them."""
    system, given = made(cell="lstm"), rolls(5).x[0]
    found = system.compose(5, gg.Generator(0), tunes=2, given=given)
    assert np.array_equal(found, np.stack([given, given]))
    once = system.compose(9, gg.Generator(4), given=given[:2])[0]
    rng = gg.Generator(4)
    for t in range(2, 9):
        x = np.concatenate([np.zeros((1, KEYS)), once[:t]])[:, None]
        s = system.past(x)[-1]
        assert np.array_equal(system.chord(s, rng.uniform((KEYS, 1)))[0], once[t])


@pytest.mark.parametrize("reach", [1, 3, 50])
def test_reach_leaves_the_loss_and_cuts_the_gradient(reach):
    split = rolls(9, 6)
    found = {}
    for r in (0, reach):
        system = made(reach=r)
        loss = system.objective(system.batch(split))
        found[r] = loss.item(), gg.grad(loss, system.layer.weight_hh_l0).numpy()
    assert found[0][0] == found[reach][0]
    assert np.array_equal(found[0][1], found[reach][1]) == (reach == 50)


def test_shifted_tunes_keep_their_intervals_and_stay_on_the_keyboard():
    roll = np.zeros((2, 6))
    roll[0, [1, 3]] = roll[1, 2] = 1
    assert np.argwhere(shifted(roll, 2)).tolist() == [[0, 3], [0, 5], [1, 4]]
    assert np.argwhere(shifted(roll, -1)).tolist() == [[0, 0], [0, 2], [1, 1]]
    for by in (3, -2, 0):
        assert np.array_equal(shifted(roll, by), roll)
    data = DataSet("r", Split([np.pad(roll, ((0, 0), (9, 9)))] * 40))
    system = made(keys=24, transpose=3)
    lowest = {int(b.y[0, n].argmax()) for b in system.batches(data, 10, 0, 0, 0) for n in range(10)}
    assert lowest == set(range(7, 14))


def test_what_is_no_roll_is_refused():
    for bad in (np.zeros((0, 4)), np.full((2, 4), 0.5), np.zeros(3)):
        with pytest.raises(SettingError, match="music: d: train sequence 1 is no roll"):
            music.build(DataSet("d", Split([np.zeros((1, 4)), bad])), Settings(), gg.Generator(0))
    data = load("cadences", train=2, valid=1, test=1)
    assert music.build(data, Settings(), gg.Generator(0)).bias.weight.shape == (88, 100)
