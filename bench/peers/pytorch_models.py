"""The models of bench/steps.py in eager PyTorch, as a user would write them.

Each takes over our weights, in the order of the parameters, and our batch; each step reports what
ours reports.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..job import Contender
from ..steps import Watched


class LeNet(nn.Module):
    """As models/convolutional/lenet.py with the settings for MNIST."""

    def __init__(self, s: dict):
        super().__init__()
        (c1, c2), (p1, p2), k = s.channels, s.padding, s.kernel
        h1, h2 = s.hidden
        self.features = nn.Sequential(
            nn.Conv2d(1, c1, k, padding=p1, bias=s.bias), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(c1, c2, k, padding=p2, bias=s.bias), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.LazyLinear(h1), nn.ReLU(), nn.Linear(h1, h2), nn.ReLU(),
            nn.Linear(h2, 10),
        )  # fmt: skip
        self(torch.zeros(1, 1, 28, 28))  # the lazy layer finds its size

    def forward(self, x):
        """Logits [N, 10] of images [N, 1, 28, 28]."""
        return self.classifier(self.features(x))

    def loss(self, x, y, mask):
        """(cross-entropy, share of right answers)."""
        logits = self(x)
        return F.cross_entropy(logits, y), (logits.argmax(1) == y).float().mean()


class VAE(nn.Module):
    """As models/variational/vae.py with a Bernoulli decoder."""

    def __init__(self, s: dict):
        super().__init__()
        (h1, h2), latent = s.hidden, s.latent
        self.encoder = nn.Sequential(nn.Linear(784, h1), nn.Tanh(), nn.Linear(h1, h2), nn.Tanh())
        self.mu, self.logvar = nn.Linear(h2, latent), nn.Linear(h2, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, h2), nn.Tanh(), nn.Linear(h2, h1), nn.Tanh())
        self.mean = nn.Linear(h1, 784)

    def loss(self, x, y, mask):
        """(-ELBO, KL divergence), means over the batch."""
        x = x.flatten(1)
        h = self.encoder(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        logits = self.mean(self.decoder(z))
        nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
        kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1)
        return (nll + kl).mean(), kl.mean()


class Rolls(nn.Module):
    """As models/recurrent/lstm.py on frames; one bias a gate: the second is zero and stays so."""

    def __init__(self, s: dict):
        super().__init__()
        self.layer = nn.LSTM(88, s.hidden)
        self.readout = nn.Linear(s.hidden, 88, bias=s.readout_bias)
        self.dropout = nn.Dropout(s.dropout)
        nn.init.zeros_(self.layer.bias_hh_l0).requires_grad_(False)

    def loss(self, x, y, mask):
        """(mean negative log-likelihood of a frame, None)."""
        hs, _ = self.layer(self.dropout(x))
        logits = self.readout(self.dropout(hs))
        nll = F.binary_cross_entropy_with_logits(logits, y, reduction="none").sum(2)
        return (nll * mask).sum() / mask.sum(), None


class MLP(nn.Sequential):
    """784-128-128-10 with ReLU."""

    def __init__(self, s: dict):
        super().__init__(
            nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)
        )

    def loss(self, x, y, mask):
        """(cross-entropy, None)."""
        return F.cross_entropy(self(x), y), None


MODELS: dict[str, Callable] = {"lenet": LeNet, "vae": VAE, "jsb-lstm": Rolls, "mlp": MLP}


def take_over(net: nn.Module, weights: list[np.ndarray]) -> None:
    """Set the parameters, in order; they must be as many and of the same shapes."""
    own = [p for p in net.parameters() if p.requires_grad]
    with torch.no_grad():
        for p, w in zip(own, weights, strict=True):
            if tuple(p.shape) != w.shape:
                raise ValueError(f"a parameter of shape {tuple(p.shape)} cannot become {w.shape}")
            p.copy_(torch.from_numpy(w))


def step(name: str, ready, fused: bool = False, compiled: bool = False) -> Contender:
    """The training step of that name, on the weights and the batch of ours."""
    settings, batch = ready.settings, ready.batch
    net = MODELS[name](settings)
    take_over(net, ready.weights())
    given = batch.x, batch.y, batch.mask
    x, y, mask = (None if a is None else torch.from_dlpack(a) for a in given)
    net.to(x.device).train()
    parameters = [p for p in net.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(parameters, lr=settings.lr, fused=fused)
    loss_of = torch.compile(net.loss) if compiled else net.loss

    def train() -> float:
        optimiser.zero_grad()
        loss, extra = loss_of(x, y, mask)
        loss.backward()
        if settings.clip:
            nn.utils.clip_grad_norm_(parameters, settings.clip)
        optimiser.step()
        value = loss.item()
        if extra is not None:
            extra.item()
        return value

    return Watched(train, lambda: [p.detach().cpu().numpy().copy() for p in parameters]).contender()
