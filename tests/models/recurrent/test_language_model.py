"""Language model: against PyTorch, windows, resumption, temperature, pictures of text."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models
from glassgrad.core.data import DataSet, Info, Split, Vocabulary, load
from glassgrad.core.training.loop import Silent, fit
from glassgrad.core.training.run_folder import Run
from glassgrad.core.training.settings import SettingError
from glassgrad.models.recurrent import language_model, language_pictures
from glassgrad.models.recurrent.language_model import LanguageModel, Settings, prepare
from tests.tools import assert_close

RECIPE = models.recipe("language-model")


def text(n=402, words="abcd"):
    """ab then c or d, again and again: ln 2 / 3 = 0.23 nats for each symbol."""
    tokens = np.tile([0, 1, 2], n // 3)
    tokens[2::3] += np.random.default_rng(0).integers(0, 2, n // 3)
    part = Split(tokens)
    return DataSet("text", part, part, part, Info(vocabulary=Vocabulary(tuple(words)), kind="text"))


def made(dtype="float64", **changes):
    s = Settings(**{"hidden": 5, "embed": 3, "batch": 4, "steps": 10, **changes})
    return LanguageModel(text().info.vocabulary, s, gg.Generator(1), dtype)


def test_two_levels_in_windows_are_those_of_pytorch():
    """Losses and gradients of two windows, the second of which goes on from the first."""
    torch = pytest.importorskip("torch")
    m = made(layers=2).train()
    state = m.state_dict()
    theirs = torch.nn.LSTM(3, 5, 2).double()
    given = dict(theirs.named_parameters())
    for name, p in given.items():
        own = state.get(f"layer.{name}")
        p.data = torch.zeros_like(p) if own is None else torch.tensor(own)
    table, w, b = (
        torch.tensor(state[k], requires_grad=True)
        for k in ("embedding.weight", "output.weight", "output.bias")
    )
    carried = None
    for batch, _ in zip(m.batches(text(), 4, 0, 0, 0), range(2)):
        loss = m.objective(batch)
        ours = gg.grad(loss, m.parameters())
        hs, carried = theirs(table[torch.tensor(batch.x)], carried)
        carried = tuple(c.detach() for c in carried)
        logits = (hs @ w.T + b).reshape(-1, 4)
        wanted = torch.nn.functional.cross_entropy(logits, torch.tensor(batch.y).reshape(-1))
        named = {"embedding.weight": table, "output.weight": w, "output.bias": b}
        named |= {f"layer.{k}": v for k, v in given.items()}
        grads = torch.autograd.grad(wanted, [named[n] for n, _ in m.named_parameters()])
        assert_close(loss.item(), wanted.item(), rtol=1e-12)
        for (name, _), g, theirs_g in zip(m.named_parameters(), ours, grads, strict=True):
            assert_close(g.numpy(), theirs_g.numpy(), rtol=1e-9, what=name)


def test_windows_carry_the_state_and_an_epoch_begins_from_zeros():
    data, m = text(), made().train()
    losses = [m.objective(b).item() * len(b) for b in m.batches(data, 4, 0, 0, 0)]
    assert len(losses) == m.batches_per_epoch(data, 4) == 10
    (one,) = made(steps=1000).batches(data, 4, 0, 0, 0)
    assert_close(sum(losses) / len(one), made().eval().objective(one).item(), rtol=1e-12)
    assert abs(m.carried.parts[0].numpy()).max() > 0
    assert {k for k in m.state_dict() if k.startswith("carried")} == {"carried.0", "carried.1"}
    next(iter(m.batches(data, 4, 0, 1, 0)))
    assert not m.carried.parts[0].numpy().any()


class Kill(Exception):
    pass


class KillAt(Silent):
    """Stops a training after so many batches in all."""

    def __init__(self, batches):
        self.left = batches

    def step(self, epoch, batch, figures):
        self.left -= 1
        if self.left < 0:
            raise Kill


@pytest.mark.parametrize("after", [4, 17])
def test_a_killed_training_goes_on_bit_for_bit(after, tmp_path):
    """In the middle of an epoch, where the carried state is not that of its beginning."""
    data = text()
    s = Settings(hidden=4, embed=3, layers=2, dropout=0.3, batch=4, steps=7, epochs=3, clip=1.0)

    def fresh():
        return language_model.build(data, s, gg.Generator(2))

    whole, resumed, run = fresh(), fresh(), Run(tmp_path)
    history = fit(whole, data, s)
    with pytest.raises(Kill):
        fit(fresh(), data, s, run=run, progress=KillAt(after), save_every=0.0)
    again = fit(resumed, data, s, run=run, resume=True)
    assert [h | {"seconds": 0} for h in again] == [h | {"seconds": 0} for h in history]
    for (k, a), b in zip(whole.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert np.array_equal(a, b), k


def test_logits_in_parts_give_the_same_loss_and_gradients(monkeypatch):
    m = made().eval()
    batch = next(iter(m.batches(text(), 4, 0, 0, 0)))
    found = []
    for most in (language_model.LOGITS, 0):
        monkeypatch.setattr(language_model, "LOGITS", most)
        loss = m.objective(batch)
        found.append([loss.numpy(), *(g.numpy() for g in gg.grad(loss, m.parameters()))])
    for a, b in zip(*found, strict=True):
        assert_close(a, b, rtol=1e-12)


def test_held_out_text_is_read_once_from_end_to_end():
    m, tokens = made().eval(), text().test.x
    hs, _ = m(tokens[:-1, None])
    z = m.output(hs[:, 0]).numpy()
    want = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), tokens[1:]]
    assert_close(m.surprise(tokens)[:, 0], want, rtol=1e-10)
    found = m.evaluate_finished(text().test)
    assert found["loss"] == pytest.approx(want.mean())
    assert found["bits"] == pytest.approx(want.mean() / np.log(2))
    assert found["perplexity"] == pytest.approx(np.exp(want.mean()))
    rows = m.evaluate(text().test)["loss"]  # in ten rows, of which each begins without a state
    assert rows != found["loss"] and rows == pytest.approx(found["loss"], rel=0.05)


@pytest.mark.parametrize("temperature", [1.0, 0.5, 2.0])
def test_symbols_are_drawn_from_the_sharpened_distribution(temperature):
    m = made("float32").eval()
    p = np.array([0.5, 0.3, 0.15, 0.05])
    m.output.weight.assign(np.zeros((4, 5), np.float32))
    m.output.bias.assign(np.log(p).astype(np.float32))
    found = np.bincount(m.write(4000, temperature, gg.Generator(3), 0), minlength=4) / 4000
    want = p ** (1 / temperature) / (p ** (1 / temperature)).sum()
    assert abs(found - want).max() < 4 * np.sqrt(0.25 / 4000)
    assert m.write(9, 1.0, gg.Generator(3), 0) == m.write(9, 1.0, gg.Generator(3), 0)


def test_a_small_text_is_learnt_and_written():
    data = text(1500)
    s = RECIPE.resolve("text", {"hidden": 16, "embed": 8, "batch": 10, "epochs": 12, "steps": 20})
    m = RECIPE.build(data, s, gg.Generator(0))
    fit(m, data, s)
    assert np.log(2) / 3 - 0.02 < m.evaluate_finished(data.test)["loss"] < np.log(2) / 3 + 0.05
    page = RECIPE.sample(m, data, 60, gg.Generator(1)).get_label()
    assert page.startswith("— temperature 1 —\n") and "— temperature 0.5 —\n" in page
    assert [len(set(part) & set("abcd")) for part in page.split("—\n")[1:]] == [4, 4]


def test_the_objective_passes_the_gradient_check():
    f, arrays = RECIPE.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=2).error < 1e-6


def test_an_encyclopedia_is_read_by_words_and_settings_of_one_are_refused_elsewhere():
    s = RECIPE.resolve("enwiki_piece", {"articles": 40, "min_count": 30}, "text")
    data = prepare(load("enwiki_piece"), s)
    words = data.info.vocabulary
    assert words.words[0] == "<unk>" and "<eos>" in words and "the" in words
    ends = [int((part.x == words.index["<eos>"]).sum()) for _, part in data.splits()]
    assert ends == [36, 2, 2]
    counts = np.bincount(data.train.x, minlength=len(words))
    assert counts[2:].min() >= 30  # but <eos>, of which every article has one
    for changes in ({"articles": 3}, {"min_count": 2}):
        with pytest.raises(SettingError, match="has no effect on text"):
            prepare(text(), Settings(**changes))
    with pytest.raises(SettingError, match="batch must be below the 402 symbols"):
        prepare(text(), Settings(batch=500))


def test_coloured_text_keeps_its_lines_and_places():
    lines, grid = language_pictures.laid_out(list("ab\ncd"), np.arange(5.0))
    assert lines == ["ab↵", "cd"] and grid[1, :2].tolist() == [3, 4] and np.isnan(grid[0, 3])
    lines, grid = language_pictures.laid_out(["of", "war", "<eos>", "a"], np.arange(4.0))
    assert lines == ["of war ↵", "a "]
    assert grid[0, [0, 1, 3, 5, 7]].tolist() == [0, 0, 1, 1, 2] and np.isnan(grid[0, 2])
    wide = language_pictures.COLUMNS
    lines, _ = language_pictures.laid_out(list("x" * (wide + 3)), np.zeros(wide + 3))
    assert [len(line) for line in lines] == [wide, 3]


def test_properties_of_a_text_are_those_of_its_letters():
    found = language_pictures.properties(list("ME:\nOh no"))
    assert found["a line that ends with a colon"].tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 0]
    assert found["a vowel"].tolist() == [0, 1, 0, 0, 1, 0, 0, 0, 1]
    assert found["the place in the line"].tolist() == [1, 2, 3, 0, 1, 2, 3, 4, 5]
    words = language_pictures.properties(["of", "of", "mice", "<eos>"])
    assert words["a short word"].tolist() == [1, 1, 0, 0]
    assert words["a rare word: -ln of its share"][0] == pytest.approx(np.log(2))
