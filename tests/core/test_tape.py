"""The tape: order, cost, memory, in-place changes, threads, and errors that name the way out."""

import gc
import threading
import time
import weakref

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.recording import grad_enabled
from glassgrad.kernels.errors import DTypeError, ShapeError
from tests.tools import assert_close


def leaf(values, dtype="float64"):
    return gg.tensor(np.array(values, dtype), requires_grad=True)


# ------------------------------------------------------------------ the walk back


def test_the_counter_example_of_the_docstring():
    calls = []

    def counted(f):
        return lambda g: calls.append(1) or f(g)

    saved = dict(gg.FUNCTIONS)

    @gg.differentiable(x=counted(lambda g: g), y=counted(lambda g: g))
    def plus(x, y, /):
        return x + y

    gg.FUNCTIONS.clear()
    gg.FUNCTIONS.update(saved)
    a = leaf(1.0)
    b = plus(a, a)
    c = plus(b, b)
    assert gg.grad(c, a).item() == 4.0
    assert len(calls) == 4  # two lines, two derivatives each: every line was visited once


@pytest.mark.parametrize("depth", [1, 2, 60])
def test_a_diamond_takes_linear_time(depth):
    a = b = leaf(1.0)
    for _ in range(depth):
        b = b + b
    start = time.perf_counter()
    assert gg.grad(b, a).item() == 2.0**depth
    assert time.perf_counter() - start < 1.0  # 2⁶⁰ steps would take longer than the universe has


def test_a_diamond_with_unequal_arms():
    x = leaf([0.3, -0.7])
    short, long = x * 2, gg.tanh(gg.exp(gg.sin(x)))
    y = short * long + short
    e = np.exp(np.sin(x.numpy()))
    long_slope = (1 - np.tanh(e) ** 2) * e * np.cos(x.numpy())
    want = 2 * np.tanh(e) + 2 * x.numpy() * long_slope + 2
    assert_close(gg.grad(y.sum(), x).numpy(), want)


@pytest.mark.slow
def test_a_chain_of_100_000_steps_is_walked_and_freed():
    x = leaf([1.0])
    y = x
    for _ in range(100_000):
        y = y + 1.0
    g = gg.grad(y, x, create_graph=True)
    assert g.item() == 1.0
    node = weakref.ref(y)
    del y, g
    assert node() is None


def test_a_long_chain_of_products_is_freed_too():
    x = leaf([1.0])
    y = x
    for _ in range(20_000):
        y = y * x
    assert gg.grad(y, x).item() == 20_001.0
    del y


def test_backward_twice_is_identical():
    rng = np.random.default_rng(0)
    x, w = leaf(rng.standard_normal((5, 4))), leaf(rng.standard_normal((3, 4)))
    y = (gg.softmax(gg.linear(gg.tanh(x), w)) ** 2).sum()
    y.backward()
    first = x.grad.numpy().copy(), w.grad.numpy().copy()
    y.backward()
    assert np.array_equal(first[0], x.grad.numpy()) and np.array_equal(first[1], w.grad.numpy())


def test_grad_is_set_and_accumulates_only_on_request():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    (x * 3).sum().backward()
    assert x.grad.numpy().tolist() == [3.0, 3.0]
    (x * x).sum().backward(accumulate=True)
    assert x.grad.numpy().tolist() == [5.0, 7.0]


def test_gradients_of_two_leaves_do_not_share_memory():
    a, b, cotangent = leaf([1.0, 2.0]), leaf([[3.0, 4.0]]), np.array([[1.0, 1.0]])
    given = gg.Tensor(cotangent)
    (a + b).backward(given)
    a.grad.data *= 10  # as a clipping optimiser does
    b.grad.data *= 100
    assert a.grad.numpy().tolist() == [10.0, 10.0]
    assert b.grad.numpy().tolist() == [[100.0, 100.0]]
    assert cotangent.tolist() == [[1.0, 1.0]]


def test_the_gradients_of_grad_do_not_share_memory():
    a, b, given = leaf([1.0, 2.0]), leaf([3.0, 4.0]), gg.Tensor(np.array([1.0, 1.0]))
    ga, gb, again = gg.grad(a + b, [a, b, a], given)
    ga.data *= 10
    gb.data *= 100
    again.data *= 1000
    assert ga.numpy().tolist() == [10.0, 10.0] and gb.numpy().tolist() == [100.0, 100.0]
    assert again.numpy().tolist() == [1000.0, 1000.0]
    assert given.numpy().tolist() == [1.0, 1.0]


