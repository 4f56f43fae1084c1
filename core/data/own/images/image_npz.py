"""Pictures in .npz files that say their split by more than names: in parts, by drawer, in order."""

from pathlib import Path

import numpy as np

from ...dataset import DataSet, Info, Split
from ...files import DataError
from ...read import load_npz
from ...special import OneShot
from ...streams import whole_number
from ..lines import counted
from ..npz_keys import expect_keys, integers, shapes, texts
from ..splits import untrained

PARTS = ("train_images", "train_labels", "test_images", "test_labels")
DRAWN = ("image_bits", "alphabet", "character", "drawer", "alphabet_names")
RUNS = ("train_bits", "test_bits", "answer")
SIDE = 105  # of a drawn character
BITS = -(-SIDE * SIDE // 8)  # bytes of one
FRAME = (28, 20)  # of a film of faces
CLASSES = 10_000
BYTES = 4 << 30  # of all pictures as float32, at most


def unit(images: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W] or [N, H, W, 3] to float32 [N, C, H, W] in [0, 1]."""
    x = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return np.divide(x, np.float32(255), dtype=np.float32, order="C")


def from_image_parts(path: str | Path, valid: int | None = None) -> DataSet:
    """Pictures in two parts, in the .npz format of `cifar10_jpeg_subset`.

    train_images, test_images   uint8 [N, H, W] or [N, H, W, 3]
    train_labels, test_labels   whole numbers [N] from 0
    class_names                 texts [K]; may be missing

    The validation split is the last `valid` training rows, by default a tenth. Raises DataError,
    with the row, for what does not fit.
    """
    path = Path(path)
    z = load_npz(path)
    expect_keys(path, z, PARTS)
    names = texts(path, "class_names", z["class_names"]) if "class_names" in z else None
    most = len(names) if names else CLASSES
    found = []
    for part in ("train", "test"):
        x = _pixels(path, f"{part}_images", z[f"{part}_images"])
        key = f"{part}_labels"
        found.append((x, integers(path, key, z[key], (len(x),), 0, most)))
    (x, y), (test_x, test_y) = found
    if x.shape[1:] != test_x.shape[1:]:
        raise DataError(f"{path}: train_images and test_images have different sizes")
    if names is None:
        names = tuple(map(str, range(int(max(y.max(), test_y.max())) + 1)))
    valid = len(x) // 10 if valid is None else valid
    cut = len(x) - whole_number(str(path), "valid", valid, 0, len(x) - 1)
    shape = x.shape[1:]
    how = f"the last {len(x) - cut} of {counted(len(x), 'training picture')} for validation"
    parts = Split(x[:cut], y[:cut]), Split(x[cut:], y[cut:]), Split(test_x, test_y)
    some = ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
    label = f"{counted(len(names), 'class', 'classes')} ({some})"
    said = (
        f"images of {shape[0]} x {shape[1]} x {shape[2]}",
        "; ".join((label, *untrained(names, parts))),
        f"split as the file says: train {len(x)}, test {len(test_x)}; {how}",
    )
    info = Info(str(path), names, image_shape=shape, note=how, kind="images", understood=said)
    return DataSet(path.name, *parts, info)


def _pixels(path: Path, name: str, a: np.ndarray) -> np.ndarray:
    if a.dtype != np.uint8 or not (a.ndim == 3 or (a.ndim == 4 and a.shape[3] in (1, 3))):
        raise DataError(
            f"{path}: {name} must be uint8 [N, H, W] or [N, H, W, 3]; got {a.dtype} {a.shape}"
        )
    if 0 in a.shape:
        raise DataError(f"{path}: {name} is empty: {a.shape}")
    _expect_memory(path, a.size)
    return unit(a)


def _expect_memory(path: Path, numbers: int) -> None:
    if 4 * numbers > BYTES:
        raise DataError(
            f"{path}: the pictures take {4 * numbers / 2**30:.1f} GiB, at most {BYTES >> 30}"
        )


def is_film(path: Path) -> bool:
    """Does an .npz file hold nothing but frames of 28 x 20 pixels, as `frey_faces`?"""
    found = shapes(path)
    return found.keys() == {"images"} and found["images"][1:] == FRAME


def from_film(path: str | Path) -> DataSet:
    """Frames of a film in the .npz format of `frey_faces`: images uint8 [N, 28, 20].

    Split in order, as neighbouring frames are nearly identical: of 1965 frames the last 200 are
    the test and the 200 before them the validation; of others as large a share. Raises DataError
    for fewer than 10 frames.
    """
    path = Path(path)
    x = _pixels(path, "images", load_npz(path, "images")["images"])
    n = len(x)
    held = n * 200 // 1965
    if not held:
        raise DataError(f"{path}: {n} frames are too few to split; at least 10 are needed")
    a, b = n - 2 * held, n - held
    shape = x.shape[1:]
    how = f"consecutive frames: the first {a}, then {held}, then {held}"
    said = (f"images of {shape[0]} x {shape[1]} x {shape[2]}", "no label", how)
    info = Info(str(path), image_shape=shape, note=how, kind="images", understood=said)
    return DataSet(path.name, Split(x[:a]), Split(x[a:b]), Split(x[b:]), info)


def _unpacked(image_bits: np.ndarray, shrink: int) -> np.ndarray:
    """Packed bits [N, 1379] to float32 [N, 1, S, S], S = 105 / shrink: the mean ink of blocks."""
    side = SIDE // shrink
    out = np.empty((len(image_bits), 1, side, side), np.float32)
    for n, row in enumerate(image_bits):
        image = np.unpackbits(row)[: SIDE * SIDE].reshape(side, shrink, side, shrink)
        out[n, 0] = image.mean(axis=(1, 3), dtype=np.float32)
    return out


def _shrink(name: str, shrink: int) -> int:
    shrink = whole_number(name, "shrink", shrink, 1, SIDE)
    if SIDE % shrink:
        raise DataError(f"{name}: shrink must divide 105 (1, 3, 5, 7, 15, 21, 35); got {shrink}")
    return shrink


def _expect_bits(path: Path, name: str, bits: np.ndarray, axes: int) -> None:
    if bits.dtype != np.uint8 or bits.ndim != axes or bits.shape[-1] != BITS or not bits.size:
        wanted = "[N, 1379]" if axes == 2 else "[R, N, 1379]"
        raise DataError(f"{path}: {name} must be uint8 {wanted}; got {bits.dtype} {bits.shape}")


def from_drawn(path: str | Path, shrink: int = 1, name: str | None = None) -> DataSet:
    """Characters drawn by several people, in the .npz format of `omniglot`; y is the character.

    image_bits uint8 [N, 1379], 105 x 105 bits each, 1 is ink; alphabet, character, drawer [N];
    alphabet_names. Split by drawer: of 20 the first 12 for training, 4 for validation, 4 for the
    test; of others as large shares. `shrink` averages blocks of that side: 3 gives 35 x 35. Raises
    DataError, with the row, for what does not fit.
    """
    path = Path(path)
    shrink = _shrink(name or str(path), shrink)
    z = load_npz(path, *DRAWN)
    bits, names = z["image_bits"], texts(path, "alphabet_names", z["alphabet_names"])
    _expect_bits(path, "image_bits", bits, 2)
    n = len(bits)
    _expect_memory(path, n * (SIDE // shrink) ** 2)
    y = integers(path, "character", z["character"], (n,), 0, CLASSES)
    alphabets = integers(path, "alphabet", z["alphabet"], (n,), 0, len(names))
    drawer = integers(path, "drawer", z["drawer"], (n,), 0, CLASSES)
    known, first = np.unique(y, return_index=True)
    for k in np.flatnonzero(known != np.arange(len(known)))[:1]:
        raise DataError(f"{path}: no picture shows the character {k}; they must be 0, 1, 2, …")
    x = _unpacked(bits, shrink)
    alphabet = alphabets[first]  # of each character
    within = [int((alphabet[:k] == a).sum()) + 1 for k, a in enumerate(alphabet)]
    drawers = int(drawer.max()) + 1
    a, b = drawers * 12 // 20, drawers * 16 // 20
    splits = [
        Split(x[rows], y[rows])
        for low, high in ((0, a), (a, b), (b, drawers))
        for rows in [(drawer >= low) & (drawer < high)]
    ]
    if not all(map(len, splits)):
        raise DataError(f"{path}: {drawers} drawers are too few to split; at least 5 are needed")
    how = f"drawers 0-{a - 1} for training, {a}-{b - 1} for validation, {b}-{drawers - 1} for the"
    how += " test"
    classes = tuple(f"{names[a]} {k}" for a, k in zip(alphabet, within))
    some = ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
    label = f"{counted(len(known), 'character')} of {counted(len(names), 'alphabet')} ({some})"
    said = (
        f"{counted(n, 'image')} of {' x '.join(map(str, x.shape[1:]))}",
        "; ".join((label, *untrained(classes, splits))),
        how,
    )
    info = Info(
        str(path),
        classes,
        image_shape=x.shape[1:],
        note=how,
        extra={"alphabet_names": names, "alphabet": alphabet},
        kind="images",
        understood=said,
    )
    return DataSet(path.name, *splits, info)


def from_one_shot(path: str | Path, shrink: int = 1, name: str | None = None) -> OneShot:
    """One-shot runs in the .npz format of `omniglot_one_shot`.

    train_bits, test_bits uint8 [R, N, 1379] and answer [R, N], numbers of training images of the
    same run. Raises DataError, with the row, for what does not fit.
    """
    path = Path(path)
    shrink = _shrink(name or str(path), shrink)
    z = load_npz(path, *RUNS)
    for key in RUNS[:2]:
        _expect_bits(path, key, z[key], 3)
    runs, n = z["test_bits"].shape[:2]
    if len(z["train_bits"]) != runs:
        raise DataError(f"{path}: {len(z['train_bits'])} runs in train_bits, {runs} in test_bits")
    answer = integers(path, "answer", z["answer"], (runs, n), 0, z["train_bits"].shape[1])
    train, test = (
        _unpacked(z[k].reshape(-1, BITS), shrink).reshape(
            *z[k].shape[:2], 1, SIDE // shrink, SIDE // shrink
        )
        for k in RUNS[:2]
    )
    each = counted(train.shape[1], "character")
    said = (f"{counted(runs, 'run')} of {each} and {n} to classify",)
    info = Info(str(path), image_shape=train.shape[2:], kind="evaluation", understood=said)
    return OneShot(path.name, train, test, answer, info)
