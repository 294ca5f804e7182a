"""`path/to/file.py:factory`: the user's own model or data, run only because the user named it on the command line."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.abc import SourceLoader
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from minima.store.command import BadInput
from minima.store.files import digest
from minima.store.reading import State, read_bytes, reading, sha256


def is_code(spec: str) -> bool:
    """Whether a spec names code, which is run, and not a member of a registry or data.

    >>> is_code("nets/mine.py:LeNet5"), is_code("lenet5"), is_code("npz:file.npz")
    (True, False, False)
    """
    path, _, factory = spec.rpartition(":")
    return path.endswith(".py") and factory.isidentifier()


def fingerprint(path: Path) -> str | None:
    """The SHA-256 of a file that a spec names, so that a change of it is noticed; None where it is missing.

    Of a folder, of the names and hashes of the files that lie in it. A file that has not been written since is not read
    again.
    """
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.is_file())
        return digest({each.name: fingerprint(each) for each in files})
    if not path.is_file():
        return None
    with reading(path) as file:
        return _hash(path.absolute(), State.of(file.fileno()))


@cache
def _hash(path: Path, state: State) -> str:  # noqa: ARG001 (which state of the file it was)
    return sha256(path)


def code_of(spec: str, flag: str) -> tuple[ModuleType, Any]:
    """The module that a spec names, imported, and what it names there. Errors name the flag."""
    path, _, name = spec.rpartition(":")
    with _importable(str(Path(path).absolute().parent)):
        return _load(Path(path), name, f"{flag} {spec}")


def call_factory(spec: str, flag: str) -> Any:
    """Import the file and call its factory without arguments. Errors name the flag.

    The file's neighbours are importable while both last, as for a script; what the file itself does to `sys.path`
    stays.
    """
    path, _, name = spec.rpartition(":")
    with _importable(str(Path(path).absolute().parent)):
        _, factory = _load(Path(path), name, f"{flag} {spec}")
        try:
            return factory()
        except Exception as error:
            raise BadInput(f"{flag} {spec}: {name}() failed: {type(error).__name__}: {error}") from error


@contextmanager
def _importable(folder: str) -> Iterator[None]:
    """What lies in a folder is found before what `sys.path` names, which is left to the user's code."""
    finder = _In(folder)
    sys.meta_path.insert(sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else 0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _In(PathFinder):
    """Finds the modules of one folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # type: ignore[override]
        """The module of that name in the folder; of packages' own modules, which have a `path`, others know."""
        return None if path is not None else PathFinder.find_spec(fullname, [self._folder], target)


def _load(path: Path, name: str, where: str) -> tuple[ModuleType, Callable[..., Any]]:
    if not path.is_file():
        raise BadInput(f"{where}: there is no file {path.absolute()}")
    module, source = _module(path), read_bytes(path)
    try:
        assert module.__spec__ is not None
        assert isinstance(module.__spec__.loader, SourceLoader)
        exec(module.__spec__.loader.source_to_code(source, str(path)), vars(module))
    except Exception as error:
        raise BadInput(f"{where}: importing {path} failed: {type(error).__name__}: {error}") from error
    factory = getattr(module, name, None)
    if not callable(factory):
        offered = ", ".join(key for key, value in vars(module).items() if callable(value) and key[0] != "_")
        raise BadInput(f"{where}: {path} has nothing callable named {name}. It has: {offered or 'nothing'}")
    return module, factory


def _module(path: Path) -> ModuleType:
    """A fresh module for the file, in `sys.modules` under a name of its own: dataclasses look themselves up there."""
    own_name = f"_user_{path.stem}_{hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(own_name, path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[own_name] = module
    return module
