"""One job from its parent to its checkpoints: sets the engine up, saves the run on its way, writes the checkpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.checkpoints.checkpoint import Checkpoint, save
from minima.store.command import BadInput, note
from minima.store.messages import progress_bar
from minima.zoo.data.splits import Splits
from minima.zoo.subject.handed import copied
from minima.zoo.training.keeping import Keeper, state_on_cpu
from minima.zoo.training.loop import Trainer
from minima.zoo.training.unfinished import Unfinished, unfinished
from pruning.running.engine import Engine
from pruning.running.job import Job, all_masks
from pruning.running.path import connected
from pruning.running.room import require_pruning_room

if TYPE_CHECKING:
    from pruning.composition.composition import Composition


def run_job(job: Job) -> None:
    """Write the checkpoint of every sparsity of the job. A run that was stopped goes on, to the same bytes."""
    last = job.targets[job.asked[-1]]
    with unfinished(last, job.identity()) as part:
        run = part.begin(lambda: _Run(job, part, last))
        run.complete()


class _Run:
    """A run in progress."""

    def __init__(self, job: Job, part: Unfinished, target: Path) -> None:
        self.job, self.part, plan = job, part, job.plan
        self.splits = job.parent.subject.splits(plan.validation, plan.split_seed)
        composition = job.composition
        if composition.validates and not len(self.splits.validation[0]):
            raise BadInput(f"--validation {plan.validation} holds no example out, and {job.method.name} needs some")
        self.trainer = _trainer(job, composition, self.splits)
        require_pruning_room(composition, self.trainer, plan.epochs > 0, f"pruning by {job.method.name}")
        self.engine = Engine(
            composition,
            self.trainer,
            self.splits,
            asked=job.asked,
            parent=job.parent.checkpoint,
            seed=job.seed,
            observer=self,
            stride=plan.keep if plan.keep and plan.keep_unit == "step" else None,
        )
        stopped = part.load()
        if stopped:
            self.engine.load_state_dict(stopped)
        header = replace(job.parent.checkpoint, **job.identity())
        self.keeper = Keeper(plan, self.trainer, target, header, resumed=bool(stopped))
        total, done = self.engine.span.steps, self.trainer.steps_done
        self.bar = progress_bar(total=total, initial=done, unit="step")

    def complete(self) -> None:
        with self.bar:
            self.engine.complete()

    def between(self) -> None:
        self.bar.update(self.trainer.steps_done - self.bar.n)
        self.keeper.record()
        self.part.offer(self.engine.state_dict)

    def emit(self, sparsity: float) -> None:
        checkpoint = self._checkpoint(sparsity)
        if not checkpoint.metrics["reached"]:
            got = 1 - self.engine.alive / self.engine.total
            note(
                f"{self.job.method.name} reached {self.job.measure} {got:.6g}, not {sparsity!r}, in "
                f"{self.job.plan.epochs} epochs; written as it is, with reached: false.\n"
                f"To get there give {self.job.method.remedy}"
            )
        if checkpoint.metrics["connected"] is False:
            note(
                f"{self.job.targets[sparsity]}: no path leads from the input to the output any more, so the outputs "
                "are the same for every example. Ask for less sparsity, or give --keep-path"
            )
        last = sparsity == self.job.asked[-1]
        if last and self.keeper.writer:
            self.keeper.record()  # again: there may have been a cut since, and the last moment is the finished network
            self.part.save(self.engine.state_dict())  # two files are to come: a kill between them costs no training
            self.keeper.finish()
        save(checkpoint, self.job.targets[sparsity])
        if last:  # with it the run is over: what only an unfinished one needs goes after it
            self.keeper.forget()
        self.part.expire()  # what is handed over is not made again

    def _checkpoint(self, sparsity: float) -> Checkpoint:
        identity: dict[str, Any] = self.job.identity()
        counted = self.engine.weights
        masks = {name: mask.cpu() for name, mask in self.trainer.sparsity_masks.items()}
        masks = {name: mask for name, mask in masks.items() if name in counted or not mask.all()}
        return replace(
            self.job.parent.checkpoint,
            **identity,
            state=state_on_cpu(self.trainer.model),
            masks=masks if any(not mask.all() for mask in masks.values()) else {},
            weights_at={},
            metrics=self.splits.metrics(self.trainer.model) | self._course(sparsity),
        )

    def _course(self, sparsity: float) -> dict[str, Any]:
        """Sparsity reached, epochs spent on it, and where the cuts were."""
        engine, per_epoch = self.engine, self.trainer.steps_per_epoch
        gone = engine.sparsity
        kept = [weight[engine.masks[name]] for name, weight in engine.weights.items()]
        return {
            "sparsity": 0.0 if self.trainer.rest else gone,
            "frozen": gone if self.trainer.rest else 0.0,
            "removed": engine.space.shares(engine.masks),
            "reached": engine.has_reached(sparsity),
            "epochs": self.trainer.steps_done / per_epoch,
            "initial_sparsity": engine.initial_sparsity,
            "connected": connected(self.trainer.model, self.splits.train[0], self.trainer.sparsity_masks),
            "zeros_kept": sum(int((values == 0).sum()) for values in kept),
            "cuts": [
                {"epoch": step / per_epoch, "survivors": alive} | ({"agreement": found} if found else {})
                for (step, alive), found in zip(engine.cuts, engine.agreements, strict=True)
            ],
        }


def _trainer(job: Job, composition: Composition, splits: Splits) -> Trainer:
    """At the start of the run."""
    plan, parent = job.plan, job.parent.checkpoint
    model = copied(job.parent.subject.model)
    model.load_state_dict(dict(composition.start.weights(parent)))
    trainer = Trainer(
        model,
        *splits.train,
        plan.recipe,
        epochs=plan.epochs,
        order_seed=plan.order_seed,
        masks=parent.masks | all_masks(composition.space.weights(model), job.parent),
        around_step=composition.update.around(model),
        task=splits.task,
    )
    trainer.loosen(composition.loose(model))
    return trainer
