"""Tables: x float32 [N, D], y int64 [N]. Without an official split, a fixed permutation is used."""

import csv
import re

import numpy as np

from .batches import three_way
from .canon import FILES
from .dataset import DataSet, Info, Split
from .download import find
from .files import DataError
from .read import read_lines, read_npz

VOTES = {  # name of the encoding -> the numbers for y, n and ?
    "sign": {"y": (1.0,), "n": (-1.0,), "?": (0.0,)},
    "binary": {"y": (1.0,), "n": (0.0,), "?": (0.5,)},
    "onehot": {"y": (1.0, 0.0, 0.0), "n": (0.0, 1.0, 0.0), "?": (0.0, 0.0, 1.0)},
}
PARTIES = ("democrat", "republican")


def house_votes_84(data_dir=None, encoding: str = "sign", seed: int = 0) -> DataSet:
    """Votes of the 435 members of the U.S. House in 1984; y: 0 democrat, 1 republican.

    `encoding`: "sign" (y 1, n -1, ? 0), "binary" (1, 0, 0.5) or "onehot" (three columns a vote:
    y, n, ?). A ``?`` means neither yea nor nay; it is not a missing value. Split 261 / 87 / 87 by
    order(435, seed). Raises DataError for another encoding or a damaged row.
    Source: Schlimmer 1987, UCI.
    """
    if encoding not in VOTES:
        raise DataError(f"house_votes_84: encoding must be one of {tuple(VOTES)}; got {encoding!r}")
    file, names_file = (FILES[f"house_votes_84/house-votes-84.{e}"] for e in ("data", "names"))
    names = tuple(
        m[1]
        for line in read_lines(names_file, data_dir)
        if (m := re.match(r"\s*\d+\.\s+([\w-]+):\s+2\s+\(y,n\)", line))
    )
    if len(names) != 16:
        raise DataError(f"{names_file.path}: expected the names of 16 votes, got {len(names)}")
    rows, parties = [], []
    for number, line in enumerate(read_lines(file, data_dir), 1):
        party, *votes = line.split(",")
        if party not in PARTIES or len(votes) != 16 or not set(votes) <= set(VOTES[encoding]):
            raise DataError(f"{file.path}, line {number}: expected a party and 16 of y, n, ?")
        rows.append([value for v in votes for value in VOTES[encoding][v]])
        parties.append(PARTIES.index(party))
    x, y = np.array(rows, np.float32), np.array(parties, np.int64)
    if encoding == "onehot":
        names = tuple(f"{name}={v}" for name in names for v in "yn?")
    info = Info(
        str(find(file, data_dir).parent),
        PARTIES,
        names,
        note=f"encoding {encoding!r}; fixed random split 261/87/87, seed {seed}",
    )
    return DataSet("house_votes_84", *three_way(x, y, 87, 87, seed), info)


def iris_uci(data_dir=None, seed: int = 0) -> DataSet:
    """Fisher's iris in the UCI copy: 150 flowers, 4 lengths in cm, 3 species; 90 / 30 / 30.

    Rows 35 and 38 carry UCI's well-known typing errors; scikit-learn's copy (the set `iris`) has
    them corrected. Split by order(150, seed), as for `iris`. Source: Fisher 1936.
    """
    file = FILES["iris/iris.data"]
    try:
        rows = list(csv.reader(read_lines(file, data_dir)))
        classes = tuple(dict.fromkeys(row[-1] for row in rows if row))
        x = np.array([[float(v) for v in row[:-1]] for row in rows], np.float32)
        y = np.array([classes.index(row[-1]) for row in rows], np.int64)
    except (ValueError, IndexError, csv.Error) as error:
        raise DataError(f"{file.path}: a damaged row: {error!s:.120}") from error
    if x.shape != (150, 4) or len(classes) != 3:
        raise DataError(f"{file.path}: expected 150 rows of 4 numbers, 3 classes; got {x.shape}")
    info = Info(
        str(find(file, data_dir).parent),
        tuple(c.removeprefix("Iris-") for c in classes),
        ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
        note=f"UCI's typing errors kept; fixed random split 90/30/30, seed {seed}",
    )
    return DataSet("iris_uci", *three_way(x, y, 30, 30, seed), info)


def binary_mushrooms(data_dir=None) -> DataSet:
    """Mushrooms as 112 binary variables, no labels: 2000 / 500 / 5624.

    22 categorical attributes, one-hot. Source: UCI; split of Larochelle & Murray 2011.
    """
    file = FILES["binary_mushrooms/mushrooms.npz"]
    z = read_npz(file, data_dir, "train", "valid", "test")
    for name, a in z.items():
        if a.ndim != 2 or a.shape[1] != 112 or a.max(initial=0) > 1:
            raise DataError(f"{file.path}: {name} must be [N, 112] of 0 and 1; got {a.shape}")
    splits = [Split(z[name].astype(np.float32)) for name in ("train", "valid", "test")]
    info = Info(str(find(file, data_dir).parent), note="split of Larochelle & Murray 2011")
    return DataSet("binary_mushrooms", *splits, info)
