"""Truncated back-propagation through time: the state passes on, the gradient does not.

Over T steps the gradient of a late loss with respect to an early state is a product of T factors,
and the tape keeps all T steps until it has been computed. Cut into windows of S steps ::

    window k:   hs, s_{k+1} = layer(x_{kS} .. x_{kS+S-1}, s_k),      ∂s_k/∂w := 0

the forward pass is that of the whole sequence, number for number. Each loss sees the weights
through the steps since the window began, at most S; with S ≥ T nothing is cut. A net whose memory
must reach back further than S steps may still learn it, if shorter distances lead there.

Two ways to use it:

    one long text       every window is a batch with an update of its own. Between two batches the
                        state is kept in a `Carried`, which is part of a checkpoint: without it, a
                        resumed training would go on from zeros.
    whole sequences     `truncated` runs a layer over a batch of them in windows, for one update.

Sources: Williams, Peng, "An efficient gradient-based algorithm for on-line training of recurrent
network trajectories", 1990; Zaremba, Sutskever, Vinyals, "Recurrent neural network
regularization", 2014, section 4.
"""

from collections.abc import Iterator
from types import MappingProxyType

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.nn.recurrent import detached
from ...kernels.errors import expect


def parts_of(state) -> list:
    """The tensors of a layer's state: h and C of an LSTM, h alone of other cells."""
    return list(state) if isinstance(state, tuple) else [state]


def state_of(parts: list):
    """The state of a layer from its tensors, as the layer takes it."""
    return tuple(parts) if len(parts) > 1 else parts[0]


class Carried(nn.Module):
    """The state of a layer of `rows` sequences between two windows: buffers [L, rows, H].

    >>> layer = nn.LSTM(3, 4, rng=gg.Generator(0))
    >>> carried = Carried(layer, rows=2)
    >>> hs, state = layer(gg.ones((5, 2, 3)), carried.state())
    >>> carried.keep(state)
    >>> np.array_equal(carried.state()[0].numpy()[0], hs.numpy()[-1])
    True
    >>> list(carried.state_dict())
    ['0', '1']
    """

    by_rows = MappingProxyType({"parts": 1})

    def __init__(self, layer, rows: int, dtype="float32"):
        shape = (layer.layers * len(layer.directions), rows, layer.hidden)
        parts = 2 if isinstance(layer, nn.LSTM) else 1
        self.parts = [gg.Tensor(np.zeros(shape, dtype)) for _ in range(parts)]

    def members(self) -> Iterator:
        """The buffers, named by number."""
        return enumerate(self.parts)

    def state(self):
        """The state as the layer takes it, constants: no gradient goes back beyond it."""
        return state_of([gg.Tensor(part.data.copy()) for part in self.parts])

    def keep(self, state) -> None:
        """Keep a state that the layer returned, for the next window."""
        for part, new in zip(self.parts, parts_of(state), strict=True):
            part.assign(new.data)

    def reset(self) -> None:
        """Start from zeros again: what follows does not go on from what was read."""
        for part in self.parts:
            part.assign(part.xp.zeros_like(part.data))


def truncated(layer, x: gg.Tensor, state=None, lengths=None, *, steps: int):
    """``layer(x, state, lengths)`` whose gradient ends after `steps` steps.

    x [T, N, I], lengths int64 [N] from 1 to T or None -> (hs [T, N, H], the last state), the same
    numbers as of the layer. The gradient of hs at step t reaches back to the beginning of t's
    window, step `steps`·⌊t / steps⌋; the state that is given receives one from the first window
    alone. A bidirectional layer is refused: its windows would need the state of the next one.

    >>> layer = nn.GRU(3, 4, rng=gg.Generator(0))
    >>> x = gg.ones((7, 2, 3))
    >>> whole, parts = layer(x)[0], truncated(layer, x, steps=3)[0]
    >>> np.array_equal(whole.numpy(), parts.numpy())
    True
    """
    expect(steps >= 1, "truncated", "steps must be at least 1", "≥ 1", steps)
    ways = len(layer.directions)
    expect(ways == 1, "truncated", "the layer must read in one direction", 1, ways)
    found = []
    for at in range(0, len(x), steps):
        part = x[at : at + steps]
        if at:
            state = detached(state)
        if lengths is None:
            hs, state = layer(part, state)
        else:
            hs, state = _until(layer, part, state, lengths - at)
        found.append(hs)
    return (found[0] if len(found) == 1 else gg.concatenate(found, axis=0)), state


def _until(layer, x, state, left):
    """The layer over a window in which `left` [N] steps of each sequence remain, maybe none."""
    hs, new = layer(x, state, lengths=left.clip(1, len(x)))
    if state is None:  # the first window: every sequence has a step
        return hs, new
    going = left > 0
    hs = gg.where(going[:, None], hs, 0.0)
    pairs = zip(parts_of(new), parts_of(state), strict=True)
    return hs, state_of([gg.where(going[:, None], a, b) for a, b in pairs])
