"""What is said of a cut whose scores are estimates."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from minima.store.command import BadInput, note
from pruning.composition.cutting import choose, decide

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.composition.composition import Composition
    from pruning.context.context import Context


def cut_and_judge(parts: Composition, context: Context, target: int) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Masks after a cut, and the agreement of two estimates of its scores: nothing where they are exact.

    Raises:
        BadInput: the ranks are mostly noise, and that is to be refused.
    """
    doubt = parts.guards.doubt
    if doubt == "ignore":
        return choose(parts, context, target), {}
    choice = decide(parts, context, target)
    emptied = [name for name, mask in choice.masks.items() if context.masks[name].any() and not mask.any()]
    if emptied:
        note(f"{', '.join(emptied)}: no weight is left. Only shortcuts lead past an empty layer; see --keep-path")
    found, estimate = choice.agreement, choice.estimate
    if found is None:
        return choice.masks, {}
    if found.noise and doubt == "refuse":
        raise BadInput(
            f"the scores of this cut are mostly noise: {found.words(estimate.drawn)}.\n"
            f"For better ones give {estimate.remedy}; --accept-noise cuts by these all the same"
        )
    if not found.clear:
        note(f"the error of the scores decides part of this cut: {found.words(estimate.drawn)}")
    return choice.masks, asdict(found)
