"""The trajectory of a pruning run: weights and masks at every N-th epoch or step, on request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from store.trajectory import TrajectoryWriter

from zoo.fit import state_on_cpu, trajectory_path

if TYPE_CHECKING:
    from pruning.job import Job
    from zoo.training import Trainer


class Keeper:
    """Appends the trainer's weights and masks at the moments that were asked for; does nothing if none were.

    A cut at such a moment comes after it: the trajectory shows what was cut.
    """

    def __init__(self, job: Job, target: Path, trainer: Trainer, *, resumed: bool) -> None:
        self.plan, self.trainer = job.plan, trainer
        self.writer: TrajectoryWriter | None = None
        if not self.plan.keep:
            return
        path = trajectory_path(target)
        if resumed:
            self.writer = TrajectoryWriter.resume(path, self._moment())
        else:
            header = replace(job.parent.checkpoint, **job.identity(), weights_at={}, metrics={})
            self.writer = TrajectoryWriter(path, header, self.plan.keep_unit)
            self.record()

    def record(self) -> None:
        """Keep this moment if it is one of those asked for."""
        if self.writer and self._is_due():
            self.writer.append(self._moment(), state_on_cpu(self.trainer.model), self.trainer.masks)

    def finish(self) -> None:
        """Complete the file."""
        if self.writer:
            self.writer.finish()

    def _moment(self) -> int:
        """The last whole epoch, or the step."""
        return self.trainer.epochs_done if self.plan.keep_unit == "epoch" else self.trainer.steps_done

    def _is_due(self) -> bool:
        whole = self.plan.keep_unit == "step" or self.trainer.steps_done % self.trainer.steps_per_epoch == 0
        return whole and self._moment() % self.plan.keep == 0
