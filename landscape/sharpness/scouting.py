"""Some of the examples, on which an ascent looks around before it climbs on all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from landscape.spectrum.example_blocks import blocks_of

if TYPE_CHECKING:
    from landscape.objective.objective import Objective

LEAST = 64
"""examples that tell something of the whole"""
MOST = 0.25
"""of the examples: what more would cost is better spent on all"""


def some_of(objective: Objective, seed: int) -> Objective | None:
    """An estimate of the loss from some whole blocks of the examples, dealt class by class: 64 examples at least; None
    where there are less than 256.
    """
    rows = list(blocks_of(objective, seed).rows)
    taken = 1
    while taken < len(rows) and sum(map(len, rows[:taken])) < LEAST:
        taken += 1
    chosen = torch.cat(rows[:taken]).sort().values
    return objective.sample(chosen) if len(chosen) <= MOST * len(objective.x) else None
