"""Files: the search order, checksums, downloads whole or not at all, and every fault of a disk."""

import errno
import gzip
import hashlib
import io
import os
import tempfile
import urllib.error
import urllib.request
import zipfile

import pytest

from glassgrad.core.data import DataError, files
from glassgrad.core.data.canon import FILES
from glassgrad.core.data.download import find
from glassgrad.core.data.files import File

BODY = b"one two three\n" * 40


def made(body=BODY, name="a.txt", urls=("https://example.org/a.txt",), **options):
    sha256 = hashlib.sha256(body).hexdigest()
    return File("set", name, sha256, len(body), urls, source="https://example.org/", **options)


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Every folder of the search order below tmp_path, and no network."""
    cache, beside = tmp_path / "cache", tmp_path / "checkout"
    beside.mkdir()
    (beside / "setup.py").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.delenv("GLASSGRAD_DATA", raising=False)
    monkeypatch.setattr(files, "REPOSITORY", beside)
    offline(monkeypatch)
    return tmp_path


def offline(monkeypatch):
    def refuse(address, timeout):
        raise urllib.error.URLError("Network is unreachable")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


def serve(monkeypatch, body, asked=None):
    def answer(address, timeout):
        if asked is not None:
            asked.append((address, timeout))
        return io.BytesIO(body)

    monkeypatch.setattr(urllib.request, "urlopen", answer)


def put(root, file, body=BODY):
    path = root / file.folder / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def left_over(root):
    return sorted(p.name for p in root.rglob("*") if p.is_file() and p.name != "setup.py")


def test_search_order(places, monkeypatch):
    system = places / "system"
    system.mkdir()
    file = made(system=(str(system),))
    given, variable = places / "given", places / "variable"
    given.mkdir()
    variable.mkdir()
    monkeypatch.setenv("GLASSGRAD_DATA", str(variable))
    paths = [put(places / "cache" / "glassgrad", file)]
    assert find(file, given) == paths[-1]
    (system / file.name).write_bytes(BODY)
    assert find(file, given) == system / file.name
    for root in (places / "shared" / "data", variable, given):
        paths.append(put(root, file))
        assert find(file, given) == paths[-1]
    assert find(file) == variable / "set" / "a.txt", "without data_dir the variable comes first"


def test_no_checkout_no_sibling(places, monkeypatch):
    file = made()
    put(places / "shared" / "data", file)
    (places / "checkout" / "setup.py").unlink()
    assert files.locate(file) is None


def test_missing_names_every_place_and_the_way_out(places, monkeypatch):
    monkeypatch.setenv("GLASSGRAD_DATA", str(places))
    with pytest.raises(DataError) as error:
        find(made(), places)
    text = str(error.value)
    for path in (places / "set", places / "shared/data/set", places / "cache/glassgrad/set"):
        assert str(path / "a.txt") in text
    for part in ("--data-dir", "GLASSGRAD_DATA", "Network is unreachable", "560 bytes"):
        assert part in text
    assert f"Put it at {places / 'set' / 'a.txt'} by hand (source: https://example.org/)" in text
    assert left_over(places) == []


def test_missing_derived_file_says_that_nobody_serves_it(places):
    with pytest.raises(DataError, match="no server offers this file ready-made"):
        find(made(urls=()))


@pytest.mark.parametrize("where", ["argument", "variable"])
def test_folder_that_does_not_exist(places, monkeypatch, where):
    absent = str(places / "absent")
    if where == "variable":
        monkeypatch.setenv("GLASSGRAD_DATA", absent)
    with pytest.raises(DataError, match=r"absent.*not a folder"):
        find(made(), absent if where == "argument" else None)


@pytest.mark.parametrize("body", [b"", BODY[:-1], BODY + b"x", BODY.replace(b"one", b"two", 1)])
def test_wrong_checksum_is_never_used_nor_passed_over(places, body):
    file, given = made(), places / "given"
    bad = put(given, file, body)
    put(places / "cache" / "glassgrad", file)  # a good copy further down must not hide it
    with pytest.raises(DataError) as error:
        find(file, given)
    text = str(error.value)
    assert str(bad) in text and file.sha256 in text
    assert hashlib.sha256(body).hexdigest() in text and f"{len(body)} bytes" in text


def test_verification_is_cached_until_the_file_changes(places, monkeypatch):
    file = made()
    path = put(places / "given", file)
    digest, calls = files._digest, []
    monkeypatch.setattr(files, "_digest", lambda *a: calls.append(1) or digest(*a))
    find(file, places / "given")
    find(file, places / "given")
    assert len(calls) == 1
    path.write_bytes(BODY[::-1])
    os.utime(path, ns=(1, 1))
    with pytest.raises(DataError, match="wrong checksum"):
        find(file, places / "given")


def test_gzip_packed_anew_is_accepted_by_its_content(places):
    packed = gzip.compress(BODY, mtime=1)
    md5 = hashlib.md5(BODY).hexdigest()
    file = made(packed, "a.txt.gz", unpacked_md5=md5)
    again = gzip.compress(BODY, 1, mtime=2)
    assert again != packed
    put(places / "given", file, again)
    assert find(file, places / "given").read_bytes() == again
    for bad in (
        gzip.compress(BODY + b"x"),
        again[:-9],
        b"no gzip",
        again[:20] + b"\0\0" + again[22:],
    ):
        put(places / "given", file, bad)
        with pytest.raises(DataError, match=f"wrong checksum.*\n.*md5 {md5}"):
            find(file, places / "given")


def test_unreadable_file(places, monkeypatch):
    file = made()
    put(places / "given", file)

    def refuse(*args):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(DataError, match=r"a.txt cannot be read: Permission denied"):
        find(file, places / "given")


def test_download_verifies_and_keeps(places, monkeypatch, capsys):
    asked = []
    serve(monkeypatch, BODY, asked)
    path = find(made())
    assert path == places / "cache/glassgrad/set/a.txt" and path.read_bytes() == BODY
    assert asked == [("https://example.org/a.txt", 10.0)]
    assert "downloading https://example.org/a.txt" in capsys.readouterr().err
    offline(monkeypatch)
    assert find(made()) == path
    assert left_over(places) == ["a.txt"]


def test_download_tries_the_next_address(places, monkeypatch):
    def answer(address, timeout):
        if "first" in address:
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        return io.BytesIO(BODY)

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    path = find(made(urls=("https://first.example/a.txt", "https://second.example/a.txt")))
    assert path.read_bytes() == BODY


@pytest.mark.parametrize(
    "body, message",
    [(BODY[:100], "wrong checksum"), (BODY + b"more", "more than the expected 560")],
)
def test_download_of_wrong_bytes_leaves_nothing(places, monkeypatch, body, message):
    serve(monkeypatch, body)
    with pytest.raises(DataError, match=message):
        find(made())
    assert left_over(places) == []


def test_download_that_breaks_off_leaves_nothing(places, monkeypatch):
    class Broken(io.BytesIO):
        def read(self, n):
            if self.tell():
                raise TimeoutError("timed out")
            return super().read(100)

    monkeypatch.setattr(urllib.request, "urlopen", lambda address, timeout: Broken(BODY))
    with pytest.raises(DataError, match="no answer: timed out"):
        find(made())
    assert left_over(places) == []


def test_download_of_an_unpacked_text_is_packed(places, monkeypatch):
    packed = gzip.compress(BODY, mtime=1)
    file = made(packed, "a.txt.gz", unpacked_md5=hashlib.md5(BODY).hexdigest())
    serve(monkeypatch, BODY)
    assert gzip.decompress(find(file).read_bytes()) == BODY
    assert left_over(places) == ["a.txt.gz"]


@pytest.mark.parametrize(
    "member, message",
    [("in/a.txt", None), ("a.txt", "has no member a.txt"), ("../evil", "wrong checksum")],
)
def test_download_of_one_member_of_an_archive(places, monkeypatch, member, message):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("in/a.txt", BODY)
        z.writestr("../evil", b"must never be written under its own name")
    serve(monkeypatch, archive.getvalue())
    file = made(urls=(f"https://example.org/a.zip#{member}",))
    if message:
        with pytest.raises(DataError, match=message):
            find(file)
        assert left_over(places) == []
    else:
        assert find(file).read_bytes() == BODY
    serve(monkeypatch, archive.getvalue()[:60])
    with pytest.raises(DataError, match="the archive is damaged"):
        find(made(name="b.txt", urls=file.urls))


@pytest.mark.parametrize("stated", [None, 10])
def test_a_member_that_unpacks_to_more_than_it_should_is_cut_off(places, monkeypatch, stated):
    """300 MB of zeros in 300 kB, whatever size the archive states."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a.txt", bytes(300 << 20))
    content = bytearray(archive.getvalue())
    if stated:
        for at in (22, content.rindex(b"PK\x01\x02") + 24):
            content[at : at + 4] = stated.to_bytes(4, "little")
    serve(monkeypatch, bytes(content))
    written = []
    real = os.fdopen

    class Counts:
        def __init__(self, handle, mode):
            self.file = real(handle, mode)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, data):
            written.append(len(data))
            return self.file.write(data)

    monkeypatch.setattr(os, "fdopen", Counts)
    message = "archive is damaged" if stated else f"a.txt unpacks to more than .* {len(BODY)} bytes"
    with pytest.raises(DataError, match=message):
        find(made(urls=("https://example.org/a.zip#a.txt",)))
    assert sum(written) <= len(BODY) and left_over(places) == []


