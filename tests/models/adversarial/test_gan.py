"""The adversarial net: objectives by hand, who moves when, several steps, the shipped settings."""

from functools import partial

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import training
from glassgrad.core.data import DataSet, Info, Split
from glassgrad.core.training.loop import TrainingState
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.adversarial import game_pictures, gan, judging
from glassgrad.models.adversarial.judging import Classifier

X = np.random.default_rng(0).random((12, 1, 2, 2))
Y = np.arange(12) % 3
IMAGES = DataSet("small", Split(X, Y), Split(X, Y), Split(X, Y))
LOSSES = ("minimax", "non-saturating", "product")


def small(data=IMAGES, **changes):
    few = {"noise": 3, "generator": (5,), "discriminator": (4,), "samples": 50, **changes}
    return gan.GAN(data, gan.Settings(**few), gg.Generator(1), dtype="float64")


def sigma(a):
    return 1 / (1 + np.exp(-a))


def net(module, a, slope):
    """A perceptron by hand: linear layers with a (leaky) ReLU between."""
    layers = [m for m in module if hasattr(m, "weight")]
    for i, layer in enumerate(layers):
        a = a @ layer.weight.numpy().T + layer.bias.numpy()
        a = np.where(a > 0, a, slope * a) if i < len(layers) - 1 else a
    return a


@pytest.mark.parametrize("loss", LOSSES)
def test_the_objectives_are_the_equations(loss):
    m = small(loss=loss)
    x, draws = X.reshape(12, 4), gg.Generator(*m.draws.state)

    def d(rows):
        return sigma(net(m.discriminator, rows, 0.2))

    first = d(sigma(net(m.generator, draws.normal((12, 3), "float64"), 0)))
    then = d(sigma(net(m.generator, draws.normal((12, 3), "float64"), 0)))
    told_apart = -(np.log(d(x)) + np.log(1 - first)).mean()
    want = {
        "minimax": (told_apart, np.log(1 - then).mean()),
        "non-saturating": (told_apart, -np.log(then).mean()),
        "product": (-(d(x) * (1 - first)).mean(), -then.mean()),
    }[loss]
    found, others = m.objective(Batch(X, Y))
    assert found.item() == pytest.approx(want[0], rel=1e-12)
    assert others["deception"].item() == pytest.approx(want[1], rel=1e-12)
    assert float(others["d_real"]) == pytest.approx(d(x).mean(), rel=1e-12)
    assert float(others["d_fake"]) == pytest.approx(first.mean(), rel=1e-12)


@pytest.mark.parametrize("phase", ["discrimination", "deception"])
def test_a_phase_changes_only_its_own_network(phase):
    m = small(generator_norm=True)
    own = {"discrimination": "discriminator", "deception": "generator"}[phase]
    keep = [p for p in m.phases(m.s) if p.name == phase]
    m.phases = lambda settings: keep
    state = TrainingState(m, IMAGES, m.s)
    before = {n: p.numpy().copy() for n, p in m.named_parameters()}
    m.train_step(Batch(X, Y), state)
    moved = {n for n, p in m.named_parameters() if not np.array_equal(p.numpy(), before[n])}
    assert moved and {n.split(".")[0] for n in moved} == {own}


def test_several_steps_see_parts_of_the_minibatch():
    """With steps=3 and batch=2 a minibatch has 6 images, D gets 2 at a time, G 2 new samples."""
    m, seen = small(steps=3, batch=2), []
    found = list(m.batches(IMAGES, 2, 0, 0, 0))
    assert [len(b) for b in found] == [6, 6] and m.batches_per_epoch(IMAGES, 2) == 2
    judge = m.judge
    m.judge = lambda x: seen.append(len(x)) or judge(x)
    m.train_step(m.on_device(found[0]), TrainingState(m, IMAGES, m.s))
    assert seen == [2, 2] * 3 + [2]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    "changes",
    [{}, {"generator_norm": True, "discriminator_norm": True, "discriminator_dropout": 0.3}],
)
def test_the_gradient_of_both_objectives(loss, changes):
    f, arrays = gan.check(np.random.default_rng(0), loss=loss, **changes)
    order = 1 if changes else 2
    for which in range(2):
        report = gg.gradcheck(lambda *p, i=which: f(*p)[i], *arrays, order=order, directions=2)
        assert report.error < 5e-6 and not report.zero


def test_tables_are_seen_in_their_own_units():
    x = np.random.default_rng(1).standard_normal((200, 2)) * [0.01, 1000] + [5, -1e4]
    table = DataSet("table", Split(x))
    m = small(table)
    made = m.drawn(400)
    assert np.abs((made.mean(axis=0) - x.mean(axis=0)) / x.std(axis=0)).max() < 1
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    want = net(m.discriminator, scaled, 0.2)
    np.testing.assert_allclose(m.judge(gg.Tensor(x)).numpy(), want, rtol=1e-9)


