"""Hostile and damaged `.pt` files: each is refused in one line, quickly, and nothing is run."""

import io
import pickle
import random
import sys
import tarfile
import time
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.torch_files import is_torch
from glassgrad.core.training.checkpoint import CheckpointError
from tests.core.torch_archive import (
    MAGIC,
    NUMBERS,
    VERSION,
    archive,
    call,
    legacy,
    name,
    state,
    storage,
    tensor,
    text,
    tuple_of,
    whole,
)

GOOD = state(weight=tensor())
HEAD = b"\x80\x02"


def pt(value: bytes) -> bytes:
    """An archive whose pickle is this one value."""
    return archive(HEAD + value + b".")


def in_state(value: bytes) -> bytes:
    return archive(state(a=value))


def meta(**items: bytes) -> bytes:
    """A dictionary, as the last argument of a tensor."""
    return b"}(" + b"".join(text(key) + value for key, value in items.items()) + b"u"


def laughs() -> bytes:
    """Lists of ten times the list before: 10**30 values in 300 bytes."""
    value = b"](" + b"N" * 10 + b"eq\x00"
    for i in range(1, 30):
        value += b"](" + (b"h" + bytes([i - 1])) * 10 + b"eq" + bytes([i])
    return HEAD + b"](" + value + b"e."


def expanded(n: int) -> bytes:
    """n tensors that repeat one number four million times: each is small enough by itself."""
    one = {f"t{i}": tensor(0, (2, 2000, 1000), (0, 0, 0)) for i in range(n)}
    return archive(state(**one))


def overlapping() -> bytes:
    """Ten thousand members whose bytes are the same ones in the file."""
    good = archive(GOOD, {"0": np.zeros(100_000, "<f4")})
    at = good.index(b"PK\x01\x02")
    end = good.rindex(b"PK\x05\x06")
    entries = good[at:end].split(b"PK\x01\x02")[1:]
    entry = next(e for e in entries if b"net/data/0" in e)
    many = [entry.replace(b"net/data/0", b"net/d%05d" % i) for i in range(10_000)]
    directory = b"".join(b"PK\x01\x02" + e for e in (*entries, *many))
    count = (len(entries) + len(many)).to_bytes(2, "little")
    size, start = len(directory).to_bytes(4, "little"), at.to_bytes(4, "little")
    return good[:at] + directory + b"PK\x05\x06" + bytes(4) + count * 2 + size + start + bytes(2)


def flagged(content: bytes) -> bytes:
    """The same archive with every member said to be encrypted."""
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content = content[: at + place] + b"\x01" + content[at + place + 1 :]
            at = content.find(mark, at + 4)
    return content


def spoilt_number() -> bytes:
    good = archive(GOOD)
    at = good.index(NUMBERS.tobytes()) + 5
    return good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]


