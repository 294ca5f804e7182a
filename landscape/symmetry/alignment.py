"""A network with its units in the order of another's that they resemble: the same function, other weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils._pytree import tree_leaves

from landscape.objective.comparable import parameters, state_of
from landscape.symmetry.weight_matching import match_weights
from minima.store.command import BadInput, note
from minima.zoo.anatomy.exchange import exchanged
from minima.zoo.anatomy.exchangeable import exchangeable
from minima.zoo.seeds import derive
from minima.zoo.subject.handed import copied

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.subject.subject import Subject

AGREEMENT = 1e-4
"""of the largest output: rounding, since sums are over another order of their terms"""
CHECKED = 16
"""examples on which both are compared"""


def align(first: Subject, second: Subject, seed: int) -> tuple[Subject, dict[str, Any]]:
    """The second with its exchangeable units, and their masks, matched to the first's; what there is to say of it.

    Raises:
        BadInput: with its units in another order the network computes something else.
    """
    groups, lost = exchangeable(copied(first.model).cpu().eval(), first.x[:1].to("cpu"))
    if not groups:
        note(f"{first.name}: no units were found that may trade places, so that there is nothing to align")
    ours, theirs = state_of(first), state_of(second)
    names = [name for name, _ in first.model.named_parameters()]
    weights, other_weights = ({name: state[name] for name in names} for state in (ours, theirs))
    orders = first.ranks.tell(match_weights(weights, other_weights, groups, derive(seed, "matching")))
    model = copied(second.model).eval()
    model.load_state_dict(exchanged(theirs, groups, orders))
    aligned = replace(second, model=model, masks=exchanged(second.masks, groups, orders))
    _check_same_function(second, aligned)
    return aligned, {
        "exchangeable_groups": len(groups),
        "exchangeable_units": sum(group.size for group in groups),
        "moved_units": sum(int((order != np.arange(len(order))).sum()) for order in orders),
        "not_aligned": lost,
        "distance_before": (parameters(first, ours) - parameters(first, theirs)).norm().item(),
    }


def _agree(expected: Tensor, found: Tensor) -> bool:
    far, largest = (found.double() - expected.double()).abs().max(), expected.double().abs().max()
    return bool(far <= AGREEMENT * largest)


def _check_same_function(before: Subject, after: Subject) -> None:
    model = copied(before.model).eval()
    model.load_state_dict(state_of(before))
    with torch.no_grad():
        returned = (before.task.outputs(each, before.x[:CHECKED]) for each in (model, after.model))
        expected, found = ([each for each in tree_leaves(own) if torch.is_tensor(each)] for own in returned)
    if not all(_agree(*pair) for pair in zip(expected, found, strict=True)):
        raise BadInput(
            f"{before.name}: with its units in another order the network computes something else, so that it cannot "
            "be aligned.\nLeave --align out"
        )
