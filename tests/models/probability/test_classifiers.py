"""Naive Bayes, logistic regression and the linear SVM next to scikit-learn's."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.svm import SVC

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.training.system import Batch
from glassgrad.models.probability import classifier_pictures, linear_svm, naive_bayes

NAMES = ("naive-bayes", "naive-bayes-gaussian", "logistic-regression", "linear-svm")


def untrained(name, source, **changes):
    """(system, training rows in float64, labels, settings) of a recipe on prepared data."""
    recipe = models.recipe(name)
    s = recipe.resolve(source, changes)
    data = training.load_data(recipe, source, s)
    x = data.train.x.reshape(len(data.train), -1).astype(np.float64)
    return recipe.build(data, s, gg.Generator(0)), x, data.train.y, s


def theirs(name, x, y, s):
    """scikit-learn's model with the same settings, fitted to its own tolerance."""
    c = 1 / (s.l2 * len(x)) if hasattr(s, "l2") else None
    return {
        "naive-bayes": lambda: BernoulliNB(alpha=s.alpha, binarize=s.threshold),
        "naive-bayes-gaussian": lambda: GaussianNB(var_smoothing=s.noise**2 / x.var(axis=0).max()),
        "logistic-regression": lambda: LogisticRegression(C=c, max_iter=5000, tol=1e-9),
        "linear-svm": lambda: OneVsRestClassifier(SVC(kernel="linear", C=c, tol=1e-6)),
    }[name]().fit(x, y)


def take_over(system, model):
    """scikit-learn's parameters in ours, float64."""
    if hasattr(system, "c"):
        system.c.data = (
            model.class_log_prior_ if hasattr(system, "a") else np.log(model.class_prior_)
        )
    if hasattr(system, "a"):
        p = np.exp(model.feature_log_prob_)
        system.a.data = np.log(p / (1 - p))
    elif hasattr(system, "mean"):
        system.mean.data, system.log_spread.data = model.theta_, 0.5 * np.log(model.var_)
    else:
        system.weight.data, system.bias.data = model.coef_, model.intercept_


@pytest.mark.parametrize("source", ["digits", "house_votes_84"])
@pytest.mark.parametrize("name", NAMES[:3])
def test_the_scores_are_scikit_learns_and_its_solution_is_our_minimum(name, source):
    """The gradient of our objective over all rows vanishes where theirs was solved."""
    system, x, y, s = untrained(name, source)
    model = theirs(name, x, y, s)
    take_over(system, model)
    ours = system.scores(gg.Tensor(x)).numpy()
    if name == "logistic-regression":
        logp = model.predict_log_proba(x)
        np.testing.assert_allclose(ours - ours[:, :1], logp - logp[:, :1], rtol=1e-6, atol=1e-7)
    else:
        np.testing.assert_allclose(ours, model.predict_joint_log_proba(x), rtol=1e-8)
    gradients = gg.grad(system.objective(Batch(x, y)), system.parameters())
    worst = max(float(abs(g.numpy()).max()) for g in gradients)
    assert worst < (1e-6 if name == "logistic-regression" else 1e-12), worst
    moved = system.parameters()[0]
    moved.data = moved.data + 0.01 * np.random.default_rng(0).standard_normal(moved.shape)
    gradients = gg.grad(system.objective(Batch(x, y)), system.parameters())
    assert max(float(abs(g.numpy()).max()) for g in gradients) > 1e-5, "such a test cannot fail"


def within(name, source):
    """The shipped settings: accuracy, and log loss or, of the SVM, the objective."""
    done = training.train(models.recipe(name), source)
    x, test = (
        k.x.reshape(len(k.x), -1).astype(np.float64) for k in (done.data.train, done.data.test)
    )
    model = theirs(name, x, done.data.train.y, done.settings)
    found, y = done.test_figures, done.data.test.y
    assert abs(found["accuracy"] - model.score(test, y)) <= 0.01
    if name != "linear-svm":
        p = done.system.probabilities(done.data.test.x)
        assert found["loss"] == pytest.approx(log_loss(y, p), abs=1e-4)
        assert abs(found["loss"] - log_loss(y, model.predict_proba(test))) <= 0.01
        return
    machines = [(e.coef_[0], e.intercept_[0]) for e in model.estimators_]
    t = np.where(done.data.train.y[:, None] == np.arange(len(machines)), 1, -1)
    if len(machines) == 1:
        t = 2 * done.data.train.y[:, None] - 1
    w, b = np.stack([m[0] for m in machines]), np.array([m[1] for m in machines])
    least = np.maximum(0, 1 - t * (x @ w.T + b)).sum(axis=1).mean()
    least += 0.5 * done.settings.l2 * (w * w).sum()
    ours = done.system.objective(Batch(done.data.train.x, done.data.train.y)).item()
    assert least * (1 - 1e-4) <= ours <= 1.03 * least


