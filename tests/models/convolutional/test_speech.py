"""Recordings of different lengths through a net: each as if alone, changes, speakers, pictures."""

import dataclasses

import numpy as np
import pytest
import scipy.signal

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataSet, Info, Split, available, load, spectrogram
from glassgrad.core.nn import BatchNorm
from glassgrad.core.training.settings import SettingError
from glassgrad.models.convolutional import recordings, speech, speech_pictures
from glassgrad.models.convolutional.frame_norm import FrameNorm
from tests.tools import assert_close

RECIPE = models.recipe("speech")
RNG = np.random.default_rng(4)
CLIPS = [RNG.standard_normal(n) for n in (60, 200, 17, 131)]  # 7, 25, 1 and 16 frames
Y = np.array([0, 2, 1, 2])


def net(clips=CLIPS, **changes) -> speech.Speech:
    small = {"front": "spectrogram", "window": 1.25, "hop": 1.0, "channels": (3, 4), "segments": 2}
    s = speech.Settings(**{**small, "dropout": 0.0, **changes})
    return speech.Speech(clips, 8000, 3, s, gg.Generator(1), dtype="float64").eval()


@pytest.fixture(scope="module")
def trained():
    changes = {"epochs": 2, "channels": (8, 8), "speed": 0.1, "shift": 10.0, "hide_frames": 3}
    return training.train(RECIPE, "fsdd_piece", overrides=changes)


# ------------------------------------------------------------------------- recordings, frames


def test_a_faster_recording_is_the_resampled_one():
    for n, factor in ((100, 1.25), (101, 0.9), (64, 1.0), (77, 1.5)):
        x = np.random.default_rng(n).standard_normal(n)
        want = scipy.signal.resample(x, round(n / factor))
        got = recordings.faster(x, factor)
        if len(got) % 2 or len(got) > n:  # the two differ in the one frequency at half the rate
            assert_close(got, want, 1e-9)
        assert len(got) == len(want) and abs(got - want).max() < 0.5


def test_a_louder_recording_has_larger_energies_and_a_later_one_the_same_later():
    rng = np.random.default_rng(0)
    s = speech.Settings(gain=6.0, shift=20.0, hop=10.0)
    clip, u = rng.standard_normal(2000), np.array([0.5, 0.5, 1.0, 0, 0, 0, 0])
    plain = recordings.heard(clip, 8000, s)
    louder = recordings.heard(clip, 8000, s, u)
    assert_close(louder, plain + np.float32(np.log(10 ** (6 / 10))), 1e-4)
    later = recordings.heard(clip, 8000, s, np.array([0.5, 0.75, 0.5, 0, 0, 0, 0]))  # 10 ms
    assert_close(later[4:] - later[4:].mean(), plain[3:-1] - plain[3:-1].mean(), 0.1)
    assert np.array_equal(recordings.moved(clip, -5000), np.zeros(2000))


def test_slopes_are_numbers_of_their_own():
    m = net(slopes=True, dimensions=1)
    plain = recordings.frames(CLIPS[1], 8000, dataclasses.replace(m.s, slopes=False))
    found = recordings.frames(CLIPS[1], 8000, m.s)
    assert_close(found, np.concatenate([plain, spectrogram.slopes(plain)], axis=1))
    assert m.convolutions[0].weight.shape[1] == 2 * plain.shape[1]
    with pytest.raises(SettingError, match="'slopes' has no effect with dimensions=2"):
        RECIPE.resolve("fsdd", {"slopes": True, "dimensions": 2})


def test_what_is_hidden_is_of_every_size_and_at_every_place():
    sizes, places = set(), set()
    for u in np.random.default_rng(1).random((500, 4)):
        x = np.ones((6, 5))
        recordings.hide(x, 2, 3, u)
        frames, bands = (x == 0).all(axis=1), (x == 0).all(axis=0)
        assert np.array_equal(x == 0, frames[:, None] | bands)
        sizes.add((frames.sum(), bands.sum()))
        places |= {("frame", i) for i in np.flatnonzero(frames)}
        places |= {("band", i) for i in np.flatnonzero(bands)}
    assert sizes == {(i, j) for i in range(3) for j in range(4)}
    assert len(places) == 6 + 5
    x = np.ones((1, 3))
    recordings.hide(x, 9, 0, np.full(4, 0.99))
    assert x.all()  # something is left


def test_segments_are_means_over_equal_stretches_of_time():
    """By sums over a thousand points of each part, in the middle of their stretches."""
    lengths = np.array([1, 2, 5, 7])
    weights = recordings.overlaps(lengths, 3, 8)
    values = np.random.default_rng(0).standard_normal(8)
    for n, w in zip(lengths, weights):
        for j in range(3):
            t = (j + (np.arange(9000) + 0.5) / 9000) * n / 3
            assert (values @ w)[j] == pytest.approx(values[t.astype(int)].mean(), abs=1e-3)
    assert_close(weights.sum(axis=1), np.ones((4, 3)))
    assert not weights[2, 5:].any()