def test_binary_rows_and_images_end_in_a_sigmoid():
    rows = DataSet("rows", Split((X.reshape(12, 4) > 0.5) * 1.0), info=Info(kind="binary"))
    for data in (rows, IMAGES):
        made = small(data).drawn(30)
        assert made.min() > 0 and made.max() < 1 and made.shape == (30, 4)


def test_figures_and_pictures(monkeypatch):
    monkeypatch.setattr(judging, "Classifier", partial(Classifier, steps=30))
    monkeypatch.setattr(game_pictures, "MOMENTS", (0, 1, 5))
    m = small()
    found = m.evaluate_finished(IMAGES.test)
    assert set(found) == {
        "neighbours", "sliced_w1", "entropy", "confidence", "parzen", "parzen_error",
    }  # fmt: skip
    assert found == m.evaluate_finished(IMAGES.test), "the same noise each time"
    assert set(m.evaluate(IMAGES.valid)) == set(found) - {"parzen", "parzen_error"}
    made = game_pictures.figures(m, IMAGES, m.s)
    assert set(made) == {"samples", "slopes", "vanishing", "balance"}
    points = DataSet("points", Split(np.random.default_rng(0).standard_normal((30, 2))))
    assert "points" in game_pictures.figures(small(points), points, m.s)


@pytest.mark.parametrize("columns", [1, 2])
def test_samples_of_a_table_are_drawn_from_their_seed(columns):
    x = np.random.default_rng(0).standard_normal((30, columns))
    table = DataSet("table", Split(x))
    m = small(table)

    def drawn(seed):
        ax = game_pictures.sample(m, table, 20, gg.Generator(seed)).axes[0]
        if columns == 1:
            return [bar.get_height() for bar in ax.patches]
        return np.concatenate([line.get_ydata() for line in ax.lines]).tolist()

    assert drawn(1) == drawn(1) != drawn(2)


def test_a_good_discriminator_leaves_the_lectures_game_no_gradient():
    """K4 155: D learns alone, and two of the three losses leave a small part of the gradient."""
    data = training.load_data(gan.ON_A_RING, "ring", gan.ON_A_RING.resolve())
    s = gan.Settings(noise=2, generator=(16,), discriminator=(32, 32))
    norms = game_pictures.gradient_norms(gan.GAN(data, s, gg.Generator(0)), data)
    assert norms["d_fake"][0] > 0.3 and norms["d_fake"][-1] < 0.05
    left = {k: np.divide(norms[k], norms["non-saturating"]) for k in ("minimax", "product")}
    assert left["minimax"][0] == pytest.approx(1, abs=0.2) and left["minimax"][-1] < 0.15
    assert left["product"][0] == pytest.approx(0.5, abs=0.1) and left["product"][-1] < 0.1


def test_bad_settings_are_refused():
    for name, value, text in (
        ("loss", "minmax", "must be 'minimax', 'non-saturating' or 'product'"),
        ("discriminator_dropout", 1.0, "must be below 1"),
        ("steps", 0, "must be at least 1"),
    ):
        with pytest.raises(SettingError, match=text):
            gan.MINIMAX.resolve("digits", {name: value})
    with pytest.raises(SettingError, match="'steps' must be at most 12, the training samples"):
        small(steps=40)


@pytest.mark.slow
def test_the_product_form_fails_on_the_ring_and_its_switch_mends_it():
    """Three seeds reach 0 or 1 mode, with 0 to 21 % of the samples; minimax has 8, and 73 to 84 %.

    How products are rounded decides which modes a game finds: 3 were seen with another BLAS.
    """
    found = training.train(gan.ON_A_RING, overrides={"loss": "product"}).test_figures
    assert found["modes"] <= 4 and found["quality"] < 0.3
    assert gan.ON_A_RING.resolve("ring").loss == "minimax"  # judged in test_defaults.py


@pytest.mark.slow
def test_a_fast_generator_collapses_on_the_ring():
    """A fitted normal reaches no mode. The default reaches 8 (above); fast: 1, 0, 1."""
    fast = {"epochs": 15, "lr": 0.02, "discriminator_lr": 1e-4}
    collapsed = training.train(gan.ON_A_RING, overrides=fast).test_figures
    assert collapsed["modes"] <= 3


@pytest.mark.slow
def test_the_product_form_makes_some_digits_only_and_its_switch_mends_it():
    """Entropies of 1.56 to 1.91 on two machines. The switch makes it `gan`, 2.25 to 2.28."""
    found = training.train(gan.PRODUCT, overrides={"samples": 2000}).test_figures
    assert found["entropy"] < 2.0
    mended = gan.PRODUCT.resolve("digits", {"loss": "minimax", "discriminator_lr": 1e-3})
    assert vars(mended) == vars(gan.MINIMAX.resolve("digits"))
