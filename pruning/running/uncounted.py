"""What a sparsity does not count: matrices that are no weights of convolutions and linear layers."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from minima.store.messages import note

if TYPE_CHECKING:
    from torch import nn

    from pruning.context.candidates import Candidates

NAMED = 4
"""matrices that a note names"""


def say_what_is_not_counted(space: Candidates, model: nn.Module) -> None:
    """Name, in a note, the matrices of a network that a method does not look at, such as those of an LSTM."""
    if others := not_among(space.weights(model), model):
        note(f"counted are weights of convolutions and linear layers; these are not, and stay whole: {others}")


def not_among(weights: Collection[str], model: nn.Module) -> str:
    """The matrices of a network that are none of these weights, in words; "" where there are none.

    >>> from torch import nn
    >>> not_among(["0.weight"], nn.Sequential(nn.Linear(2, 2), nn.Embedding(3, 2)))
    '1.weight'
    """
    others = [name for name, value in model.named_parameters() if value.ndim > 1 and name not in weights]
    return ", ".join(others[:NAMED]) + (f" and {len(others) - NAMED} more" if len(others) > NAMED else "")
