"""A `Recorder` in the training loops of others: Lightning's and transformers'.

Their classes are made when they are asked for, so that neither library is needed otherwise.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from minima.store.command import BadInput
from minima.zoo.training.recorder import Recorder


def lightning_callback(path: str | Path, **options: Any) -> Any:
    """A `lightning.pytorch.Callback` that records the training of a LightningModule.

    Args:
        path: such as "runs/x.trajectory.h5".
        options: those of `Recorder`; the optimiser is the trainer's first. `network` names what is recorded: the
            LightningModule itself, its parameters under their names.

    Raises:
        BadInput: neither `lightning` nor `pytorch_lightning` is installed.
    """
    module = _first("lightning.pytorch", "pytorch_lightning")

    class LightningRecorder(module.Callback):  # type: ignore[name-defined]
        """Starts with the training, counts the steps of the optimiser, and finishes the file with it."""

        def __init__(self) -> None:
            super().__init__()
            self.recorder: Recorder | None = None

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            if trainer.is_global_zero:
                optimizer = next(iter(trainer.optimizers), None)
                own: dict[str, Any] = {"optimizer": optimizer}
                self.recorder = Recorder(path, pl_module, **own | options)

        def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any, **__: Any) -> None:
            recorder = self.recorder
            while recorder is not None and recorder.steps < trainer.global_step:  # not of every batch, accumulating
                recorder.step()

        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            if self.recorder is not None:
                self.recorder.epoch()

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            if self.recorder is not None:
                self.recorder.finish()

        def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
            if self.recorder is not None:
                self.recorder.close()

    return LightningRecorder()


def transformers_callback(path: str | Path, **options: Any) -> Any:
    """A `transformers.TrainerCallback` that records the training of a model by a `transformers.Trainer`.

    Args:
        path: such as "runs/x.trajectory.h5".
        options: those of `Recorder`; optimiser and batch size are the trainer's.

    Raises:
        BadInput: `transformers` is not installed.
    """
    module = _first("transformers")

    class TransformersRecorder(module.TrainerCallback):  # type: ignore[name-defined]
        """Starts with the training, counts the steps of the optimiser, and finishes the file with it."""

        def __init__(self) -> None:
            self.recorder: Recorder | None = None

        def on_train_begin(self, args: Any, state: Any, control: Any, **there: Any) -> None:
            if not state.is_world_process_zero:
                return
            size = args.train_batch_size * args.gradient_accumulation_steps * getattr(args, "world_size", 1)
            own: dict[str, Any] = {"optimizer": there.get("optimizer"), "training": {"batch_size": size}}
            self.recorder = Recorder(path, there["model"], **own | options)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if self.recorder is not None:
                self.recorder.step()

        def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if self.recorder is not None:
                self.recorder.epoch()

        def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if self.recorder is not None:
                self.recorder.finish()

    return TransformersRecorder()


def _first(*names: str) -> Any:
    """The first of these modules that is installed."""
    for name in names:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise BadInput(f"{' or '.join(names)} is not installed: type pip install {names[0].partition('.')[0]}")
