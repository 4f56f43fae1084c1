"""Parts of words and of texts as rows of a table: character n-grams, word bigrams, their hashes.

A word is put between ``<`` and ``>``, so that a prefix and a suffix differ from the same letters in
the middle; its n-grams are all runs of 3 to 6 characters of that, but for the whole:

    where  ->  <wh  whe  her  ere  re>  <whe  wher  here  ere>  <wher  where  here>  <where  where>

There are far more of them than words. A hash gives each one of K buckets, and those that meet in
one share its vector: FNV-1a of the bytes b of its UTF-8 form,

    h = 2166136261;  for each b:  h = ((h xor b) * 16777619) mod 2^32

(b as a signed byte where it is 128 or more, as FastText's program has it).

A run of words has the hash h = (... (h_1 m + h_2) m + ...) + h_n mod 2^64 with m = 116049371 and
the hashes of its words, of which the program takes the 32 bits as a signed number: 2^31 and more
are negative.

Sources: Bojanowski, Grave, Joulin, Mikolov, "Enriching word vectors with subword information",
2017; Joulin, Grave, Bojanowski, Mikolov, "Bag of tricks for efficient text classification", 2016;
Fowler, Noll, Vo, the hash FNV.
"""

from collections.abc import Iterable, Sequence

import numpy as np

FIRST, PRIME = 2166136261, 16777619
NEXT = np.uint64(116049371)
BEGIN, END = "<", ">"


def fnv(text: str) -> int:
    """FNV-1a of the UTF-8 bytes of a text, in 32 bits.

    >>> hex(fnv("a")), hex(fnv("foobar"))
    ('0xe40c292c', '0xbf9cf968')
    """
    h = FIRST
    for b in text.encode():
        signed = b if b < 128 else b + 0xFFFFFF00  # 32 bits of the negative number
        h = (h ^ signed) * PRIME & 0xFFFFFFFF
    return h


def character_ngrams(word: str, shortest: int, longest: int) -> list[str]:
    """The runs of `shortest` to `longest` characters of ``<word>``, but for all of it.

    >>> character_ngrams("her", 3, 4)
    ['<he', 'her', 'er>', '<her', 'her>']
    """
    whole = f"{BEGIN}{word}{END}"
    return [
        whole[i : i + n]
        for n in range(shortest, min(longest, len(whole) - 1) + 1)
        for i in range(len(whole) - n + 1)
    ]


class Subwords:
    """The rows of a table that a word's vector is made of: its own, then those of its n-grams.

    Rows 0..V-1 are the words of a vocabulary, rows V and up the n-grams: `buckets` of them, or
    with 0 buckets one for each n-gram of the vocabulary, in the order in which they come.

    >>> parts = Subwords(("her", "here"), 3, 3, buckets=0)
    >>> parts.rows("her").tolist(), parts.rows("he").tolist(), parts.size
    ([0, 2, 3, 4], [2], 7)
    """

    def __init__(self, words: Sequence[str], shortest: int, longest: int, buckets: int):
        self.between = shortest, longest
        self.words, self.buckets = {w: i for i, w in enumerate(words)}, buckets
        self.known: dict[str, int] = {}
        for word in words if not buckets else ():
            for gram in character_ngrams(word, *self.between):
                self.known.setdefault(gram, len(words) + len(self.known))
        self.size = len(words) + (buckets or len(self.known))

    def row(self, gram: str) -> int | None:
        """The row of an n-gram; None where no word of the vocabulary has it."""
        if self.buckets:
            return len(self.words) + fnv(gram) % self.buckets
        return self.known.get(gram)

    def rows(self, word: str) -> np.ndarray:
        """The rows of a word, int64; of one outside of the vocabulary those of its n-grams."""
        own = [self.words[word]] if word in self.words else []
        grams = map(self.row, character_ngrams(word, *self.between))
        return np.array(own + [r for r in grams if r is not None], np.int64)


def flat(lists: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(all numbers, where each list begins; and the end): int64 [M], [N + 1].

    >>> flat([np.array([5, 6]), np.array([7])])
    (array([5, 6, 7]), array([0, 2, 3]))
    """
    lists = list(lists)
    first = np.zeros(len(lists) + 1, np.int64)
    np.cumsum([len(a) for a in lists], out=first[1:])
    return np.concatenate([np.zeros(0, np.int64), *lists]), first


def chosen(items: np.ndarray, first: np.ndarray, which: np.ndarray) -> tuple:
    """(numbers of the lists `which`, the place in `which` of each): int64 [M], [M].

    >>> chosen(*flat([np.array([5, 6]), np.array([7]), np.array([8, 9])]), np.array([2, 0]))
    (array([8, 9, 5, 6]), array([0, 0, 1, 1]))
    """
    lengths = first[which + 1] - first[which]
    place = np.repeat(np.arange(len(which)), lengths)
    start = np.cumsum(lengths) - lengths
    return items[np.arange(len(place)) - np.repeat(start - first[which], lengths)], place


def word_ngrams(hashes: np.ndarray, longest: int, buckets: int) -> np.ndarray:
    """The buckets of all runs of 2 to `longest` words: int64 [M].

    hashes  those of the words, below 2^32: uint64 [T]

    >>> word_ngrams(np.array([fnv(w) for w in ("not", "good")], np.uint64), 2, 1000)
    array([462])
    """
    signed = hashes.astype(np.uint32).view(np.int32)
    hashes = signed.astype(np.int64).view(np.uint64)  # modulo 2^64
    found, h = [], hashes
    for n in range(2, longest + 1):
        h = h[:-1] * NEXT + hashes[n - 1 :]  # wraps at 2^64
        found.append((h % np.uint64(buckets)).astype(np.int64))
    return np.concatenate([np.zeros(0, np.int64), *found])