def test_sums_of_gradients_leave_the_cotangent_alone():
    x, cotangent = leaf([1.0, 2.0]), gg.Tensor(np.array([1.0, 10.0]))
    y = x + x + x
    assert gg.grad(y, x, cotangent).numpy().tolist() == [3.0, 30.0]
    assert cotangent.numpy().tolist() == [1.0, 10.0]


# ------------------------------------------------------------ inputs and outputs


def test_several_outputs_and_inputs():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    gx, gy = gg.grad([x * y, x + y], [x, y], [np.array([1.0, 1.0]), np.array([10.0, 10.0])])
    assert gx.numpy().tolist() == [13.0, 14.0] and gy.numpy().tolist() == [11.0, 12.0]


def test_gradient_at_an_intermediate_tensor():
    x = leaf([1.0, 2.0])
    m = x * x
    y = (m * m).sum()
    at_m, at_x = gg.grad(y, [m, x])
    assert at_m.numpy().tolist() == [2.0, 8.0] and at_x.numpy().tolist() == [4.0, 32.0]


def test_an_output_that_is_the_input():
    x = leaf([1.0, 2.0])
    assert gg.grad(x, x, [5.0, 6.0]).numpy().tolist() == [5.0, 6.0]


def test_only_some_of_several_outputs_are_used():
    x = leaf(np.arange(6.0).reshape(2, 3))
    first, _ = gg.split(x, 2)
    assert gg.grad(first.sum(), x).numpy().tolist() == [[1.0] * 3, [0.0] * 3]


def test_an_unused_input():
    x, y = leaf([1.0]), leaf([2.0, 3.0])
    with pytest.raises(gg.GraphError, match=r"do not depend on inputs\[1\] \(shape \(2,\)"):
        gg.grad(x * x, [x, y])
    assert gg.grad(x * x, [x, y], unused="zero")[1].numpy().tolist() == [0.0, 0.0]
    with pytest.raises(gg.GraphError, match=r"unused must be known; .* got 'none'"):
        gg.grad(x, x, unused="none")


def test_an_untracked_input_or_output():
    x, c = leaf([1.0]), gg.tensor([1.0])
    with pytest.raises(gg.GraphError, match=r"grad: inputs\[0\] .* is not tracked"):
        gg.grad(x * x, c)
    with pytest.raises(gg.GraphError, match="does not depend on any tensor that requires"):
        (c * c).backward()
    with gg.no_grad():
        y = x * x
    with pytest.raises(gg.GraphError, match="was it made under no_grad"):
        y.backward()


def test_a_vector_needs_a_cotangent():
    x = leaf([1.0, 2.0])
    with pytest.raises(
        gg.GraphError, match=r"\(shape \(2,\), float64\) is not a scalar; pass a co"
    ):
        (x * x).backward()
    (x * x).backward([1.0, 10.0])
    assert x.grad.numpy().tolist() == [2.0, 40.0]


def test_a_cotangent_must_fit():
    x = leaf([1.0, 2.0])
    with pytest.raises(
        ShapeError, match=r"a cotangent must have its output's shape; .*\(2,\), got"
    ):
        (x * x).backward(np.ones(3))
    with pytest.raises(
        DTypeError, match="a cotangent must have its output's dtype; expected float"
    ):
        (x * x).backward(gg.tensor([1.0, 2.0]))
    with pytest.raises(ShapeError, match="one cotangent for each output; expected 2, got 1"):
        gg.grad([x * x, x], x, [np.ones(2)])


# ------------------------------------------------------------------- in-place changes


def test_assign_between_forward_and_backward():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = (x * w).sum()
    w.assign([0.0, 0.0])
    with pytest.raises(
        gg.GraphError, match=r"mul: y \(shape \(2,\), float64\) was changed in place"
    ):
        y.backward()


@pytest.mark.parametrize(
    "view",
    [
        lambda w: w.T,
        lambda w: w.reshape(4),
        lambda w: w[1:, 0],
        lambda w: gg.squeeze(w[:1], 0),
        lambda w: w.T.reshape(2, 2).T[0],
        lambda w: w.detach()[0],
    ],
)
def test_a_change_seen_through_a_view(view):
    w, x = leaf(np.eye(2)), leaf(2.0)
    y = (view(w) * x).sum()
    w.data -= 1.0
    w.version += 1
    with pytest.raises(gg.GraphError, match="was changed in place after the forward call"):
        gg.grad(y, x)


