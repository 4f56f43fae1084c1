"""Sets of images: x float32 [N, C, H, W] in [0, 1], y int64 [N] (None without labels)."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from . import idx
from .canon import FILES
from .dataset import DataSet, Info, Split
from .download import find
from .files import DataError
from .own.images.image_npz import from_drawn, from_film, from_image_parts, from_one_shot, unit
from .special import OneShot
from .streams import whole_number

FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
PARTS = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def _mnist_like(name: str, classes: tuple[str, ...], data_dir, valid: int, note: str) -> DataSet:
    paths = [find(FILES[f"{name}/{part}"], data_dir) for part in PARTS]
    images, labels = ([idx.read(p, axes) for p in paths[k::2]] for k, axes in ((0, 3), (1, 1)))
    for x, y, path in zip(images, labels, paths[::2]):
        sound = x.shape[1:] == (28, 28) and x.dtype == y.dtype == np.uint8 and len(x) == len(y)
        if not sound or len(x) == 0 or y.max() > 9:
            raise DataError(f"{path}: expected uint8 images 28x28, each with a label 0 to 9")
    valid = whole_number(name, "valid", valid, 0, len(images[0]) - 1)
    x, y = unit(images[0]), labels[0].astype(np.int64)
    cut = len(x) - valid
    info = Info(str(paths[0].parent), classes, image_shape=(1, 28, 28), note=note)
    return DataSet(
        name,
        Split(x[:cut], y[:cut]),
        Split(x[cut:], y[cut:]),
        Split(unit(images[1]), labels[1].astype(np.int64)),
        info,
    )


def mnist(data_dir=None, valid: int = 10_000) -> DataSet:
    """MNIST: 70,000 handwritten digits 28x28; 50,000 / 10,000 / 10,000.

    The validation split is the last `valid` examples of the official training set. Raises
    DataError for a missing or damaged file. Source: LeCun, Bottou, Bengio, Haffner 1998.
    """
    note = f"validation: the last {valid} of the 60,000 official training examples"
    return _mnist_like("mnist", tuple("0123456789"), data_dir, valid, note)


def fashion_mnist(data_dir=None, valid: int = 10_000) -> DataSet:
    """Fashion-MNIST: 70,000 pictures of clothes 28x28, split as `mnist` is.

    Source: Xiao, Rasul, Vollgraf 2017.
    """
    note = f"validation: the last {valid} of the 60,000 official training examples"
    return _mnist_like("fashion_mnist", FASHION, data_dir, valid, note)


def frey_faces(data_dir=None) -> DataSet:
    """Frey faces: 1965 frames 28x20 of one face, no labels; the first 1565, the next 200, the last.

    The split is by time, not random, because neighbouring frames are nearly identical. There is no
    official split. Source: S. Roweis; used by Kingma & Welling 2014.
    """
    path = find(FILES["frey_faces/freyfaces.npz"], data_dir)
    return _renamed(from_film(path), "frey_faces", path)


def cifar10_jpeg_subset(data_dir=None, valid: int = 500) -> DataSet:
    """A tenth of CIFAR-10, 32x32 in colour, decoded from JPEG copies: 4500 / 500 / 1000.

    The validation split is the last `valid` training rows (balanced for a multiple of 10). Pixels
    differ from the originals: do not compare with published results. Source: Krizhevsky 2009.
    """
    path = find(FILES["cifar10_jpeg_subset/cifar10_subset.npz"], data_dir)
    note = "from JPEG copies, 10 % of CIFAR-10: not comparable with published results"
    return _renamed(from_image_parts(path, valid), "cifar10_jpeg_subset", path, note=note)


def omniglot(data_dir=None, shrink: int = 1) -> DataSet:
    """Omniglot, small background set 1: 136 characters of 5 alphabets x 20 drawers, 105x105.

    Split by drawer: 12 for training, 4, 4. 1 is ink. y is the character, 0 to 135; `info.extra`
    has the alphabet of each character. `shrink` averages blocks of that side: 3 gives 35x35.
    Source: Lake, Salakhutdinov, Tenenbaum 2015.
    """
    path = find(FILES["omniglot/omniglot_background_small1.npz"], data_dir)
    return _renamed(from_drawn(path, shrink, "omniglot"), "omniglot", path)


def omniglot_one_shot(data_dir=None, shrink: int = 1) -> OneShot:
    """The 20 one-shot classification runs of Omniglot. Source: Lake et al. 2015."""
    path = find(FILES["omniglot/omniglot_one_shot_runs.npz"], data_dir)
    runs = from_one_shot(path, shrink, "omniglot_one_shot")
    return _renamed(runs, "omniglot_one_shot", path)


def _renamed(found, name: str, path: Path, **info):
    """A file of the catalogue as a set of the catalogue: its name, and the folder it is in."""
    return replace(found, name=name, info=replace(found.info, source=str(path.parent), **info))
