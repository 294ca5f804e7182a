"""A subset of single weights, drawn at random or given by a file: what else is measured of no other coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor, nn

    from landscape.objective.region import Subset
    from minima.zoo.subject.subject import Subject


def subset_of(subject: Subject, asked: Subset) -> dict[str, Tensor] | None:
    """The weights of a subject's network that may move, bool by parameter name; None where no subset is asked for.

    Raises:
        BadInput: it is asked for twice, is empty, or does not fit the network.
    """
    if asked.subset is not None and asked.subset_file is not None:
        raise BadInput("--subset and --subset-file both say which weights may move: name one")
    if asked.subset_file is not None:
        return read_subset(asked.subset_file, subject.model)
    if asked.subset is None:
        return None
    try:
        return drawn_subset(subject.model, subject.masks, asked.subset, asked.subset_seed)
    except BadInput as error:
        raise BadInput(f"--subset {asked.subset}: {error}") from error


def drawn_subset(model: nn.Module, masks: Mapping[str, Tensor], count: int, seed: int) -> dict[str, Tensor]:
    """`count` of the surviving weights of convolutions and linear layers, all equally likely; False everywhere else.

    A weight's chance number depends on the seed and its place only, and the lowest are taken: what a mask leaves out is
    replaced by the next.

    Args:
        model: the network.
        masks: what survives (True), by parameter name.
        count: how many single weights.
        seed: of the draw.

    Raises:
        BadInput: fewer are left.

    >>> import torch
    >>> found = drawn_subset(torch.nn.Linear(3, 2), {}, 4, 0)
    >>> {name: int(each.sum()) for name, each in found.items()}
    {'weight': 4, 'bias': 0}
    """
    import torch

    from landscape.objective.streams import stream
    from minima.zoo.anatomy.prunable import prunable

    weights = prunable(model)
    alive = {name: masks.get(name, torch.ones_like(w, dtype=torch.bool)).cpu().flatten() for name, w in weights.items()}
    left = sum(int(each.sum()) for each in alive.values())
    if not 1 <= count <= left:
        raise BadInput(f"expected 1 to {left:,}, the weights of convolutions and linear layers that are left")
    chances = torch.rand(sum(map(len, alive.values())), generator=stream(seed, "subset"), dtype=torch.float64)
    chances = chances.masked_fill(~torch.cat(list(alive.values())), 2.0)
    chosen = torch.zeros_like(chances, dtype=torch.bool)
    chosen[chances.argsort(stable=True)[:count]] = True
    parts = dict(zip(weights, chosen.split([each.numel() for each in weights.values()]), strict=True))
    return {
        name: (parts[name].view(p.shape).to(p.device) if name in parts else torch.zeros_like(p, dtype=torch.bool))
        for name, p in model.named_parameters()
    }


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
