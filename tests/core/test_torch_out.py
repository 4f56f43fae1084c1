"""Weights to PyTorch: what `gg.save` writes, PyTorch's own readers take, bit for bit."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.training.checkpoint import CheckpointError

PAIRS = {
    "linear": (lambda: gg.nn.Linear(5, 3, rng=gg.Generator(0)), lambda t: t.nn.Linear(5, 3)),
    "conv": (
        lambda: gg.nn.Conv2d(2, 3, 3, rng=gg.Generator(0)), lambda t: t.nn.Conv2d(2, 3, 3),
    ),
    "lstm": (
        lambda: gg.nn.LSTM(4, 6, 2, biases=2, rng=gg.Generator(0)), lambda t: t.nn.LSTM(4, 6, 2),
    ),
    "gru": (
        lambda: gg.nn.GRU(4, 6, variant="library", biases=2, rng=gg.Generator(0)),
        lambda t: t.nn.GRU(4, 6),
    ),
    "batch norm": (lambda: gg.nn.BatchNorm(4), lambda t: t.nn.BatchNorm2d(4)),
}  # fmt: skip


@pytest.mark.torch
@pytest.mark.parametrize("name", PAIRS)
def test_saved_weights_load_into_pytorch_and_come_back(tmp_path, name):
    torch = pytest.importorskip("torch")
    load_file = pytest.importorskip("safetensors.torch").load_file
    ours, theirs = PAIRS[name][0](), PAIRS[name][1](torch)
    gg.save(ours, tmp_path / "net.safetensors")
    found = theirs.load_state_dict(load_file(tmp_path / "net.safetensors"), strict=False)
    assert not found.unexpected_keys
    assert set(found.missing_keys) <= {"num_batches_tracked"}
    torch.save(theirs.state_dict(), tmp_path / "back.pth")
    back = gg.load(tmp_path / "back.pth")
    for key, array in ours.state_dict().items():
        assert np.asarray(array).tobytes() == np.asarray(back[key]).tobytes()


@pytest.mark.parametrize("name", ["net.pt", "net.pth"])
def test_a_name_of_pytorch_is_refused(tmp_path, name):
    with pytest.raises(CheckpointError, match=r"let its name end in \.safetensors"):
        gg.save(gg.nn.Linear(2, 2, rng=gg.Generator(0)), tmp_path / name)
    assert not list(tmp_path.iterdir())
