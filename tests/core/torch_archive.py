"""Files in the formats of ``torch.save``, put together by hand: good ones, and the parts of bad."""

import io
import zipfile

import numpy as np

NUMBERS = np.arange(6, dtype="<f4")
MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
VERSION = b"\x80\x02M\xe9\x03."


def text(s: str) -> bytes:
    """BINUNICODE."""
    raw = s.encode("utf-8", "surrogatepass")
    return b"X" + len(raw).to_bytes(4, "little") + raw


def whole(n: int) -> bytes:
    """LONG1."""
    raw = n.to_bytes(n.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def name(module: str, what: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{what}\n".encode()


def tuple_of(*parts: bytes) -> bytes:
    """MARK ... TUPLE."""
    return b"(" + b"".join(parts) + b"t"


def call(module: str, what: str, *arguments: bytes) -> bytes:
    """GLOBAL, a tuple, REDUCE."""
    return name(module, what) + tuple_of(*arguments) + b"R"


def storage(key="0", kind="FloatStorage", count=6, legacy=False) -> bytes:
    """BINPERSID of a storage."""
    more = [b"N"] if legacy else []
    parts = text("storage"), name("torch", kind), text(key), text("cpu"), whole(count), *more
    return tuple_of(*parts) + b"Q"


def tensor(
    start=0, shape=(2, 3), strides=(3, 1), of: bytes = b"", metadata: bytes = b"", **of_storage
) -> bytes:
    """A tensor, by default all of storage 0."""
    return call(
        "torch._utils", "_rebuild_tensor_v2", of or storage(**of_storage), whole(start),
        tuple_of(*map(whole, shape)), tuple_of(*map(whole, strides)), b"\x89",
        call("collections", "OrderedDict"), metadata,
    )  # fmt: skip


def state(**items: bytes) -> bytes:
    """A pickle of an ordered dictionary."""
    pairs = b"".join(text(key) + value for key, value in items.items())
    return b"\x80\x02" + call("collections", "OrderedDict") + b"(" + pairs + b"u."


def archive(pickle: bytes, storages=None, packed=False, more=(), order="little") -> bytes:
    """A zip archive as PyTorch writes it; `more` are members (name, content)."""
    file = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", method) as z:
        z.writestr("net/data.pkl", pickle)
        z.writestr("net/byteorder", order)
        for key, numbers in ({"0": NUMBERS} if storages is None else storages).items():
            z.writestr(f"net/data/{key}", np.asarray(numbers).tobytes())
        z.writestr("net/version", "3\n")
        for member, content in more:
            z.writestr(member, content)
    return file.getvalue()


def legacy(pickle: bytes, storages=None, keys=None, little=True, counts=None) -> bytes:
    """The format before 1.6."""
    storages = {"0": NUMBERS} if storages is None else storages
    keys = list(storages) if keys is None else keys
    facts = b"\x80\x02}(" + text("little_endian") + (b"\x88" if little else b"\x89") + b"u."
    listed = b"\x80\x02](" + b"".join(map(text, keys)) + b"e."
    numbers = b"".join(
        (len(a) if counts is None else counts).to_bytes(8, "little", signed=True) + a.tobytes()
        for a in storages.values()
    )
    return MAGIC + VERSION + facts + pickle + listed + numbers
