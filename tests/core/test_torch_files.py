"""Files written by PyTorch itself load bit-equal, without it, and into our modules."""

import subprocess
import sys

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.core.nn import StateError
from tests.tools import assert_close

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

FORMATS = {
    "archive": {},
    "legacy": {"_use_new_zipfile_serialization": False},
    "protocol 4": {"pickle_protocol": 4},
    "protocol 5": {"pickle_protocol": 5},
}
DTYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8",
          "uint16", "uint32", "uint64", "bool", "complex64", "complex128")  # fmt: skip


def saved(value, path, **options):
    torch.save(value, path, **options)
    return gg.load(path)


def random(dtype: str):
    """Every pattern of bits that the dtype has, NaN and infinities included."""
    bits = torch.randint(0, 256, (4 * 16,), dtype=torch.uint8)
    t = getattr(torch, dtype)
    return bits % 2 == 1 if dtype == "bool" else bits.view(t)


@pytest.mark.parametrize("options", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_is_bit_equal(dtype, options, tmp_path):
    torch.manual_seed(1)
    t = random(dtype)
    found = saved({"a": t}, tmp_path / "a.pt", **options)["a"]
    want = t.float().numpy() if dtype == "bfloat16" else t.numpy()
    assert found.dtype == want.dtype and found.shape == want.shape
    assert found.tobytes() == want.tobytes()


@pytest.mark.parametrize("options", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_conjugate_and_negative_views_are_what_they_show(dtype, options, tmp_path):
    """They share the storage of z; only a bit tells them from it."""
    z = torch.tensor([[1 + 2j, 3 - 1j], [0.5j, -4]], dtype=getattr(torch, dtype))
    views = {
        "z": z, "conj": z.conj(), "both": z.conj().conj(), "imag": z.conj().imag,
        "negative": torch._neg_view(z.conj()), "turned": z.mH, "whole": torch._neg_view(z.real),
        "few": torch._neg_view(torch.arange(3).to(torch.uint16)),  # has no storage of its dtype
    }  # fmt: skip
    assert views["conj"].is_conj() and views["imag"].is_neg() and views["negative"].is_neg()
    found = {k: saved({"a": t}, tmp_path / "a.pt", **options)["a"] for k, t in views.items()}
    assert found.pop("few").tolist() == [0, 65535, 65534] and views.pop("few").is_neg()
    for key, t in views.items():
        want = t.resolve_conj().resolve_neg().numpy()
        assert found[key].dtype == want.dtype and np.array_equal(found[key], want), key


def test_bfloat16_is_said_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("glassgrad.kernels.notice._said", set())
    for _ in range(2):
        saved({"a": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "a.pt")
    assert capsys.readouterr().err.count("bfloat16 tensors are read as float32") == 1


@pytest.mark.parametrize("options", FORMATS.values(), ids=FORMATS)
def test_views_of_one_storage(options, tmp_path):
    base = torch.arange(24.0).reshape(4, 6)
    views = {
        "all": base, "turned": base.T, "part": base[1:, ::2], "row": base[2], "number": base[3, 5],
        "repeated": base[0, :1].expand(3, 5), "none": base[:0],
        "parameter": torch.nn.Parameter(base),
        "axes": base.reshape(2, 2, 3, 2).permute(3, 1, 0, 2), "negative": base.flip(0),
    }  # fmt: skip
    found = saved(views, tmp_path / "a.pt", **options)
    for key, t in views.items():
        want = t.detach().numpy()
        assert found[key].shape == want.shape and np.array_equal(found[key], want), key
        assert found[key].flags.c_contiguous and found[key].flags.writeable, key


@pytest.mark.parametrize("options", FORMATS.values(), ids=FORMATS)
def test_a_checkpoint_with_an_optimiser(options, tmp_path):
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    adam = torch.optim.Adam(net.parameters(), betas=(0.5, 0.75))
    net(torch.ones(4, 3)).sum().backward()
    adam.step()
    whole = {
        "model": net.state_dict(), "adam": adam.state_dict(), "epoch": 3, "name": "né", "n": -5,
        "big": 2**70, "shape": torch.Size([2, 3]), "dtype": torch.float32, "none": None,
    }  # fmt: skip
    found = saved(whole, tmp_path / "a.pth", **options)
    assert found["epoch"] == 3 and found["name"] == "né" and found["big"] == 2**70
    assert found["n"] == -5 and found["none"] is None
    assert found["shape"] == (2, 3) and found["dtype"] == "torch.float32"
    group = found["adam"]["param_groups"][0]
    assert group["betas"] == (0.5, 0.75) and group["params"] == [0, 1, 2, 3]
    first = found["adam"]["state"][0]["exp_avg"]
    assert np.array_equal(first, adam.state_dict()["state"][0]["exp_avg"].numpy())
    ours = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm(2))
    with pytest.raises(StateError, match=r"model .* is a dictionary.* load state\['model'\]"):
        ours.load_state_dict(found)
    ours.load_state_dict(found["model"])
    x = np.ones((4, 3), np.float32)
    want = net.eval()(torch.tensor(x)).detach().numpy()
    assert_close(ours.eval()(gg.tensor(x)).numpy(), want)


LAYERS = {
    "linear": (lambda: nn.Linear(3, 2), lambda: torch.nn.Linear(3, 2), (4, 3)),
    "conv1d": (lambda: nn.Conv1d(2, 3, 3), lambda: torch.nn.Conv1d(2, 3, 3), (2, 2, 7)),
    "conv2d": (lambda: nn.Conv2d(2, 4, 3, 2, 1, groups=2),
               lambda: torch.nn.Conv2d(2, 4, 3, 2, 1, groups=2), (2, 2, 7, 6)),
    "transposed": (lambda: nn.ConvTranspose2d(2, 3, 2, 2),
                   lambda: torch.nn.ConvTranspose2d(2, 3, 2, 2), (2, 2, 3, 4)),
    "layer norm": (lambda: nn.LayerNorm(5), lambda: torch.nn.LayerNorm(5), (3, 5)),
    "lstm": (lambda: nn.LSTM(3, 4, 2), lambda: torch.nn.LSTM(3, 4, 2), (5, 2, 3)),
    "lstm both ways": (lambda: nn.LSTM(3, 4, biases=2, bidirectional=True),
                       lambda: torch.nn.LSTM(3, 4, bidirectional=True), (5, 2, 3)),
    "gru": (lambda: nn.GRU(3, 4, variant="library"), lambda: torch.nn.GRU(3, 4), (5, 2, 3)),
    "rnn": (lambda: nn.RNN(3, 4, biases=2), lambda: torch.nn.RNN(3, 4), (5, 2, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_takes_the_file_of_pytorchs(name, tmp_path):
    ours, theirs, shape = LAYERS[name]
    torch.manual_seed(2)
    ours, theirs = ours(), theirs()
    torch.save(theirs.state_dict(), tmp_path / "net.pth")
    state = gg.load(tmp_path / "net.pth")
    for key, value in theirs.state_dict().items():
        assert state[key].tobytes() == value.numpy().tobytes()
    ours.load_state_dict(state)
    x = np.random.default_rng(3).standard_normal(shape).astype("float32")
    y, want = ours(gg.tensor(x)), theirs(torch.tensor(x))
    y, want = (v[0] if isinstance(v, tuple) else v for v in (y, want))
    assert_close(y.numpy(), want.detach().numpy(), reduction=64)


@pytest.mark.parametrize(
    "ours, theirs, switch",
    [
        (lambda: nn.GRU(3, 4), lambda: torch.nn.GRU(3, 4), "variant='library'"),
        (lambda: nn.GRU(3, 4, biases=2), lambda: torch.nn.GRU(3, 4, 2), "layers=2"),
        (lambda: nn.RNN(3, 4), lambda: torch.nn.RNN(3, 4), "biases=2"),
        (lambda: nn.LSTM(3, 4), lambda: torch.nn.LSTM(3, 4, 2), "layers=2"),
        (lambda: nn.LSTM(3, 4), lambda: torch.nn.LSTM(3, 4, bidirectional=True),
         "bidirectional=True"),
        (lambda: nn.LSTM(3, 4), lambda: torch.nn.LSTM(3, 4, bias=False), "biases=0"),
    ],
)  # fmt: skip
def test_the_switch_that_weights_need_is_named(ours, theirs, switch, tmp_path):
    torch.save({f"part.{k}": v for k, v in theirs().state_dict().items()}, tmp_path / "a.pt")
    net = nn.Sequential(ours())
    net.members = lambda: [("part", net.layers[0])]
    state, before = gg.load(tmp_path / "a.pt"), net.state_dict()
    with pytest.raises(StateError, match=rf"part: the state fits with {switch}\n"):
        net.load_state_dict(state)
    assert all(np.array_equal(v, before[k]) for k, v in net.state_dict().items())


def test_a_state_that_fits_has_no_switch(tmp_path):
    lstm = nn.LSTM(3, 4)
    state = nn.LSTM(3, 5).state_dict()
    with pytest.raises(StateError) as caught:
        lstm.load_state_dict(state)
    assert "fits with" not in str(caught.value)


@pytest.mark.parametrize(
    "what, message",
    [
        (lambda: torch.nn.Linear(3, 2), "asks for torch.nn.modules.linear.Linear.*net.state_dict"),
        (lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "_rebuild_qtensor"),
        (lambda: torch.eye(3).to_sparse(), "_rebuild_sparse_tensor"),
        (lambda: torch.ones(2, dtype=torch.float8_e4m3fn), "torch.float8_e4m3fn"),
        (lambda: torch.ones(3, device="meta"), "asks for|rebuild"),
        (lambda: {"a": np.float64(1.0)}, "asks for numpy"),
        (lambda: {"a": {1, 2}}, "asks for __builtin__.set"),
    ],
)
def test_what_is_more_than_numbers_is_named(what, message, tmp_path):
    with pytest.raises(gg.GlassgradError, match=message):
        saved(what(), tmp_path / "a.pt")


def test_a_script_is_not_run(tmp_path):
    torch.jit.save(torch.jit.script(torch.nn.Linear(3, 2)), tmp_path / "a.pt")
    with pytest.raises(gg.GlassgradError, match="TorchScript"):
        gg.load(tmp_path / "a.pt")


def test_pytorch_is_not_needed(tmp_path):
    """In a process of its own, where torch cannot be imported, and pickle has lost its machine."""
    torch.save(torch.nn.Linear(3, 2).state_dict(), tmp_path / "a.pt")
    code = (
        "import pickle, sys; sys.modules['torch'] = None;"
        "pickle.load = pickle.loads = pickle.Unpickler = pickle._Unpickler = None;"
        f"import glassgrad as gg; print(*gg.load({str(tmp_path / 'a.pt')!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["weight", "bias"], done.stderr
