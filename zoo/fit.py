"""One training run from a starting checkpoint to a finished one, resumable, with a trajectory on request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from store.checkpoint import Checkpoint
from torch import Tensor, nn
from tqdm import tqdm

from zoo.architecture import build
from zoo.evaluation import evaluate
from zoo.splits import Splits, make_splits
from zoo.starts import Start
from zoo.training import Trainer
from zoo.unfinished import Unfinished, unfinished


def fit(start: Start, target: Path, device: torch.device) -> Checkpoint:
    """Train from `start` by its plan, masks frozen. A run stopped half-way goes on where it was, to the same bytes."""
    checkpoint, plan = start.checkpoint, start.plan
    splits = make_splits(start.dataset, plan.validation, plan.split_seed, device)
    model = build(checkpoint.model).to(device)
    model.load_state_dict(checkpoint.state)
    trainer = Trainer(
        model,
        *splits.train,
        plan.recipe,
        epochs=plan.epochs,
        order_seed=plan.order_seed,
        masks=checkpoint.masks,
    )
    with unfinished(target, start.identity()) as part:
        run = _Run(trainer, splits, start, part, target)
        run.complete()
    return replace(
        checkpoint,
        state=state_on_cpu(model),
        weights_at=run.weights_at,
        training=plan.stored(),
        metrics=splits.metrics(model),
    )


class _Run:
    """A training run in progress."""

    def __init__(
        self, trainer: Trainer, splits: Splits, start: Start, part: Unfinished, target: Path
    ) -> None:
        self.trainer, self.splits, self.plan, self.part = trainer, splits, start.plan, part
        self.weights_at: dict[int, dict[str, Tensor]] = {}
        stopped = part.load()
        if stopped:
            trainer.load_state_dict(stopped["trainer"])
            self.weights_at = stopped["weights_at"]
        self.trajectory = _trajectory(plan, start, target, trainer.steps_done, bool(stopped))
        if not stopped:
            self._record()

    def complete(self) -> None:
        """Run to the last epoch."""
        plan, trainer = self.plan, self.trainer
        stride = plan.keep if plan.keep and plan.keep_unit == "step" else trainer.steps_per_epoch
        last = plan.epochs * trainer.steps_per_epoch
        with tqdm(
            total=plan.epochs, initial=trainer.epochs_done, unit="epoch", disable=None, leave=False
        ) as bar:
            while trainer.steps_done < last:
                to_boundary = trainer.steps_per_epoch - trainer.steps_done % trainer.steps_per_epoch
                to_kept = stride - trainer.steps_done % stride
                loss = trainer.advance(min(to_boundary, to_kept, last - trainer.steps_done))
                if trainer.steps_done % trainer.steps_per_epoch == 0:
                    self._end_epoch()
                    bar.set_postfix(loss=f"{loss:.4g}")
                    bar.update()
                self._record()
                self.part.offer(self._state)
        if self.trajectory:
            self.trajectory.finish()

    def _end_epoch(self) -> None:
        if self.plan.recipe.schedule == "plateau":
            held = self.splits.validation if len(self.splits.validation[0]) else self.splits.train
            self.trainer.observe(evaluate(self.trainer.model, *held).loss)

    def _record(self) -> None:
        """Keep the weights of this moment where they were asked for."""
        epoch, rest = divmod(self.trainer.steps_done, self.trainer.steps_per_epoch)
        if rest == 0 and epoch in self.plan.weights_at:
            self.weights_at[epoch] = state_on_cpu(self.trainer.model)
        moment = epoch if self.plan.keep_unit == "epoch" else self.trainer.steps_done
        on_time = rest == 0 or self.plan.keep_unit == "step"
        if self.trajectory and on_time and moment % self.plan.keep == 0:
            self.trajectory.append(moment, state_on_cpu(self.trainer.model), {})

    def _state(self) -> dict[str, Any]:
        return {"trainer": self.trainer.state_dict(), "weights_at": self.weights_at}


def state_on_cpu(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the state dict that no longer changes with the model."""
    return {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}


def trajectory_path(target: Path) -> Path:
    """Where the kept weights of a run go: `x.pt` -> `x.trajectory.h5`.

    >>> trajectory_path(Path("runs/x.pt")).name
    'x.trajectory.h5'
    """
    return target.with_name(f"{target.name.removesuffix('.pt')}.trajectory.h5")
