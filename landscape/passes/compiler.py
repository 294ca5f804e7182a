"""C++ of this package as a shared library, compiled for this machine when it is first needed, and kept."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from landscape.passes.cache import kept, private_folder
from minima.store.files import write_atomically
from minima.store.messages import BadInput, note

FLAGS = ("-O3", "-march=native", "-fopenmp", "-std=c++17", "-shared", "-fPIC")


class NoCompiler(Exception):
    """Something cannot be compiled here; the message says why."""


def library(source: Path) -> ctypes.CDLL:
    """The file of a library compiled from C++ by $CXX ("c++" where it is not set), kept in $XDG_CACHE_HOME/minima
    (~/.cache/minima).

    Kept under a digest of the source, the flags and what the compiler says of itself and of this processor, so that
    machines may share a home, and under its own: what has changed since is not loaded but compiled again. Nor is what
    another user may have written; where no folder is this user's own, it is compiled for this process only.

    Raises:
        NoCompiler: there is none (`CXX=` says so), or it does not take these flags.
    """
    compiler = shlex.split(os.environ.get("CXX", "c++"))
    if not compiler:
        raise NoCompiler("$CXX is empty")
    itself = _output([*compiler, *FLAGS, "-dM", "-E", "-x", "c++", os.devnull])
    made_of = hashlib.sha256(b"\n".join([" ".join(FLAGS).encode(), itself, source.read_bytes()])).hexdigest()
    stem = f"{source.stem}-{made_of[:16]}"
    try:
        folder = private_folder()
        path = kept(folder, stem) or _keep(folder, stem, _compile(compiler, source))
        return ctypes.CDLL(str(path))
    except (BadInput, OSError, RuntimeError) as error:  # RuntimeError: nobody knows where home is
        note(f"{source.name} is compiled for this run only: {str(error).splitlines()[0]}")
        return _load_once(_compile(compiler, source))


def _keep(folder: Path, stem: str, content: bytes) -> Path:
    """In place of what has this stem: a library that is damaged, or not this user's."""
    for old in folder.glob(f"{stem}*.so"):
        note(f"{old} is not what was compiled: it is compiled again")
        old.unlink()
    path = folder / f"{stem}-{hashlib.sha256(content).hexdigest()}.so"
    write_atomically(path, content)
    return path


def _load_once(content: bytes) -> ctypes.CDLL:
    """A library that is in no folder once it is loaded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "once.so"
        path.write_bytes(content)
        try:
            return ctypes.CDLL(str(path))
        except OSError as error:
            raise NoCompiler(f"what was compiled cannot be loaded: {error}") from error


def _compile(compiler: Sequence[str], source: Path) -> bytes:
    try:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "made.so"
            _output([*compiler, *FLAGS, str(source), "-o", str(made)])
            return made.read_bytes()
    except OSError as error:
        raise NoCompiler(f"{source.name} cannot be compiled: {error}") from error


def _output(command: Sequence[str]) -> bytes:
    try:
        return subprocess.run(command, capture_output=True, check=True).stdout
    except OSError as error:
        raise NoCompiler(f"{command[0]}: {error.strerror}; $CXX names a C++ compiler") from error
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.decode(errors="replace").splitlines() if "error" in line]
        raise NoCompiler(f"{command[0]}: {said[0] if said else f'exit status {error.returncode}'}"[:200]) from error
