"""The loss at the weights themselves: measures that start there share one evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.objective import Objective

_slopes: WeakKeyDictionary[Objective, tuple[float, Tensor]] = WeakKeyDictionary()
_losses: WeakKeyDictionary[Objective, Tensor] = WeakKeyDictionary()


def slope_at(objective: Objective) -> tuple[float, Tensor]:
    """The loss at the weights that are measured, and its gradient (d,) there."""
    if objective not in _slopes:
        _slopes[objective] = objective.loss_and_gradient()
    return _slopes[objective]


def losses_at(objective: Objective) -> Tensor:
    """(N,) what each example has of the loss at the weights that are measured."""
    if objective not in _losses:
        _losses[objective] = objective.example_losses()
    return _losses[objective]
