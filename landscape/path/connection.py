"""Training the bend of a curve so that the loss stays low between its ends: mode connection.

Garipov et al. 2018, "Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs": the ends stay, and the bend C
descends the mean over t ~ U[0, 1] of L(phi(t)), with one t for each step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from landscape.objective.comparable import State
from landscape.path.arc import Arc
from minima.store.messages import progress_bar
from minima.zoo.examples.functional import functional_call
from minima.zoo.subject.handed import copied
from minima.zoo.training.loop import Trainer
from minima.zoo.training.recipe import Recipe
from minima.zoo.training.unfinished import Unfinished

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from minima.zoo.data.splits import Examples
    from minima.zoo.subject.subject import Subject

SCRATCH = "bend"


@dataclass(frozen=True)
class BendTraining:
    """How the bend of a curve between two networks is trained."""

    epochs: int
    recipe: Recipe
    seed: int
    """of the order of the examples and of t"""


def connect(straight: Arc, subject: Subject, masks: dict[str, Tensor], plan: BendTraining, place: Place) -> Arc:
    """The arc with its bend trained from the middle of the straight line, at which it begins.

    On the examples that the subject's own training saw. Weights that `masks` (True = kept) removes stay 0. A run that
    was stopped goes on where it was, to the same bits.
    """
    ranks, bend = subject.ranks, None
    if ranks.first:
        bend = _trained(_Point(subject.model, straight), subject, masks, plan, place)
    else:
        while ranks.tell(None):  # at every epoch, so that nobody waits too long
            pass
    found = {name: value.to(subject.device) for name, value in ranks.tell(bend).items()}
    return replace(straight, bend=found)


def _trained(
    point: _Point, subject: Subject, masks: dict[str, Tensor], plan: BendTraining, place: Place
) -> dict[str, Tensor]:
    """The bend after the last epoch, on the CPU; what a stopped run saved of it is gone on with."""
    removal = {f"bend.{name}": mask for name, mask in masks.items()}
    epochs, x, y = plan.epochs, *_seen_in_training(subject)
    trainer = Trainer(point, x, y, plan.recipe, epochs=epochs, order_seed=plan.seed, masks=removal, task=subject.task)
    path = place.scratch(SCRATCH)
    part = None if path is None else Unfinished(path)
    stopped = part and part.load()
    if stopped:
        trainer.load_state_dict(stopped)
    stride = trainer.steps_per_epoch
    with progress_bar(total=epochs, initial=trainer.epochs_done, desc="bend", unit="epoch") as bar:
        for loss in trainer.pieces(epochs * stride, stride):
            bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
            bar.update()
            subject.ranks.tell(True)
            if part is not None:
                part.offer(trainer.state_dict)
                place.worth_keeping()
    subject.ranks.tell(False)
    if part is not None:
        part.save(trainer.state_dict())
    return {name: value.detach().cpu() for name, value in point.bend.named_parameters(remove_duplicate=False)}


def _seen_in_training(subject: Subject) -> Examples:
    """Never the test split; nor what the subject's training held out, where the checkpoint says what that was."""
    training = subject.checkpoint.training
    held = training.get("validation", 0.0), training.get("split_seed", 0)
    return subject.splits(*held).train


class _Point(nn.Module):
    """A network at a random place on an arc, another in each pass; its parameters are those of the bend."""

    def __init__(self, model: nn.Module, arc: Arc) -> None:
        super().__init__()
        self.bend = copied(model)
        self.bend.load_state_dict(arc.at(0.5))
        self._arc = arc

    def forward(self, *x: Any, **named: Any) -> Any:
        first, middle, last = self._arc.curve.shares(torch.rand(()).item())  # the trainer seeds each step
        ends = self._arc.first, self._arc.last
        point: State = {
            name: first * ends[0][name] + middle * bend + last * ends[1][name]
            for name, bend in self.bend.named_parameters()
        }
        return functional_call(self.bend, point, x, named)
