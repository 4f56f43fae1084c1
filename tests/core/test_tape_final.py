"""`final` of backward: which gradients are complete, and when."""

import numpy as np
import pytest

import glassgrad as gg


def test_final_is_called_with_each_gradient_when_nothing_more_comes():
    """The last layer first, a tensor of several uses after the last of them, each leaf once."""
    w = [gg.tensor([float(k)], requires_grad=True) for k in (2, 3, 5)]
    unused, heard = gg.tensor([7.0], requires_grad=True), []
    y = gg.tanh(w[0] * 1.0)
    y = (y * w[1] + w[0]).exp() * w[2]
    gg.backward(y.sum(), final=lambda leaf, g: heard.append((leaf, g.numpy())))
    assert [next(i for i, t in enumerate(w) if t is leaf) for leaf, _ in heard] == [2, 1, 0]
    for leaf, g in heard:
        assert np.array_equal(g, leaf.grad.numpy())
    assert unused.grad is None


def test_final_hears_of_a_leaf_that_is_an_output_as_well():
    x, y, heard = (
        gg.tensor([1.0, 2.0], requires_grad=True),
        gg.tensor([3.0], requires_grad=True),
        [],
    )
    gg.backward([x, (x * y).sum()], [gg.tensor([1.0, 1.0]), None],
                final=lambda leaf, g: heard.append((leaf is x, g.numpy().tolist())))  # fmt: skip
    assert sorted(heard) == [(False, [3.0]), (True, [4.0, 4.0])]
    heard.clear()
    gg.backward(x, gg.tensor([5.0, 6.0]), final=lambda leaf, g: heard.append(g.numpy().tolist()))
    assert heard == [[5.0, 6.0]]


@pytest.mark.parametrize("accumulate", [False, True])
def test_final_hears_the_gradient_of_this_call(accumulate):
    x, heard = gg.tensor([2.0], requires_grad=True), []
    for _ in range(2):
        gg.backward((x * x).sum(), accumulate=accumulate, final=lambda _, g: heard.append(g.item()))
    assert heard == [4.0, 4.0] and x.grad.item() == (8.0 if accumulate else 4.0)