FULL = OSError(errno.ENOSPC, "No space left on device")
READ_ONLY = OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize("step", ["mkstemp", "fsync", "replace"])
@pytest.mark.parametrize("fault, message", [(FULL, "disk is full"), (READ_ONLY, "is read-only")])
def test_disk_faults(places, monkeypatch, step, fault, message):
    serve(monkeypatch, BODY)

    def fail(*args, **options):
        raise fault

    monkeypatch.setattr(tempfile if step == "mkstemp" else os, step, fail)
    with pytest.raises(DataError) as error:
        find(made())
    text = str(error.value)
    assert message in text and "XDG_CACHE_HOME" in text and "Put it at" in text
    assert left_over(places) == []


def test_cache_below_a_file(places, monkeypatch):
    serve(monkeypatch, BODY)
    (places / "cache").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot write .*a\.txt: Not a directory"):
        find(made())


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".", "..", "/etc/passwd"])
def test_names_cannot_leave_their_folder(name):
    with pytest.raises(DataError, match="plain names"):
        File("set", name, "0" * 64, 1)
    with pytest.raises(DataError, match="plain names"):
        File(name, "a", "0" * 64, 1)


def test_a_file_needs_a_checksum():
    with pytest.raises(DataError, match="needs a sha256 or the md5"):
        File("set", "a", None, 1)


def test_the_table_of_files_is_sound():
    assert len(FILES) == 60
    for path, file in FILES.items():
        assert path == f"{file.folder}/{file.name}" and file.size > 0 and file.source
        assert file.sha256 is None or len(bytes.fromhex(file.sha256)) == 32
        if file.unpacked_md5:
            assert len(bytes.fromhex(file.unpacked_md5)) == 16 and file.name.endswith(".gz")
        for url in file.urls:
            direct = url.endswith(file.name) or file.unpacked_md5 or "quarter.json" in url
            assert url.startswith(("https://", "http://")) and direct
