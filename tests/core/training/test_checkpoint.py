"""Files of arrays: what goes in comes out, and every way of breaking one ends in a clear error."""

import errno
import json
import os
import subprocess
import sys
import tracemalloc
import zlib

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.training.checkpoint import CheckpointError, load_arrays, save_arrays

ARRAYS = {
    "w": np.arange(6, dtype="float32").reshape(2, 3),
    "float64": np.array([np.pi, np.inf, -np.inf, np.nan, -0.0, 5e-324]),
    "scalar": np.array(7),
    "empty": np.zeros((0, 3), "float32"),
    "mask": np.array([True, False]),
    "bytes": np.arange(256, dtype="uint8"),
    "half": np.float16([1.5]),
    "transposed": np.arange(6.0).reshape(2, 3).T,
    "big-endian": np.array([1.0, 2.0], ">f8"),
    "name with/odd.signs ö": np.int64([2**62]),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "c.safetensors"


def same(a, b):
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def test_what_goes_in_comes_out_bit_for_bit(path):
    save_arrays(path, ARRAYS, {"epoch": "3", "text": '{"a": "ö"}'})
    arrays, metadata = load_arrays(path)
    assert metadata == {"epoch": "3", "text": '{"a": "ö"}'}
    assert set(arrays) == set(ARRAYS)
    for name, a in ARRAYS.items():
        want = a.astype(a.dtype.newbyteorder("="))
        assert arrays[name].dtype == want.dtype and same(arrays[name], want), name
        arrays[name][...] = 0  # they are the caller's, and writeable
    assert sorted(os.listdir(path.parent)) == [path.name]


def test_nothing_at_all_tensors_and_numbers(path):
    save_arrays(path, {})
    assert load_arrays(path) == ({}, {})
    save_arrays(path, {"t": gg.tensor([1.0], requires_grad=True), "n": 3, "x": 0.1})
    arrays, _ = load_arrays(path)
    assert arrays["t"].tolist() == [1.0] and arrays["n"] == 3 and arrays["x"] == 0.1


def test_an_existing_file_is_replaced_through_a_link(path, tmp_path):
    link = tmp_path / "link"
    save_arrays(path, {"w": np.ones(2)})
    link.symlink_to(path)
    save_arrays(link, {"w": np.zeros(2)})
    assert link.is_symlink() and load_arrays(path)[0]["w"].tolist() == [0, 0]


def test_every_truncation_is_found(path):
    save_arrays(path, {"w": np.arange(4.0), "b": np.arange(2.0)}, {"epoch": "3"})
    whole = path.read_bytes()
    for n in [*range(12), *range(12, len(whole), 7), len(whole) - 1]:
        path.write_bytes(whole[:n])
        with pytest.raises(CheckpointError, match=r"c\.safetensors: is truncated"):
            load_arrays(path)
    path.write_bytes(whole + b"x")
    with pytest.raises(CheckpointError, match=r"c\.safetensors: is corrupt"):
        load_arrays(path)


def test_a_flipped_bit_of_every_byte_is_found(path):
    """In the numbers, the header, its length, the metadata and the checksum itself."""
    save_arrays(path, {"w": np.arange(4.0)}, {"epoch": "3"})
    whole = path.read_bytes()
    for n in range(len(whole)):
        spoilt = bytearray(whole)
        spoilt[n] ^= 1 << n % 7
        path.write_bytes(spoilt)
        with pytest.raises(CheckpointError, match=r"c\.safetensors: (is|has|was)"):
            load_arrays(path, ours=True)


def test_equal_contents_give_equal_files(path):
    """The library's own writer has the metadata in the order of a hash, another in each process."""
    script = (
        "import sys, numpy as np\nfrom glassgrad.core.training.checkpoint import save_arrays\n"
        "save_arrays(sys.argv[1], {'w': np.eye(2), 'b': 1}, dict.fromkeys('abcdefgh', 'x'))\n"
    )
    found = set()
    for _ in range(2):
        subprocess.run([sys.executable, "-c", script, str(path)], check=True)
        found.add(path.read_bytes())
    save_arrays(path, {"b": 1, "w": np.eye(2)}, dict.fromkeys("hgfedcba", "x"))
    assert found == {path.read_bytes()}


def rewritten(path, change):
    """The file with other metadata, as another program would write it."""
    from safetensors import safe_open
    from safetensors.numpy import load, save

    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    change(metadata)
    path.write_bytes(save(load(path.read_bytes()), metadata))


def test_a_file_that_another_program_changed_is_corrupt(path):
    for change in (
        lambda m: m.update(epoch="4"),
        lambda m: m.pop("glassgrad.format"),
        lambda m: m.pop("glassgrad.sha256"),
        lambda m: m.update({"glassgrad.sha256": "0" * 64}),
    ):
        save_arrays(path, {"w": np.ones(2)}, {"epoch": "3"})
        rewritten(path, change)
        with pytest.raises(CheckpointError, match="is corrupt: its checksum is"):
            load_arrays(path)


def test_a_checkpoint_of_another_format_is_one_line_that_names_it(path, monkeypatch):
    from safetensors.numpy import save

    for metadata, message in (
        ({"progress": "{}", "glassgrad.crc32": "0"}, "has format 1, without a checksum of the"),
        ({"progress": "{}"}, "has no checksum: not one of our checkpoints"),
    ):
        path.write_bytes(save({"w": np.ones(1)}, metadata))
        with pytest.raises(CheckpointError, match=message):
            load_arrays(path, ours=True, oldest="2")
    monkeypatch.setattr("glassgrad.core.training.checkpoint.FORMAT", "3")
    save_arrays(path, {"w": np.ones(2)})
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="has format 3; this version reads format 2 only"):
        load_arrays(path)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "is truncated: 0 bytes"),
        (b"PK\x03\x04 a zip file, long enough to look at", "is not a safetensors file"),
        (b"\x80\x04\x95" + b"\0" * 20, "is not a safetensors file"),
        ((5).to_bytes(8, "little") + b"{abc}", "its header cannot be read"),
        ((2).to_bytes(8, "little") + b"{}", None),
        ((9).to_bytes(8, "little") + b'{"a": 12}', "its header cannot be read"),
    ],
)
def test_other_files_are_told_apart(path, content, message):
    path.write_bytes(content)
    if message is None:
        assert load_arrays(path) == ({}, {})
    else:
        with pytest.raises(CheckpointError, match=message):
            load_arrays(path)


