"""One training run from a starting checkpoint to a finished one, resumable, with a trajectory on request."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.checkpoints.checkpoint import Checkpoint, save
from minima.store.messages import progress_bar
from minima.zoo.data.splits import make_splits
from minima.zoo.training.equilibrium import Watch
from minima.zoo.training.keeping import Keeper, state_on_cpu
from minima.zoo.training.loop import Trainer
from minima.zoo.training.room import require_training_room
from minima.zoo.training.starts import Start
from minima.zoo.training.unfinished import Unfinished, unfinished

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def fit(start: Start, target: Path, device: torch.device) -> Checkpoint:
    """Train from `start` by its plan, masks frozen, and write `target`; what was written is returned.

    A run stopped half-way goes on where it was, to the same bytes.
    """
    with unfinished(target, start.identity()) as part:
        run = part.begin(lambda: _Run(start, part, target, device))
        run.complete()
        finished = run.checkpoint()
        run.keeper.finish()
        save(finished, target)  # with this the run is over: what only an unfinished one needs goes after it
        run.keeper.forget()
    return finished


class _Run:
    """A training run in progress."""

    def __init__(self, start: Start, part: Unfinished, target: Path, device: torch.device) -> None:
        self.start, self.plan, self.part = start, start.plan, part
        held = self.plan.validation, self.plan.split_seed
        self.splits = make_splits(start.dataset, *held, device, start.task, start.intake)
        model = copy.deepcopy(start.network).to(device)
        model.load_state_dict(start.checkpoint.state)
        self.trainer = Trainer(
            model,
            *self.splits.train,
            self.plan.recipe,
            epochs=self.plan.epochs,
            order_seed=self.plan.order_seed,
            masks=start.checkpoint.masks,
            task=start.task,
        )
        self.watch: Watch | None = None
        if self.plan.equilibrium is not None:
            self.watch = Watch(self.plan.equilibrium, self.trainer, self.splits)
            self.trainer.around_step = self.watch.around
        batch = min(self.plan.recipe.batch_size, len(self.trainer.x)) if self.plan.epochs else 0
        require_training_room(self.trainer, batch, f"training on batches of {batch}", "a smaller --batch-size")
        self.weights_at: dict[int, dict[str, Tensor]] = {}
        stopped = part.load()
        if stopped:
            self.trainer.load_state_dict(stopped["trainer"])
            self.weights_at = stopped["weights_at"]
            if self.watch is not None:
                self.watch.load_state_dict(stopped["watch"])
        self.keeper = Keeper(self.plan, self.trainer, target, start.checkpoint, resumed=bool(stopped))
        if not stopped:
            self._keep_weights()

    def complete(self) -> None:
        """Run to the last epoch."""
        plan, trainer = self.plan, self.trainer
        stride = plan.keep if plan.keep and plan.keep_unit == "step" else trainer.steps_per_epoch
        last = plan.epochs * trainer.steps_per_epoch
        with progress_bar(total=plan.epochs, initial=trainer.epochs_done, unit="epoch") as bar:
            for loss in trainer.pieces(last, stride):
                if trainer.between_epochs:
                    trainer.validate(self.splits)
                    if self.watch is not None:
                        self.watch.end_of_epoch()
                    self._keep_weights()
                    bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
                    bar.update()
                self.keeper.record()
                self.part.offer(self._state)
        if self.keeper.writer:
            self.part.save(self._state())  # two files are to come: a kill between them does not cost the training

    def checkpoint(self) -> Checkpoint:
        """The network as it is now, with what it took to get there."""
        return replace(
            self.start.checkpoint,
            state=state_on_cpu(self.trainer.model),
            weights_at=self.weights_at,
            training=self.plan.stored(),
            metrics=self.splits.metrics(self.trainer.model) | self._watched(),
        )

    def _watched(self) -> dict[str, Any]:
        return {} if self.watch is None else {"equilibrium": self.watch.metrics()}

    def _keep_weights(self) -> None:
        """Weights of chosen epochs stay in the checkpoint itself, for rewinding."""
        if self.trainer.epochs_done in self.plan.weights_at:
            self.weights_at[self.trainer.epochs_done] = state_on_cpu(self.trainer.model)

    def _state(self) -> dict[str, Any]:
        own = {} if self.watch is None else {"watch": self.watch.state_dict()}
        return {"trainer": self.trainer.state_dict(), "weights_at": self.weights_at} | own
