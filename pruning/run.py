"""One job from its parent to its checkpoints: sets the engine up, saves the run on its way, writes the checkpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from pruning.cutting import groups
from pruning.engine import Engine
from pruning.job import Job, all_masks, span
from pruning.keeping import Keeper
from store.checkpoint import Checkpoint, save
from store.command import note
from zoo.architecture import build
from zoo.data import load_data
from zoo.fit import state_on_cpu
from zoo.splits import make_splits
from zoo.training import Trainer
from zoo.unfinished import Unfinished, unfinished

if TYPE_CHECKING:
    import torch


def run_job(job: Job, device: torch.device, *, run_code: bool = False) -> None:
    """Write the checkpoint of every sparsity of the job. A run that was stopped goes on, to the same bytes."""
    last = job.targets[job.asked[-1]]
    with unfinished(last, job.identity()) as part:
        _Run(job, device, part, last, run_code=run_code).complete()


class _Run:
    """A run in progress."""

    def __init__(self, job: Job, device: torch.device, part: Unfinished, target: Path, *, run_code: bool) -> None:
        self.job, self.part = job, part
        plan, parent = job.plan, job.parent.checkpoint
        composition = job.method.composition()
        dataset = load_data(parent.data, run_code=run_code)
        self.splits = make_splits(dataset, plan.validation, plan.split_seed, device)
        model = build(parent.model).to(device)
        model.load_state_dict(dict(composition.start.weights(parent)))
        masks = all_masks(composition, parent)
        self.trainer = Trainer(
            model,
            *self.splits.train,
            plan.recipe,
            epochs=plan.epochs,
            order_seed=plan.order_seed,
            masks=parent.masks | masks,
            around_step=composition.update.around(model),
        )
        total, alive = groups(composition, masks)
        self.engine = Engine(
            composition,
            self.trainer,
            self.splits,
            span(job, 1 - alive / total, self.trainer.steps_per_epoch),
            parent=parent,
            seed=job.seed,
            observer=self,
            stride=plan.keep if plan.keep and plan.keep_unit == "step" else None,
        )
        stopped = part.load()
        if stopped:
            self.engine.load_state_dict(stopped)
        self.keeper = Keeper(job, target, self.trainer, resumed=bool(stopped))
        self.bar = tqdm(
            total=self.engine.span.steps, initial=self.trainer.steps_done, unit="step", disable=None, leave=False
        )

    def complete(self) -> None:
        with self.bar:
            self.engine.complete()
        self.keeper.finish()

    def between(self) -> None:
        self.bar.update(self.trainer.steps_done - self.bar.n)
        self.keeper.record()
        self.part.offer(self.engine.state_dict)

    def emit(self, sparsity: float) -> None:
        checkpoint = self._checkpoint(sparsity)
        if not checkpoint.metrics["reached"]:
            note(
                f"{self.job.method.name} reached sparsity {checkpoint.metrics['sparsity']:.6g}, not {sparsity!r}, in "
                f"{self.job.plan.epochs} epochs; written as it is, with reached: false"
            )
        save(checkpoint, self.job.targets[sparsity])

    def _checkpoint(self, sparsity: float) -> Checkpoint:
        identity: dict[str, Any] = self.job.identity()
        masks = {name: mask.cpu() for name, mask in self.trainer.masks.items()}
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
        return {
            "sparsity": 1 - engine.alive / engine.total,
            "reached": engine.has_reached(sparsity),
            "epochs": self.trainer.steps_done / per_epoch,
            "cuts": [{"epoch": step / per_epoch, "sparsity": 1 - alive / engine.total} for step, alive in engine.cuts],
        }
