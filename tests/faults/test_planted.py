"""What somebody else put under a name that can be foreseen is not written through, not waited for, and not loaded."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from landscape.passes import compiler
from minima.store.files import hold, write_atomically
from minima.store.hidden import open_hidden
from minima.store.messages import BadInput

ROOT = Path(__file__).parents[2]
SOMEBODY = 12345
PRECIOUS = b"precious"


def link(path: Path, victim: Path) -> None:
    path.symlink_to(victim.name)


def dangling(path: Path, victim: Path) -> None:
    path.symlink_to(victim.with_name("not-there").name)


def other_name(path: Path, victim: Path) -> None:
    path.hardlink_to(victim)


def pipe(path: Path, victim: Path) -> None:
    os.mkfifo(path)


def of_another_user(path: Path, victim: Path) -> None:
    if os.geteuid():
        pytest.skip("only root gives files away")
    path.write_bytes(b"")
    os.chown(path, SOMEBODY, SOMEBODY)


PLANTED = [link, dangling, other_name, pipe, of_another_user]


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """A file that must stay as it is."""
    path = tmp_path / "victim"
    path.write_bytes(PRECIOUS)
    yield path
    assert path.read_bytes() == PRECIOUS
    assert not (tmp_path / "not-there").exists()


@pytest.mark.parametrize("plant", PLANTED)
def test_an_unfinished_file_is_not_written_through(plant: Callable[[Path, Path], None], victim: Path) -> None:
    target, growing = victim.with_name("t.pt"), victim.with_name(".t.pt.part")
    plant(growing, victim)
    with pytest.raises(BadInput, match=r"(?s)\.t\.pt\.part is .*remove it"):
        write_atomically(target, b"new")
    assert not target.exists()
    growing.unlink()
    write_atomically(target, b"new")
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("plant", PLANTED)
def test_a_lock_is_not_written_through(plant: Callable[[Path, Path], None], victim: Path) -> None:
    lock = victim.with_name(".u.h5.lock")
    plant(lock, victim)
    with pytest.raises(BadInput, match=r"(?s)\.u\.h5\.lock is .*remove it"), hold(victim.with_name("u.h5")):
        pass
    assert os.path.lexists(lock)


def test_what_a_killed_run_left_is_taken(tmp_path: Path) -> None:
    (tmp_path / ".t.pt.part").write_bytes(b"half of it and more")
    write_atomically(tmp_path / "t.pt", b"new")
    assert (tmp_path / "t.pt").read_bytes() == b"new"
    os.close(open_hidden(tmp_path / ".fresh"))


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """C++ whose number is 7, and a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "seven.cpp"
    path.write_text('extern "C" int number() { return 7; }')
    return path


@pytest.fixture
def evil(tmp_path: Path) -> bytes:
    """A library that leaves a trace when it is loaded."""
    code = tmp_path / "evil.cpp"
    code.write_text(
        f'#include <stdio.h>\n__attribute__((constructor)) static void go() {{ fopen("{tmp_path}/canary", "w"); }}\n'
        'extern "C" int number() { return 666; }\n'
    )
    subprocess.run(["c++", "-shared", "-fPIC", "-o", tmp_path / "evil.so", code], check=True)
    return (tmp_path / "evil.so").read_bytes()


def the_library(source: Path) -> Path:
    (path,) = (source.parent / "cache" / "minima").glob("*.so")
    return path


def number(library: ctypes.CDLL) -> int:
    return int(library.number())


def test_a_cache_is_this_user_s_alone(source: Path) -> None:
    assert number(compiler.library(source)) == 7
    folder = the_library(source).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    assert number(compiler.library(source)) == 7
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "evil", "link"])
def test_a_library_that_is_not_what_was_compiled_is_compiled_again(
    damage: str, source: Path, evil: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    compiler.library(source)
    path = the_library(source)
    whole = path.read_bytes()
    made = {"empty": b"", "cut": whole[: len(whole) // 2], "evil": evil}
    path.unlink()
    if damage == "link":
        (source.parent / "mine.so").write_bytes(whole)
        path.symlink_to(source.parent / "mine.so")
    else:
        path.write_bytes(made.get(damage, whole[:-1] + bytes([whole[-1] ^ 1])))
    assert number(compiler.library(source)) == 7
    assert not path.is_symlink()
    assert hashlib.sha256(path.read_bytes()).hexdigest() in path.name
    assert "compiled again" in capsys.readouterr().err
    assert not (source.parent / "canary").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("what", ["folder", "library"])
def test_a_library_of_another_user_s_is_not_loaded(what: str, source: Path, evil: bytes) -> None:
    compiler.library(source)
    path = the_library(source)
    named = path.with_name(f"{path.stem[:-64]}{hashlib.sha256(evil).hexdigest()}.so")
    path.unlink()
    named.write_bytes(evil)
    for each in (named, named.parent) if what == "folder" else (named,):
        os.chown(each, SOMEBODY, SOMEBODY)
    assert number(compiler.library(source)) == 7
    assert not (source.parent / "canary").exists()
    own = source.parent / "cache" / (f"minima-{os.geteuid()}" if what == "folder" else "minima")
    assert [each.name for each in own.iterdir()] == [path.name]


def test_what_cannot_be_kept_is_compiled_for_this_run(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(source))
    assert number(compiler.library(source)) == 7
    assert "for this run only" in capsys.readouterr().err


CODE = """
from pathlib import Path
from typing import Any
from landscape.passes.compiler import library
print(library(Path("seven.cpp")).number())
"""


def can_be_somebody() -> bool:
    return bool(shutil.which("setpriv")) and subprocess.run(as_somebody("true"), check=False).returncode == 0


def as_somebody(*command: str) -> list[str]:
    return ["setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups", *command]


def test_two_users_share_a_machine_and_a_cache() -> None:
    """The one who comes second finds the folder of the first closed and has one beside it, from then on."""
    if os.geteuid() or not can_be_somebody():
        pytest.skip("becoming another user takes root and setpriv")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        shared = Path(folder)
        shared.chmod(0o755)
        (shared / "seven.cpp").write_text('extern "C" int number() { return 7; }')
        (shared / "cache").mkdir(mode=0o700)
        (shared / "cache").chmod(0o1777)
        environment = os.environ | {"XDG_CACHE_HOME": f"{folder}/cache", "PYTHONPATH": str(ROOT), "TMPDIR": "/tmp"}
        line = [sys.executable, "-c", CODE]
        kept: dict[str, Any] = {"cwd": folder, "env": environment, "capture_output": True, "text": True}
        told = [subprocess.run([*who, *line], check=False, **kept) for who in ([], as_somebody(), as_somebody(), [])]
        if any("PermissionError" in each.stderr for each in told):
            pytest.skip("another user may not read this checkout")
        assert [(each.stdout, each.stderr) for each in told] == [("7\n", "")] * 4
        assert {each.name: each.stat().st_uid for each in (shared / "cache").iterdir()} == {
            "minima": 0,
            f"minima-{SOMEBODY}": SOMEBODY,
        }
