"""What a trace records: functions, shapes, FLOPs, bytes, backend, and the graph."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.kernels.numba_here import default_on_cpu


def traced(f):
    with gg.trace() as t:
        f()
    return t


def only(f, name):
    calls = [c for c in traced(f).calls if c.function == name]
    assert len(calls) == 1
    return calls[0]


@pytest.mark.parametrize(
    "x, y, flops",
    [
        ((2, 3), (3, 4), 2 * 2 * 3 * 4),
        ((5, 2, 3), (3, 4), 5 * 2 * 2 * 3 * 4),
        ((3,), (3,), 2 * 3),
        ((5, 2, 3), (5, 3, 4), 5 * 2 * 2 * 3 * 4),
    ],
)
def test_flops_of_a_product(x, y, flops):
    assert only(lambda: gg.ones(x) @ gg.ones(y), "matmul").flops == flops


def test_flops_of_a_convolution_and_its_gradients():
    x = gg.ones((2, 4, 7, 6), requires_grad=True)
    w = gg.ones((6, 2, 3, 2), requires_grad=True)
    with gg.trace() as t:
        y = gg.conv2d(x, w, stride=2, padding=1, groups=2)
        gg.grad(y, [x, w], np.ones(y.shape, "float32"))
    n, o, oh, ow = y.shape
    want = 2 * n * o * oh * ow * 2 * 3 * 2  # N O OH OW (C/G) KH KW multiplications and additions
    got = {c.function: c.flops for c in t.calls}
    assert got == {"conv2d": want, "conv2d_input_grad": want, "conv2d_weight_grad": want}


@pytest.mark.parametrize(
    "f, flops",
    [
        (lambda x: x + 1, 6),
        (lambda x: x * gg.ones((4, 1, 1)), 24),
        (gg.exp, 6),
        (lambda x: x.sum(), 5),
        (lambda x: x.sum(axis=0), 3),
        (lambda x: gg.sum_to(x, (3,)), 3),
        (lambda x: gg.sum_to(x, (2, 1)), 4),
        (lambda x: x.T, 0),
        (lambda x: x.reshape(3, 2), 0),
        (lambda x: x[0], 0),
        (lambda x: gg.concatenate(x, x), 0),
        (lambda x: gg.pad(x, ((1, 1), (0, 0))), 0),
    ],
)
def test_flops_element_by_element(f, flops):
    x = gg.ones((2, 3))
    with gg.trace() as t:
        f(x)
    assert t.flops == flops and len(t.calls) == 1


def test_flops_of_a_recurrent_net():
    xa, h, wh = gg.ones((5, 3, 8)), gg.ones((3, 2)), gg.ones((8, 2))
    lstm = gg.FUNCTIONS["lstm"]
    assert only(lambda: lstm(xa, h, h, wh), "lstm").flops == 5 * 8 * 3 * 2 * 2
    assert only(lambda: lstm(xa, h, h, wh, gg.ones((6, 2))), "lstm").flops == 5 * 14 * 3 * 2 * 2
    inputs = gg.FUNCTIONS["input_product"]
    x, w = gg.ones((5, 3, 4)), gg.ones((8, 4))
    assert only(lambda: inputs(x, w), "input_product").flops == 2 * 5 * 3 * 4 * 8
    gru = gg.FUNCTIONS["gru"]
    assert only(lambda: gru(xa[..., :6], h, wh[:6]), "gru").flops == 5 * 6 * 3 * 2 * 2


def test_flops_of_nade():
    """For each of N rows and D numbers: a product with H weights v, and H weights w to add."""
    x, w, c = gg.ones((5, 3)), gg.ones((3, 2)), gg.ones((2,))
    call = only(lambda: gg.nade(x, w, c, w, gg.ones((3,))), "nade")
    assert call.flops == 4 * 5 * 3 * 2


def test_bytes_shapes_and_dtype():
    call = only(lambda: gg.ones((2, 3)) + gg.ones((3,)), "add")
    assert call.inputs == ((2, 3), (3,)) and call.outputs == ((2, 3),)
    assert call.dtype == "float32" and call.bytes == 4 * (6 + 3 + 6)
    assert call.seconds >= 0


def test_backend_of_each_call():
    x, w = gg.ones((1, 1, 3, 3)), gg.ones((1, 1, 2, 2))
    t = traced(lambda: gg.relu(gg.conv2d(x, w)))
    assert (
        t.calls[0].backend.startswith(f"{default_on_cpu()} v")
        and t.calls[1].backend == "array library"
    )
    with gg.backend("reference"):
        assert only(lambda: gg.conv2d(x, w), "conv2d").backend == "reference v1"


def test_a_kernel_that_ran_outside_of_a_call_is_not_laid_to_the_next_one():
    x = gg.ones((4, 4), requires_grad=True)
    noise = gg.Generator(1)
    t = traced(lambda: (x * gg.Tensor(noise.normal((4, 4))), gg.masking_noise(x, 0.5, noise)))
    assert [c.backend for c in t.calls] == ["array library"] * 2
    h = gg.ones((1, 2))
    y = gg.lstm(gg.ones((2, 1, 2), requires_grad=True), h, h, gg.ones((8, 2)), gg.ones((8, 2)))[0]
    y.sum().backward()  # runs the fused kernel outside of any forward call
    assert (x + 1).node.ran is None


def test_a_fused_backward_kernel_is_recorded():
    x, h = gg.ones((2, 1, 2), requires_grad=True), gg.ones((1, 2))
    y = gg.lstm(x, h, h, gg.ones((8, 2)), gg.ones((8, 2)))[0]
    t = traced(lambda: gg.grad(y, x, np.ones(y.shape)))
    call = next(c for c in t.calls if c.function == "lstm_backward")
    assert call.backend.startswith(default_on_cpu()) and call.flops == 2 * (2 * 8 * 1 * 2 * 2)


def test_the_table():
    x = gg.ones((8, 4))
    t = traced(lambda: gg.softmax(x @ gg.ones((4, 2))))
    head, first, second, last = str(t).splitlines()
    assert head.split() == ["function", "inputs", "outputs", "MFLOP", "MB", "ms", "backend"]
    assert first.split()[:4] == ["matmul", "(8,4)", "(4,2)", "(8,2)"] and "array library" in first
    assert second.startswith("softmax") and last.startswith("2 calls, 0.000 MFLOP, ")


def test_columns_of_the_table_never_touch():
    many = [gg.ones((2, 3, 4)) for _ in range(9)]
    wide = gg.Tensor(np.broadcast_to(np.float32(1), (2000, 3000)))
    t = traced(lambda: (gg.concatenate(many), wide @ gg.ones((3000, 300)), gg.exp(many[0])))
    head, *rows, last = str(t).splitlines()
    ends = [head.index(name) + len(name) for name in ("MFLOP", "MB", "ms")]
    starts = [head.index(name) for name in ("function", "inputs", "outputs", "backend")]
    for row, name in zip(rows, ("concatenate", "matmul", "exp")):
        assert row.startswith(f"{name} ") and row == row.rstrip()
        for at in starts:
            assert row[at] != " " and row[:at].endswith("  " if at else "")
        for at in ends:
            assert row[at - 1].isdigit() and row[at:].startswith("  ")
    assert rows[0].split()[1:10] == ["(2,3,4)"] * 9 and "3600.000" in rows[1]
    assert last.startswith("3 calls, ")


def test_the_graph():
    x = gg.ones((2, 3))
    with gg.trace() as t:
        h = gg.tanh(x)
        y = h @ gg.ones((3, 4))
        gg.exp(x)
        h + y.sum()
    dot = t.dot().splitlines()
    assert dot[0] == "digraph trace {" and dot[-1] == "}"
    edges = sorted(line.strip() for line in dot if "->" in line)
    assert edges == [
        'c0 -> c1 [label="(2, 3)"];',
        'c0 -> c4 [label="(2, 3)"];',
        'c1 -> c3 [label="(2, 4)"];',
        'c3 -> c4 [label="()"];',
    ]
    boxes = [line for line in dot if "label" in line and "->" not in line]
    names = [line.split('"')[1].split("\\n")[0] for line in boxes]
    assert names == ["tanh", "matmul", "exp", "sum", "add"]


def test_nothing_is_recorded_outside_of_the_block():
    with pytest.raises(KeyError), gg.trace() as t:
        gg.exp(gg.ones(2))
        raise KeyError
    gg.exp(gg.ones(2))
    assert len(t.calls) == 1 and t.seconds == t.calls[0].seconds


def test_blocks_nest():
    with gg.trace() as outer:
        gg.exp(gg.ones(2))
        with gg.trace() as inner:
            gg.tanh(gg.ones(2))
    assert [c.function for c in outer.calls] == ["exp", "tanh"]
    assert [c.function for c in inner.calls] == ["tanh"]


def test_first_order_backward_passes_are_traced():
    x = gg.ones((2, 3), requires_grad=True)
    y = gg.tanh(x).sum()
    t = traced(lambda: y.backward())
    assert {c.function for c in t.calls} == {"reshape", "broadcast_to", "mul", "sub"}


def test_joining_takes_the_slices_that_are_asked_for():
    """An array that is a constant gets no gradient, and no call is spent on one."""
    x, constant = gg.ones((2, 3), requires_grad=True), gg.ones((2, 1))
    y = gg.concatenate(x, constant, axis=1)
    t = traced(lambda: gg.grad(y, x, np.ones(y.shape, "float32"), create_graph=True))
    assert [c.function for c in t.calls].count("getitem") == 1
