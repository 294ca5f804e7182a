"""Reading PyTorch's files without running what is in them, and saying in plain words why one cannot be read."""

from __future__ import annotations

import io
import pickle
import pickletools
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

from minima.store.archive import BROKEN_ZIP, ZIP
from minima.store.checkpoints.announced import check_announced
from minima.store.checkpoints.pretenders import pretender
from minima.store.messages import BadInput

HDF5 = b"\x89HDF\r\n\x1a\n"
WEIGHTS = (".pt", ".pth", ".th", ".ckpt", ".bin", ".safetensors")
"""how files of weights are called"""


class NotPlain(BadInput):
    """The file names functions or classes that would have to run for it to be read, or is a pickle of a new kind."""


def unpickle(content: bytes, path: Path) -> Any:
    """What `torch.save` wrote, read with weights_only=True: plain containers and tensors, or a BadInput."""
    import torch

    if content.startswith(HDF5):
        raise BadInput(f"{path} is an HDF5 file (results or a trajectory), expected a checkpoint: FILE.pt")
    check_announced(content, path)
    try:
        # warnings are of pickle protocols; indices of sparse tensors are looked at, lest they lead out of memory
        with warnings.catch_warnings(action="ignore"), torch.sparse.check_sparse_tensor_invariants():
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # torch raises almost every kind on a broken file
        wanted = _wanted(content, error)
        if wanted is None:
            kind = NotPlain if "Unsupported operand" in str(error) else BadInput
            raise kind(f"{path} {_why(content, error)}") from error
        raise NotPlain(
            f"{path} would run code to be read: it names {wanted}. It was not run, nothing was loaded.\n"
            "Expected tensors only. If it is your own model, save its weights: torch.save(model.state_dict(), FILE)"
        ) from error


def _wanted(content: bytes, error: Exception) -> str | None:
    """The code that a file would run, if that is why it was refused."""
    if not isinstance(error, pickle.UnpicklingError):
        return None
    named = re.search(r"GLOBAL ([\w.]+)", str(error))
    return named[1] if named else next(iter(named_globals(content)), None)


def _why(content: bytes, error: Exception) -> str:
    if "TorchScript" in str(error):
        return "is a TorchScript archive, which holds code. Save its weights: torch.save(model.state_dict(), FILE)"
    if not content:
        return "is empty: it was truncated. Make it again, or copy it again"
    if (other := pretender(content) or _other_archive(content)) is not None:
        return other
    if content.startswith(ZIP) or "EOF" in str(error):
        return (
            f"is truncated or damaged: {len(content):,} bytes are there, but no whole checkpoint.\n"
            "Make it again, or copy it again"
        )
    return f"is not a checkpoint: expected a file written by torch.save, found {content[:16]!r}..."


def _other_archive(content: bytes) -> str | None:
    """What a whole zip file without torch's pickle holds; None of all others."""
    if not content.startswith(ZIP):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [record.filename for record in archive.infolist() if not record.is_dir()]
    except BROKEN_ZIP:
        return None
    if any(name.endswith("data.pkl") for name in names):
        return None
    weights = [name for name in names if name.lower().endswith(WEIGHTS)]
    shown = ", ".join((weights or names)[:5]) + (" ..." if len(weights or names) > 5 else "")
    return (
        f"is an archive of other files ({shown or 'none'}), not one that torch.save wrote.\n"
        "Unpack it, and name the file in it that has the weights"
    )


def named_globals(content: bytes) -> list[str]:
    """The functions and classes that a pickle, bare or in torch's zip, names. It is only read, never run.

    >>> import pickle, pathlib
    >>> named_globals(pickle.dumps(pathlib.PurePosixPath("x")))
    ['pathlib.PurePosixPath']
    """
    found, strings = [], [""]
    try:
        for opcode, argument, _ in pickletools.genops(_pickle_in(content)):
            if opcode.name in ("GLOBAL", "INST"):
                found.append(str(argument).replace(" ", "."))
            elif opcode.name == "STACK_GLOBAL":
                found.append(".".join(strings[-2:]))
            elif isinstance(argument, str):
                strings.append(argument)
    except ValueError:
        pass  # it stops being a pickle here; what was named so far counts
    return found


def _pickle_in(content: bytes) -> bytes:
    if not content.startswith(ZIP):
        return content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return next(archive.read(name) for name in archive.namelist() if name.endswith("data.pkl"))
    except (*BROKEN_ZIP, StopIteration):
        return b""
