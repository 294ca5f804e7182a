"""Training on: an attack on what is hidden in the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.zoo.examples.evaluation import evaluate
from minima.zoo.training.recipe import Recipe
from pruning.robustness.level import Level, Refused
from pruning.robustness.trial import Trial

if TYPE_CHECKING:
    from pruning.robustness.bench import Bench


@dataclass(frozen=True)
class FineTuning(Trial):
    """Training on by SGD with a momentum of 0.9 at a constant rate, without weight decay, on the train split, removed
    weights staying 0; one run, which is looked at after each number of epochs."""

    name: ClassVar[str] = "fine_tuning"
    meaning: ClassVar[str] = "training on"
    strength: ClassVar[str] = "epochs"
    default: ClassVar[bool] = False

    levels: tuple[float, ...] = (1, 2, 5, 10)
    """epochs"""
    lr: float = 0.01
    """learning rate"""
    batch_size: int = 100
    """examples of a step"""

    def allows(self, level: float) -> bool:
        return float(level).is_integer() and level >= 1

    def measure(self, bench: Bench, levels: Sequence[float], seed: int) -> list[Level]:
        from minima.zoo.subject.handed import copied
        from minima.zoo.training.loop import Trainer

        subject = bench.subject
        if subject.dataset.x_train is None:
            raise Refused("the data have no train split")
        recipe = Recipe(lr=self.lr, batch_size=self.batch_size, weight_decay=0.0)
        (x, y), last = subject.splits(0.0, 0).train, int(levels[-1])
        model = copied(subject.model)
        kept = {name: mask for name, mask in subject.masks.items() if name in dict(model.named_parameters())}
        trainer = Trainer(model, x, y, recipe, epochs=last, order_seed=seed, masks=kept, task=subject.task)
        found = []
        for level in levels:
            trainer.advance((int(level) - trainer.epochs_done) * trainer.steps_per_epoch)
            now = evaluate(model, subject.x, subject.y, subject.batch_size, task=subject.task)
            error = bench.bit_error(dict(model.named_parameters()))
            found.append(Level(now.loss, now.score, bit_error=error))
        return found
