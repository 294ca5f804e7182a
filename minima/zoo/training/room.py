"""How much memory a run of training takes, told before its first step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from minima.store.memory import require_room
from minima.store.room import allowed
from minima.zoo.examples.batches import default_batch_size
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.needs import Needs, pass_bytes, saved_bytes

if TYPE_CHECKING:
    from minima.zoo.training.loop import Trainer


def require_training_room(trainer: Trainer, examples: int, what: str, otherwise: str) -> None:
    """Say what memory a run takes that holds the graph of the loss of so many `examples` at once, or refuse it.

    A batch is seen through a step, and all of the data, without derivatives, after an epoch. `what` is done, and
    `otherwise`, what to type that takes less: words of the message.

    Raises:
        BadInput: it is more than --memory, with the amount to type.
    """
    needs = _needs(trainer, min(examples, len(trainer.x)))
    evaluated = default_batch_size(trainer.x) * pass_bytes(trainer.model, trainer.x)
    needed = max(needs.of(min(examples, len(trainer.x))), needs.fixed + evaluated)
    require_room(needed, allowed(), what, otherwise)


def _needs(trainer: Trainer, examples: int) -> Needs:
    """Of the loss of the first examples; of the weights alone where it does not run, of which the first step tells."""
    model = trainer.model

    def saved(count: int) -> int:
        return saved_bytes(lambda: trainer.objective(model, trainer.x[:count], trainer.y[:count]))

    weights = sum(parameter.numel() for parameter in model.parameters())
    if not examples:
        return Needs.measured(weights, lambda _: 0, 1)
    try:
        with evaluating(model), torch.enable_grad(), torch.random.fork_rng(devices=[]):
            return Needs.measured(weights, saved, examples)
    except Exception:  # whatever a network does
        return Needs.measured(weights, lambda _: 0, 1)