LEGACY = state(weight=tensor(of=storage(legacy=True)))
REDUCE = {  # what a pickle of Python's would call
    "os.system": call("os", "system", text("touch MARKER")),
    "posix.system": call("posix", "system", text("touch MARKER")),
    "subprocess.Popen": call("subprocess", "Popen", text("touch MARKER")),
    "builtins.eval": call("builtins", "eval", text("open('MARKER', 'w')")),
    "__builtin__.exec": call("__builtin__", "exec", text("open('MARKER', 'w')")),
    "builtins.getattr": call("builtins", "getattr", text("a"), text("b")),
    "this.s": name("this", "s"),
    "torch.load": call("torch", "load", text("MARKER")),
    "torch._utils._rebuild_tensor_v2.__globals__":
        b"\x8c\x0ctorch._utils" + b"\x8c\x1e_rebuild_tensor_v2.__globals__\x93",
    "a b": b"\x8c\x03a\nb\x8c\x01c\x93",
    "numpy.core.multiarray.scalar": call("numpy.core.multiarray", "scalar", text("f4")),
}  # fmt: skip
HOSTILE = {
    **{f"asks for {key}": (in_state(value), f"asks for {key}") for key, value in REDUCE.items()},
    "INST": (pt(b"(" + text("touch MARKER") + b"ios\nsystem\n"), r"instruction INST"),
    "OBJ": (pt(b"(" + name("collections", "OrderedDict") + b"o"), "instruction OBJ"),
    "NEWOBJ": (pt(name("collections", "OrderedDict") + b")\x81"), "instruction NEWOBJ"),
    "EXT1": (pt(b"\x82\x01"), "instruction EXT1"),
    "PERSID": (pt(b"Pstorage\n"), "instruction PERSID"),
    "LONG4": (pt(b"\x8b\xff\xff\xff\x7f"), "instruction LONG4"),
    "unknown instruction": (pt(b"\xff"), r"instruction b'\\xff'"),
    "calls a dtype": (pt(name("torch", "float32") + b")R"), "calls torch.float32"),
    "calls a text": (pt(text("os.system") + b")R"), "calls str"),
    "calls with a list": (pt(name("torch", "Size") + b"]R"), "without a tuple"),
    "calls with too little": (pt(call("torch._utils", "_rebuild_tensor_v2")), "with 0 arguments"),
    "calls with too much": (pt(call("torch", "Size", b"))))")), "with 4 arguments"),
    "a shape of 100000 axes, often": (
        pt(b"(" + whole(0) * 100_000 + b"tq\x00"
           + (name("torch", "Size") + b"h\x00\x85R\x86") * 20_000), "no tuple of lengths",
    ),
    "a name of a megabyte": (
        pt((b"\x8d" + (1 << 20).to_bytes(8, "little") + b"a" * (1 << 20)) * 2 + b"\x93"),
        "asks for a",
    ),
    "shape of texts": (pt(call("torch", "Size", tuple_of(text("a")))), "no tuple of lengths"),
    "dictionary of pairs": (pt(call("collections", "OrderedDict", b"]")), "of pairs"),
    "attributes of a tensor": (in_state(tensor() + b"}b"), "sets attributes of a Placed"),
    "persistent id of two": (
        in_state(tensor(of=tuple_of(text("storage"), b"N") + b"Q")), "in another form",
    ),
    "persistent number": (in_state(tensor(of=whole(3) + b"Q")), "in another form"),
    "storage of a function": (
        in_state(tensor(kind="Size")), "storage without a type",
    ),
    "storage of quarks": (in_state(tensor(kind="QInt8Storage")), "type torch.QInt8Storage"),
    "negative length": (in_state(tensor(count=-6)), "without a key or a length"),
    "path as a key": (in_state(tensor(key="../../../etc/passwd")), "no storage ../"),
    "key of another member": (in_state(tensor(key="../data.pkl")), "no storage"),
    "beyond the end": (in_state(tensor(start=1)), "reaches number 6 of a storage of 6"),
    "strides too long": (in_state(tensor(strides=(4, 1))), "reaches number 6"),
    "strides of 2**62": (in_state(tensor(strides=(2**62, 2**62))), "reaches number"),
    "negative strides": (in_state(tensor(strides=(-3, 1))), "without lengths and strides"),
    "negative start": (in_state(tensor(start=-1)), "without lengths and strides"),
    "strides of another number": (in_state(tensor(strides=(1,))), "without lengths"),
    "65 axes": (in_state(tensor(shape=(1,) * 65, strides=(0,) * 65)), "without lengths"),
    "length of a truth": (
        in_state(tensor().replace(whole(2) + whole(3) + b"t", b"\x88" + whole(6) + b"t", 1)),
        "without lengths",
    ),
    "metadata: a list": (in_state(tensor(metadata=b"]")), "metadata are other than conj"),
    "metadata: a number": (in_state(tensor(metadata=meta(conj=whole(1)))), "metadata are other"),
    "metadata: more": (in_state(tensor(metadata=meta(size=b"\x88"))), "metadata are other"),
    "metadata: conj of reals": (in_state(tensor(metadata=meta(conj=b"\x88"))), "float32 that is"),
    "metadata: neg of bools": (
        in_state(tensor(metadata=meta(neg=b"\x88"), kind="BoolStorage")), "of bool that is neg",
    ),
    "2**62 by 2**62": (in_state(tensor(shape=(2**62, 2**62), strides=(0, 0))), "too large"),
    "nothing, 2**62 times": (in_state(tensor(shape=(0, 2**62), strides=(0, 0))), "too large"),
    "repeated 2**40 times": (in_state(tensor(shape=(2**40,), strides=(0,))), "too large"),
    "many that are repeated": (expanded(9), "too large for such a file"),
    "a storage too short": (in_state(tensor(count=7)), "has 24 bytes, not 7 float32"),
    "a storage too long": (in_state(tensor(count=5, shape=(1, 3))), "has 24 bytes, not 5"),
    "a bare storage": (in_state(storage()), "holds storage where a value"),
    "a bare function": (in_state(name("torch", "Size")), "holds torch.Size where a value"),
    "a list in itself": (pt(b"]q\x00h\x00a"), "contains itself"),
    "a dictionary in itself": (pt(b"}q\x00" + text("a") + b"h\x00s"), "contains itself"),
    "100000 deep": (pt(b"]" * 100_000 + b"a" * 99_999), "more than 100 deep"),
    "a billion laughs": (archive(laughs()), "more than 2,000,000 values"),
    "nothing in the memo": (pt(b"h\x07"), "nothing was noted as 7"),
    "memo of an empty stack": (archive(HEAD + b"q\x00."), "stack is empty"),
    "an empty stack": (archive(HEAD + b"."), "stack is empty"),
    "below a mark": (archive(HEAD + b"N(\x85."), "stack is empty"),
    "no mark": (pt(b"t"), "no mark"),
    "values left over": (archive(HEAD + b"NN."), "leaves values over"),
    "a key without a value": (pt(b"}(" + text("a") + b"u"), "key without a value"),
    "an item of a list": (pt(b"](" + text("a") + b"Nu"), "an item of a list"),
    "appended to a tuple": (pt(b")(Ne"), "appends to a tuple"),
    "a tuple as a key": (pt(b"}()Nu"), "has a tuple as a key"),
    "keys of one hash": (pt(b"}(" + whole(2**61 - 1) + b"Nu"), "has a int as a key"),
    "text longer than the file": (pt(b"\x8d" + b"\xff" * 8), "is cut off"),
    "no end": (archive(GOOD[:-1]), "cut off"),
    "more after the end": (archive(GOOD + b"N."), "2 bytes after its pickle"),
    "no text": (pt(b"X\x01\x00\x00\x00\xff"), "no text"),
    "half a surrogate": (pt(text("\ud800")), "no text"),
    "a name without an end": (pt(b"c" + b"a" * 10_000), "no name"),
    "protocol 9": (archive(b"\x80\x09N."), "protocol 2 to 5"),
    "another order of bytes": (archive(GOOD, order="middle"), "neither little nor big"),
    "packed": (archive(GOOD, packed=True), "has a packed member"),
    "a bomb": (archive(GOOD, {"0": np.zeros(30_000_000, "u1")}, packed=True), "packed member"),
    "a member above": (archive(GOOD, more=[("net/../../x", b"")]), "member with the path"),
    "a member at the root": (archive(GOOD, more=[("/etc/passwd", b"")]), "member with the path"),
    "a member twice": (archive(GOOD, {"0": NUMBERS, "1": NUMBERS}).replace(b"data/1", b"data/0"),
                       "two members are called net/data/0"),
    "two pickles": (archive(GOOD, more=[("b/data.pkl", GOOD)]), "not one of torch.save"),
    "overlapping members": (overlapping(), "its members have"),
    "encrypted": (flagged(archive(GOOD)), "encrypted"),
    "a flipped bit": (spoilt_number(), "net/data/0 cannot be read: Bad CRC"),
    "half a zip": (archive(GOOD)[:300], "not a zip archive"),
    "an empty zip": (b"PK\x03\x04" + bytes(40), "not a zip archive"),
    "TorchScript": (archive(GOOD, more=[("net/code/a.py", b"")]), "TorchScript"),
    "a class of TorchScript": (pt(name("__torch__.a", "B")), "TorchScript"),
    "a whole module": (pt(name("torch.nn.modules.linear", "Linear")), "save net.state_dict"),
    "a sparse tensor": (pt(name("torch._utils", "_rebuild_sparse_tensor")), "plain ones are read"),
    "old: two lengths": (
        legacy(state(a=tensor(of=storage(legacy=True)),
                     b=tensor(of=storage(legacy=True, count=3), shape=(3,), strides=(1,)))),
        "described in two ways",
    ),
    "old: a view": (
        legacy(LEGACY.replace(b"N" + b"tQ", text("0") + b"tQ")), "holds a view of a storage",
    ),
    "old: other keys": (legacy(LEGACY, keys=["1"]), "not those of its pickle"),
    "old: a key twice": (legacy(LEGACY, keys=["0", "0"]), "listed twice"),
    "old: big-endian": (legacy(LEGACY, little=False), "another order of bytes"),
    "old: a negative length": (legacy(LEGACY, counts=-6), "has -6 numbers"),
    "old: 2**62 numbers": (
        legacy(LEGACY.replace(whole(6), whole(2**62)), counts=2**62), "is cut off",
    ),
    "old: cut off": (legacy(LEGACY)[:-3], "is cut off"),
    "old: too long": (legacy(LEGACY) + b"a", "1 bytes after its numbers"),
    "old: another version": (MAGIC + VERSION.replace(b"\xe9", b"\xe8"), "version of the format"),
    "another pickle": (pickle.dumps({"a": 1}), "not one of torch.save"),
    "another pickle, of a class": (pickle.dumps(random.Random(1)), "asks for random.Random|NEWOBJ"),
}  # fmt: skip


