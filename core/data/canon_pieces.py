"""The canonical files of `fsdd` and `eng_fra`, and of the pieces that ship with the package.

`shipping` makes each piece from the full file. A table, nothing else.
"""

from .files import File

FSDD = "https://github.com/Jakobovski/free-spoken-digit-dataset"
TATOEBA = "http://www.manythings.org/anki/fra-eng.zip"
WIKIPEDIA = "https://dumps.wikimedia.org/enwiki/"
SHAKESPEARE = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
)

PIECES = (
    File(
        "eng_fra",
        "fra.txt.gz",
        "0b18e8738d744a3db9988bdd3546790101658824f67ec39d3d82dca2d741cc82",
        2_944_757,
        unpacked_md5="5d10f7ccfce8d43c5486cbb43082148e",
        source=TATOEBA + ", file of 2017-09-29",
    ),
    File(
        "fsdd",
        "fsdd.npz",
        "2c116f64c6f978188569632f82ff60d69c0044a6479f03916cb8d7c552c11d6d",
        12_818_347,
        source=FSDD,
    ),
    File(
        "eng_fra_piece",
        "eng_fra_piece.txt.gz",
        "01d959f519020f0677aaa3fbb28b9be12b7eb8f6dd56477c557fb5677f832bfe",
        153_586,
        unpacked_md5="56894ce52666547b5203d414ba6812dd",
        source=TATOEBA,
        shipped=True,
    ),
    File(
        "enwiki_piece",
        "enwiki_piece.txt.gz",
        "365f5465ee6ad561dd25d9276abb8952eb96b2ea83303287ee976687a3b76cba",
        476_903,
        unpacked_md5="7e3237ecb9ebb62998e6f173f54b306d",
        source=WIKIPEDIA,
        shipped=True,
    ),
    File(
        "enwiki_piece",
        "enwiki_piece_titles.tsv.gz",
        "cbcc10576aa9a80ba6c5d5a2640b1f3880379fdd11c8ab9523e50eb578b2f239",
        972,
        unpacked_md5="f979344f9794c6fe3b7ce58b6c27e808",
        source=WIKIPEDIA,
        shipped=True,
    ),
    File(
        "fsdd_piece",
        "fsdd_piece.npz",
        "b9fe16578151c924e78ed86e4ebc2af1c92b4641e6ea8f4b69568db60a525884",
        1_268_670,
        source=FSDD,
        shipped=True,
    ),
    File(
        "shakespeare_piece",
        "shakespeare_piece.txt",
        "7bce277f2f9d6c2c5ebb6307101f7b5a6fe4ada24dd87971bd874d4bed8d503b",
        299_868,
        source=SHAKESPEARE,
        shipped=True,
    ),
)