def test_a_file_from_elsewhere_has_no_checksum(path):
    from safetensors.numpy import save_file

    save_file({"w": np.ones(3, "float32")}, str(path), {"format": "pt"})
    arrays, metadata = load_arrays(path)
    assert arrays["w"].tolist() == [1, 1, 1] and metadata == {"format": "pt"}


def test_a_missing_file_and_a_folder(path):
    with pytest.raises(CheckpointError, match=r"c\.safetensors cannot be read: No such file"):
        load_arrays(path)
    with pytest.raises(CheckpointError, match="cannot be read: it is a folder, not a regular"):
        load_arrays(path.parent)
    with pytest.raises(CheckpointError, match=r"cannot write .*where: No such file"):
        save_arrays(path.parent / "no" / "where", {"w": np.ones(1)})
    path.mkdir()
    with pytest.raises(CheckpointError, match=r"cannot write .*: it is a folder"):
        save_arrays(path, {"w": np.ones(1)})
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_failed_write_leaves_the_old_file(path, monkeypatch, call, number):
    save_arrays(path, {"w": np.ones(2)}, {"epoch": "1"})

    def fail(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(CheckpointError, match=os.strerror(number)) as caught:
        save_arrays(path, {"w": np.zeros(2)})
    assert "nothing was changed" in str(caught.value)
    monkeypatch.undo()
    assert load_arrays(path)[1] == {"epoch": "1"} and os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_for_real(path, monkeypatch):
    """The temporary file is /dev/full itself: the kernel's own ENOSPC comes out of the write."""
    monkeypatch.setattr(
        "builtins.open", lambda name, mode: os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb")
    )
    with pytest.raises(CheckpointError, match="No space left on device; nothing was changed"):
        save_arrays(path, {"w": np.zeros(100_000)})
    monkeypatch.undo()
    assert os.listdir(path.parent) == []


def test_killed_in_the_middle_of_a_write(path):
    """The process dies with half of the file on the disk: the old checkpoint is whole."""
    save_arrays(path, {"w": np.ones(2)}, {"epoch": "1"})
    script = (
        "import os, sys, numpy as np\n"
        "from glassgrad.core.training import checkpoint\n"
        "os.fsync = lambda handle: (os.ftruncate(handle, 100), os._exit(9))\n"
        "checkpoint.save_arrays(sys.argv[1], {'w': np.zeros(10_000)})\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == 9
    assert load_arrays(path)[0]["w"].tolist() == [1, 1]
    left = [n for n in os.listdir(path.parent) if n != path.name]
    assert len(left) == 1 and left[0].endswith(".tmp")
    assert os.path.getsize(path.parent / left[0]) == 100


@pytest.mark.parametrize(
    "arrays, metadata, message",
    [
        ({"w": np.array(["text"])}, {}, "w has dtype <U4"),
        ({"w": np.array([None])}, {}, "w has dtype object"),
        ({"w": np.ones(1, complex)}, {}, "w has dtype complex128"),
        ({3: np.ones(1)}, {}, "3 cannot be the name"),
        ({"__metadata__": np.ones(1)}, {}, "cannot be the name"),
        ({}, {"epoch": 3}, "metadata must map strings to strings; got 'epoch'"),
        ({}, {"glassgrad.sha256": "0"}, "metadata must map"),
        ({}, {"text": "\ud800"}, "half a surrogate"),
    ],
)
def test_what_the_format_does_not_hold(path, arrays, metadata, message):
    with pytest.raises(CheckpointError, match=message):
        save_arrays(path, arrays, metadata)
    assert not path.exists()


def test_the_file_is_plain_safetensors(path):
    """Eight bytes of length, JSON, numbers: read here without the library."""
    save_arrays(path, {"w": np.float32([1, 2])}, {"epoch": "3"})
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    start, end = header["w"]["data_offsets"]
    assert header["w"]["dtype"] == "F32" and header["__metadata__"]["epoch"] == "3"
    assert header["__metadata__"]["glassgrad.format"] == "2"
    body = content[8 + length :]
    assert np.frombuffer(body[start:end], "<f4").tolist() == [1.0, 2.0]


def test_the_library_reads_every_dtype_and_shape(path):
    from safetensors.numpy import load_file

    save_arrays(path, ARRAYS, {"epoch": "3"})
    found = load_file(path)
    assert found.keys() == ARRAYS.keys()
    for name, a in ARRAYS.items():
        want = a.astype(a.dtype.newbyteorder("="))
        assert found[name].dtype == want.dtype and same(found[name], want), name


@pytest.mark.torch
def test_weights_travel_both_ways(path):
    torch = pytest.importorskip("torch")
    from glassgrad.core import nn

    ours = nn.LSTM(3, 4, 2, biases=2, rng=gg.Generator(0))
    theirs = torch.nn.LSTM(3, 4, 2)
    save_arrays(path, ours.state_dict())
    theirs.load_state_dict({k: torch.tensor(v) for k, v in load_arrays(path)[0].items()})
    x = np.random.default_rng(0).normal(size=(5, 2, 3)).astype("float32")
    want = theirs(torch.tensor(x))[0].detach().numpy()
    assert np.abs(ours(gg.tensor(x))[0].numpy() - want).max() < 1e-6


def format_1(arrays, metadata):
    """A file as it was before: the library's own, with a CRC of the arrays."""
    from safetensors.numpy import save

    crc = 0
    for name in sorted(arrays):
        a = arrays[name]
        crc = zlib.crc32(f"{name} {a.dtype.name} {a.shape} ".encode(), crc)
        crc = zlib.crc32(a.tobytes(), crc)
    return save(arrays, {**metadata, "glassgrad.crc32": f"{crc:08x}"})


def test_the_weights_of_format_1_are_read_and_their_checksum_is_looked_at(path):
    arrays = {"w": np.arange(4.0), "a": np.zeros((0, 3), "float32"), "n": np.array(7)}
    path.write_bytes(format_1(arrays, {"progress": "{}"}))
    for ours in (True, False):
        found, metadata = load_arrays(path, ours=ours)
        assert metadata == {"progress": "{}"} and found.keys() == arrays.keys()
        assert all(same(found[n], a) for n, a in arrays.items())
    spoilt = bytearray(path.read_bytes())
    spoilt[-1] ^= 1
    path.write_bytes(spoilt)
    for ours in (True, False):
        with pytest.raises(CheckpointError, match=r"is corrupt: its checksum is [0-9a-f]{8}, "):
            load_arrays(path, ours=ours)


def test_what_comes_after_the_arrays_is_not_read(path):
    """Eight GB of nothing takes no block of a disk; to read it would take all memory."""
    save_arrays(path, {"w": np.ones(2)})
    size = path.stat().st_size
    os.truncate(path, 8 << 30)
    tracemalloc.start()
    with pytest.raises(CheckpointError, match=f"is corrupt: {(8 << 30) - size:,} bytes come after"):
        load_arrays(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_header_of_ours_is_no_hundred_megabytes(path):
    length = 20 << 20
    path.write_bytes(length.to_bytes(8, "little") + b"{}".ljust(length))
    assert load_arrays(path) == ({}, {})  # another program's may be
    with pytest.raises(CheckpointError, match="has a header of 20,971,520 bytes; a checkpoint"):
        load_arrays(path, ours=True)
    with pytest.raises(CheckpointError, match="are too many"):
        save_arrays(path, {}, {"text": "x" * (16 << 20)})
