"""Quantities over time, x float32 [T, D] in the order of time: sunspots, CO2, passengers.

Each is its verified file, read by own/sequences/series.py; the test part is that of the yardsticks
which the docstrings name, all of them root mean square errors of a forecast one step ahead.
"""

from dataclasses import replace

from .canon import FILES
from .dataset import DataSet
from .download import find
from .own.sequences.series import cut_series, parse_series

SUNSPOTS = ("sunspot number", "standard deviation", "observations")


def _series(name, file, data_dir, valid: int, test: int, names=None, note="", **reading) -> DataSet:
    path = find(FILES[f"time_series/{file}"], data_dir)
    found = parse_series(path, **reading)
    if names:
        found = replace(found, names=names)
    return cut_series(name, found, valid, test, str(path.parent), note)


def sunspots(data_dir=None, errors: bool = False) -> DataSet:
    """The monthly mean sunspot number, version 2.0, 1749-01 … 2022-09: 2472 / 300 / 513 months.

    With `errors` there are two more columns, the standard deviation of the month and the number of
    observations; -1 there means unknown, see ``info.extra["missing"]``. The test part is from 1980
    on: persistence has 24.90 there, a least-squares AR(24) 22.39. Source: SILSO.
    """
    columns = (4, 5, 6) if errors else (4,)
    names = SUNSPOTS[: len(columns)]
    return _series(
        "sunspots", "SN_m_tot_V2.0.csv", data_dir, 300, 513, names,
        columns=columns, header=False, unknown=-1,
    )  # fmt: skip


def sunspots_zurich(data_dir=None) -> DataSet:
    """The monthly Zürich sunspot number, 1749-01 … 1983-12: 1980 / 240 / 600 months.

    The older scale, as in R's ``sunspots``. In the last 600 months persistence has 19.69, a
    least-squares AR(24) 17.89. Source: Andrews & Herzberg 1985.
    """
    return _series("sunspots_zurich", "monthly-sunspots.csv", data_dir, 240, 600)


def co2(data_dir=None) -> DataSet:
    """CO2 in the air of Mauna Loa in ppm, weekly, 1958-03-29 … 2001-12-29: 1502 / 156 / 626 weeks.

    59 weeks have no value: they are interpolated, and ``info.extra["missing"]`` marks them. The
    test part is from 1990 on: persistence has 0.526 there, a least-squares AR(52) 0.430.
    Source: Keeling & Whorf 2004.
    """
    note = "59 weeks without a value are interpolated: judge no forecast there"
    return _series("co2", "co2.csv", data_dir, 156, 626, note=note)


def airline(data_dir=None) -> DataSet:
    """Passengers of airlines in thousands, 1949-01 … 1960-12: 84 / 12 / 48 months.

    In the last 48 months persistence has 48.04, last year's month 41.85, and
    y[t-1] y[t-12] / y[t-13] 15.62. Source: Box & Jenkins 1976.
    """
    return _series("airline", "airline-passengers.csv", data_dir, 12, 48)
