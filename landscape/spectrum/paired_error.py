"""Errors that other examples would make in numbers of several Hessians over the same examples, and in their ratios.

What the examples do to both numbers of a ratio alike does not count against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from landscape.spectrum.data_error import jackknife


@dataclass(frozen=True)
class Influenced:
    """A number, and what it is on each block of the examples by itself: to first order, but for a constant."""

    value: float
    blocks: Tensor
    """(blocks,)"""

    def over(self, other: Influenced) -> Influenced | None:
        """The ratio of two quantities, with its influences; None where the second is zero.

        >>> blocks = torch.tensor([1.0, 3.0])
        >>> Influenced(2.0, blocks).over(Influenced(4.0, 2 * blocks))
        Influenced(value=0.5, blocks=tensor([0., 0.]))
        """
        if not other.value:
            return None
        ratio = self.value / other.value
        return Influenced(ratio, (self.blocks - ratio * other.blocks) / other.value)


def influenced(entry: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Influenced]:
    """A Hessian's numbers, and as `top` the sum of its largest eigenvalues; `blocks` of the entry has them by block."""
    blocks = {key: torch.tensor(values, dtype=torch.float64) for key, values in entry["blocks"].items()}
    top = Influenced(sum(entry["eigenvalues"]), blocks["eigenvalues"].sum(1))
    return {"top": top} | {key: Influenced(entry[key], blocks[key]) for key in keys}


def errors(
    entry: Mapping[str, Any],
    reference: Mapping[str, Any],
    keys: Sequence[str],
    weights: Sequence[float],
    share: float | None = 1,
) -> dict[str, Any] | None:
    """Standard errors of a Hessian's numbers, of their ratios to a reference's, and of `top_share`.

    `weights`: those of each block's examples, summed; None of fewer than two blocks.
    `share`: what is left of the errors because some of the
    examples that exist are used already. `top_share`: the sum of the largest eigenvalues over the trace.
    """
    if len(weights) < 2 or share is None:
        return None
    own, others = influenced(entry, keys), influenced(reference, keys)

    def error(number: Influenced | None) -> float | None:
        return None if number is None else share * jackknife(number.blocks[:, None], weights).item()

    each = torch.tensor(entry["blocks"]["eigenvalues"], dtype=torch.float64)
    return {
        "eigenvalues": (share * jackknife(each, weights)).tolist(),
        **{key: error(own[key]) for key in keys},
        "top_share": error(own["top"].over(own["trace"])),
        "ratios": {key: error(own[key].over(others[key])) for key in keys},
    }