def test_frames_are_standardised_and_centred():
    clips = load("fsdd_piece").train.x[:40]
    for centre in (False, True):
        m = net(clips, front="mfcc", window=32.0, hop=10.0, bands=20, centre=centre)
        found = [m.frames(c) for c in clips]
        rows = np.concatenate(found)
        assert rows.shape[1] == 13
        assert abs(rows.mean(axis=0)).max() < 1e-4 and abs(rows.std(axis=0) - 1).max() < 1e-4
        assert centre == (max(abs(x.mean(axis=0)).max() for x in found) < 1e-4)


# ---------------------------------------------------------------------------------- the net


def alone(m: speech.Speech, clip) -> np.ndarray:
    """The logits of one recording by PyTorch, without padding or mask: the oracle."""
    torch = pytest.importorskip("torch")
    s, p = m.s, {k: torch.tensor(v) for k, v in m.state_dict().items()}
    h = torch.tensor(np.asarray(m.frames(clip), np.float64).T)  # [F, T]
    h = h[None, :, None] if s.dimensions == 1 else h[None, None]
    pool = (1, 2) if s.dimensions == 1 else (2, 2)
    for i in range(len(s.channels)):
        w = p[f"convolutions.{i}.weight"]
        padding = tuple(k // 2 for k in w.shape[2:])
        h = torch.conv2d(h, w, p.get(f"convolutions.{i}.bias"), padding=padding)
        if s.batch_norm:
            name = f"norms.{i}"
            h = torch.nn.functional.batch_norm(
                h, p[f"{name}.running_mean"], p[f"{name}.running_var"],
                p[f"{name}.weight"], p[f"{name}.bias"],
            )  # fmt: skip
        h = torch.relu(h)
        if s.dimensions == 2 and h.shape[2] % 2:
            h = h[:, :, :-1]
        h = torch.nn.functional.max_pool2d(h, pool, ceil_mode=True)
    h = h[0].flatten(0, 1).numpy()  # [C F, T]
    weights = recordings.overlaps(np.array([h.shape[1]]), s.segments, h.shape[1])[0]
    return (h @ weights).ravel() @ p["head.weight"].numpy().T + p["head.bias"].numpy()


def strange(m: speech.Speech) -> speech.Speech:
    """The net with other statistics and scales than those that it starts with."""
    rng = np.random.default_rng(5)
    state = m.state_dict()
    for name, value in state.items():
        if name.startswith("norms.") and value.ndim:
            state[name] = rng.uniform(0.5, 1.5, value.shape)
    m.load_state_dict(state)
    return m


@pytest.mark.torch
@pytest.mark.parametrize("dimensions", [1, 2])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_each_recording_is_heard_as_if_it_were_alone(dimensions, batch_norm):
    m = strange(net(dimensions=dimensions, batch_norm=batch_norm, segments=3))
    wanted = np.array([alone(m, clip) for clip in CLIPS])
    batch = m.batch(CLIPS)
    assert_close(m(batch.x, batch.mask).numpy(), wanted, 1e-9)
    for size in (1, 3, 100):
        assert_close(m.logits(CLIPS, size), wanted.astype(np.float32), 1e-5)
    q = np.exp(wanted) / np.exp(wanted).sum(axis=1, keepdims=True)
    loss, extra = m.objective(m.batch(CLIPS, Y))
    assert loss.item() == pytest.approx(-np.log(q[np.arange(4), Y]).mean(), rel=1e-9)
    assert extra["accuracy"] == (wanted.argmax(axis=1) == Y).mean()
    figures = m.evaluate(Split(CLIPS, Y))
    assert figures["loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert figures["accuracy"] == extra["accuracy"]


def test_batch_normalisation_counts_the_frames_that_exist():
    """Next to BatchNorm on those frames alone, in a row."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 2, 4, 5)) + 1
    there = np.arange(5) < np.array([5, 2, 3])[:, None]
    ours, theirs = FrameNorm(2, dtype="float64"), BatchNorm(2, dtype="float64")
    for norm in (ours, theirs):
        norm.weight.assign(np.array([0.5, 2.0]))
        norm.bias.assign(np.array([1.0, -1.0]))
    rows = x.transpose(0, 3, 1, 2)[there]  # [10, C, F]
    for _ in ("training", "evaluation"):
        y = ours(gg.tensor(x), there[:, None, None].astype(float)).numpy().transpose(0, 3, 1, 2)
        assert_close(y[there], theirs(gg.tensor(rows)).numpy(), 1e-10)
        assert not y[~there].any()
        assert_close(ours.running_mean.numpy(), theirs.running_mean.numpy(), 1e-12)
        assert_close(ours.running_var.numpy(), theirs.running_var.numpy(), 1e-12)
        ours.eval()
        theirs.eval()
    ours.train()
    with pytest.raises(gg.GlassgradError, match="FrameNorm: a map needs at least two values"):
        ours(gg.zeros((1, 2, 1, 3)), np.array([1.0, 0, 0])[None, None, None])


@pytest.mark.parametrize(
    "changes",
    [{}, {"dimensions": 1}, {"batch_norm": False, "segments": 1}, {"dropout": 0.3}],
    ids=str,
)
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = speech.check(np.random.default_rng(0), **changes)
    report = gg.gradcheck(f, *arrays, order=2, directions=3)
    assert report.error < 1e-5 and report.piecewise


def test_changes_belong_to_seed_epoch_and_recording():
    data = load("fsdd_piece")
    s = {"speed": 0.1, "shift": 10.0, "gain": 3.0, "hide_frames": 4, "hide_bands": 4}
    m = speech.build(data, RECIPE.resolve("fsdd_piece", {**s, "channels": (2,)}), gg.Generator(0))

    def by_recording(size, epoch):
        """The frames of each recording, found by its class and length: there is nothing else."""
        found = {}
        for b in m.batches(data, size, 3, epoch, 0):
            for n, k in enumerate(b.mask.sum(axis=0).astype(int)):
                found.setdefault((int(b.y[n]), k), []).append(b.x[:k, n].sum())
        return {k: sorted(v) for k, v in found.items()}

    one, other = by_recording(20, 1), by_recording(50, 1)
    assert one.keys() == other.keys()
    assert all(np.allclose(one[k], other[k], rtol=1e-5, atol=1e-4) for k in one)
    assert one.keys() != by_recording(20, 2).keys()
    whole = list(m.batches(data, 20, 3, 1, 0))
    rest = list(m.batches(data, 20, 3, 1, 7))
    assert len(whole) == 9 and len(rest) == 2
    assert all(np.array_equal(a.x, b.x) for a, b in zip(rest, whole[7:]))
    assert np.mean([b.mask.mean() for b in whole]) > 0.75  # little of it is padding


# ------------------------------------------------------------------------ settings and data


def test_one_speaker_left_out():
    data = load("fsdd_piece")
    for k in (0, 5):
        found = speech.prepare(data, speech.Settings(cross=True, seed=k))
        assert [len(split) for _, split in found.splits()] == [250, 50]
        mine = [
            x for part, split in data.splits()
            for x, who in zip(split.x, data.info.extra["speaker"][part]) if who == k
        ]  # fmt: skip
        assert {x.tobytes() for x in mine} == {x.tobytes() for x in found.test.x}
        assert not {x.tobytes() for x in mine} & {x.tobytes() for x in found.train.x}
    assert speech.prepare(data, speech.Settings()) is data
    with pytest.raises(SettingError, match="fsdd_piece has 6"):
        speech.prepare(data, speech.Settings(cross=True, seed=6))
    with pytest.raises(SettingError, match="tones has 0"):
        speech.prepare(load("tones", train=3, valid=0, test=0), speech.Settings(cross=True))


@pytest.mark.data
def test_a_speaker_is_left_out_by_the_reader_too():
    if available("fsdd") is None:
        pytest.skip("the file fsdd.npz is not on this machine")
    read, cross = load("fsdd", speaker="lucas"), load("fsdd")
    cross = speech.prepare(cross, speech.Settings(cross=True, seed=2))
    assert {x.tobytes() for x in read.test.x} == {x.tobytes() for x in cross.test.x}
    assert len(cross.train) == 2500 == len(read.train) + len(read.valid)


def test_bad_settings_and_data_are_refused():
    for changes, message in (
        ({"kernel": 4}, "kernel must be odd; got 4"),
        ({"dimensions": 3}, "'dimensions' must be below 3"),
        ({"front": "mel"}, "'front' must be '"),
        ({"channels": ()}, "a list of at least one"),
    ):
        with pytest.raises(SettingError, match=message):
            net(**changes)
    with pytest.raises(SettingError, match="4 poolings are too many for 6 numbers a frame"):
        net(dimensions=2, channels=(2, 2, 2, 2))
    for changes in ({"coefficients": 5}, {"front": "spectrogram", "bands": 5}):
        with pytest.raises(SettingError, match="has no effect with front="):
            RECIPE.resolve("fsdd", changes)
    data = DataSet("mine", Split(CLIPS), info=Info(kind="audio", extra={"sample_rate": 8000}))
    with pytest.raises(SettingError, match="speech: mine has no class labels"):
        speech.build(data, speech.Settings(), gg.Generator(0))


# --------------------------------------------------------------------------------- pictures


def test_what_decides_is_a_finite_difference_and_a_covered_window():
    m = net(window=4.0, batch_norm=False)
    x = np.asarray(m.frames(CLIPS[1]), np.float64)
    got = speech_pictures.contributions(m, x, 2)
    for t, f in ((0, 3), (9, 0), (18, 16)):
        step = np.zeros_like(x)
        step[t, f] = 1e-5
        up, down = (speech_pictures.forward(m, [x + sign * step])[0, 2] for sign in (1, -1))
        assert got[t, f] == pytest.approx(x[t, f] * (up - down) / 2e-5, rel=1e-5, abs=1e-9)
    x = x[:8, :8]
    m = net([np.zeros(60)], front="log-mel", bands=8, window=8.0, batch_norm=False)
    got, total, count = speech_pictures.occlusion(m, x, 1), np.zeros((8, 8)), np.zeros((8, 8))

    def p(a):
        z = np.exp(speech_pictures.forward(m, [a])[0])
        return z[1] / z.sum()

    for i, j in np.ndindex(8, 7):  # windows of 1 frame and 2 bands
        other = x.copy()
        other[i, j : j + 2] = 0
        total[i, j : j + 2] += p(x) - p(other)
        count[i, j : j + 2] += 1
    assert_close(got, total / count, 1e-9)


@pytest.mark.parametrize("dimensions", [1, 2])
def test_what_a_kernel_sees_is_what_it_is_convolved_with(dimensions):
    m = net(dimensions=dimensions, batch_norm=False, kernel=3)
    x = np.asarray(m.frames(CLIPS[1]), np.float64)
    seen = speech_pictures.windows(m, x)
    w = m.convolutions[0].weight.numpy().reshape(3, -1)
    found = seen.reshape(len(seen), -1) @ w.T + m.convolutions[0].bias.numpy()
    y = m.convolutions[0](gg.expand_dims(gg.tensor(x.T[None]), 2 if dimensions == 1 else 1))
    assert_close(found, y.numpy()[0].reshape(3, -1).T, 1e-9)
    clip = np.r_[np.zeros(300), RNG.standard_normal(300)]  # half of it is silent
    some = speech_pictures.loud(net([clip], dimensions=dimensions, window=1.0), [clip])
    rows = 1 if dimensions == 1 else 5
    assert 35 * rows < len(some) < 39 * rows and some[:, some.shape[1] // 2, 1].mean() > 0.3
    w = np.array([[[1.0, 0.0]], [[0.0, -1.0]]])
    seen = np.random.default_rng(0).standard_normal((200, 1, 2))
    response, mean = speech_pictures.strongest(w, seen)
    assert response[0] == pytest.approx(np.sort(seen[:, 0, 0])[-30:].mean())
    assert mean[1, 0, 1] == pytest.approx(np.sort(seen[:, 0, 1])[:30].mean())


def test_state_travels_and_figures_are_drawn(trained):
    from matplotlib.figure import Figure

    other = RECIPE.build(trained.data, trained.settings, gg.Generator(9)).eval()
    x = trained.data.test.x[:5]
    assert not np.allclose(other.logits(x), trained.system.logits(x), atol=1e-3)
    other.load_state_dict(trained.system.state_dict())
    assert np.array_equal(other.logits(x), trained.system.logits(x))
    made = RECIPE.figures(trained.system, trained.data, trained.settings)
    assert set(made) == {"answers", "reasons", "filters", "confusion"}
    assert all(isinstance(f, Figure) for f in made.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"front": "mfcc", "slopes": True},
        {"slopes": True},
        {"front": "spectrogram", "dimensions": 2},
    ],
    ids=str,
)
def test_other_fronts_are_trained_and_drawn(changes):
    data = load("tones", train=30, valid=0, test=9)
    changes = {"epochs": 1, "channels": (2,), **changes}
    done = training.train(RECIPE, data, overrides=changes)
    assert np.isfinite(done.test_figures["loss"])
    assert len(RECIPE.figures(done.system, done.data, done.settings)) == 4


def test_a_folder_of_wav_files(tmp_path):
    import wave

    data = load("tones", train=12, valid=3, test=3)
    for i, (x, y) in enumerate(zip(data.train.x, data.train.y)):
        path = tmp_path / data.info.classes[y]
        path.mkdir(exist_ok=True)
        with wave.open(str(path / f"{i}.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes((x * 32767).astype("<i2").tobytes())
    done = training.train(RECIPE, tmp_path, overrides={"epochs": 1, "channels": (2,)})
    assert done.system.rate == 16000 and len(done.system.frames(data.train.x[0])[0]) == 32
    assert 0 <= done.test_figures["accuracy"] <= 1
    assert dataclasses.asdict(done.settings)["front"] == "log-mel"
