"""`save` and `load`: weights in a file, in safetensors, which holds no code; systems of runs.

`load` reads PyTorch's files, too, and executes nothing in them (core/torch_files).
"""

from pathlib import Path
from typing import Any

from .core import torch_files
from .core.nn import Module
from .core.regular import open_regular
from .core.training.checkpoint import LIMIT, CheckpointError, load_arrays, save_arrays
from .kernels.doors import check_all


def save(net: Module | dict, path: str | Path) -> None:
    """Write a module's parameters and buffers, or a dictionary of arrays, to a safetensors file.

    The file is replaced in one step, and equal contents give equal files. Raises CheckpointError
    where it cannot be written, for a name that ends as PyTorch's own files do, and where a value is
    of a kind that the format does not hold.

    >>> import tempfile
    >>> import glassgrad as gg
    >>> net = gg.nn.Linear(3, 2, rng=gg.Generator(0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     gg.save(net, f"{folder}/net.safetensors")
    ...     sorted(gg.load(f"{folder}/net.safetensors"))
    ['bias', 'weight']
    """
    if Path(path).suffix in (".pt", ".pth"):
        raise CheckpointError(
            f"{path}: what is written is a safetensors file, which PyTorch reads by"
            " safetensors.torch.load_file; let its name end in .safetensors"
        )
    save_arrays(path, net.state_dict() if isinstance(net, Module) else net)


def load(path: str | Path) -> Any:
    """What a file of weights holds, arrays by name; or the trained system of a run folder.

    ``net.load_state_dict(gg.load("net.safetensors"))`` sets the weights of a module. So do the
    `.pt` and `.pth` files of ``torch.save(net.state_dict(), ...)``, which are read without PyTorch
    and without executing anything; one that holds more (``{"model": ..., "epoch": 3}``) gives what
    it holds, with arrays in the place of tensors, and bfloat16 as float32. A file of whole modules
    is refused.

    The system of a run is in evaluation mode, with its best weights; `training.load` gives its
    data, settings and history, too. A run of a file of your own executes that file. Raises
    CheckpointError for a missing, damaged or hostile file, and what `training.load` raises for a
    folder.
    """
    if Path(path).is_dir():
        from .training import load as load_run

        return load_run(path)[1].system
    with open_regular(path, LIMIT, CheckpointError) as file:
        head = file.read(torch_files.HEAD)
    return torch_files.load_torch(path) if torch_files.is_torch(head) else load_arrays(path)[0]


check_all(globals(), ("load", "save"))
