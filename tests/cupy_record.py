"""What the real CuPy offers and refuses, recorded in cupy_record.json for the stand-in.

``python -m tests.cupy_record`` asks the wheel (tests/wheel.py) and writes the file:

    names       every public name of cupy and of its arrays, devices, events and modules, with the
                parameters where they can be read
    manners     each expression below: "accepted", or the class of the error

The stand-in refuses what is not among the names; test_wheel.py holds the record to the wheel and
the stand-in to the record.
"""

import inspect
import json
import re
import sys
from pathlib import Path

FILE = Path(__file__).with_name("cupy_record.json")
PLACES = (  # whose public names are recorded
    "cupy", "cupy.ndarray", "cupy.RawModule", "cupy.RawKernel", "cupy.cuda", "cupy.cuda.Device",
    "cupy.cuda.Event", "cupy.cuda.runtime", "cupy.cuda.memory", "cupy.cuda.compiler", "cupyx",
    "cupyx.scipy.special",
)  # fmt: skip
EXPRESSIONS = """
hash(cupy.cuda.Device(0))
hash(cupy.zeros(2))
{cupy.zeros(1).device}
cupy.cuda.Device(0) == cupy.cuda.Device(0)
bool(cupy.zeros(2))
list(cupy.zeros(()))
len(cupy.zeros(()))
iter(cupy.zeros(2))
np.asarray(cupy.zeros(2))
np.array(cupy.zeros(2))
float(cupy.zeros(2))
[1, 2][cupy.zeros((), "i4")]
range(3)[cupy.zeros((), "i4")]
np.zeros(5)[cupy.zeros((), "i4")]
np.zeros(5)[cupy.zeros(2, "i4")]
np.zeros(5).__setitem__(slice(None), cupy.zeros(5))
cupy.zeros(2) + np.zeros(2)
np.zeros(2) + cupy.zeros(2)
cupy.zeros(2) < np.zeros(2)
cupy.zeros(2) + [1, 2]
cupy.zeros(2) + 1
cupy.zeros(2) + np.float32(1)
np.float32(1) + cupy.zeros(2)
cupy.zeros(2) @ np.zeros(2)
cupy.zeros(2).__iadd__(np.zeros(2))
cupy.zeros(2, "i4").__iadd__(1.5)
np.add(cupy.zeros(2), np.zeros(2))
np.exp(cupy.zeros(2))
np.sum(cupy.zeros(2))
cupy.add(cupy.zeros(2), np.zeros(2))
cupy.add(np.zeros(2), np.zeros(2))
cupy.maximum(cupy.zeros(3), np.float64(0))
cupy.maximum(cupy.zeros(3), np.zeros(()))
cupy.sum([1, 2])
cupy.exp(1.0)
cupy.concatenate([cupy.zeros(2), np.zeros(2)])
cupy.concatenate([np.zeros(2), np.zeros(2)])
cupy.stack([np.zeros(2), np.zeros(2)])
cupy.where(np.zeros(2) > 0, cupy.zeros(2), cupy.zeros(2))
cupy.where(cupy.zeros(2) > 0, cupy.zeros(2), 0.0)
cupy.matmul(cupy.zeros((2, 2)), np.zeros((2, 2)))
cupy.broadcast_to(np.zeros(2), (2, 2))
cupy.copyto(cupy.zeros(2), np.zeros(2))
cupy.zeros(5)[[1, 2]]
cupy.zeros(5)[cupy.zeros(2, "i4")]
cupy.zeros(5).__setitem__(slice(None), np.zeros(5))
cupy.zeros(5).__setitem__(slice(None), [1, 2, 3, 4, 5])
cupy.zeros(5).__setitem__(slice(None), np.float32(1))
cupy.zeros(5).__setitem__(0, 1.0)
cupy.zeros(5).fill(np.float32(1))
cupy.zeros(2).flags.writeable
cupy.zeros(2).flags["WRITEABLE"]
cupy.zeros(2).flags.contiguous
cupy.zeros(2).flags.c_contiguous
cupy.zeros(2).flags.f_contiguous
cupy.zeros(2).flags.owndata
cupy.zeros(2).flags["C_CONTIGUOUS"]
cupy.zeros(2).ctypes
cupy.zeros(2).setflags
cupy.zeros(2).__array_interface__
cupy.zeros(2).__cuda_array_interface__["version"]
cupy.zeros(2).data.ptr
cupy.zeros(2).data.device_id
cupy.zeros(2).data.device.id
cupy.zeros(2).device.id
cupy.zeros(2).item()
cupy.zeros(1).item()
cupy.zeros((2, 2)).item(0)
cupy.zeros(2).astype("f4", copy=False)
cupy.zeros(2).astype("f4", casting="unsafe")
cupy.zeros(2, "f4").sum(dtype="f8")
cupy.zeros(2, "f4").sum(where=None)
cupy.zeros(2).max(initial=0)
cupy.zeros(2).mean(where=cupy.zeros(2) > 0)
cupy.zeros(2).view("uint32")
cupy.zeros((2, 3)).T
cupy.asarray(np.zeros(2))
cupy.asarray([1.0, 2.0])
cupy.asarray([np.zeros(2), cupy.zeros(2)])
cupy.asarray("x")
cupy.array(np.array(["a"]))
cupy.array(np.array([None]))
cupy.empty((2,), "U3")
cupy.empty(-1)
cupy.zeros(2, dtype=object)
cupy.zeros(2, "f4", like=None)
cupy.ndarray((2, 3), "f4")
cupy.errstate
cupy.matrix
cupy.ma
cupy.seterr
cupy.no_such_name
cupy.zeros(2).no_such_name
cupy.cuda.no_such_name
cupy.cuda.runtime.no_such_name
cupy.may_share_memory(cupy.zeros(2), cupy.zeros(2))
cupy.asnumpy(cupy.zeros(2))
f"{cupy.zeros(()):.2f}"
f"{cupy.zeros(2):.2f}"
cupy.cuda.Device().attributes["MultiProcessorCount"]
cupy.cuda.Device().attributes["NoSuchAttribute"]
cupy.cuda.Device(0).compute_capability
cupy.cuda.Device(0).mem_info
cupy.cuda.Device(0).synchronize()
cupy.cuda.Event().record()
cupy.cuda.Event().synchronize()
cupy.cuda.set_allocator(None)
cupy.cuda.memory.OutOfMemoryError("x", 1)
cupy.cuda.memory.OutOfMemoryError(1, 2, 3)
cupy.cuda.compiler.CompileException("m", "source", "name", (), "nvrtc")
cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
cupy.cuda.runtime.driverGetVersion()
cupy.cuda.runtime.CUDARuntimeError
cupy.RawModule(code="x")
cupy.RawModule("x")
cupy.RawModule(code="x", options=())
cupy.RawModule(code="x", options=["a"])
cupy.RawModule(code="x", backend=3)
cupy.RawModule(code="x", no_such_option=1)
cupyx.scatter_add(cupy.zeros(3), cupy.zeros(2, "i4"), cupy.zeros(2))
cupyx.scatter_add(np.zeros(3), np.zeros(2, "i4"), np.zeros(2))
cupyx.scipy.special.erf(cupy.zeros(2))
cupyx.scipy.special.erf(np.zeros(2))
"""


