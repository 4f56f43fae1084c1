"""The weights of a trained network, out of a safetensors file."""

import os
from pathlib import Path

import numpy as np

from ..dataset import Info
from ..files import DataError
from ..read import decode, load_npz, read_path
from ..special import Weights
from .lines import counted

CLASSES, CHECK = "*classes.txt", "check.npz"  # next to the file
MOST_CLASSES = 1_000_000


def from_safetensors(path: str | Path) -> Weights:
    """The tensors of a .safetensors file by name; next to it, the names of the classes and a check.

    The names of classes are the lines of the one file ``…classes.txt`` next to it, and the arrays
    to check a network with those of ``check.npz``; both may be missing. Raises DataError for a file
    that is damaged, cut off or holds other types, and for a number that is not finite.

    >>> import tempfile, os
    >>> from ...training.checkpoint import save_arrays
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "w.safetensors")
    ...     save_arrays(path, {"layer.weight": np.ones((2, 3), np.float32)})
    ...     found = from_safetensors(path)
    >>> found.tensors["layer.weight"].shape, found.info.understood[0]
    ((2, 3), '1 tensor, 6 numbers (float32)')
    """
    path = Path(path)
    near = sorted(path.parent.glob(CLASSES))
    if len(near) > 1:
        raise DataError(f"{path}: which file has the classes: {', '.join(p.name for p in near)}?")
    check = path.parent / CHECK
    return from_weight_files(
        path, near[0] if near else None, check if os.path.exists(check) else None
    )


def from_weight_files(path: Path, classes: Path | None, check: Path | None) -> Weights:
    """The same, with each file named."""
    from ...training.checkpoint import CheckpointError, load_arrays

    try:
        tensors, about = load_arrays(path)
    except CheckpointError as error:
        raise DataError(str(error)) from None
    tensors = dict(sorted(tensors.items()))  # the library's order differs from run to run
    if not tensors:
        raise DataError(f"{path} holds no tensors")
    for name, a in tensors.items():
        if a.dtype.kind == "f" and not np.isfinite(a).all():
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(a))[0])
            raise DataError(f"{path}, {name:.80}, {place}: {a[place]} is not finite")
    names = _lines(classes) if classes else ()
    arrays = load_npz(check) if check else {}
    for name, a in arrays.items():
        for place in np.argwhere(~np.isfinite(a))[:1] if a.dtype.kind == "f" else ():
            raise DataError(f"{check}, {name}, {tuple(map(int, place))}: not finite")
    types = ", ".join(sorted({str(a.dtype) for a in tensors.values()}))
    total = sum(a.size for a in tensors.values())
    understood = (
        f"{counted(len(tensors), 'tensor')}, {total:,} numbers ({types})",
        f"{len(names):,} names of classes" if names else "no names of classes",
        f"to check with: {', '.join(arrays)}" if arrays else "nothing to check with",
    )
    info = Info(str(path), names, extra=dict(about), kind="weights", understood=understood)
    return Weights(path.name, tensors, arrays, info)


def _lines(path: Path) -> tuple[str, ...]:
    lines = decode(read_path(path), str(path)).replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > MOST_CLASSES or not all(line.strip() for line in lines):
        empty = next((i for i, line in enumerate(lines, 1) if not line.strip()), 0)
        what = f"line {empty} is empty" if empty else f"{len(lines):,} lines are too many"
        raise DataError(f"{path}: {what}")
    return tuple(lines)
