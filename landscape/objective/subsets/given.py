"""A subset of single weights that a file holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor, nn


def read_subset(path: Path, model: nn.Module) -> dict[str, Tensor]:
    """The subset that a file of numpy arrays (.npz) holds: for each parameter that it names which of its numbers move.

    Raises:
        BadInput: it cannot be read, names what the network does not have, has other shapes, or chooses nothing.
    """
    import numpy as np
    import torch

    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, AttributeError) as error:
        expected = "expected an .npz of bool arrays by parameter name, as numpy.savez writes it"
        raise BadInput(f"--subset-file {path}: {expected};\n{error}") from error
    chosen = {name: torch.zeros_like(p, dtype=torch.bool) for name, p in model.named_parameters()}
    for name, array in arrays.items():
        if name not in chosen:
            some = ", ".join(list(chosen)[:6])
            raise BadInput(f"--subset-file {path}: the network has no parameter {name}; it has {some} ...")
        if array.shape != tuple(chosen[name].shape) or array.dtype.kind not in "biu":
            raise BadInput(
                f"--subset-file {path}: {name} is {array.dtype} of shape {array.shape}, expected bool of shape "
                f"{tuple(chosen[name].shape)}"
            )
        chosen[name] = torch.from_numpy(array.astype(bool)).to(chosen[name].device)
    if not any(bool(each.any()) for each in chosen.values()):
        raise BadInput(f"--subset-file {path}: no weight is chosen in it")
    return chosen
