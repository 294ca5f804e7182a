"""A checkpoint with the mask of one network and the weights of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landscape.objective.comparable import check_same_shapes, zeroed
from landscape.objective.streams import stream
from landscape.survivors.controls import random_masks
from minima.store.checkpoints.checkpoint import Checkpoint, load
from minima.store.command import BadInput
from minima.store.reading import sha256
from minima.zoo.training.starts import earlier

if TYPE_CHECKING:
    from torch import Tensor


def transplant(
    mask: Path, weights: Path, from_epoch: int | None = None, *, shuffle: bool = False, seed: int = 0
) -> Checkpoint:
    """The weights in one file under the mask in another: data, loss and plan of training are those of the mask's.

    Args:
        mask: checkpoint of a pruned network.
        weights: checkpoint of a network with the same tensors; weights that it has removed itself are 0.
        from_epoch: take the weights that it kept of this epoch; None: its last ones.
        shuffle: keep as many weights of each layer, at places drawn from `seed`.

    Raises:
        BadInput: the first file has no mask, the second no weights of that epoch, or their tensors differ.
    """
    pruned, source = load(mask), load(weights)
    if not pruned.masks:
        raise BadInput(f"{mask}: nothing is removed from this network. Name the checkpoint of a pruned one")
    state = source.state if from_epoch is None else earlier(source, from_epoch, weights)
    check_same_shapes(
        f"--weights {weights} is another architecture than {mask}", weights.name, state, mask.name, pruned.state
    )
    masks = random_masks(pruned.masks, stream(seed, "transplant")) if shuffle else pruned.masks
    return replace(
        pruned,
        state=_copied(zeroed(state, _under_every_name(masks, pruned.state, state))),
        masks=_copied(masks),
        weights_at={},
        metrics={},
        parent=sha256(mask),
        method={
            "name": "transplant",
            "weights": sha256(weights),
            "from_epoch": from_epoch,
            "shuffle": shuffle,
            "seed": seed if shuffle else None,
        },
    )


def _under_every_name(masks: Mapping[str, Tensor], *states: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Masks by all names of the weights that they are of: a tensor that layers share stands in a file under each, with
    the same values in each of `states`, and the last of them is what a network gets.
    """
    import torch

    def shared(one: str, other: str) -> bool:
        return all(torch.equal(state[one], state[other]) for state in states)

    unmasked = [name for name in states[0] if name not in masks]
    twins = {twin: mask for name, mask in masks.items() for twin in unmasked if shared(name, twin)}
    return twins | dict(masks)


def _copied(tensors: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in tensors.items()}