@pytest.mark.parametrize("which", HOSTILE)
def test_a_hostile_file_is_refused_in_one_line(which, tmp_path, monkeypatch):
    content, message = HOSTILE[which]
    path = tmp_path / "net.pt"
    path.write_bytes(content)
    monkeypatch.chdir(tmp_path)
    before, start = set(sys.modules), time.process_time()
    with pytest.raises(CheckpointError, match=message) as caught:
        gg.load(path)
    assert time.process_time() - start < 2.0
    line = str(caught.value)
    assert line.startswith(f"{path}: ") and "\n" not in line and len(line) < 350 + len(str(path))
    assert [p.name for p in tmp_path.iterdir()] == ["net.pt"]  # no MARKER: nothing ran
    assert not {"this"} & (set(sys.modules) - before)


MANY = 1_000_000
BOMBS = {
    "lists": b"]" * MANY,
    "dictionaries": b"}" * MANY,
    "marks": b"(" * MANY,
    "the memo": b"N" + b"\x94" * MANY,
    "one value again": b"}\x94" + b"h\x00" * MANY,
    "tuples": b"N" + b"\x85" * MANY,
    "numbers": b"G\x3f" + b"\x3fGGGGGGG\x3f" * (MANY // 9),
}


@pytest.mark.parametrize("form", [archive, legacy])
@pytest.mark.parametrize("which", BOMBS)
def test_a_pickle_makes_no_more_objects_than_memory_holds(which, form, tmp_path, monkeypatch):
    """Each byte of it would be an object of 50 to 100 bytes; here is little memory."""
    monkeypatch.setattr("glassgrad.core.torch_files.machine.memory", lambda: 10 << 20)
    path = tmp_path / "net.pt"
    path.write_bytes(form(HEAD + BOMBS[which] + b"."))
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match=r"holds more than 20,971 values"):
            gg.load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * path.stat().st_size + (10 << 20), peak


