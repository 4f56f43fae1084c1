"""A net whose weights are the running mean of another's, which is being trained.

The players of a game go round a solution rather than into it, and the mean of their weights often
lies nearer to it (Yazıcı et al. 2019) ::

    θ̄  ←  a θ̄ + (1 - a) θ        after each step; a decay a of 0.999 remembers 1000 steps

θ̄ begins as θ does: after n steps aⁿ of that is left. The running statistics of batch normalisation
are averaged in the same way; they are not those of the mean net's own activations. What is not a
real number is copied.
"""

from ...core import nn


def start(mean: nn.Module, net: nn.Module) -> nn.Module:
    """`mean`, a net like `net`, with the weights of `net` as constants: no optimiser moves them."""
    mean.load_state_dict(net.state_dict())
    for tensor in mean.parameters():
        tensor.requires_grad = False
    for _, layer in mean.named_modules():
        layer.averaged = ()  # no shard of a batch moves its statistics
    return mean


def follow(mean: nn.Module, net: nn.Module, decay: float) -> None:
    """θ̄ ← a θ̄ + (1 - a) θ.

    >>> from glassgrad import core as gg
    >>> net, mean = (nn.Linear(1, 1, rng=gg.Generator(0)) for _ in range(2))
    >>> start(mean, net).parameters()
    []
    >>> net.weight.assign(net.weight.data + 1)
    >>> follow(mean, net, 0.75)
    >>> round((net.weight - mean.weight).item(), 5)
    0.75
    """
    for (_, m), (_, t) in zip(mean.named_tensors(), net.named_tensors(), strict=True):
        real = m.dtype.kind == "f"
        m.assign(m.data + (1 - decay) * (t.data - m.data) if real else t.data)
