"""Text CNN: windows and maxima by loops and by PyTorch, a step by hand, order of words learnt."""

import dataclasses

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core import optim
from glassgrad.core.data import DataSet, Info, Split, Vocabulary, load
from glassgrad.core.training.loop import DivergedError, TrainingState, fit
from glassgrad.core.training.settings import SettingError
from glassgrad.models.convolutional import text_cnn, text_cnn_pictures
from tests.tools import assert_close

RECIPE = text_cnn.TEXT_CNN
SMALL = {"size": 4, "widths": (2, 3), "maps": 5}
TEXTS = [np.array(t) for t in ([0, 3, 5, 1, 5, 2], [4], [2, 2], [1, 0, 1])]
Y = np.array([0, 2, 1, 1])


def made(vectors="random", dtype="float64", seed=0, **changes):
    """A small network with weights of every sign."""
    own = {"vectors": vectors, "file": "" if vectors == "random" else "v.bin"}
    s = text_cnn.Settings(**{**SMALL, **own, **changes})
    rng = np.random.default_rng(seed)
    system = text_cnn.TextCnn(rng.standard_normal((6, 4)), 3, s, gg.Generator(seed), dtype)
    for t in system.parameters():
        t.assign((0.5 * rng.standard_normal(t.shape)).astype(dtype))
    return system


def vectors_of(system, text):
    tables = [t.numpy() for t in (system.tuned, system.fixed) if t is not None]
    return np.concatenate([t[text] for t in tables], axis=1)


def by_loops(system, text):
    """(ĉ [F widths], logits [classes]) of one sentence in evaluation, one product after another."""
    v, found = vectors_of(system, text), []
    for layer in system.convolutions:
        w, b = layer.weight.numpy(), layer.bias.numpy()
        h = w.shape[2]
        for f in range(len(w)):
            answers = []
            for first in range(-(h - 1), len(text)):  # every window with a word in it
                taps = [u for u in range(h) if 0 <= first + u < len(text)]
                answers.append(b[f] + sum(w[f, :, u] @ v[first + u] for u in taps))
            found.append(max(0.0, max(answers)))
    w, b = system.output.weight.numpy(), system.output.bias.numpy()
    return np.array(found), (1 - system.s.dropout) * w @ np.array(found) + b


@pytest.mark.parametrize("vectors", ["random", "static", "non-static", "multichannel"])
def test_features_and_logits_are_those_of_the_loops(vectors):
    m = made(vectors).eval()
    logits, features, _ = m.answers(TEXTS)
    for n, text in enumerate(TEXTS):
        c, z = by_loops(m, text)
        assert_close(features[n], c)
        assert_close(logits[n], z)


@pytest.mark.torch
def test_features_and_their_gradients_are_torchs():
    torch = pytest.importorskip("torch")
    m = made().eval()
    table = torch.tensor(m.tuned.numpy(), requires_grad=True)
    layers = [
        [torch.tensor(t.numpy(), requires_grad=True) for t in (c.weight, c.bias)]
        for c in m.convolutions
    ]
    w, b = (torch.tensor(t.numpy(), requires_grad=True) for t in m.output.parameters())
    rows = []
    for text in TEXTS:
        x = table[torch.tensor(text)].T[None]
        pooled = [
            torch.nn.functional.conv1d(x, k, bias, padding=k.shape[2] - 1).relu().amax(dim=2)
            for k, bias in layers
        ]
        rows.append(0.5 * torch.cat(pooled, dim=1) @ w.T + b)
    loss = torch.nn.functional.cross_entropy(torch.cat(rows), torch.tensor(Y))
    loss.backward()
    ours, _ = m.objective(m.batch(Split(TEXTS, Y)))
    ours.backward()
    assert_close(ours.item(), loss.item())
    theirs = [table, *(t for layer in layers for t in layer), w, b]
    assert len(theirs) == len(m.parameters())
    for p, t in zip(m.parameters(), theirs):
        assert_close(p.grad.numpy(), t.grad.numpy())


@pytest.mark.parametrize("vectors", ["random", "static", "multichannel"])
def test_the_objective_passes_the_gradient_check(vectors):
    file = "" if vectors == "random" else "v.bin"
    f, arrays = text_cnn.check(np.random.default_rng(0), vectors=vectors, file=file)
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


def test_what_else_is_in_the_batch_changes_nothing():
    m = made().eval()
    together = m.answers(TEXTS)
    for n, text in enumerate(TEXTS):
        for whole, alone in zip(together, m.answers([text])):
            assert_close(whole[n].astype(float), alone[0].astype(float))


def test_nothing_but_padding_never_wins():
    """Words that every filter dislikes: windows of zeros, which have relu(b), would be larger."""
    m = made().eval()
    m.tuned.assign(np.ones(m.tuned.shape))
    for layer in m.convolutions:
        layer.weight.assign(np.full(layer.weight.shape, -0.1))
        layer.bias.assign(np.ones(layer.bias.shape))
    _, features, windows = m.answers([np.array([1]), np.arange(6)])
    assert_close(features, np.full((2, 10), 1 - 0.1 * 4))  # the window with one word, not with none
    assert (windows[0] == 0).all()


