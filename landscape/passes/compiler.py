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

from minima.store.files import write_atomically

FLAGS = ("-O3", "-march=native", "-fopenmp", "-std=c++17", "-shared", "-fPIC")


class NoCompiler(Exception):
    """Something cannot be compiled here; the message says why."""


def library(source: Path) -> ctypes.CDLL:
    """Made by the C++ compiler $CXX ("c++" where it is not set), kept in $XDG_CACHE_HOME/minima (~/.cache/minima).

    Kept under a digest of the source, the flags and what the compiler says of itself and of this processor, so that
    machines may share a home.

    Raises:
        NoCompiler: there is none (`CXX=` says so), it does not take these flags, or nothing can be kept.
    """
    compiler = shlex.split(os.environ.get("CXX", "c++"))
    if not compiler:
        raise NoCompiler("$CXX is empty")
    itself = _output([*compiler, *FLAGS, "-dM", "-E", "-x", "c++", os.devnull])
    made_of = hashlib.sha256(b"\n".join([" ".join(FLAGS).encode(), itself, source.read_bytes()])).hexdigest()
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minima"
        path = folder / f"{source.stem}-{made_of[:16]}.so"
        if not path.is_file():
            _compile(compiler, source, path)
        return ctypes.CDLL(str(path))
    except (OSError, RuntimeError) as error:  # RuntimeError: nobody knows where home is
        raise NoCompiler(f"{source.name}, compiled, cannot be kept: {error}") from error


def _compile(compiler: Sequence[str], source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / path.name
        _output([*compiler, *FLAGS, str(source), "-o", str(made)])
        write_atomically(path, made.read_bytes())


def _output(command: Sequence[str]) -> bytes:
    try:
        return subprocess.run(command, capture_output=True, check=True).stdout
    except OSError as error:
        raise NoCompiler(f"{command[0]}: {error.strerror}; $CXX names a C++ compiler") from error
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.decode(errors="replace").splitlines() if "error" in line]
        raise NoCompiler(f"{command[0]}: {said[0] if said else f'exit status {error.returncode}'}"[:200]) from error
