"""What ``torch.save`` wrote before PyTorch 1.6, and still writes on request: pickles in a row.

    magic number, version, facts of the machine, the object, the keys of its storages

and then, for each key in that order, how many numbers there are (8 bytes) and the numbers.
"""

from typing import BinaryIO

from .machine import Machine, Refused
from .names import SIZES, Storage, find, storage_of
from .storages import Arrays

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001


def load(file: BinaryIO, size: int):
    """What a file of `size` bytes in this format holds."""
    storages: dict[str, Storage] = {}

    def storage(found):
        """A persistent id: ("storage", type, key, where it was, how many numbers, view of)."""
        if type(found) is not tuple or len(found) != 6 or found[0] != "storage":
            raise Refused("is damaged: a storage is described in another form")
        _, kind, key, _, count, view = found
        if view is not None:
            raise Refused("holds a view of a storage, as before PyTorch 0.4; save it again there")
        made = storage_of(key, kind, count)
        if storages.setdefault(key, made) != made:
            raise Refused(f"is damaged: storage {key:.40} is described in two ways")
        return made

    content = file.read(size)
    machine = Machine(content, find, storage)
    if machine.run() != MAGIC:
        raise Refused("is a pickle, but not one of torch.save: pickles of other programs stay shut")
    if machine.run() != VERSION:
        raise Refused(f"has a version of the format other than {VERSION}")
    facts = machine.run()
    if type(facts) is not dict or facts.get("little_endian") is not True:
        raise Refused("was written on a machine with another order of bytes")
    value, keys = machine.run(), machine.run()
    if type(keys) is not list or {k for k in keys if type(k) is str} != set(storages):
        raise Refused("is damaged: its storages are not those of its pickle")
    if len(keys) != len(storages):
        raise Refused("is damaged: a storage is listed twice")
    raw = {}
    for key in keys:
        count, width = machine.number("<q"), SIZES[storages[key].dtype]
        if count != storages[key].count:
            raise Refused(f"is damaged: storage {key:.40} has {count} numbers")
        raw[key] = machine.take(count * width)
    if machine.at != len(content):
        raise Refused(f"is damaged: {len(content) - machine.at} bytes after its numbers")
    return Arrays(size, raw.__getitem__).plain(value)
