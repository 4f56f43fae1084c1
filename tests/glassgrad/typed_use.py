"""A program as a user writes it, for a type checker and to be run: see test_typing.py."""

from pathlib import Path

import numpy as np

import glassgrad as gg


class Settings(gg.TrainingSettings):
    hidden: int = gg.setting(8, least=1, help="units of the hidden layer")


class Net(gg.nn.Module):
    def __init__(self, hidden: int) -> None:
        self.body = gg.nn.Sequential(
            gg.nn.Linear(64, hidden), gg.nn.GELU(), gg.nn.Linear(hidden, 10)
        )
        self.norm = gg.nn.GroupNorm(2, 4, dtype=np.float32)

    def forward(self, x: gg.Tensor) -> gg.Tensor:
        out: gg.Tensor = self.body(x.reshape((len(x), -1)))
        return out


def tensors() -> float:
    x = gg.tensor([[0.5, -1.0], [2.0, 3.0]], requires_grad=True)
    y: gg.Tensor = ((x**2 + 1.0) @ x.T / 2 - 3 * x[0]).tanh().sum(axis=0, keepdims=True)
    y = 2.0 - y // 2 + y % 3
    y.backward(np.ones((1, 2), "float32"))
    first = gg.grad((x**3).sum(), x, create_graph=True)
    gx, gy = gg.grad(gg.mean(x * first), [x, first])
    size: int = gx.ndim + len(gy.shape) + y.argmax(axis=None).size
    mask: np.ndarray = x > 0
    where = gg.where(mask, x, 0.0).astype(np.float64).round(2)
    values, places = gg.topk(x, 1, axis=-1)
    flags: np.ndarray = gg.isnan(values)
    total = float(gg.prod(where, axis=(0, 1))) + size + places.sum() + flags.sum()
    return float(total + f"{y.sum():.3f}".count("."))


def functions(path: Path) -> gg.Tensor:
    image = gg.randn((1, 2, 6, 6), requires_grad=True)
    weight = gg.full((3, 2, 3, 3), 0.1, dtype="float32")
    h = gg.relu(gg.conv2d(image, weight, stride=(1, 1), padding=1))
    pooled, index = gg.max_pool2d(h, 2, ceil_mode=True, return_indices=True)
    h = gg.avg_pool1d(gg.flatten(pooled, 2), 3).transpose(0, 2, 1)
    h = gg.einsum("btc,btd->bcd", h, h) + index.mean()
    hs, (state, cell) = gg.lstm(
        np.ones((2, 1, 3), "float32"), gg.zeros((1, 2)), gg.zeros((1, 2)), gg.ones((8, 3)),
        gg.ones((8, 2)),
    )  # fmt: skip
    with gg.trace() as t, gg.no_grad(), gg.backend("reference", conv2d=1):
        gg.softmax(h, axis=-1)
    text: str = t.dot()
    gg.save({"a": h}, path / "a.safetensors")
    state_dict = gg.load(path / "a.safetensors")
    loss = gg.cross_entropy(gg.zeros((2, 3)), [0, 2]) + gg.mse([1.0], np.ones(1, "f4")) + hs.mean()
    gg.gradcheck(gg.silu, np.ones(2), order=2)
    result: gg.Tensor = loss + state.sum() + cell.sum() + len(text) + state_dict["a"].sum()
    return result


def training() -> np.ndarray:
    gg.manual_seed(0)
    net = Net(Settings(hidden=8).hidden)
    optimiser = gg.optim.Adam(net.parameters(), lr=1e-3, betas=(0.9, 0.99))
    x, y = gg.rand((4, 64)), np.array([0, 1, 2, 3])
    for _ in range(2):
        gg.cross_entropy(net(x), y).backward()
        gg.optim.clip_grad_norm(net.parameters(), 1.0)
        optimiser.step()
    history = gg.fit(net, (x.numpy(), y), epochs=1, batch=2)
    assert history[-1]["epoch"] == 1
    net.load_state_dict(net.state_dict(), strict=True)
    data = gg.data.load("digits")
    answers = gg.predict(net.eval(), data.test.x[:3])
    best: np.ndarray = answers.argmax(axis=1)
    return best


def main(path: Path) -> None:
    assert np.isfinite(tensors())
    assert functions(path).requires_grad is False
    assert training().shape == (3,)
