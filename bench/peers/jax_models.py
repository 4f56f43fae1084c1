"""The models of bench/steps.py in plain JAX: a loss as a function of a list of arrays.

Parameters are in the order of ours and start as ours; weights of linear layers are [out, in].
Each step is one compiled function, (weights, m, v, t, key) -> (the same after it, loss, extra), and
its old arguments are given up (`donate_argnums`), so that the update needs no second copy.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..job import Contender
from ..steps import Watched

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


def linear(x, w, b):
    """x W' + b."""
    return x @ w.T + b


def cross_entropy(logits, y):
    """-ln softmax(logits)[y], mean over the batch."""
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()


def binary_cross_entropy(logits, x):
    """-ln p(x) of independent bits, each with its own term."""
    return jax.nn.softplus(logits) - logits * x


def dropout(x, p: float, key):
    """Zero with probability p, the rest larger by 1/(1-p)."""
    keep = jax.random.bernoulli(key, 1 - p, x.shape)
    return jnp.where(keep, x / (1 - p), 0)


def mlp(s, weights, batch, key):
    """784-128-128-10 with ReLU."""
    w1, b1, w2, b2, w3, b3 = weights
    x, y, _ = batch
    h = jax.nn.relu(linear(x, w1, b1))
    h = jax.nn.relu(linear(h, w2, b2))
    return cross_entropy(linear(h, w3, b3), y), None


def lenet(s, weights, batch, key):
    """Two convolutions with ReLU and max-pooling, three linear layers."""
    weights, (x, y, _) = list(weights), batch
    for padding in s.padding:
        w = weights.pop(0)
        x = lax.conv_general_dilated(x, w, (1, 1), [(padding, padding)] * 2)
        if s.bias:
            x = x + weights.pop(0)[:, None, None]
        x = lax.reduce_window(
            jax.nn.relu(x), -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID"
        )
    w1, b1, w2, b2, w3, b3 = weights
    h = jax.nn.relu(linear(x.reshape(len(x), -1), w1, b1))
    logits = linear(jax.nn.relu(linear(h, w2, b2)), w3, b3)
    return cross_entropy(logits, y), (logits.argmax(1) == y).mean()


def vae(s, weights, batch, key):
    """Encoder, one draw of the code, Bernoulli decoder; the negative bound and its KL."""
    e1, a1, e2, a2, wm, bm, wv, bv, d1, c1, d2, c2, wx, bx = weights
    x = batch[0].reshape(len(batch[0]), -1)
    h = jnp.tanh(linear(jnp.tanh(linear(x, e1, a1)), e2, a2))
    mu, logvar = linear(h, wm, bm), linear(h, wv, bv)
    z = mu + jnp.exp(0.5 * logvar) * jax.random.normal(key, mu.shape)
    h = jnp.tanh(linear(jnp.tanh(linear(z, d1, c1)), d2, c2))
    nll = binary_cross_entropy(linear(h, wx, bx), x).sum(1)
    kl = -0.5 * (1 + logvar - mu**2 - jnp.exp(logvar)).sum(1)
    return (nll + kl).mean(), kl.mean()


def jsb_lstm(s, weights, batch, key):
    """An LSTM over frames [T, B, 88], gates i f c o, one bias; dropout before and after."""
    wx, wh, b, readout, *bias = weights
    x, y, mask = batch
    before, after = jax.random.split(key)
    if s.dropout:
        x = dropout(x, s.dropout, before)
    zero = jnp.zeros((x.shape[1], wh.shape[1]), x.dtype)

    def cell(state, a):
        h, c = state
        i, f, new, o = jnp.split(a + h @ wh.T, 4, 1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(new)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    _, hs = lax.scan(cell, (zero, zero), linear(x, wx, b))
    if s.dropout:
        hs = dropout(hs, s.dropout, after)
    logits = hs @ readout.T + (bias[0] if bias else 0)
    nll = binary_cross_entropy(logits, y).sum(2)
    return (nll * mask).sum() / mask.sum(), None


MODELS = {"mlp": mlp, "lenet": lenet, "vae": vae, "jsb-lstm": jsb_lstm}


def clipped(gradients: list, most: float) -> list:
    """Scaled so that the norm of all is `most` at the most."""
    norm = jnp.sqrt(sum((g * g).sum() for g in gradients))
    scale = jnp.minimum(1.0, most / (norm + 1e-6))
    return [g * scale for g in gradients]


def adam(w, g, m, v, t, lr: float):
    """One array's step (Kingma & Ba 2015): (w, m, v) after it."""
    m = BETA1 * m + (1 - BETA1) * g
    v = BETA2 * v + (1 - BETA2) * g * g
    change = m / (1 - BETA1**t) / (jnp.sqrt(v / (1 - BETA2**t)) + EPS)
    return w - lr * change, m, v


def step(name: str, ready) -> Contender:
    """The training step of that name, on the weights and the batch of ours."""
    s = ready.settings
    batch = [a if a is None else jnp.asarray(a) for a in _arrays(ready.batch)]

    def one(weights, m, v, t, key, batch):
        key, own = jax.random.split(key)
        (loss, extra), gradients = jax.value_and_grad(
            lambda weights: MODELS[name](s, weights, batch, own), has_aux=True
        )(weights)
        gradients = clipped(gradients, s.clip) if s.clip else gradients
        updated = [adam(*of_one, t + 1, s.lr) for of_one in zip(weights, gradients, m, v)]
        return *map(list, zip(*updated)), t + 1, key, loss, extra

    compiled = jax.jit(one, donate_argnums=(0, 1, 2, 3, 4))
    weights = [jnp.array(w) for w in ready.weights()]
    state = weights, *([jnp.zeros_like(w) for w in weights] for _ in "mv"), jnp.float32(0)
    now = [*state, jax.random.key(0)]

    def train() -> float:
        *now[:], loss, extra = compiled(*now, batch)
        value = float(loss)
        if extra is not None:
            float(extra)
        jax.block_until_ready(now)
        return value

    return Watched(train, lambda: [np.array(w) for w in now[0]]).contender()


def _arrays(batch) -> tuple:
    return batch.x, batch.y, batch.mask
