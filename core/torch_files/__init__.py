"""PyTorch's files (`.pt`, `.pth`), read without executing anything.

``torch.save`` writes a pickle, a program for a small stack machine that may call any function of
Python, and next to it the numbers. Here a machine of our own (machine.py) runs the thirty
instructions that a state dict needs. A name in the pickle is never imported: it is looked up in a
short list (names.py), whose entries only describe where numbers lie. All else is refused in one
line.

    zipped.py    the archive that PyTorch writes since 1.6: data.pkl, data/0, data/1, ...
    legacy.py    what it wrote before: pickles and numbers, one after another
    machine.py   the instructions of the pickle
    names.py     the names that a pickle may use
    storages.py  storages -> arrays: offsets and strides checked, bfloat16 widened

What a file costs is bounded before anything is allocated: nothing is unpacked, and all arrays
together take at most 64 MB or a hundred times the file's size.
"""

from pathlib import Path

import numpy as np

from ..regular import open_regular
from ..training.checkpoint import LIMIT, CheckpointError
from . import legacy, zipped
from .machine import Refused

HEAD = 512  # bytes that tell the formats apart
ZIP, PICKLE, TAR = b"PK\x03\x04", b"\x80", b"ustar"


def is_torch(head: bytes) -> bool:
    """Do these first `HEAD` bytes of a file look like an archive, a pickle or a tar of PyTorch's?

    >>> is_torch(b"PK\\x03\\x04"), is_torch(b"\\x80\\x02\\x8a")
    (True, True)
    >>> is_torch(b"\\x80\\x02" + bytes(6) + b'{"__metadata__"')  # the header of a safetensors file
    False
    """
    if head[8:9] == b"{":  # safetensors, whose first bytes and names may be anything
        return False
    return head.startswith((ZIP, PICKLE)) or head[257:262] == TAR


def load_torch(path: str | Path) -> dict[str, np.ndarray] | object:
    """What a file of ``torch.save`` holds: a dictionary of arrays by name, or a nest of such.

    Parameters and tensors become NumPy arrays (bfloat16 becomes float32), ordered dictionaries
    plain ones; numbers, texts, lists and tuples stay. Raises CheckpointError in one line for a
    damaged or hostile file, and for one that holds more than numbers: a whole module, say.
    """
    with open_regular(path, LIMIT, CheckpointError) as file:
        try:
            size = file.seek(0, 2)
            file.seek(0)
            head = file.read(HEAD)
            file.seek(0)
            if head.startswith(ZIP):
                return zipped.load(file, size)
            if head[257:262] == TAR:
                raise Refused("is a tar archive, as PyTorch wrote before 0.2; save it again there")
            return legacy.load(file, size)
        except Refused as reason:
            line = " ".join(str(reason).split())  # a name in the file may hold line feeds
            raise CheckpointError(f"{path}: {line}") from None
        except MemoryError:
            raise CheckpointError(f"{path}: does not fit into memory") from None
        except OSError as reason:
            raise CheckpointError(f"{path} cannot be read: {reason.strerror or reason}") from None
