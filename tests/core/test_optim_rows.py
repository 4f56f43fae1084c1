"""Adadelta by rows: the steps of Adadelta on the whole table, PyTorch's too, and its resumption."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import optim
from glassgrad.core.nn.states import StateError
from glassgrad.core.optim import OptimiserError
from glassgrad.kernels.errors import GlassgradError
from tests.tools import assert_close

V, D = 9, 3


def lessons(steps=40, dtype="float64", seed=0):
    """Rows that a step reads, and their gradient; some rows wait long, row 8 is never read."""
    rng = np.random.default_rng(seed)
    for t in range(steps):
        rows = np.flatnonzero(rng.random(V - 1) < (0.05 if 10 < t < 25 else 0.4))
        yield rows, rng.standard_normal((len(rows), D)).astype(dtype)


def start(dtype="float64"):
    return np.random.default_rng(5).standard_normal((V, D)).astype(dtype)


def by_rows(dtype="float64", steps=40, **settings):
    table = gg.tensor(start(dtype), requires_grad=True)
    opt = optim.RowAdadelta([table], **settings)
    for rows, gradient in lessons(steps, dtype):
        opt.step_rows(table, rows, gradient)
    return table, opt


def dense(rows, gradient):
    whole = np.zeros((V, D), gradient.dtype)
    whole[rows] = gradient
    return whole


@pytest.mark.parametrize("settings", [{}, {"rho": 0.95}, {"lr": 0.5, "rho": 0.6, "eps": 1e-3}])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_steps_are_those_of_the_whole_table(settings, dtype):
    whole = gg.tensor(start(dtype), requires_grad=True)
    opt = optim.Adadelta([whole], **settings)
    for rows, gradient in lessons(dtype=dtype):
        whole.grad = gg.tensor(dense(rows, gradient))
        opt.step()
    assert_close(by_rows(dtype, **settings)[0].numpy(), whole.numpy(), reduction=400)


@pytest.mark.torch
def test_the_steps_are_torchs():
    torch = pytest.importorskip("torch")
    x = torch.tensor(start(), requires_grad=True)
    opt = torch.optim.Adadelta([x], rho=0.95)
    for rows, gradient in lessons():
        x.grad = torch.tensor(dense(rows, gradient))
        opt.step()
    assert_close(by_rows(rho=0.95)[0].numpy(), x.detach().numpy(), reduction=400)


def test_rows_that_are_not_read_do_not_change():
    table, opt = by_rows()
    assert np.array_equal(table.numpy()[8], start()[8])
    assert not opt.state[0]["square_avg"][8].any() and opt.last[0][8] == 0
    assert opt.steps == [40]


def test_another_parameter_is_stepped_as_a_whole():
    table = gg.tensor(start(), requires_grad=True)
    w, alone = (gg.tensor(np.ones(4), requires_grad=True) for _ in range(2))
    opt, other = optim.RowAdadelta([table, w]), optim.Adadelta([alone])
    for rows, gradient in lessons(5):
        for x, o in ((w, opt), (alone, other)):
            (x * x).sum().backward()
            o.step()
        opt.step_rows(table, rows, gradient)
    assert np.array_equal(w.numpy(), alone.numpy())
    assert_close(table.numpy(), by_rows(steps=5)[0].numpy())


def test_a_resumed_run_is_the_same_bit_for_bit():
    whole, _ = by_rows()
    table, opt = by_rows(steps=20)
    saved = opt.state_dict()
    kept = {k: np.array(v) for k, v in saved.items()}
    again = gg.tensor(table.numpy().copy(), requires_grad=True)
    for rows, gradient in list(lessons())[20:22]:
        opt.step_rows(table, rows, gradient)
    assert all(np.array_equal(saved[k], v) for k, v in kept.items()), "copies, not views"
    new = optim.RowAdadelta([again])
    new.load_state_dict(saved)
    for rows, gradient in list(lessons())[20:]:
        new.step_rows(again, rows, gradient)
    assert np.array_equal(again.numpy(), whole.numpy())


@pytest.mark.parametrize(
    "last", [np.zeros(V), np.zeros(V + 1, np.int64), np.full(V, 41), np.full(V, -1), 3]
)
def test_counts_that_do_not_fit_are_refused(last):
    _, opt = by_rows()
    state = opt.state_dict()
    with pytest.raises(StateError, match=r"0\.last: expected int64 \(9,\) in 0\.\.40"):
        opt.load_state_dict({**state, "0.last": last})


def test_what_does_not_fit_is_refused():
    table, opt = by_rows(steps=2)
    with pytest.raises(OptimiserError, match="one of the optimiser's parameters"):
        opt.step_rows(gg.tensor(start(), requires_grad=True), np.array([1]), np.ones((1, D)))
    with pytest.raises(GlassgradError, match="a row for each of the rows"):
        opt.step_rows(table, np.array([1, 2]), np.ones((1, D)))
    table.grad = gg.tensor(np.ones((V, D)))
    with pytest.raises(OptimiserError, match="stepped by rows"):
        opt.step()
    with pytest.raises(TypeError):
        optim.RowAdadelta([table], weight_decay=0.1)


def test_a_wrong_decay_is_caught():
    """A planted bug: rows that forget how long they waited."""

    class Forgetful(optim.RowAdadelta):
        def step_rows(self, table, rows, gradient):
            super().step_rows(table, rows, gradient)
            self.last[0][:] = self.steps[0]

    table = gg.tensor(start(), requires_grad=True)
    opt = Forgetful([table])
    for rows, gradient in lessons():
        opt.step_rows(table, rows, gradient)
    with pytest.raises(AssertionError, match="got"):
        assert_close(table.numpy(), by_rows()[0].numpy(), reduction=400)
