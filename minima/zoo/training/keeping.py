"""The trajectory of a run: weights and masks at every N-th epoch or step, on request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from minima.store.checkpoints.checkpoint import Checkpoint
from minima.store.checkpoints.trajectory_writer import TrajectoryWriter
from minima.store.disk import check_room
from minima.store.messages import BadInput

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.training.loop import Trainer
    from minima.zoo.training.plan import Plan


def state_on_cpu(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the state dict that no longer changes with the model.

    Raises:
        BadInput: a module adds something else than a tensor, by a `get_extra_state` of its own.
    """
    import torch

    state = model.state_dict()
    for name, value in state.items():
        if not isinstance(value, torch.Tensor):
            raise BadInput(
                f"{name} in the network's state dict is a {type(value).__name__}: expected tensors alone, for that is "
                "what checkpoints hold.\nLet get_extra_state of its module return a tensor, or do without it"
            )
    return {name: value.detach().cpu().clone() for name, value in state.items()}


def trajectory_path(target: Path) -> Path:
    """Where the kept weights of a run go: `x.pt` -> `x.trajectory.h5`.

    >>> trajectory_path(Path("runs/x.pt")).name
    'x.trajectory.h5'
    """
    return target.with_name(f"{target.name.removesuffix('.pt')}.trajectory.h5")


class Keeper:
    """Appends the trainer's weights and masks at the moments the plan asks for; does nothing if it asks for none.

    `header` describes the run: what all its moments share. A resumed run goes on with what it kept before it stopped.
    """

    def __init__(self, plan: Plan, trainer: Trainer, target: Path, header: Checkpoint, *, resumed: bool) -> None:
        self.plan, self.trainer = plan, trainer
        self.writer: TrajectoryWriter | None = None
        if not plan.keep:
            return
        path = trajectory_path(target)
        header = replace(header, training=plan.stored(), weights_at={}, metrics={})
        if resumed:
            self.writer = TrajectoryWriter.resume(path, self._moment(), header, plan.keep_unit)
        else:
            check_room(path, self._size())
            self.writer = TrajectoryWriter(path, header, plan.keep_unit)
            self.record()

    def record(self) -> None:
        """Keep this moment if it is one of those asked for."""
        if self.writer and self._is_due():
            self.writer.append(self._moment(), state_on_cpu(self.trainer.model), self.trainer.sparsity_masks)

    def finish(self) -> None:
        """Write the trajectory file, before the checkpoint that it belongs to: with that the run is over."""
        if self.writer:
            self.writer.finish()

    def forget(self) -> None:
        """Remove what only an unfinished run needs, after that checkpoint."""
        if self.writer:
            self.writer.forget()

    def _size(self) -> int:
        """Bytes of all moments to come, as files of their own and in the one file of them."""
        trainer, plan = self.trainer, self.plan
        units = plan.epochs * (1 if plan.keep_unit == "epoch" else trainer.steps_per_epoch)
        state = sum(value.numel() * value.element_size() for value in trainer.model.state_dict().values())
        return 2 * (1 + units // plan.keep) * state

    def _moment(self) -> int:
        """The last whole epoch, or the step."""
        return self.trainer.epochs_done if self.plan.keep_unit == "epoch" else self.trainer.steps_done

    def _is_due(self) -> bool:
        whole = self.plan.keep_unit == "step" or self.trainer.steps_done % self.trainer.steps_per_epoch == 0
        return whole and self._moment() % self.plan.keep == 0
