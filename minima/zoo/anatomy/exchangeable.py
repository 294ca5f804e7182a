"""Finding the units of a network that may trade places."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from minima.zoo.anatomy.exchange import Group
from minima.zoo.anatomy.following import Following, Unit, followed
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.anatomy.union_find import UNKNOWN


def exchangeable(model: nn.Module, x: Tensor) -> tuple[list[Group], list[str]]:
    """Groups of exchangeable units of `model`, of two units or more, found in a forward pass over x (1, ...).

    Beside them the convolution and linear weights whose units were lost sight of, in a reshape that mixes them, say.

    >>> import torch
    >>> groups, lost = exchangeable(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.zeros(1, 3))
    >>> [(group.size, list(group.places)) for group in groups], lost
    ([(4, [('0.weight', 0), ('0.bias', 0), ('2.weight', 1)])], [])
    """
    following = followed(model, x)
    groups = [_group(following, members) for members in following.units() if len(members) > 1]
    return groups, _lost(following, model)


def _group(following: Following, members: list[Unit]) -> Group:
    places = {
        (name, axis): np.array([member.places[key, axis] for member in members])
        for key, axis in members[0].places
        for name in following.names[key]
    }
    return Group(places)


def _lost(following: Following, model: nn.Module) -> list[str]:
    """Weights with an output that is no unit since something was not understood."""
    axes, classes = following.axes, following.classes
    return [
        name for name, weight in prunable(model).items() if bool((classes.of(axes[id(weight)][0]) == UNKNOWN).any())
    ]
