"""A trajectory of anybody's training: weights at chosen moments, in the file that this suite's measures run over."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.checkpoints.checkpoint import Checkpoint
from minima.store.checkpoints.trajectory import Unit
from minima.store.checkpoints.trajectory_writer import TrajectoryWriter
from minima.store.command import BadInput
from minima.store.files import check_writable, hold
from minima.store.messages import note
from minima.zoo.data.specs import resolve_data
from minima.zoo.losses.spec import stored
from minima.zoo.subject.handed import as_network
from minima.zoo.training.keeping import state_on_cpu
from minima.zoo.training.recipe import Recipe

if TYPE_CHECKING:
    from types import TracebackType

    from torch import nn
    from torch.optim import Optimizer

RECIPE = tuple(field.name for field in fields(Recipe))
TOLD = ("optimiser", "lr", "momentum", "nesterov", "weight_decay", "batch_size")
"""of a recipe, what a threshold of stability and a batch sharpness rest on"""


class Recorder:
    """Keeps the weights of a network that somebody's own loop trains, every so many epochs or steps.

    Call `step()` after each step of the optimiser, `epoch()` after each epoch, and `finish()` at the end, or use it as
    a context manager. The file appears when it is finished, whole; until then each kept moment is a small file of its
    own that survives a kill, and `resume_from` goes on with them. `landscape.stability FILE`, `entropy.psp FILE` and
    `landscape.surface CKPT --trajectory FILE` read it, with --model net.py:Net --data SPEC.

    Args:
        path: such as "runs/x.trajectory.h5"; its folder must exist.
        model: the network that is trained; its weights are copied, and it stays as it is.
        every: keep each so many-th moment.
        unit: what `every` counts.
        data: what the measures read by default, as behind --data ("digits", "npz:FILE", "data.py:factory").
        loss: by name or "file.py:name", as behind --loss.
        optimizer: of torch; its kind, learning rate, momentum and weight decay are read from it at each moment.
        training: what else is known: fields of `Recipe` (lr, batch_size, momentum, nesterov, weight_decay, optimiser).
        network: how the measures make the network, as behind --model (default: where its class is defined).
        resume_from: the kept moment that the loop goes on from; later ones are forgotten.
        overwrite: replace a finished file.

    Raises:
        BadInput: the file is there, cannot be written, or is being written; a name in `training` that is none.

    >>> import tempfile, torch
    >>> from minima.store.checkpoints.trajectory import read_steps
    >>> path = Path(tempfile.mkdtemp()) / "x.trajectory.h5"
    >>> with Recorder(path, torch.nn.Linear(2, 2), every=2, unit="step") as recorder:
    ...     for _ in range(5):
    ...         recorder.step()
    >>> read_steps(path)
    [0, 2, 4]
    """

    def __init__(  # noqa: PLR0913 (named, and all but two optional)
        self,
        path: str | Path,
        model: nn.Module,
        *,
        every: int = 1,
        unit: Unit = "epoch",
        data: str | None = None,
        loss: str | None = None,
        optimizer: Optimizer | None = None,
        training: Mapping[str, Any] | None = None,
        network: str | None = None,
        resume_from: int | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path, self.model, self.optimizer = Path(path), model, optimizer
        self.every, self.unit = _checked(every, unit)
        if self.path.exists() and not overwrite and resume_from is None:
            raise BadInput(f"{self.path} is there already: name another file, or replace it with overwrite=True")
        check_writable(self.path)
        header = _header(model, data, loss, network, _told(optimizer, training), self.unit)
        self.steps = self.epochs = 0
        self._writer: TrajectoryWriter | None = None
        self._lock = ExitStack()
        self._lock.enter_context(hold(self.path))
        try:
            self._begin(header, resume_from)
        except BaseException:
            self._lock.close()
            raise

    def step(self) -> None:
        """Say that the optimiser has made a step; a moment is recorded where one is due."""
        self.steps += 1
        if self.unit == "step" and self.steps % self.every == 0:
            self.record()

    def epoch(self) -> None:
        """Say that an epoch is over; a moment is recorded where one is due."""
        self.epochs += 1
        if self.unit == "epoch" and self.epochs % self.every == 0:
            self.record()

    def record(self) -> None:
        """Keep the weights as they are now, whether it is their turn or not."""
        if self._writer is None:
            raise BadInput(f"{self.path} is finished: a recorder keeps nothing after that")
        network, masks, _ = as_network(self.model, "the network")
        self._writer.append(self.moment, state_on_cpu(network), masks, self._numbers())

    @property
    def moment(self) -> int:
        """How many epochs (or steps, as `unit` says) the training has behind it."""
        return self.steps if self.unit == "step" else self.epochs

    def finish(self) -> None:
        """Write the file, now that the training is over; nothing is recorded after that."""
        if self._writer is None:
            return
        self._writer.finish()
        self._writer.forget()
        self.close()

    def close(self) -> None:
        """Stop before the training is over, without a file; `resume_from` goes on with what was kept."""
        self._writer = None
        self._lock.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        elif self._writer is not None:
            note(f"{self.path} is not finished; what was kept up to {self.unit} {self.moment} is there for resume_from")
            self.close()

    def _begin(self, header: Checkpoint, resume_from: int | None) -> None:
        """Start with the weights as they are, or where a stopped training was."""
        if resume_from is None:
            self._writer = TrajectoryWriter(self.path, header, self.unit)
            self.record()
            return
        writer = TrajectoryWriter.resume(self.path, resume_from, header, self.unit)
        if resume_from not in writer.steps():
            kept = ", ".join(map(str, writer.steps())) or "none"
            raise BadInput(f"{self.path}: {self.unit} {resume_from} was not kept. Up to there are {kept}")
        self._writer = writer
        told = writer.numbers(resume_from)
        self.steps = resume_from if self.unit == "step" else int(told.get("update", 0))
        self.epochs = resume_from if self.unit == "epoch" else int(told.get("epochs", 0))

    def _numbers(self) -> dict[str, float]:
        """What is known of this moment; the steps of a loop that only counts epochs are not."""
        found = {"epochs": float(self.epochs)}
        if self.unit == "step" or self.steps or not self.epochs:
            found["update"] = float(self.steps)
        rate = _common(self.optimizer, "lr")
        return found if rate is None else found | {"learning_rate": float(rate)}


def _checked(every: int, unit: str) -> tuple[int, Unit]:
    if every < 1:
        raise BadInput(f"every is {every}: expected 1 or more")
    if unit not in ("epoch", "step"):
        raise BadInput(f"unit is {unit!r}: expected 'epoch' or 'step'")
    return every, "epoch" if unit == "epoch" else "step"


def _told(optimizer: Optimizer | None, training: Mapping[str, Any] | None) -> dict[str, Any]:
    """The parts of the recipe that are known: of the optimiser, and what is said besides, which counts."""
    said = dict(training or {})
    unknown = [name for name in said if name not in RECIPE]
    if unknown:
        raise BadInput(f"training names {', '.join(unknown)}: known are {', '.join(RECIPE)}")
    found: dict[str, Any] = {}
    if optimizer is not None:
        found["optimiser"] = _kind(optimizer)
        for name in ("lr", "momentum", "nesterov", "weight_decay"):
            value = _common(optimizer, name)
            if value is not None:
                found[name] = value if name == "nesterov" else float(value)
    for name in ("lr", "momentum", "weight_decay", "batch_size"):
        if name in said and not (isinstance(said[name], int | float) and 0 <= said[name] < math.inf):
            raise BadInput(f"training: {name} is {said[name]!r}, expected a number of at least 0")
    return found | said


def _kind(optimizer: Optimizer) -> str:
    """The name of an optimiser, with what makes another one of it."""
    changed = [word for word in ("dampening", "maximize") if any(group.get(word) for group in optimizer.param_groups)]
    name = type(optimizer).__name__.lower()
    return f"{name} with {' and '.join(changed)}" if changed else name


def _common(optimizer: Optimizer | None, name: str) -> Any:
    """A setting that all groups of an optimiser share; None where they do not, or there is none."""
    values = [group[name] for group in optimizer.param_groups if name in group] if optimizer is not None else []
    return values[0] if values and all(value == values[0] for value in values) else None


def _header(
    model: nn.Module,
    data: str | None,
    loss: str | None,
    network: str | None,
    told: Mapping[str, Any],
    unit: Unit,
) -> Checkpoint:
    """What all moments share; what code there is has to be named on the command line again."""
    training: dict[str, Any] = {"recorded": dict(told), "keep_unit": unit}
    if loss is not None:
        training["task"] = {"loss": stored(loss)}
    entry = {} if data is None else resolve_data(data, flag="data")
    return Checkpoint(model={"name": network or _maker(model)}, data=entry, state={}, training=training)


def _maker(model: nn.Module) -> str:
    """Where the network's class is defined, as behind --model; the class' name where that is a library."""
    kind = type(as_network(model, "the network")[0])
    try:
        file = inspect.getsourcefile(kind)
    except (TypeError, OSError):  # of a notebook's cell
        file = None
    outside = file is None or "site-packages" in file or kind.__qualname__ != kind.__name__ or not Path(file).is_file()
    return kind.__qualname__ if outside else f"{Path(str(file)).absolute()}:{kind.__name__}"


def unknown_of(told: Mapping[str, Any]) -> list[str]:
    """The parts of a recipe that a recorder was not told, in the words of `training`.

    >>> unknown_of({"lr": 0.1, "momentum": 0.9, "nesterov": False, "weight_decay": 0.0})
    ['optimiser', 'batch_size']
    """
    return [name for name in TOLD if name not in told]
