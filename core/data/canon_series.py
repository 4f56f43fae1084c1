"""The canonical files of film reviews and time series: a part of the table in canon.py."""

from .files import File

RAW = "https://raw.githubusercontent.com"

REVIEWS_AND_SERIES = (
    File(
        "imdb",
        "imdb_test.tsv.bz2",
        "1c0a2ca367cef9ba782f488abff0c1e82bb73fb0e4780216d536782967dab2fc",
        9_405_130,
        source="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    ),
    File(
        "imdb",
        "imdb_train.tsv.bz2",
        "da2268892fe79db52b1a26de83cc596abd684d1350927c06ffab623051cfb441",
        9_630_282,
        source="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    ),
    File(
        "time_series",
        "SN_m_tot_V2.0.csv",
        "a9633345036ee0ec56537363b7d33bdf150d0d8d419d76fcce34f99638ef3367",
        124_834,
        source="https://www.sidc.be/SILSO/DATA/SN_m_tot_V2.0.csv",
    ),
    File(
        "time_series",
        "airline-passengers.csv",
        "8cb51be753a718d9be5d76d7e238cc224792754676adc21faa59e954b0201621",
        2_180,
        (RAW + "/jbrownlee/Datasets/master/airline-passengers.csv",),
        source=RAW + "/jbrownlee/Datasets/master/airline-passengers.csv",
    ),
    File(
        "time_series",
        "co2.csv",
        "16695fa2786e53414e5a6b54767a3fdf5de99cfbc68617f69d1362d92776a92f",
        33_974,
        (RAW + "/statsmodels/statsmodels/main/statsmodels/datasets/co2/co2.csv",),
        source="https://www.statsmodels.org/stable/datasets/generated/co2.html",
    ),
    File(
        "time_series",
        "monthly-sunspots.csv",
        "c4ec8cc57d9f6fb6ecdb3e1f37f25b6f4badd5124c55931052b0cd2fc3bc71f3",
        45_039,
        (RAW + "/jbrownlee/Datasets/master/monthly-sunspots.csv",),
        source=RAW + "/jbrownlee/Datasets/master/monthly-sunspots.csv",
    ),
)
