"""Sets of images: x float32 [N, C, H, W] in [0, 1], y int64 [N] (None without labels)."""

from dataclasses import dataclass, field

import numpy as np

from . import idx
from .canon import FILES
from .dataset import DataSet, Info, Split
from .download import find
from .files import DataError
from .read import read_npz
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


def unit(images: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W] or [N, H, W, 3] to float32 [N, C, H, W] in [0, 1]."""
    x = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return np.divide(x, np.float32(255), dtype=np.float32, order="C")


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
    file = FILES["frey_faces/freyfaces.npz"]
    x = unit(read_npz(file, data_dir, "images")["images"])
    info = Info(
        str(find(file, data_dir).parent),
        image_shape=(1, 28, 20),
        note="consecutive frames: the first 1565, then 200, then 200",
    )
    return DataSet("frey_faces", Split(x[:1565]), Split(x[1565:1765]), Split(x[1765:]), info)


def cifar10_jpeg_subset(data_dir=None, valid: int = 500) -> DataSet:
    """A tenth of CIFAR-10, 32x32 in colour, decoded from JPEG copies: 4500 / 500 / 1000.

    The validation split is the last `valid` training rows (balanced for a multiple of 10). Pixels
    differ from the originals: do not compare with published results. Source: Krizhevsky 2009.
    """
    file = FILES["cifar10_jpeg_subset/cifar10_subset.npz"]
    keys = ("train_images", "train_labels", "test_images", "test_labels", "class_names")
    z = read_npz(file, data_dir, *keys)
    x, y = unit(z["train_images"]), z["train_labels"].astype(np.int64)
    cut = len(x) - whole_number("cifar10_jpeg_subset", "valid", valid, 0, len(x) - 1)
    info = Info(
        str(find(file, data_dir).parent),
        tuple(str(c) for c in z["class_names"]),
        image_shape=(3, 32, 32),
        note="from JPEG copies, 10 % of CIFAR-10: not comparable with published results",
    )
    return DataSet(
        "cifar10_jpeg_subset",
        Split(x[:cut], y[:cut]),
        Split(x[cut:], y[cut:]),
        Split(unit(z["test_images"]), z["test_labels"].astype(np.int64)),
        info,
    )


def _omniglot_images(image_bits: np.ndarray, shrink: int) -> np.ndarray:
    """Packed bits [N, 1379] to float32 [N, 1, S, S], S = 105 / shrink: the mean ink of blocks."""
    side = 105 // shrink
    out = np.empty((len(image_bits), 1, side, side), np.float32)
    for n, row in enumerate(image_bits):
        image = np.unpackbits(row)[: 105 * 105].reshape(side, shrink, side, shrink)
        out[n, 0] = image.mean(axis=(1, 3), dtype=np.float32)
    return out


def _shrink(name: str, shrink: int) -> int:
    shrink = whole_number(name, "shrink", shrink, 1, 105)
    if 105 % shrink:
        raise DataError(f"{name}: shrink must divide 105 (1, 3, 5, 7, 15, 21, 35); got {shrink}")
    return shrink


def omniglot(data_dir=None, shrink: int = 1) -> DataSet:
    """Omniglot, small background set 1: 136 characters of 5 alphabets x 20 drawers, 105x105.

    Split by drawer: 12 for training, 4, 4. 1 is ink. y is the character, 0 to 135; `info.extra`
    has the alphabet of each character. `shrink` averages blocks of that side: 3 gives 35x35.
    Source: Lake, Salakhutdinov, Tenenbaum 2015.
    """
    shrink = _shrink("omniglot", shrink)
    file = FILES["omniglot/omniglot_background_small1.npz"]
    keys = ("image_bits", "alphabet", "character", "drawer", "alphabet_names")
    z = read_npz(file, data_dir, *keys)
    x, y = _omniglot_images(z["image_bits"], shrink), z["character"].astype(np.int64)
    names = [str(a) for a in z["alphabet_names"]]
    first = np.unique(y, return_index=True)[1]
    alphabet = z["alphabet"][first].astype(np.int64)  # of each character
    within = [int((alphabet[:k] == a).sum()) + 1 for k, a in enumerate(alphabet)]
    info = Info(
        str(find(file, data_dir).parent),
        tuple(f"{names[a]} {k}" for a, k in zip(alphabet, within)),
        image_shape=x.shape[1:],
        note="drawers 0-11 for training, 12-15 for validation, 16-19 for the test",
        extra={"alphabet_names": tuple(names), "alphabet": alphabet},
    )
    splits = [
        Split(x[rows], y[rows])
        for low, high in ((0, 12), (12, 16), (16, 20))
        for rows in [(z["drawer"] >= low) & (z["drawer"] < high)]
    ]
    return DataSet("omniglot", *splits, info)


@dataclass(frozen=True, eq=False)
class OneShot:
    """One-shot runs: for each run R, 20 images of 20 new characters and 20 images to classify.

    train, test  float32 [20, 20, 1, S, S]
    answer       int64 [20, 20]: test[r, i] shows the character of train[r, answer[r, i]]
    """

    name: str
    train: np.ndarray
    test: np.ndarray
    answer: np.ndarray
    info: Info = field(default_factory=Info)


def omniglot_one_shot(data_dir=None, shrink: int = 1) -> OneShot:
    """The 20 one-shot classification runs of Omniglot. Source: Lake et al. 2015."""
    shrink = _shrink("omniglot_one_shot", shrink)
    file = FILES["omniglot/omniglot_one_shot_runs.npz"]
    z = read_npz(file, data_dir, "train_bits", "test_bits", "answer")
    train, test = (
        _omniglot_images(z[k].reshape(-1, z[k].shape[-1]), shrink)
        for k in ("train_bits", "test_bits")
    )
    runs = z["answer"].shape
    info = Info(str(find(file, data_dir).parent), image_shape=train.shape[1:])
    return OneShot(
        "omniglot_one_shot",
        train.reshape(*runs, *train.shape[1:]),
        test.reshape(*runs, *test.shape[1:]),
        z["answer"].astype(np.int64),
        info,
    )
