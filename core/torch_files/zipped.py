"""The archive that ``torch.save`` writes since PyTorch 1.6: NAME/data.pkl and storages NAME/data/0.

PyTorch packs nothing, so members are read only if they are stored as they are: an archive can then
not hold more bytes than the file. Members are never written to disk, and a key of a storage only
selects among them, whatever slashes it holds.
"""

import zipfile
from typing import BinaryIO

from .machine import PICKLE_LIMIT, Machine, Refused
from .names import SAVE, find, storage_of
from .storages import Arrays


def load(file: BinaryIO, size: int):
    """What an archive of `size` bytes holds."""
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # zipfile has a dozen classes of errors for a damaged file
        raise Refused(f"is damaged: not a zip archive: {_one_line(error)}") from None
    with archive:
        members = _members(archive, size)
        name = _pickle(members)
        prefix = name.removesuffix("data.pkl")
        if members[name].file_size > PICKLE_LIMIT:
            raise Refused(f"has a pickle of {members[name].file_size:,} bytes")
        byteorder = members.get(f"{prefix}byteorder")
        order = _content(archive, byteorder) if byteorder else b"little"
        if order not in (b"little", b"big"):
            raise Refused("is damaged: byteorder is neither little nor big")

        def read(key: str) -> bytes:
            member = members.get(f"{prefix}data/{key}")
            if member is None:
                raise Refused(f"is damaged: there is no storage {key:.40}")
            return _content(archive, member)

        machine = Machine(_content(archive, members[name]), find, _storage)
        value = machine.run()
        if machine.at != len(machine.content):
            raise Refused(f"is damaged: {len(machine.content) - machine.at} bytes after its pickle")
        return Arrays(size, read, "<" if order == b"little" else ">").plain(value)


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The members by name; Refused for two of one name, for packed, encrypted or shared bytes."""
    found: dict[str, zipfile.ZipInfo] = {}
    total = 0
    names = archive.namelist()
    if any(n.split("/")[-1] == "constants.pkl" or "/code/" in n for n in names):
        raise Refused(f"is a TorchScript program, which is not run; {SAVE}")
    for member in archive.infolist():
        name, total = member.filename, total + member.file_size
        if name in found:
            raise Refused(f"is damaged: two members are called {name:.80}")
        if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/"):
            raise Refused(f"has a member with the path {name:.80}")
        if member.flag_bits & 1:
            raise Refused(f"has an encrypted member: {name:.80}")
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise Refused(f"has a packed member, {name:.80}; PyTorch stores them as they are")
        found[name] = member
    if total > size:
        raise Refused(f"is damaged: its members have {total:,} bytes, the file {size:,}")
    return found


def _pickle(members: dict) -> str:
    """The name of the pickle."""
    names = [n for n in members if n.split("/")[-1] == "data.pkl" and n.count("/") <= 1]
    if len(names) != 1:
        arrays = any(n.endswith(".npy") for n in members)
        hint = "; it is an .npz: numpy.load reads it" if arrays else ""
        raise Refused(f"is a zip archive, but not one of torch.save: no data.pkl{hint}")
    return names[0]


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    try:
        content = archive.read(member)  # compared with its checksum
    except MemoryError:
        raise
    except Exception as error:
        where = f"{member.filename:.80}"
        raise Refused(f"is damaged: {where} cannot be read: {_one_line(error)}") from None
    if len(content) != member.file_size:
        raise Refused(f"is cut off in {member.filename:.80}")
    return content


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def _storage(found):
    """A persistent id: ("storage", type, key, where it was, how many numbers)."""
    if type(found) is not tuple or len(found) != 5 or found[0] != "storage":
        raise Refused("is damaged: a storage is described in another form")
    _, kind, key, _, count = found
    return storage_of(key, kind, count)
