"""The checkpoint of a network that was made smaller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from minima.store.checkpoints.checkpoint import Checkpoint

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.anatomy.narrowing.manifest import Manifest
    from pruning.shrink.shrunk import Shrunk


def smaller(checkpoint: Checkpoint, shrunk: Shrunk, parent: str) -> Checkpoint:
    """The checkpoint with the smaller network, rebuilt from the wide one's entry and the manifest beside it.

    Weights of earlier epochs are made narrower too; where the network was given biases or lost layers they belong
    to another one, and are left out.
    """
    manifest = shrunk.manifest
    entry = dict(checkpoint.model)
    if manifest.changes:
        entry["shrunk"] = [*entry.get("shrunk", []), manifest.plain()]
    other = bool(manifest.biases or manifest.identities or manifest.merged)
    earlier = {} if other else {epoch: selected(state, manifest) for epoch, state in checkpoint.weights_at.items()}
    return replace(
        checkpoint,
        model=entry,
        state={name: value.detach().cpu() for name, value in shrunk.model.state_dict().items()},
        masks=shrunk.masks,
        weights_at=earlier,
        parent=parent,
    )


def selected(state: Mapping[str, Tensor], manifest: Manifest) -> dict[str, Tensor]:
    """What the manifest keeps of the tensors of a state dict."""
    import torch

    found = dict(state)
    for name, axes in manifest.tensors.items():
        for axis, places in axes.items() if name in found else ():
            found[name] = found[name].index_select(axis, torch.tensor(places))
    return found
