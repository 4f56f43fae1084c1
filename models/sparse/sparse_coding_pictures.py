"""Pictures of sparse coding: the basis, and samples next to the few vectors that they combine."""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.training.system import Batch
from ..common.images import as_images, filter_sheet, has_images
from .codes import CodeSettings
from .patches import lively


def parts_of(x: np.ndarray, z: np.ndarray, atoms: np.ndarray, data: DataSet, most: int = 4):
    """Samples, each next to the atoms with the largest weights in it: 0.8 φ_36 + ..."""
    fig = pictures.figure(1.6 * (most + 2), 1.5 * len(x))
    axes = fig.subplots(len(x), most + 2, squeeze=False)
    for row, x_n, z_n in zip(axes, x, z):
        top = [j for j in np.argsort(-np.abs(z_n), kind="stable")[:most] if z_n[j] != 0]
        shown = [(x_n, "x"), (z_n @ atoms, f"sum of {int((z_n != 0).sum())}")]
        shown += [(atoms[j], f"{z_n[j]:+.2f} φ$_{{{j}}}$") for j in top]
        for ax, (values, title) in zip(row, shown):
            image = as_images(values[None], data)[0]
            ax.imshow(image, cmap="gray", vmin=-np.abs(image).max(), vmax=np.abs(image).max())
            ax.set_title(title, fontsize=8)
        for ax in row:
            ax.set_axis_off()
    return fig


def figures(system, data: DataSet, s: CodeSettings) -> dict:
    """The basis, and training samples in parts: a photo's last band may be out of focus.

    Of data that are no images the basis alone.
    """
    if not has_images(data):
        return {"atoms": filter_sheet(system.atoms.numpy(), data, "basis vectors")}
    some = lively(data.train.x[:500].reshape(-1, data.train.x[0].size), 6)
    x = system.on_device(Batch(some)).x
    arrays = [gg.Tensor(a).numpy() for a in (x, system.encode(x))]
    atoms = system.atoms.numpy()
    used = np.argsort(-np.abs(system.codes.numpy()).sum(axis=0), kind="stable")[:144]
    sheet = as_images(0.5 + 0.5 * atoms / np.abs(atoms).max(axis=1, keepdims=True), data)[used]
    columns = max(1, int(np.ceil(len(used) ** 0.5)))
    title = f"{len(used)} basis vectors, the most used first; grey = 0"
    return {
        "atoms": pictures.image_sheet(sheet, columns, title),
        "parts": parts_of(*arrays, atoms, data),
    }
