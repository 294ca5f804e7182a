"""Where a training run begins: a freshly initialised network, or a finished checkpoint whose mask stays frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.checkpoints.checkpoint import Checkpoint, load
from minima.store.command import BadInput, note
from minima.store.reading import sha256, unchanging
from minima.zoo.data.dataset import Dataset
from minima.zoo.data.downloading import download
from minima.zoo.data.specs import inherited, load_data, per_channel, resolve_data
from minima.zoo.examples.intake import Intake
from minima.zoo.examples.task import Task
from minima.zoo.subject.fitting import Fitted, fit_together
from minima.zoo.subject.flags import reading
from minima.zoo.subject.foreign import load_ours
from minima.zoo.subject.network import changed_since, drawing_from, entry_of, make_network, must_be_typed, network_for
from minima.zoo.subject.task_entry import asked_task, task_entry
from minima.zoo.training.freezing import Equilibrium
from minima.zoo.training.keeping import state_on_cpu
from minima.zoo.training.plan import Plan

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.training.flags import Train

DEFAULT_MODEL, DEFAULT_DATA, DEFAULT_VALIDATION = "lenet300", "digits", 0.1


@dataclass(frozen=True)
class Start:
    """The weights to train from, the network that they belong to, the data, by which loss, and the plan."""

    checkpoint: Checkpoint
    network: nn.Module
    dataset: Dataset
    task: Task
    intake: Intake
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
    spec, seed = arguments.model or DEFAULT_MODEL, arguments.seed or 0
    data = resolve_data(arguments.data or DEFAULT_DATA, arguments.data_root, mean, std, reading=reading(arguments))
    dataset = _loaded(arguments, data, run_code=True)
    model = entry_of(spec, dataset)
    with drawing_from(seed):
        network = make_network(model, spec, dataset)
        fitted = _fitted(network, dataset, asked_task({}, arguments.loss, arguments.output), spec, data)
    _say(spec, (*dataset.notes, *fitted.notes))
    checkpoint = Checkpoint(model=model, data=data, state=state_on_cpu(network), seed=seed)
    plan = _plan(arguments, {}, seed, fitted.task, (0,) if arguments.weights_at is None else arguments.weights_at)
    return Start(checkpoint, network, dataset, fitted.task, fitted.intake, plan)


@unchanging()
def continued(arguments: Train, source: Path) -> Start:
    """A finished checkpoint, or what it was at --from-epoch: same data, same split, masks as they are.

    The new one names it as its parent.
    """
    _check_inherited(arguments)
    parent = load(source)
    if arguments.model is not None and not must_be_typed(parent.model["name"]):
        raise BadInput(f"--model {arguments.model}: {source} names its network itself. Leave it out")
    data = inherited(parent.data, arguments.data, arguments.data_root, source) | reading(arguments)
    checkpoint = replace(parent, parent=sha256(source), data=data, weights_at={})
    if arguments.from_epoch is not None:
        checkpoint = replace(checkpoint, state=earlier(parent, arguments.from_epoch, source))
    dataset = _loaded(arguments, data, run_code=arguments.data is not None)
    network = network_for(checkpoint, parent.model, arguments.model, dataset, source)
    load_ours(network, checkpoint, source, parent.model["name"], None)
    task = asked_task(parent.training, arguments.loss, arguments.output)
    fitted = _fitted(network, dataset, task, str(source), data)
    _say(source.name, (*changed_since(parent.model, arguments.model), *dataset.notes, *fitted.notes))
    plan = _plan(arguments, parent.training, parent.seed, fitted.task, ())
    return Start(checkpoint, network, dataset, fitted.task, fitted.intake, plan)


def _check_inherited(arguments: Train) -> None:
    """What a checkpoint says itself may not be said again; but code is run only if it is named."""
    for flag in ("model", "seed", "mean", "std", "weights-at"):
        typed = getattr(arguments, flag.replace("-", "_"))
        if typed is not None and not (flag == "model" and must_be_typed(typed)):
            raise BadInput(f"--{flag} belongs to a new network; with --from it is the checkpoint's. Leave it out")


def _fitted(network: nn.Module, dataset: Dataset, task: Task | None, name: str, data: Mapping[str, Any]) -> Fitted:
    """Whether network, data and loss belong together, found out on the training examples."""
    if dataset.x_train is None:
        raise BadInput("the data have no train split, and there is nothing to train on without: name data with x_train")
    return fit_together(network, dataset.x_train, dataset.y_train, task, Path(name), data.get("input_dtype"))


def _say(name: str, notes: tuple[str, ...]) -> None:
    for each in notes:
        note(f"{name}: {each}")


def _loaded(arguments: Train, data: Mapping[str, Any], *, run_code: bool) -> Dataset:
    if arguments.download:
        download(data)
    return load_data(data, run_code=run_code)


def earlier(parent: Checkpoint, epoch: int, source: Path) -> dict[str, Tensor]:
    """The weights that a checkpoint, read from the file `source`, kept of an epoch.

    Raises:
        BadInput: it kept none of that epoch.
    """
    if epoch not in parent.weights_at:
        held = ", ".join(map(str, sorted(parent.weights_at))) or "none"
        raise BadInput(
            f"--from-epoch {epoch}: of earlier epochs, {source} holds the weights of {held}.\n"
            f"Train it with --weights-at {epoch}"
        )
    return parent.weights_at[epoch]


def _plan(arguments: Train, inherited: Mapping[str, Any], seed: int, task: Task, weights_at: tuple[int, ...]) -> Plan:
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
        task=task_entry(task),
        equilibrium=_equilibrium(arguments),
        **settled,
    )


def _equilibrium(arguments: Train) -> Equilibrium | None:
    if arguments.equilibrium is None:
        return None
    return Equilibrium(arguments.equilibrium, arguments.equilibrium_momentum, arguments.equilibrium_form)
