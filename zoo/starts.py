"""Where a training run begins: a freshly initialised network, or a finished checkpoint whose mask stays frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.checkpoint import Checkpoint, load
from store.files import sha256
from zoo.architecture import describe, initialise, parse_architecture
from zoo.data import load_data, resolve_data
from zoo.dataset import Dataset
from zoo.plan import Plan

if TYPE_CHECKING:
    from zoo.train import Train

DEFAULT_VALIDATION = 0.1


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
    data = resolve_data(arguments.data, arguments.data_root, arguments.mean, arguments.std)
    dataset = load_data(data, run_code=True)
    model = describe(parse_architecture(arguments.model), dataset.input_shape, dataset.classes)
    state = initialise(model, arguments.seed).state_dict()
    checkpoint = Checkpoint(model=model, data=data, state=state, seed=arguments.seed)
    return Start(checkpoint, dataset, _plan(arguments, {}, arguments.seed, arguments.weights_at))


def continued(arguments: Train, source: Path) -> Start:
    """A finished checkpoint: same data, same split, masks as they are; the new one names it as its parent."""
    parent = load(source)
    data = parent.data
    if arguments.data_root is not None:
        data = data | {"root": str(arguments.data_root.absolute())}
    checkpoint = replace(parent, parent=sha256(source), data=data, weights_at={})
    dataset = load_data(data, run_code=arguments.data == data["spec"])
    return Start(checkpoint, dataset, _plan(arguments, parent.training, parent.seed, ()))


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
        **settled,
    )
