"""Where a training run begins: a freshly initialised network, or a finished checkpoint whose mask stays frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.checkpoints.checkpoint import Checkpoint, load
from minima.store.command import BadInput
from minima.store.files import sha256
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
from minima.zoo.data.dataset import Dataset
from minima.zoo.data.downloading import download
from minima.zoo.data.specs import inherited, load_data, per_channel, resolve_data
from minima.zoo.training.plan import Plan

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.training.flags import Train

DEFAULT_MODEL, DEFAULT_DATA, DEFAULT_VALIDATION = "lenet300", "digits", 0.1


@dataclass(frozen=True)
class Start:
    """The weights to train from, the data, and the plan."""

    checkpoint: Checkpoint
    dataset: Dataset
    plan: Plan

    def identity(self) -> dict[str, Any]:
        """The fields that a finished checkpoint of this run has."""
        start = self.checkpoint
        return {
            "training": self.plan.stored(),
            "model": start.model,
            "data": start.data,
            "seed": start.seed,
            "parent": start.parent,
        }


def fresh(arguments: Train) -> Start:
    """A network with initial weights drawn from --seed."""
    if arguments.from_epoch is not None:
        raise BadInput(f"--from-epoch {arguments.from_epoch} is of a checkpoint: name it with --from FILE.pt")
    mean, std = per_channel("--mean", arguments.mean), per_channel("--std", arguments.std)
    data = resolve_data(arguments.data or DEFAULT_DATA, arguments.data_root, mean, std)
    dataset = _loaded(arguments, data, run_code=True)
    architecture = parse_architecture(arguments.model or DEFAULT_MODEL)
    model, seed = describe(architecture, dataset.input_shape, dataset.outputs), arguments.seed or 0
    state = initialise(model, seed).state_dict()
    checkpoint = Checkpoint(model=model, data=data, state=state, seed=seed)
    return Start(checkpoint, dataset, _plan(arguments, {}, seed, arguments.weights_at))


def continued(arguments: Train, source: Path) -> Start:
    """A finished checkpoint, or what it was at --from-epoch: same data, same split, masks as they are.

    The new one names it as its parent.
    """
    for flag in ("model", "seed", "mean", "std"):
        if getattr(arguments, flag) is not None:
            raise BadInput(f"--{flag} belongs to a new network; with --from it is the checkpoint's. Leave it out")
    parent = load(source)
    data = inherited(parent.data, arguments.data, arguments.data_root, source)
    checkpoint = replace(parent, parent=sha256(source), data=data, weights_at={})
    if arguments.from_epoch is not None:
        checkpoint = replace(checkpoint, state=_earlier(parent, arguments.from_epoch, source))
    dataset = _loaded(arguments, data, run_code=arguments.data is not None)
    return Start(checkpoint, dataset, _plan(arguments, parent.training, parent.seed, ()))


def _loaded(arguments: Train, data: Mapping[str, Any], *, run_code: bool) -> Dataset:
    if arguments.download:
        download(data)
    return load_data(data, run_code=run_code)


def _earlier(parent: Checkpoint, epoch: int, source: Path) -> dict[str, Tensor]:
    if epoch not in parent.weights_at:
        held = ", ".join(map(str, sorted(parent.weights_at))) or "none"
        raise BadInput(
            f"--from-epoch {epoch}: of earlier epochs, {source} holds the weights of {held}.\n"
            f"Train it with --weights-at {epoch}"
        )
    return parent.weights_at[epoch]


def _plan(arguments: Train, inherited: Mapping[str, Any], seed: int, weights_at: tuple[int, ...]) -> Plan:
    """What the flags say; what they leave open, the parent's training, else the defaults."""
    asked = {
        "validation": arguments.validation,
        "split_seed": arguments.split_seed,
        "order_seed": arguments.order_seed,
    }
    defaults = {"validation": DEFAULT_VALIDATION, "split_seed": seed, "order_seed": seed}
    settled: dict[str, Any] = {
        key: inherited.get(key, defaults[key]) if value is None else value for key, value in asked.items()
    }
    return Plan(
        recipe=arguments.recipe,
        epochs=arguments.epochs,
        weights_at=weights_at,
        keep=arguments.keep,
        keep_unit=arguments.keep_unit,
        from_epoch=arguments.from_epoch,
        **settled,
    )