@pytest.mark.parametrize("name", NAMES)
def test_trained_by_gradients_on_votes_it_is_as_good_as_scikit_learns(name):
    within(name, "house_votes_84")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_trained_by_gradients_on_digits_it_is_as_good_as_scikit_learns(name):
    within(name, "digits")


def test_the_targets_are_scikit_learns_own_figures():
    for name in NAMES:
        for target in models.recipe(name).targets:
            if target.data == "digits":
                continue  # the slow comparison has them
            _, x, y, s = untrained(name, target.data)
            data = training.load_data(models.recipe(name), target.data, s)
            rows = data.test.x.astype(np.float64)
            model = theirs(name, x, y, s)
            value = (
                model.score(rows, data.test.y)
                if target.metric == "accuracy"
                else log_loss(data.test.y, model.predict_proba(rows))
            )
            assert float(target.published.split()[0]) == pytest.approx(value, abs=6e-5)


@pytest.mark.parametrize("name", NAMES[:2])
def test_draws_of_the_joint_distribution_have_its_means(name):
    system, x, y, s = untrained(name, "house_votes_84")
    model = theirs(name, x, y, s)
    take_over(system, model)
    drawn, classes = system.drawn(20_000, gg.Generator(3))
    assert abs((classes == 1).mean() - (y == 1).mean()) < 0.015
    for k in (0, 1):
        mean = drawn[classes == k].mean(axis=0)
        np.testing.assert_allclose(mean, system.class_means()[k], atol=0.05)
    if name == "naive-bayes":
        assert set(np.unique(drawn)) == {0.0, 1.0}


def test_margins_and_support_vectors_are_those_of_svc():
    system, x, y, s = untrained("linear-svm", "house_votes_84")
    model = SVC(kernel="linear", C=1 / (s.l2 * len(x)), tol=1e-8).fit(x, y)
    system.weight.data, system.bias.data = model.coef_, model.intercept_
    margins = system.margins(x, y)
    assert margins.shape == (len(x), 1)
    assert set(np.flatnonzero(margins[:, 0] < 1 - 1e-4)) <= set(model.support_)
    assert set(model.support_) <= set(np.flatnonzero(margins[:, 0] < 1 + 1e-4))


def test_more_than_two_classes_have_a_machine_each():
    system = linear_svm.LinearSVM(3, 2, linear_svm.Settings(), "float64")
    signs = system.signs(np.array([2, 0]))
    assert signs.tolist() == [[-1, -1, 1], [1, -1, -1]]
    system.bias.data = np.array([0.0, 0.5, -2.0])
    loss = system.loss(gg.Tensor(np.zeros((1, 2))), np.array([1])).item()
    assert loss == pytest.approx(1 + 0.5 + 0)  # max(0, 1+0) + max(0, 1-.5) + max(0, 1-2)


def test_laplaces_rule_keeps_what_was_never_seen_possible():
    system = naive_bayes.NaiveBayes(2, 1, 4, naive_bayes.Settings(), "float64")
    x, y = np.array([[1.0], [1.0], [0.0], [1.0]]), np.array([0, 0, 1, 1])
    n1, n = np.array([2, 1]), np.array([2, 2])
    p = (n1 + 1) / (n + 2)
    system.a.data = np.log(p / (1 - p))[:, None]
    gradient = gg.grad(system.objective(Batch(x, y)), [system.a])[0].numpy()
    assert abs(gradient).max() < 1e-12


def test_reliability_counts_every_answer_once():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(4), 500)
    y = np.array([rng.choice(4, p=row) for row in p])
    mean, share, count = classifier_pictures.reliability(p, y)
    assert count.sum() == 500
    full = count > 60
    assert abs(mean - share)[full].max() < 0.13  # y was drawn with these probabilities
