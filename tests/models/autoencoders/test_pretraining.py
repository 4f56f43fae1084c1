"""Pre-training compared: equal starts and budgets, the hand-over of weights, published orders."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import training
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.loop import fit
from glassgrad.core.training.run_folder import Run
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.autoencoders import one_layer, pretraining

FULL, FEW = pretraining.RECIPES
ALL = get_args(one_layer.Kind)
X, Y = np.random.default_rng(0).random((12, 6)), np.arange(12) % 3


def small(**changes):
    own = {"code": 4, "epochs": 5, "pretrain": 3, "batch": 4, "kinds": ALL}
    s = replace(FULL.resolve("digits"), **{**own, **changes})
    data = DataSet("small", Split(X, Y), Split(X[:6], Y[:6]))
    return pretraining.build(data, s, gg.Generator(1), dtype="float64"), data, s


def test_all_kinds_start_from_the_same_weights():
    m, _, _ = small()
    for part in (m.codes.values(), m.nets.values()):
        states = [p.state_dict() for p in part]
        for name, value in states[0].items():
            assert all(np.array_equal(value, s[name]) for s in states[1:]), name


def test_a_kind_learns_what_it_learns_alone():
    """In the company of others: same minibatches, same noise, same weights, to the last bit."""
    m, data, s = small()
    fit(m, data, s)
    for kind in ALL:
        alone, _, _ = small(kinds=(kind,))
        if kind == "random":  # its two epochs of fine-tuning come after three of waiting
            continue
        fit(alone, data, replace(s, kinds=(kind,)))
        for name, value in alone.nets[kind].state_dict().items():
            assert np.array_equal(value, m.nets[kind].state_dict()[name]), (kind, name)


def test_the_nets_start_where_step_one_ended():
    m, data, s = small()
    fit(m, data, replace(s, epochs=3))
    before = m.state_dict()
    m.start_nets()
    for kind in ALL:
        assert np.array_equal(
            m.nets[kind][0].weight.numpy(), m.codes[kind].encoder[0].weight.numpy()
        )
    again, _, _ = small()
    fit(again, data, s)
    after = again.state_dict()
    for name in before:
        if name.startswith("codes"):  # fine-tuning leaves the codes of step 1 as they are
            assert np.array_equal(before[name], after[name]), name


def test_a_run_resumes_in_the_middle_of_either_step(tmp_path):
    whole, data, s = small()
    fit(whole, data, s)
    for stop_after in (4, 10):  # steps: in the second epoch, and in the first of fine-tuning
        m, _, _ = small()
        run = Run.create(tmp_path, f"run-{stop_after}")
        count = iter(range(stop_after))
        with pytest.raises(KeyboardInterrupt):
            fit(m, data, s, run=run, stop=lambda count=count: next(count, None) is None)
        m, _, _ = small()
        fit(m, data, s, run=run, resume=True)
        for name, value in whole.state_dict().items():
            assert np.array_equal(value, m.state_dict()[name]), name


def test_figures_by_hand():
    m, data, _ = small()
    found = m.evaluate(Split(X, Y), size=5)
    for kind in ALL:
        layer, net = m.codes[kind], m.nets[kind]
        w, z = layer.encoder[0].weight.numpy(), layer.codes(X)
        j = (z * (1 - z))[:, :, None] * w  # [N, K, D]
        assert found[f"jacobian_{kind}"] == pytest.approx((j**2).sum() / len(X) / w.size, rel=1e-10)
        with gg.no_grad():
            guess = net(gg.Tensor(X)).numpy().argmax(axis=1)
        assert found[f"error_{kind}"] == pytest.approx(100 * (guess != Y).mean())
    e = [found[f"error_{k}"] for k in pretraining.ORDER]
    assert found["contractive_gap"] == e[0] - e[1] and found["gaussian_gap"] == e[1] - e[2]
    assert "contractive_gap" not in small(kinds=("plain",))[0].evaluate(data.valid)


def test_the_objective_passes_the_gradient_check():
    f, arrays = FULL.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


def test_pretraining_helps_where_few_labels_are_known():
    """Two epochs of fine-tuning, 300 labels: the pre-trained nets are well ahead."""
    done = training.train(FEW, overrides={"weight": 0.1, "labels": 300, "epochs": 17})
    assert done.test_figures["error_contractive"] < done.test_figures["error_random"] - 1
    last = done.history[-1]
    assert max(last["contractive"], last["rbm"]) < 0.7 * last["random"]
    figures = FEW.figures(done.system, done.data, done.settings)
    assert "saturation" in figures and "filters-contractive" in figures and len(figures) == 7


def test_contractive_codes_mind_a_change_least():
    """The published order of the Jacobian norms, contractive below denoising, in seconds."""
    kinds = ("contractive", "gaussian")
    done = training.train(FULL, overrides={"kinds": kinds, "code": 100, "pretrain": 8, "epochs": 9})
    assert done.test_figures["jacobian_contractive"] < 0.8 * done.test_figures["jacobian_gaussian"]


def test_bad_settings_are_refused():
    bad = {
        (): "'kinds' must be a list of at least one",
        ("plain", "plain"): "kinds must be different ones",
        ("plane",): "'kinds' must be .* each 'random', .* or 'rbm'; got",
    }
    for kinds, why in bad.items():
        with pytest.raises(SettingError, match=why):
            small(kinds=kinds)
    with pytest.raises(SettingError, match="'p0' has no effect without masking"):
        FULL.resolve("digits", {"p0": 0.1})
    for step_1 in ({"lr": 0.5}, {"pretrain": 3}, {"head": 1}):
        with pytest.raises(SettingError, match=r"'\w+' has no effect with kinds=random alone"):
            FULL.resolve("digits", {"kinds": "random", **step_1})
        FULL.resolve("digits", {"kinds": "random,plain", **step_1})
    with pytest.raises(SettingError, match="has no class labels"):
        pretraining.build(DataSet("x", Split(X)), FULL.resolve("digits"), gg.Generator(0))


def test_pretrained_layers_stand_still_while_the_softmax_learns():
    m, data, s = small(head=1)
    before = {kind: m.nets[kind].state_dict() for kind in ALL}
    fit(m, data, replace(s, epochs=4))  # three for the codes, one for the heads
    for kind in ALL:
        after, still = m.nets[kind].state_dict(), m.codes[kind].encoder[0].weight.numpy()
        assert not np.array_equal(after["2.weight"], before[kind]["2.weight"]), kind
        assert np.array_equal(after["0.weight"], still) == (kind != "random"), kind


def test_any_kinds_can_be_compared():
    done = training.train(FULL, overrides={"kinds": ("plain",), "epochs": 2, "pretrain": 1})
    found = done.test_figures
    assert found["error"] == found["error_plain"] and "contractive_gap" not in found


def test_the_losses_of_a_step_are_those_of_its_kinds():
    m, _, _ = small()
    total, extra = m.objective(Batch(X, Y))
    assert set(extra) == set(ALL) and total.item() == pytest.approx(sum(extra.values()))
    m.step = "codes"
    total, extra = m.objective(Batch(X, Y))
    assert set(extra) == set(ALL) - {"random"}
    assert total.item() == pytest.approx(sum(extra.values()))
