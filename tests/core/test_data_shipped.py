"""What ships with the package: whole, verified, made again from the full sets, and attributed."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from glassgrad.core.data import DataError, available, describe, digest, files, find, load, shipping
from glassgrad.core.data.canon import FILES
from glassgrad.core.data.catalogue import CATALOGUE

ROOT = files.SHIPPED
OURS = {path: file for path, file in FILES.items() if file.shipped}
WHOLE = ("karate", "lesmis", "house_votes_84", "iris_uci", "binary_mushrooms", "word_eval")
PIECES = (
    "shakespeare_piece", "enwiki_piece", "enwiki_subjects", "enwiki_or_shakespeare",
    "eng_fra_piece", "fsdd_piece",
)  # fmt: skip
FREE = ("public domain", "CC BY", "Apache-2.0", "free; cite")  # what the licences may be


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A machine that has nothing but the package."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GLASSGRAD_DATA", raising=False)
    monkeypatch.setattr(files, "REPOSITORY", tmp_path / "nowhere")
    return tmp_path


def inside():
    """The data files in the package, by their path below it; not the texts on them."""
    return {
        p.relative_to(ROOT).as_posix(): p
        for p in ROOT.rglob("*")
        if p.is_file() and p.parent != ROOT and p.parent.name != "licences"
    }


def test_the_table_and_the_folder_agree():
    assert inside().keys() == OURS.keys()
    for path, file in OURS.items():
        assert (ROOT / path).stat().st_size == file.size
        files.verify(file, ROOT / path)


def test_all_of_it_is_less_than_four_megabytes():
    assert sum(p.stat().st_size for p in ROOT.rglob("*") if p.is_file()) < 4_000_000


@pytest.mark.parametrize("name", (*WHOLE, *PIECES))
def test_it_loads_on_a_machine_that_has_nothing_else(alone, name):
    assert available(name) == "shipped"
    assert load(name).info.source.startswith(str(ROOT))
    assert any(free in CATALOGUE[name].terms for free in FREE) and name in describe(name)
    assert "-NC" not in CATALOGUE[name].terms and "research" not in CATALOGUE[name].terms


def test_every_shipped_file_belongs_to_a_set_that_is_tested_here():
    folders = {CATALOGUE[name].folder for name in (*WHOLE, *PIECES)}
    assert folders == {file.folder for file in OURS.values()}


def test_no_piece_stands_in_for_its_whole_set(alone, monkeypatch):
    for name in ("tinyshakespeare", "enwiki_a", "eng_fra", "fsdd"):
        assert available(name) is None
    with pytest.raises(DataError, match=r"fsdd/fsdd\.npz .* was not found") as error:
        load("fsdd")
    assert "shipped" not in str(error.value)


def test_other_places_come_first_and_a_damaged_file_is_an_error(alone, monkeypatch):
    file = FILES["small_graphs/lesmis.gml"]
    assert find(file) == ROOT / file.path
    cached = files.cached(file)
    cached.parent.mkdir(parents=True)
    shutil.copy(ROOT / file.path, cached)
    assert find(file) == cached
    cached.write_bytes(b"damaged")
    with pytest.raises(DataError, match="wrong checksum"):
        find(file)
    cached.unlink()
    monkeypatch.setattr(files, "SHIPPED", alone / "shipped")
    (alone / "shipped" / "small_graphs").mkdir(parents=True)
    (alone / "shipped" / file.path).write_bytes(b"damaged")
    with pytest.raises(DataError, match="wrong checksum"):
        find(file)


def test_a_missing_shipped_file_is_said_to_be_missing(alone, monkeypatch):
    monkeypatch.setattr(files, "SHIPPED", alone / "shipped")
    with pytest.raises(DataError) as error:
        find(FILES["binary_mushrooms/mushrooms.npz"])
    text = str(error.value)
    assert f"{alone}/shipped/binary_mushrooms/mushrooms.npz  (shipped with the package)" in text
    assert f"Put it at {alone}/cache/glassgrad/binary_mushrooms/mushrooms.npz" in text


def full(path: str):
    """The files that a piece is made from, or a skip with the reason."""
    needed = {
        "shakespeare_piece": ["tinyshakespeare/input.txt"],
        "enwiki_piece": ["enwiki_a/enwiki_a.txt.gz", "enwiki_a/enwiki_a_titles.tsv.gz"],
        "eng_fra_piece": ["eng_fra/fra.txt.gz"],
        "fsdd_piece": ["fsdd/fsdd.npz"],
    }[path.partition("/")[0]]
    for name in needed:
        if files.locate(FILES[name]) is None:
            pytest.skip(f"the full file {name} is not on this machine")


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("path", shipping.MADE)
def test_a_piece_is_what_its_full_set_gives(path):
    full(path)
    assert shipping.same(ROOT / path, shipping.MADE[path]())


@pytest.mark.data
def test_the_piece_of_shakespeare_is_the_beginning():
    full("shakespeare_piece/")
    text = shipping.shakespeare()
    assert shipping.same(ROOT / "shakespeare_piece/shakespeare_piece.txt", text)
    assert shipping.read_bytes(FILES["tinyshakespeare/input.txt"]).startswith(text + b"\n")
    assert not shipping.same(ROOT / "shakespeare_piece/shakespeare_piece.txt", text[:-1])


def test_content_counts_not_the_way_it_is_packed(tmp_path):
    for name, content, other in (
        ("a.gz", b"text" * 99, b"text"),
        ("a.npz", {"a": np.arange(3)}, {"a": np.arange(3.0)}),
        ("a.txt", b"text", b"texts"),
    ):
        (tmp_path / name).write_bytes(shipping.packed(name, content))
        assert shipping.same(tmp_path / name, content)
        assert not shipping.same(tmp_path / name, other)
    np.savez(tmp_path / "a.npz", a=np.arange(3))
    assert shipping.same(tmp_path / "a.npz", {"a": np.arange(3)})


def test_the_command_says_what_differs(alone, monkeypatch, capsys):
    monkeypatch.setattr(shipping, "WHOLE", (FILES["iris/iris.data"],))
    monkeypatch.setattr(shipping, "MADE", {"made/a.txt.gz": lambda data_dir: b"content"})
    monkeypatch.setattr(shipping, "SHIPPED", alone)
    assert shipping.main([]) == 1  # neither is there
    assert "iris/iris.data: the full set is absent" in capsys.readouterr().out
    full = alone / "full" / "iris"
    full.mkdir(parents=True)
    (full / "iris.data").write_bytes((ROOT / "iris" / "iris.data").read_bytes())
    monkeypatch.setenv("GLASSGRAD_DATA", str(alone / "full"))
    assert shipping.main(["--write"]) == 0
    out = capsys.readouterr().out
    assert "iris/iris.data: 4,551 bytes, sha256 6f608b71" in out
    assert "unpacked md5 9a0364b9e99bb480dd25e1f0284c8555" in out
    assert shipping.main([]) == 0 and "DIFFERS" not in capsys.readouterr().out
    (alone / "iris" / "iris.data").write_bytes(b"other")
    assert shipping.main([]) == 1 and "iris/iris.data: DIFFERS" in capsys.readouterr().out


def test_every_folder_has_its_paragraph_of_attribution():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    paragraphs = {p[2 : p.index("**", 2)]: p for p in text.split("\n\n") if p.startswith("**")}
    assert paragraphs.keys() == {file.folder for file in OURS.values()}
    for folder, paragraph in paragraphs.items():
        assert "ource: " in paragraph.replace("\n", " ") or "Attribution:" in paragraph, folder
        assert "icence" in paragraph or "Terms" in paragraph, folder
        assert "hanged" in paragraph, folder
        terms = {e.terms.split(" (")[0] for e in CATALOGUE.values() if e.folder == folder}
        for term in terms:
            first = term.partition(";")[0]
            assert first in paragraph.replace("\n", " "), (folder, first)
    for licence in ("Apache-2.0", "CC-BY-SA-4.0"):
        assert f"`licences/{licence}.txt`" in text
        assert (ROOT / "licences" / f"{licence}.txt").stat().st_size > 10_000


def test_shakespeare_piece():
    d = load("shakespeare_piece")
    assert [len(s) for _, s in d.splits()] == [269_881, 14_993, 14_994]
    text = "".join(d.info.vocabulary.decode(d.whole().x))
    assert text.startswith("First Citizen:\nBefore we proceed") and text.endswith("?\n")
    assert "".join(d.info.vocabulary.words) == "".join(sorted(set(text)))


def test_enwiki_piece():
    corpus = load("enwiki_piece")
    counts: dict[str, int] = {}
    vocabulary = corpus.vocabulary(5, counts=counts)
    lines, titles = list(corpus.lines()), corpus.titles()
    assert len(lines) == len(titles) == 114 and len(vocabulary) == 4156
    words = [line.split() for line in lines]
    assert sum(map(len, words)) == 260_145 and len({w for ws in words for w in ws}) == 14_182
    assert all(t.startswith(("Geography of ", "Economy of ")) for _, t in titles)
    for line, (_, title) in zip(lines, titles):  # the lines are those of the titles
        assert title.split()[0].lower() in line and set(line) <= set("abcdefghijklmnopqrstuvwxyz ")


@pytest.mark.data
@pytest.mark.slow
def test_a_piece_of_pairs_is_the_tutorials_part_of_the_whole():
    full("eng_fra_piece/")
    piece, whole = load("eng_fra_piece"), load("eng_fra", tutorial=True)
    assert digest(piece) == digest(whole)
    assert piece.info.vocabulary == whole.info.vocabulary


@pytest.mark.data
def test_each_split_of_the_recordings_is_a_part_of_the_same_split_of_the_whole():
    full("fsdd_piece/")
    piece, whole = load("fsdd_piece"), load("fsdd")
    for part, split in piece.splits():
        there = dict(whole.splits())[part]
        known = {x.tobytes(): y for x, y in zip(there.x, there.y)}
        assert all(known[x.tobytes()] == y for x, y in zip(split.x, split.y))


def test_nothing_of_it_is_a_link_or_a_program():
    for path in ROOT.rglob("*"):
        assert not path.is_symlink() and path.suffix not in {".py", ".pkl", ".so"}
    assert Path(files.__file__).parent == ROOT.parent
