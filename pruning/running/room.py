"""How much memory a pruning run takes: of training, and of what scores differentiate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minima.zoo.training.room import require_training_room

if TYPE_CHECKING:
    from minima.zoo.training.loop import Trainer
    from pruning.composition.composition import Composition

OF_A_PRODUCT = 3
"""times the graph of a loss: what the graph of its gradient, which is differentiated again, takes"""


def require_pruning_room(composition: Composition, trainer: Trainer, trains: bool, what: str) -> None:
    """Say what memory a run of these parts takes, or refuse it; `trains`: whether there are steps of training.

    Scores by an `Objective` say themselves what they take.

    Raises:
        BadInput: it is more than --memory, with the amount to type.
    """
    probe = getattr(composition.scorer, "probe", None)
    steps = getattr(composition.scorer, "steps", None)
    batch, scored = trainer.recipe.batch_size, 0
    if probe is not None:  # a look ahead differentiates through all its steps, each over all examples
        scored = OF_A_PRODUCT * (min(batch, probe.examples) if steps is None else (steps + 1) * probe.examples)
    otherwise = "a smaller --batch-size" + (" or fewer --examples" if probe is not None else "")
    require_training_room(trainer, max(scored, batch if trains else 0), what, otherwise)
