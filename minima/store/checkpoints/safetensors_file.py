"""safetensors files, and weights that lie in several files with an index beside them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from minima.store.description import ANYTHING, Fields, Rule, TableOf, check
from minima.store.messages import BadInput, brief
from minima.store.reading import read_bytes, sha256

if TYPE_CHECKING:
    from torch import Tensor

LONGEST_HEADER = 100_000_000
"""bytes, the format's own limit"""
LONGEST_NAME = 255
"""bytes in the name of a file"""
INDEX_KEY = "weight_map"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
"""what the weights in a folder of transformers are called, the first that is there"""
CONFIG = "config.json"
"""what says, beside them, which network they are"""


def is_safetensors(content: bytes) -> bool:
    """Whether the bytes begin as a safetensors file: the length of a JSON header, and the header.

    >>> is_safetensors(bytes([2, 0, 0, 0, 0, 0, 0, 0]) + b"{}"), is_safetensors(b"PK rest of a zip file")
    (True, False)
    """
    return content[8:9] == b"{" and 2 <= int.from_bytes(content[:8], "little") <= LONGEST_HEADER


def parse_safetensors(content: bytes, path: Path) -> dict[str, Tensor]:
    """The tensors in the bytes of a safetensors file.

    Raises:
        BadInput: it is damaged, or holds a dtype that torch does not have.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(content)
    except SafetensorError as error:
        raise BadInput(f"{path} is a damaged safetensors file: {brief(error)}. Copy or make it again") from error
    except (KeyError, ValueError, AssertionError) as error:
        raise BadInput(
            f"{path}: safetensors cannot hand over its tensors ({type(error).__name__}: {brief(error)}): "
            "a dtype that torch has no match for?\nSave its weights as float32"
        ) from error


def _is_beside(file: object) -> bool:
    if not isinstance(file, str) or len(file.encode("utf8", "replace")) > LONGEST_NAME or not file.isprintable():
        return False
    return bool(file) and Path(file).name == file and not is_index(Path(file))


BESIDE = Rule("the name of a file of weights beside it", _is_beside)
INDEX = Fields({INDEX_KEY: TableOf(BESIDE)}, others=ANYTHING)


def is_index(path: Path) -> bool:
    """Whether a name is that of an index of weights in several files.

    >>> is_index(Path("model.safetensors.index.json")), is_index(Path("model.safetensors"))
    (True, False)
    """
    return path.suffix == ".json"


def shards(path: Path, content: bytes) -> dict[Path, list[str]]:
    """The files that an index names, each with the tensors it should hold; all lie beside the index.

    Raises:
        BadInput: it is no index, names a file elsewhere, or one that is not there.
    """
    try:
        named = json.loads(content)
        check(named, INDEX, str(path))
    except (ValueError, RecursionError, BadInput) as error:
        said = f"{error}.\n" if isinstance(error, BadInput) else ""
        raise BadInput(
            f"{said}{path} is no index of weights: expected JSON with {INDEX_KEY!r}, as beside sharded safetensors "
            "files.\n"
            "Type the file that holds the weights: model.safetensors or model.safetensors.index.json"
        ) from error
    found: dict[Path, list[str]] = {}
    for tensor, file in named[INDEX_KEY].items():
        found.setdefault(path.with_name(file), []).append(tensor)
    if absent := [shard.name for shard in found if not shard.is_file()]:
        shown = ", ".join(absent[:4])
        raise BadInput(f"{path}: {len(absent)} of its {len(found)} files are not beside it: {shown}. Copy them there")
    return found


def weights_in(path: Path) -> Path:
    """The file of weights: the path itself, or what lies in a folder as transformers writes one, maybe an index.

    >>> weights_in(Path("runs/x.pt"))
    PosixPath('runs/x.pt')
    """
    return next((path / name for name in WEIGHTS if (path / name).is_file()), path)


def content_hash(path: Path) -> str:
    """The SHA-256 of a checkpoint's bytes; of several files, an index or a folder's, of their hashes in order."""
    weights = weights_in(path)
    hashes = [sha256(weights)]
    if is_index(weights):
        hashes += map(sha256, sorted(shards(weights, read_bytes(weights))))
    if weights != path and (path / CONFIG).is_file():
        hashes.append(sha256(path / CONFIG))
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()
