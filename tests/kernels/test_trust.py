"""Code is loaded only from where nobody else can put it: owners, modes, links, another user."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from glassgrad.kernels import cache, notice, trust
from glassgrad.kernels.trust import Unusable, distrust, read, seal, write

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no users as POSIX knows them")
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"
)
STRANGER, OTHER = 12345, 12346  # user numbers that no account needs to have


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def owned(monkeypatch):
    """owned(path, user): `lstat` says so."""
    real, users = Path.lstat, {}

    def lstat(path):
        status = list(real(path))
        status[stat.ST_UID] = users.get(str(path), status[stat.ST_UID])
        return os.stat_result(status)

    monkeypatch.setattr(Path, "lstat", lstat)
    return lambda path, user: users.__setitem__(str(path), user)


def test_our_own_folder_is_trusted(home):
    assert distrust(home) is None
    assert distrust(home / "not" / "there") is None


@pytest.mark.parametrize("mode", [0o777, 0o772, 0o707, 0o1777])
def test_a_folder_that_others_can_write_is_not(home, mode):
    home.chmod(mode)
    assert "can write to" in distrust(home) and f"{mode:o}" in distrust(home)


@pytest.mark.parametrize("mode", [0o777, 0o702])
def test_nor_one_in_a_folder_that_others_can_write(home, mode):
    inner = home / "a/b"
    inner.mkdir(parents=True, mode=0o700)
    home.chmod(mode)
    assert f"others can write to {home}" in distrust(inner)
    home.chmod(mode | stat.S_ISVTX)  # they cannot rename what is not theirs
    assert distrust(inner) is None


def test_nor_one_that_belongs_to_somebody_else_or_lies_in_such_a_folder(home, owned):
    inner = home / "a"
    inner.mkdir(mode=0o700)
    owned(inner, STRANGER)
    assert distrust(inner) == f"{inner} belongs to the user {STRANGER}"
    assert distrust(inner / "b") == f"{inner} belongs to the user {STRANGER}"
    owned(inner, os.geteuid())
    owned(home, STRANGER)
    assert distrust(inner) == f"{home} belongs to the user {STRANGER}"


def test_root_s_folders_may_lie_above_ours_but_root_s_own_is_not_ours(home, owned, monkeypatch):
    monkeypatch.setattr(trust.os, "geteuid", lambda: STRANGER)
    inner = home / "a"
    inner.mkdir(mode=0o700)
    owned(home, 0)
    owned(inner, STRANGER)
    for above in home.parents:
        owned(above, 0)
    home.chmod(0o755)
    assert distrust(inner) is None
    owned(inner, 0)
    assert distrust(inner) == f"{inner} belongs to the user root"


def test_the_number_of_unknown_users_is_no_administrator(home, owned, monkeypatch):
    """In a container that does not know the owner of / either, everything unknown has it."""
    root = list(os.lstat("/"))
    for owner, trusted in (STRANGER, True), (65534, False):
        root[stat.ST_UID] = owner
        status = os.stat_result(root)
        real = os.lstat
        monkeypatch.setattr(
            trust.os, "lstat", lambda path, s=status, r=real: s if path == "/" else r(path)
        )
        owned(home.parent, owner)
        assert (distrust(home) is None) == trusted, owner


def test_a_group_of_one_s_own_has_nobody_else_in_it(home, monkeypatch):
    """Neither as a listed member nor as the group that an account starts with."""
    import grp
    import pwd

    def account(name, user, group):
        return pwd.struct_passwd((name, "x", user, group, "", "/", "/bin/sh"))

    ann, bob = account("ann", 5000, 7000), account("bob", 5001, 5001)
    guest = account("guest", 5002, 7000)
    status = list(home.lstat())
    status[stat.ST_GID] = 7000
    monkeypatch.setattr(trust, "me", lambda: 5000)
    monkeypatch.setattr(pwd, "getpwuid", lambda user: ann)
    for members, accounts, alone in (
        ([], [ann, bob], True),
        (["ann"], [ann, bob], True),
        (["bob"], [ann, bob], False),
        ([], [ann, bob, guest], False),
    ):
        group = grp.struct_group(("ann", "x", 7000, members))
        monkeypatch.setattr(grp, "getgrgid", lambda number, group=group: group)
        monkeypatch.setattr(pwd, "getpwall", lambda accounts=accounts: accounts)
        assert trust._own_group(os.stat_result(status)) == alone


def test_links_are_followed_and_must_be_ours(home, owned, tmp_path):
    (home / "real").mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(home)
    assert distrust(link / "real") is None
    owned(link, STRANGER)
    assert distrust(link / "real") == f"{link} belongs to the user {STRANGER}"
    owned(link, os.geteuid())
    (home / "real").chmod(0o777)
    assert f"others can write to {home / 'real'}" in distrust(link / "real")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    with pytest.raises(OSError):
        distrust(tmp_path / "round" / "x")


def test_folders_are_made_for_us_alone(home, monkeypatch):
    before = os.umask(0o002)
    try:
        folder = cache.private_folder([(lambda: home / "a" / "b", "c")])
    finally:
        os.umask(before)
    assert folder == home / "a/b/c"
    for path in folder, folder.parent, folder.parent.parent:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_the_next_place_is_taken_and_said_once(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(notice, "_said", set())
    home.chmod(0o777)
    second = tmp_path / "second"
    for _ in range(2):
        found = cache.private_folder([(lambda: home, "x"), (lambda: second, "x")])
        assert found == second / "x"
    assert not (home / "x").exists()
    said = capsys.readouterr().err
    assert said == (
        f"glassgrad: others can write to {home} (mode 777): compiled code is kept in {found}"
        " instead\n"
    )
    assert cache.private_folder([(lambda: home, "x")]) is None
    assert capsys.readouterr().err.endswith("compiled code is not kept\n")


@pytest.mark.parametrize("spoil", ["owner", "mode", "link", "pipe", "folder", "short", "bit"])
def test_files(home, tmp_path, monkeypatch, spoil):
    path = home / "code"
    assert read(path) is None
    write(path, b"machine code")
    assert read(path) == b"machine code" and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in home.iterdir()] == ["code"]
    if spoil == "owner":
        monkeypatch.setattr(trust, "me", lambda: STRANGER)
    elif spoil == "mode":
        path.chmod(0o620)
    elif spoil == "short":
        path.write_bytes(b"code")
    elif spoil == "bit":
        data = bytearray(path.read_bytes())
        data[3] ^= 1
        path.write_bytes(data)
    else:
        path.rename(tmp_path / "kept")
        make = {
            "link": lambda: path.symlink_to(tmp_path / "kept"),
            "folder": path.mkdir,
            "pipe": lambda: os.mkfifo(path, 0o600),
        }
        make[spoil]()
    with pytest.raises(Unusable):
        read(path)


def test_a_sealed_file_is_one_of_ours(home):
    path = home / "library.so"
    path.write_bytes(b"ELF")
    path.chmod(0o775)
    seal(path)
    assert read(path) == b"ELF"


AS_USER = """
import os, tempfile
{imports}
os.setgroups([]); os.setgid({user}); os.setuid({user})
os.umask(0)
{code}
"""
IMPORTS = """
import pwd, glassgrad
from glassgrad.kernels.compiled import cache_folder
from glassgrad.kernels.emulator import compiler
"""  # as root: the folders of Python need not be open to everybody
FOLDERS = "print(cache_folder()); print(compiler.cache_folder())"


def as_user(user: int, code: str, imports: str = "", **env: str) -> subprocess.CompletedProcess:
    env = {k: v for k, v in os.environ.items() if "CACHE" not in k} | env
    code = AS_USER.format(user=user, code=code, imports=imports)
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)


@as_root
@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "HOME", "TMPDIR"])
def test_what_another_user_has_laid_out_is_not_used(variable):
    """A real second user makes the folders first; the first one must go elsewhere."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        os.chmod(place, 0o1777)
        shared, empty, temporary = (Path(place) / name for name in ("shared", "empty", "tmp"))
        empty.mkdir(mode=0o755)
        temporary.mkdir(mode=0o755)
        temporary.chmod(0o1777)
        where, laid = {
            "XDG_CACHE_HOME": (shared, shared / "glassgrad/emulator"),
            "NUMBA_CACHE_DIR": (shared, shared),
            "HOME": (shared, shared / ".cache/glassgrad/emulator"),
            "TMPDIR": (temporary, temporary / f"glassgrad-{STRANGER}"),
        }[variable]
        done = as_user(OTHER, f"os.makedirs({str(laid)!r}, 0o777)")
        assert done.returncode == 0, done.stderr
        env = {"HOME": str(empty), "TMPDIR": str(temporary), variable: str(where)}
        done = as_user(STRANGER, FOLDERS, IMPORTS, **env)
        assert done.returncode == 0, done.stderr
        assert str(laid) not in done.stdout, done.stdout
        assert "belongs to the user 12346: compiled code is" in done.stderr
        assert len(done.stderr.splitlines()) <= 2, done.stderr  # one for each kind of code


@as_root
def test_root_does_not_use_what_lies_in_another_user_s_home():
    """As with `sudo -E`: HOME is the user's."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        os.chmod(place, 0o755)
        home = Path(place) / "home"
        home.mkdir(mode=0o755)
        os.chown(home, STRANGER, STRANGER)
        done = as_user(0, FOLDERS, IMPORTS, HOME=str(home))
        assert done.returncode == 0 and not list(home.iterdir())
        assert f"glassgrad: {home} belongs to the user {STRANGER}: compiled code" in done.stderr