def test_a_sentence_without_words_has_the_biases():
    m = made().eval()
    _, features, _ = m.answers([np.zeros(0, np.int64), TEXTS[0]])
    biases = np.concatenate([layer.bias.numpy() for layer in m.convolutions])
    assert_close(features[0], np.maximum(biases, 0))


@pytest.mark.parametrize("vectors", ["random", "static", "multichannel"])
def test_a_step_is_adadelta_on_the_whole_table_then_short_rows(vectors):
    changes = {"dropout": 0.0, "max_norm": 0.8}
    m, other = made(vectors, **changes), made(vectors, **changes)
    data = DataSet("d", Split(TEXTS, Y))
    state = TrainingState(m, data, dataclasses.replace(m.s, select=""))
    whole = optim.Adadelta(other.parameters(), lr=1.0, rho=0.95)
    lengths = []
    for k in range(6):
        part = Split(TEXTS, Y)[[k % 4, (k + 1) % 4]]
        m.train_step(m.batch(part), state)
        loss, _ = other.objective(other.batch(part))
        loss.backward()
        whole.step()
        optim.max_norm([other.output.weight], 0.8)
        lengths.append(np.linalg.norm(m.output.weight.numpy(), axis=1).max())
    for (name, p), q in zip(m.named_parameters(), other.parameters()):
        assert_close(p.numpy(), q.numpy(), reduction=100, what=name)
    assert max(lengths) == pytest.approx(0.8)
    if m.fixed is not None:
        assert np.array_equal(m.fixed.numpy(), made(vectors).fixed.numpy())


def test_a_diverged_step_reaches_no_weight(monkeypatch):
    data = DataSet("d", Split(TEXTS, Y))
    for where in ("loss", "gradient of the vectors"):
        m = made()
        state = TrainingState(m, data, dataclasses.replace(m.s, select=""))
        if where == "loss":
            m.output.bias.assign(np.array([np.nan, 0, 0]))
        else:  # of the vectors alone
            monkeypatch.setattr(text_cnn.optim, "finite_gradients", lambda some: len(some) > 1)
        before = m.state_dict()
        with pytest.raises(DivergedError, match=where):
            m.train_step(m.batch(data.train), state)
        for name, value in m.state_dict().items():
            assert np.array_equal(value, before[name], equal_nan=True), name


def test_half_of_the_filters_are_dropped_and_none_is_scaled():
    m = made(maps=400)
    m.output.weight.assign(np.eye(3, 800))
    m.output.bias.assign(np.zeros(3))
    batch = m.batch(Split([TEXTS[0]] * 200, np.zeros(200, np.int64)))
    rows, places = m.distinct(batch.x)
    v = m.vectors(rows)
    c = m.features(v, places).numpy()[0, :3]
    logits = m.output(m.drop(m.features(v, places)) * 0.5).numpy()
    for k in np.flatnonzero(c):
        assert set(np.unique(logits[:, k].round(9))) == {0.0, c[k].round(9)}
        assert 0.35 < (logits[:, k] > 0).mean() < 0.65


def test_what_words_add_is_all_of_the_logits():
    for vectors in ("random", "multichannel"):
        m = made(vectors).eval()
        for text in TEXTS:
            shares = m.shares(text)
            assert shares.shape == (len(text) + 1, 3)
            assert_close(shares.sum(axis=0), m.answers([text])[0][0])
    # a word adds what is lost without it, where no other window takes over
    m = made(widths=(2,), maps=1).eval()
    m.tuned.assign(np.eye(6, 4))
    (layer,) = m.convolutions
    layer.weight.assign(np.stack([[2.0, 0, 0, 0], [0, 3.0, 0, 0]], axis=1)[None])
    layer.bias.assign(np.zeros(1))
    added = m.shares(np.array([0, 1, 2]))
    assert_close(added[:3], 0.5 * np.outer([2, 3, 0], m.output.weight.numpy()[:, 0]))


# ------------------------------------------------------------------------------ learning


def orders(n=400, seed=0):
    """Texts of noise with "a b" (class 1) or "b a" (class 0) somewhere: a bag is no help."""
    rng = np.random.default_rng(seed)
    words = Vocabulary(("<pad>", "<unk>", "a", "b", *"cdefgh"))
    y, x = rng.integers(0, 2, n), []
    for k in y:
        noise = rng.integers(4, 10, rng.integers(1, 9))
        at = rng.integers(0, len(noise) + 1)
        x.append(np.concatenate([noise[:at], [2, 3] if k else [3, 2], noise[at:]]))
    info = Info("me", ("no", "yes"), vocabulary=words, kind="sentences")
    return DataSet("d", *(Split(x, y)[a:b] for a, b in ((0, 250), (250, 300), (300, 400))), info)


