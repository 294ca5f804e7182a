"""What is left of a network in which static units were emptied and layers merged."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from minima.zoo.examples.inputs import Inputs, floats_to
from pruning.shrink.checking import apart, differences
from pruning.shrink.merging import cost_of
from pruning.shrink.preparing import Look, Prepared, combined
from pruning.shrink.removal import Vanishing
from pruning.shrink.shrunk import Shrunk
from pruning.shrink.static.bounds import within as within_bounds
from pruning.shrink.static.examples import on_examples
from pruning.shrink.units import Stuck, own_attributes, without_units


def looking(x: Inputs, by_data: bool, within: tuple[Tensor, Tensor] | None) -> Look | None:
    """What finds static units."""

    if within is not None:
        low, high = (each.to(torch.float64) for each in within)
        return lambda model: within_bounds(model, low, high)
    return (lambda model: on_examples(model, floats_to(x, torch.float64))) if by_data else None


def without_layers(
    model: nn.Module,
    x: Inputs,
    masks: dict[str, Tensor],
    prepared: Prepared,
    vanishing: Vanishing,
    stuck: Stuck,
    held_out: Inputs | None,
) -> Shrunk:
    """What is left of a network in which static units were emptied and layers merged."""

    left = dict(prepared.model.named_parameters())
    masks = {name: mask for name, mask in masks.items() if name in left and left[name].shape == mask.shape}
    found = without_units(
        prepared.model, floats_to(x, torch.float64), masks, False, vanishing, stuck, some=not prepared.manifest.changes
    )
    small, own = copy.deepcopy(found.model), model.state_dict()
    kind = next((value.dtype for value in own.values() if value.is_floating_point()), torch.float32)
    small = small.to(kind)
    manifest = combined(prepared.manifest, found.manifest)
    return replace(
        found,
        model=small,
        manifest=manifest,
        before=cost_of(model, x),
        after=cost_of(small, x),
        static=prepared.static,
        dependent=prepared.dependent,
        idle=prepared.idle,
        max_difference=differences(
            prepared.reference, small, found.model, x, own_attributes(prepared.model, found.manifest)
        ),
        guessed=apart(model, prepared.reference, x, held_out) if prepared.sought else {},
        notes=(*found.notes, *_said(prepared)),
    )


def _said(prepared: Prepared) -> list[str]:
    notes = [f"{name}: not merged with the layer before: {why}" for name, why in (prepared.apart or {}).items()]
    if prepared.calls:
        notes.append(
            f"rectifiers that change nothing there but stay, being calls in the code: {', '.join(prepared.calls[:6])}. "
            "Make each a module of its own (nn.ReLU)"
        )
    return notes
