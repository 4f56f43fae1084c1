"""Arrays of two libraries, NumPy and CuPy, behind one module handle called `xp`."""

import numpy as np

from ..kernels.arrays import is_cupy as is_cupy
from ..kernels.arrays import xp_of as xp_of
from ..kernels.errors import DeviceError, DTypeError, nearest

DEVICES = ("cpu", "cuda")
FLOATS = (np.dtype("float32"), np.dtype("float64"))


def is_array(a) -> bool:
    """True for a NumPy or CuPy array."""
    return isinstance(a, np.ndarray) or is_cupy(a)


def plain(a):
    """`a` as a plain `np.ndarray` that shares its memory; anything else is returned unchanged.

    `np.matrix` multiplies in its own way and a masked array hides elements; a tensor does neither.
    Raises DTypeError for an array with masked elements, and for a subclass from outside NumPy: what
    it adds to the values (a unit, for example) would be lost.

    >>> type(plain(np.eye(2).view(np.matrix))).__name__
    'ndarray'
    """
    if type(a) is np.ndarray or not isinstance(a, np.ndarray):
        return a
    if isinstance(a, np.ma.MaskedArray):
        if np.ma.is_masked(a):
            raise DTypeError(
                f"Tensor: a masked array would lose its mask, {np.ma.count_masked(a)} of {a.size}"
                " elements; take .filled(value), and leave elements out by multiplying by a mask"
            )
        return np.asarray(a.data)
    if type(a).__module__.partition(".")[0] != "numpy":
        raise DTypeError(
            f"Tensor: a {type(a).__name__} carries more than its values, and that would be"
            " lost; take np.asarray(...) of it"
        )
    return np.asarray(a)


def device_of(a) -> str:
    """``"cuda"`` or ``"cpu"``."""
    return "cuda" if is_cupy(a) else "cpu"


def module_for(device: str):
    """The array module for a device name. Raises DeviceError when the device is not available.

    >>> module_for("cpu").__name__
    'numpy'
    """
    if device == "cpu":
        return np
    if device != "cuda":
        hint = nearest(device, DEVICES)
        raise DeviceError(f"unknown device {device!r}; known are {', '.join(DEVICES)}{hint}")
    try:
        import cupy
    except ImportError:
        raise DeviceError(
            "device 'cuda' needs CuPy: pip install 'glassgrad[cuda13]' (or cuda12)"
        ) from None
    if not cupy.cuda.is_available():
        raise DeviceError("device 'cuda': CuPy is installed but finds no usable GPU or driver")
    return cupy


def to_device(a, device: str):
    """The array on `device`, copied only if it is on another one."""
    xp = module_for(device)
    if device == "cpu":
        return a.get() if is_cupy(a) else a
    return xp.asarray(a)


def placed(index, like):
    """The index, or each of a tuple of them, on the device of the array `like`.

    Labels, rows and conditions may then be given on either device.
    """
    if isinstance(index, tuple):
        return tuple(placed(i, like) for i in index)
    return to_device(index, device_of(like)) if is_array(index) else index


def to_numpy(a) -> np.ndarray:
    """The array as a NumPy array."""
    return a.get() if is_cupy(a) else np.asarray(a)