def place(name: str):
    """A module or class by its dotted name."""
    import importlib

    first, *rest = name.split(".")
    found = importlib.import_module(first)
    for part in rest:
        if not hasattr(found, part):
            importlib.import_module(f"{found.__name__}.{part}")
        found = getattr(found, part)
    return found


def parameters(name: str, function) -> list[str] | None:
    """Names of the parameters, "*" before those that take any number; None where nobody knows."""
    try:
        kinds = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        first = (getattr(function, "__doc__", None) or "").partition("\n")[0]
        said = re.match(rf"(?:\w+\.)?{re.escape(name)}\((.*)\)(?: ->.*)?$", first)
        if not said:
            return None
        apart = re.split(r",\s*(?![^(\[]*[)\]])", said[1])  # not inside brackets
        found = [p.strip().partition("=")[0].split(" ")[-1] for p in apart]
        return [p for p in found if p and p not in ("self", "/", "\\*", "*")]
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [stars.get(p.kind, "") + p.name for p in kinds if p.name != "self"]


def names() -> dict[str, dict[str, list[str] | None]]:
    """{place: {name: parameters}} of the CuPy that is imported."""
    found = {}
    for where in PLACES:
        owner = place(where)
        public = [n for n in dir(owner) if not n.startswith("_")]
        found[where] = {
            n: parameters(n, getattr(owner, n)) if callable(getattr(owner, n, None)) else None
            for n in sorted(public)
        }
    return found


def manners() -> dict[str, str]:
    """{expression: "accepted" or the class of its error} of the CuPy that is imported."""
    import cupy
    import cupyx
    import cupyx.scipy.special
    import numpy as np

    found, own = {}, {"cupy": cupy, "cupyx": cupyx, "np": np}
    for expression in EXPRESSIONS.strip().splitlines():
        try:
            eval(expression, own)
            found[expression] = "accepted"
        except Exception as error:
            missing = "cublas" in str(error).lower()  # CuPy accepted it: only its library is gone
            found[expression] = "accepted" if missing else type(error).__name__
    return found


def main() -> None:
    """Ask the wheel, and print or write what it says."""
    from tests import wheel

    wheel.install(numpy=False)
    import cupy

    found = {"cupy": cupy.__version__, "names": names(), "manners": manners()}
    text = json.dumps(found, indent=0)
    if "--print" in sys.argv:
        print(text)
    else:
        FILE.write_text(text + "\n")
    wheel.leave(0)


if __name__ == "__main__":
    main()
