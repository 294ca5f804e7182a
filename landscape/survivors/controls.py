"""What a pruned network's curvature is compared with: its dense parent, whole, in the same mask and in random ones."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from landscape.objective.comparable import check_same_shapes
from landscape.objective.flags import mean_loss
from landscape.objective.streams import stream
from minima.store.checkpoints.checkpoint import Checkpoint, read, sparsity
from minima.store.checkpoints.safetensors_file import content_hash
from minima.store.command import BadInput, note
from minima.zoo.subject.foreign import load_foreign, load_ours

if TYPE_CHECKING:
    from landscape.objective.objective import Objective
    from minima.zoo.losses.loss import Loss
    from minima.zoo.subject.subject import Subject


def dense_parent(subject: Subject, path: Path) -> Subject:
    """The dense parent: the same data with the weights in `path`; says so if the pruned network names another file as
    its parent.

    Raises:
        BadInput: the subject is not pruned, the parent is, or its tensors have other names or shapes.
    """
    if not subject.masks:
        made = "shrunk" in subject.checkpoint.model
        raise BadInput(
            f"{subject.path}: nothing is removed from this network, so that it has no survivors to look at"
            + ("\nIt was made smaller: name the masked file that it was made from" if made else "")
        )
    stored = read(path)
    model = copy.deepcopy(subject.model)
    if not isinstance(stored, Checkpoint):
        loaded = load_foreign(model, stored, path, f"of {subject.path}", zeros="keep")
        stored = replace(subject.checkpoint, state=loaded.state, masks=loaded.masks, parent=None)
    if removed := sparsity(stored.masks):
        raise BadInput(
            f"--parent {path}: {removed:.1%} of its prunable weights are removed, expected the dense network.\n"
            "Name the checkpoint that was pruned"
        )
    check_same_shapes(
        f"--parent {path} is another architecture, expected the dense network that was pruned",
        path.name,
        stored.state,
        subject.path.name,
        subject.model.state_dict(),
    )
    load_ours(model, stored, path, f"of {subject.path}", None)
    named = subject.checkpoint.parent
    if named not in (None, content_hash(path)):
        note(
            f"{subject.name} was made from a file with SHA-256 {named[:12]}..., which {path} is not:\n"
            "it should be an ancestor further up; if it is another network, the comparison says nothing of the pruning"
        )
    return replace(subject, path=path, step=None, checkpoint=stored, model=model, masks={})


def random_masks(masks: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """Masks with as many survivors in each layer, at random places.

    >>> kept = random_masks({"fc.weight": torch.tensor([[True, False], [False, False]])}, torch.Generator())
    >>> kept["fc.weight"].sum().item(), kept["fc.weight"].shape
    (1, torch.Size([2, 2]))
    """
    found = {}
    for name, mask in masks.items():
        places = torch.randperm(mask.numel(), generator=generator)[: int(mask.sum())]
        chosen = torch.zeros(mask.numel(), dtype=torch.bool)
        chosen[places] = True
        found[name] = chosen.view_as(mask).to(mask.device)
    return found


def compared(
    subject: Subject, parent: Subject, losses: Sequence[Loss], count: int, seed: int, memory: int
) -> dict[str, Callable[[], Objective]]:
    """The objectives to compare, by name, each made when it is its turn.

    `pruned`: over its survivors; `parent`: over all weights; `parent-in-mask`: the parent's weights in place, only the
    survivors' coordinates moving, so that its Hessian is a principal submatrix of the parent's; `random-mask-1` ...:
    the same with random coordinates, as many in each layer. `losses`: of the pruned network, and of the parent;
    `memory`: bytes that the graphs of each may take.
    """
    own, its = losses
    whole = partial(mean_loss, parent, "full", its, memory=memory)
    objectives: dict[str, Callable[[], Objective]] = {
        "pruned": partial(mean_loss, subject, "survivors", own, memory=memory),
        "parent": whole,
        "parent-in-mask": partial(whole, moving=subject.masks),
    }
    for index in range(1, count + 1):
        drawn = random_masks(subject.masks, stream(seed, "mask", index))
        objectives[f"random-mask-{index}"] = partial(whole, moving=drawn)
    return objectives
