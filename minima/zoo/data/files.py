"""Arrays in files: `npz:FILE`, `npy:FOLDER`, whose files are mapped into memory, and `safetensors:FILE`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from minima.store.checkpoints.pretenders import LOOKED_AT, pretender
from minima.store.command import BadInput
from minima.store.messages import brief
from minima.store.reading import reading
from minima.zoo.data.dataset import ARRAYS
from minima.zoo.data.numpy_files import read_npy, read_npz

NAMES = f"arrays {', '.join(ARRAYS)}, or of one split; several inputs as x_train.NAME"


def file_of(spec: str) -> Path | None:
    """The file or folder of arrays that a spec names, if it names one.

    >>> file_of("npy:tokens"), file_of("digits")
    (PosixPath('tokens'), None)
    """
    kind, mark, path = spec.partition(":")
    return Path(path) if mark and kind in READERS else None


def meant(path: Path) -> str | None:
    """The spec of a file or folder of arrays that was named without its kind; None for what is none.

    >>> meant(Path("runs/data.npz"))
    'npz:runs/data.npz'
    """
    if path.is_dir() and any(path.glob("*.npy")):
        return f"npy:{path}"
    kind = path.suffix.removeprefix(".")
    return f"{kind}:{path}" if kind in ("npz", "safetensors") else None


def read_file(spec: str) -> Mapping[str, Any]:
    """The arrays in the file or folder that a spec names.

    Raises:
        BadInput: it is not there, or not of its kind.
    """
    kind, _, path = spec.partition(":")
    return READERS[kind](Path(path))


def _read_npz(path: Path) -> Mapping[str, Any]:
    _check_file(path, "npz", "an .npz with the")
    return read_npz(path)


def _read_folder(path: Path) -> Mapping[str, Any]:
    if not path.is_dir():
        raise BadInput(f"npy:{path}: there is no such folder; expected one of .npy files, of the {NAMES}")
    found = sorted(path.glob("*.npy"))
    if not found:
        raise BadInput(f"npy:{path}: no .npy lies in that folder; expected files of the {NAMES}")
    return {file.name.removesuffix(".npy"): read_npy(file, mapped=True) for file in found}


def _read_safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors import safe_open

    _check_file(path, "safetensors", "a safetensors file with the")
    try:
        with reading(path) as opened:
            if (other := pretender(opened.read(LOOKED_AT))) is not None:
                raise BadInput(f"{path} {other}")
        with reading(path), safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
    except BadInput:
        raise
    except Exception as error:
        raise BadInput(f"{path} is not a readable safetensors file: {brief(error)}") from error


def _check_file(path: Path, kind: str, what: str) -> None:
    if not path.exists():
        raise BadInput(f"{kind}:{path}: there is no such file; expected {what} {NAMES}")


READERS: dict[str, Callable[[Path], Mapping[str, Any]]] = {
    "npz": _read_npz,
    "npy": _read_folder,
    "safetensors": _read_safetensors,
}