def test_values_have_a_bound_however_large_memory_is(tmp_path, monkeypatch):
    monkeypatch.setattr("glassgrad.core.torch_files.machine.memory", lambda: 1 << 50)
    monkeypatch.setattr("glassgrad.core.torch_files.machine.MOST_VALUES", 1000)
    (tmp_path / "net.pt").write_bytes(archive(HEAD + b"](" + b"N" * 1000 + b"e."))
    with pytest.raises(CheckpointError, match="holds more than 1,000 values"):
        gg.load(tmp_path / "net.pt")


def test_an_old_file_has_no_longer_pickle_than_an_archive(tmp_path, monkeypatch):
    monkeypatch.setattr("glassgrad.core.torch_files.machine.PICKLE_LIMIT", 10_000)
    long = state(weight=tensor(of=storage(legacy=True)), more=text("a" * 10_000))
    (tmp_path / "net.pt").write_bytes(legacy(long))
    with pytest.raises(CheckpointError, match="has a pickle of more than 10,000 bytes"):
        gg.load(tmp_path / "net.pt")


def test_the_pickles_would_run_in_python(tmp_path, monkeypatch):
    """The attack is one: Python's own machine makes the file."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(HEAD + REDUCE["posix.system"] + b".")
    assert (tmp_path / "MARKER").exists()


def test_what_is_spoilt_is_read_as_it_stands(tmp_path):
    for content in (archive(GOOD), legacy(LEGACY), archive(GOOD, {"0": NUMBERS})):
        (tmp_path / "net.pt").write_bytes(content)
        found = gg.load(tmp_path / "net.pt")
        assert list(found) == ["weight"] and found["weight"].dtype == np.float32
        assert np.array_equal(found["weight"], NUMBERS.reshape(2, 3))
    big = archive(GOOD, {"0": NUMBERS.astype(">f4")}, order="big")
    (tmp_path / "big.pt").write_bytes(big)
    found = gg.load(tmp_path / "big.pt")["weight"]
    assert found.dtype.isnative and np.array_equal(found, NUMBERS.reshape(2, 3))


def test_other_formats_are_named(tmp_path):
    with tarfile.open(tmp_path / "old.pt", "w") as tar:
        tar.add(__file__, "tensors")
    np.savez(tmp_path / "a.npz", a=NUMBERS)
    (tmp_path / "text.pt").write_text("weights")
    for file, message in (
        ("old.pt", "is a tar archive"),
        ("a.npz", "an .npz: numpy.load"),
        ("text.pt", "truncated|not a safetensors"),
    ):
        with pytest.raises(CheckpointError, match=message):
            gg.load(tmp_path / file)


def test_a_safetensors_file_is_no_pickle(tmp_path):
    """A header of 640 bytes begins as a pickle of protocol 2 does."""
    path = tmp_path / "w.safetensors"
    gg.save({"a" * n: NUMBERS for n in range(1, 9)}, path)
    assert not is_torch((640).to_bytes(8, "little") + b'{"__metadata__"')
    assert set(gg.load(path)) == {"a" * n for n in range(1, 9)}
    gg.save({"mustard": NUMBERS}, path)
    more = 257 - path.read_bytes().index(b"ustar")
    gg.save({"x" * more + "mustard": NUMBERS}, path)
    assert path.read_bytes()[257:262] == b"ustar"  # the mark of a tar archive
    assert len(gg.load(path)) == 1


def test_300_damaged_files_end_in_a_line_or_in_the_numbers(tmp_path):
    """Bytes of a good pickle or of a whole file changed, left out or put in, by chance."""
    rng, path, refused = random.Random(0), tmp_path / "net.pt", 0
    many = state(a=tensor(), b=tensor(2, (3,), (1,)), c=tensor(5, (), ()))
    old = legacy(state(a=tensor(of=storage(legacy=True))))
    for i in range(300):
        content = bytearray((many, archive(many), old)[i % 3])
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(content))
            content[at : at + rng.randint(0, 2)] = rng.randbytes(rng.randint(0, 2))
        path.write_bytes(archive(bytes(content)) if i % 3 == 0 else content)
        try:
            gg.load(path)
        except CheckpointError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 150


def test_the_checksum_of_a_member_is_that_of_zip():
    """A planted bug of `spoilt_number` would go unseen if its archive were broken elsewhere."""
    with zipfile.ZipFile(io.BytesIO(spoilt_number())) as z:
        assert zlib.crc32(NUMBERS.tobytes()) == z.getinfo("net/data/0").CRC
        assert z.testzip() == "net/data/0"