def trained(data, **changes):
    s = RECIPE.settings(**{"size": 8, "maps": 6, "epochs": 8, "batch": 10, **changes})
    data = RECIPE.prepare(data, s)
    m = RECIPE.build(data, s, gg.Generator(s.seed))
    fit(m, data, s)
    return m, data, s


def test_the_order_of_words_is_learnt_by_filters_of_two_words_not_of_one():
    accuracy = {}
    for width in (1, 2):
        m, data, _ = trained(orders(), widths=(width,))
        accuracy[width] = m.evaluate(data.test, size=7)["accuracy"]
    assert accuracy[2] > 0.97 and accuracy[1] < 0.7


def test_figures_do_not_depend_on_the_size_of_a_batch():
    m, data, _ = trained(orders(), epochs=1)
    one, other = m.evaluate(data.test, size=3), m.evaluate(data.test)
    assert one == pytest.approx(other, rel=1e-5)
    guess = m.answers(data.test.x)[0].argmax(axis=1)
    assert one["accuracy"] == pytest.approx((guess == data.test.y).mean())


def test_the_pictures_are_drawn():
    m, data, s = trained(orders(), epochs=2)
    assert set(text_cnn_pictures.figures(m, data, s)) == {"ngrams", "reasons", "confusion"}


def test_the_phrases_of_a_filter_are_the_windows_that_fire_it_most():
    m = made(widths=(2,), maps=1).eval()
    m.tuned.assign(np.eye(6, 4))
    (layer,) = m.convolutions
    layer.weight.assign(np.stack([[2.0, 0, 0, 0], [0, 3.0, 0, 0]], axis=1)[None])
    layer.bias.assign(np.zeros(1))
    texts = [np.array(t) for t in ([5, 0, 1, 5], [0, 1], [1, 4], [5, 4])]
    _, features, windows = m.answers(texts)
    found = text_cnn_pictures.fired(texts, features, windows, 0, 2)
    assert found == [(0, 1), (1,)]  # each phrase once; where nothing fires there is none


def test_what_cannot_be_trained_is_refused():
    data = orders()
    bare = DataSet("bare", Split(data.train.x), info=data.info)
    with pytest.raises(SettingError, match="bare has no class labels"):
        RECIPE.prepare(bare, RECIPE.settings())
    for change, said in (
        ({"optimiser": "sgd"}, "no effect on text-cnn"),
        ({"clip": 1.0}, "no effect on text-cnn"),
        ({"file": "v.bin"}, "no effect with vectors=random"),
        ({"vectors": "static"}, "vectors=static needs file="),
        ({"vectors": "static", "file": "v.bin", "size": 9}, "no effect with vectors=static"),
        ({"cross": True, "seed": 10}, "folds 0 to 9"),
    ):
        with pytest.raises(SettingError, match=said):
            RECIPE.resolve("trec", change)


def test_texts_of_ones_own_load_by_their_path_and_new_ones_are_evaluated(tmp_path):
    lines = [f"__label__{k} {'very good' if k == 'yes' else 'good very'} w{i % 7}"
             for i in range(60) for k in ("yes", "no")]  # fmt: skip
    (tmp_path / "own.txt").write_text("\n".join(lines))
    (tmp_path / "new.txt").write_text("__label__yes w1 very good\n__label__no good very\n" * 3)
    few = {"size": 8, "maps": 6, "epochs": 6, "batch": 5}
    done, _ = training.train_and_write(
        RECIPE, tmp_path / "own.txt", overrides=few, out=tmp_path / "runs"
    )
    assert done.test_figures["accuracy"] == 1
    from glassgrad.evaluation import evaluate

    found = evaluate(done.run.folder, tmp_path / "new.txt")
    assert found.examples == 6 and found.figures["accuracy"] == 1


def test_a_training_that_was_stopped_ends_with_the_same_weights(tmp_path):
    data = orders()
    few = {"size": 4, "maps": 3, "widths": (2,), "batch": 40, "select": ""}
    whole = training.train(RECIPE, data, overrides={**few, "epochs": 3}).system.state_dict()
    begun = training.train(RECIPE, data, overrides={**few, "epochs": 1}, out=tmp_path / "runs")
    again = training.train(RECIPE, data, overrides={**few, "epochs": 3}, run=begun.run, resume=True)
    for name, value in again.system.state_dict().items():
        assert np.array_equal(value, whole[name]), name


def test_every_sentence_is_in_the_test_of_one_fold():
    data, seen = load("enwiki_or_shakespeare"), []
    for seed in range(10):
        s = models.recipe("text-cnn").settings(cross=True, seed=seed)
        parts = RECIPE.prepare(data, s)
        assert [len(p) for _, p in parts.splits()][1] == len(parts.train) // 9
        assert abs(parts.test.y.mean() - 0.5) < 0.01
        seen += [x.tobytes() for x in parts.test.x]
    assert sorted(seen) == sorted(x.tobytes() for x in data.whole().x)
