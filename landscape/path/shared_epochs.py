"""How many epochs two networks were trained together before the order of their data parted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput

if TYPE_CHECKING:
    from minima.zoo.subject.subject import Subject

ALIKE = ("recipe", "epochs", "validation", "split_seed")
"""entries of `training` that siblings have in common"""


def shared_epochs(first: Subject, second: Subject) -> int:
    """k of two siblings: from one parent's weights at epoch k, or from the same initial weights (k = 0).

    Raises:
        BadInput: they are no siblings, or were shown the examples in the same order.
    """
    both = f"{first.name} and {second.name}"
    one, other = first.checkpoint, second.checkpoint
    starts = [(each.parent, each.training.get("from_epoch"), each.seed, each.model) for each in (one, other)]
    if starts[0] != starts[1]:
        raise BadInput(f"{both} did not start from the same weights: {_described(starts)}.\n{ADVICE}")
    parent, epoch, _, _ = starts[0]
    if parent is not None and epoch is None:
        raise BadInput(f"{both} go on from the end of another network, not from an epoch of it.\n{ADVICE}")
    changed = [key for key in ALIKE if one.training.get(key) != other.training.get(key)]
    if changed:
        raise BadInput(f"{both} were trained with another {' and '.join(changed)}: expected another order only")
    if one.training.get("order_seed") == other.training.get("order_seed"):
        raise BadInput(f"{both} saw the examples in the same order.\n{ADVICE}")
    return epoch or 0


ADVICE = (
    "Make siblings with python -m minima.train --from NET.pt --from-epoch K --order-seed 1 -o A.pt, "
    "and --order-seed 2 -o B.pt"
)


def _described(starts: list[tuple[Any, ...]]) -> str:
    names = ("parent", "epoch", "seed", "network")
    differing = [name for name, one, other in zip(names, *starts, strict=True) if one != other]
    return f"they differ in {' and '.join(differing)}"
