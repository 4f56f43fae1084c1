"""Make the files of `shipped/` again from the full sets: `python -m glassgrad.core.data.shipping`.

Each piece is a function of a full file, so that anybody can make the same one and see what was
taken. The command compares; with ``--write`` it writes the pieces into the package and prints size
and checksums for `canon_pieces`. Two versions of zlib may pack the same content differently, so
what counts is the content: the unpacked text, or the arrays.
"""

import argparse
import gzip
import hashlib
import io
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from .canon import FILES
from .download import find
from .files import SHIPPED, DataError, File, locate
from .own.recordings.audio_npz import KEYS, clips, differences
from .read import gunzip, load_npz, read_bytes, read_lines, read_npz
from .sets_pairs import sentences

CHARACTERS = 300_000  # of Shakespeare, at most
TITLES = ("Geography of ", "Economy of ")  # of the articles taken
TAKES = (0, 5, 10, 11, 12)  # of every digit by every speaker
WHOLE = tuple(f for f in FILES.values() if f.shipped and not f.folder.endswith("_piece"))


def shakespeare(data_dir=None) -> bytes:
    """The beginning of the text, up to the last end of a speech within the first characters."""
    text = read_bytes(FILES["tinyshakespeare/input.txt"], data_dir)[:CHARACTERS]
    return text[: text.rindex(b"\n\n") + 1]


def _articles(data_dir) -> tuple[list[str], list[str]]:
    lines = read_lines(FILES["enwiki_a/enwiki_a.txt.gz"], data_dir, "ascii")
    titles = read_lines(FILES["enwiki_a/enwiki_a_titles.tsv.gz"], data_dir)
    kept = [n for n, t in enumerate(titles) if t.partition("\t")[2].startswith(TITLES)]
    return [lines[n] for n in kept], [titles[n] for n in kept]


def enwiki(data_dir=None) -> bytes:
    """The articles whose titles begin as `TITLES` say, whole and in their order."""
    return "".join(f"{line}\n" for line in _articles(data_dir)[0]).encode()


def enwiki_titles(data_dir=None) -> bytes:
    """The page numbers and titles of these articles."""
    return "".join(f"{line}\n" for line in _articles(data_dir)[1]).encode()


def eng_fra(data_dir=None) -> bytes:
    """The lines of the pairs that PyTorch's tutorial keeps, as they are."""
    found = sentences("eng_fra/fra.txt.gz", data_dir, most=9, tutorial=True)
    return "".join(f"{line}\n" for *_, line in found).encode()


def fsdd(data_dir=None) -> dict[str, np.ndarray]:
    """The recordings of five takes, stored as the full file stores its own."""
    z = read_npz(FILES["fsdd/fsdd.npz"], data_dir, *KEYS)
    kept = np.flatnonzero(np.isin(z["take"], TAKES))
    found = clips(z, "fsdd")
    low, high = differences(np.concatenate([found[n] for n in kept]))
    own = {k: z[k][kept] for k in ("lengths", "digit", "speaker", "take")}
    return {**z, **own, "diff_lo": low, "diff_hi": high}


MADE: dict[str, Callable] = {
    "shakespeare_piece/shakespeare_piece.txt": shakespeare,
    "enwiki_piece/enwiki_piece.txt.gz": enwiki,
    "enwiki_piece/enwiki_piece_titles.tsv.gz": enwiki_titles,
    "eng_fra_piece/eng_fra_piece.txt.gz": eng_fra,
    "fsdd_piece/fsdd_piece.npz": fsdd,
}


def packed(name: str, content) -> bytes:
    """The bytes of a file with this content; they hold no date, so that they do not change."""
    if name.endswith(".npz"):
        out = io.BytesIO()
        np.savez_compressed(out, **content)
        return out.getvalue()
    return gzip.compress(content, 9, mtime=0) if name.endswith(".gz") else content


def same(path: Path, content) -> bool:
    """Has the file at `path` this content, whichever way it is packed?"""
    if path.suffix == ".npz":
        there = load_npz(path)
        return there.keys() == content.keys() and all(
            there[k].dtype == a.dtype and np.array_equal(there[k], a) for k, a in content.items()
        )
    raw = path.read_bytes()
    return (gunzip(raw, str(path)) if path.suffix == ".gz" else raw) == content


def _write(path: Path, raw: bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    md5 = ""
    if path.suffix == ".gz":
        md5 = f", unpacked md5 {hashlib.md5(gunzip(raw, str(path))).hexdigest()}"
    return f"{len(raw):,} bytes, sha256 {hashlib.sha256(raw).hexdigest()}{md5}"


def _copy(file: File, data_dir) -> bytes:
    """The bytes of the full set's file. The shipped one does not count: it is what is compared."""
    elsewhere = replace(file, shipped=False)
    if locate(elsewhere, data_dir) is None:
        raise DataError("the full set is absent; give its folder with --data-dir")
    return find(elsewhere, data_dir, download=False).read_bytes()


def main(argv: list[str] | None = None) -> int:
    """Compare every shipped file with what the full sets give; 1 if one differs."""
    parser = argparse.ArgumentParser(prog="glassgrad.core.data.shipping", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the files into the package")
    parser.add_argument("--data-dir", help="the folder of the full sets")
    options = parser.parse_args(argv)
    differ = 0
    makers = {f.path: lambda d, f=f: _copy(f, d) for f in WHOLE} | MADE
    for name, make in makers.items():
        path = SHIPPED / name
        try:
            content = make(options.data_dir)
            if options.write:
                raw = packed(name, content) if name in MADE else content
                print(f"{name}: {_write(path, raw)}")
                continue
            alike = same(path, content) if name in MADE else path.read_bytes() == content
        except (DataError, OSError) as error:
            print(f"{name}: {error}")
            differ = 1
            continue
        print(f"{name}: {'the same' if alike else 'DIFFERS'}")
        differ |= not alike
    return int(differ)


if __name__ == "__main__":
    sys.exit(main())