def test_the_weight_of_a_linear_layer_is_guarded():
    x, w = leaf(np.ones((3, 2))), leaf(np.ones((4, 2)))
    y = gg.linear(x, w).sum()
    w.assign(np.zeros((4, 2)))
    with pytest.raises(gg.GraphError, match="linear: w"):
        y.backward()


def test_a_change_of_a_constant_through_its_view():
    c, x = gg.tensor(np.ones((2, 2))), leaf(np.ones(2))
    y = (c[0] * x).sum()
    c[0, 0] = 7.0
    with pytest.raises(gg.GraphError, match="was changed in place"):
        y.backward()


def test_a_change_that_no_derivative_asks_about_is_allowed():
    x = leaf([1.0, 2.0])
    y = (x + 1).sum()
    joined = gg.concatenate(x, x).sum()
    x.assign([5.0, 6.0])
    y.backward()
    assert x.grad.numpy().tolist() == [1.0, 1.0]
    joined.backward()
    assert x.grad.numpy().tolist() == [2.0, 2.0]


def test_a_copy_is_no_view():
    x = leaf([1.0, 2.0])
    y = (x[[0, 1]] * 2) ** 2
    x.assign([5.0, 6.0])
    y.sum().backward()
    assert x.grad.numpy().tolist() == [8.0, 16.0]


# --------------------------------------------------------------------------- memory


def test_a_graph_is_freed_without_the_cycle_collector():
    gc.collect()
    gc.disable()
    try:
        x = leaf(np.ones((4, 4)))
        h = gg.tanh(x @ x.T)
        y = gg.softmax(h).max(axis=0).sum()
        refs = [weakref.ref(t) for t in (h, y)]
        arrays = weakref.ref(h.data)
        gg.grad(y, x, create_graph=True)
        y.backward()
        del h, y
        assert [r() for r in refs] == [None, None] and arrays() is None
    finally:
        gc.enable()


def test_the_graph_of_a_gradient_is_freed_too():
    gc.collect()
    gc.disable()
    try:
        x = leaf(np.ones(3))
        g = gg.grad((gg.exp(x) * x).sum(), x, create_graph=True)
        second = gg.grad((g * g).sum(), x, create_graph=True)
        refs = [weakref.ref(g), weakref.ref(g.data), weakref.ref(second)]
        del g, second
        assert all(r() is None for r in refs)
    finally:
        gc.enable()


def test_only_what_a_derivative_names_is_kept():
    x = leaf(np.ones(3))
    h = x * 2.0
    kept = weakref.ref(h.data)
    y = h + 1.0  # a sum needs neither argument
    z = gg.concatenate(y, y).sum()
    also = weakref.ref(y.data)
    del h, y
    assert kept() is None and also() is None
    assert gg.grad(z, x).numpy().tolist() == [4.0] * 3


# -------------------------------------------------------------------------- recording


def test_no_grad_and_its_end_after_an_error():
    x = leaf([1.0])
    with gg.no_grad():
        assert not (x * x).requires_grad
        assert not grad_enabled()
    with pytest.raises(KeyError), gg.no_grad():
        raise KeyError
    assert grad_enabled() and (x * x).requires_grad


def test_first_order_gradients_are_not_recorded():
    x = leaf([2.0])
    assert not gg.grad(x**3, x).requires_grad
    assert gg.grad(x**3, x, create_graph=True).requires_grad


def test_every_thread_has_its_own_mode():
    x, seen = leaf([1.0]), {}
    inside, leave = threading.Event(), threading.Event()

    def other():
        seen["fresh"] = grad_enabled()
        with gg.no_grad():
            inside.set()
            leave.wait(5)
            seen["off"] = (x * x).requires_grad

    thread = threading.Thread(target=other)
    with gg.no_grad():
        thread.start()
        assert inside.wait(5)
    assert (x * x).requires_grad  # here recording is on, there it is off, at the same time
    leave.set()
    thread.join()
    assert seen == {"fresh": True, "off": False}


def test_graphs_made_in_several_threads():
    results = [None] * 4

    def work(i):
        x = leaf(np.full(50, float(i + 1)))
        y = x
        for _ in range(30):
            y = y * 1.0 + x * 0.5
        results[i] = gg.grad((y * y).sum(), x).numpy()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for i, g in enumerate(results):
        assert_close(g, np.full(50, 2.0 * 16 * 16 * (i + 1)))
