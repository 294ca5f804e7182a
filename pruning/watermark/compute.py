"""A checkpoint with a watermark in it."""

from __future__ import annotations

import copy
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

import torch

from minima.store.command import BadInput
from minima.zoo.data.splits import make_splits
from minima.zoo.device import resolve_device
from minima.zoo.subject.flags import Naming
from minima.zoo.training.flags import Train
from minima.zoo.training.keeping import state_on_cpu
from minima.zoo.training.loop import Trainer
from minima.zoo.training.starts import Start, continued
from pruning.watermark.mark import Mark, mark_of
from pruning.watermark.sharpening import sharpened

if TYPE_CHECKING:
    from torch import Tensor

    from minima.store.checkpoints.checkpoint import Checkpoint
    from pruning.watermark.flags import Watermark


def start_of(arguments: Watermark) -> Start:
    """The checkpoint to mark, as a training that goes on from it, its masks frozen.

    Raises:
        BadInput: it is none of this suite, or carries a watermark already.
    """
    shared = {entry.name: getattr(arguments, entry.name) for entry in fields(Naming)}
    own = {"model": arguments.model, "data": arguments.data, "epochs": arguments.epochs, "recipe": arguments.recipe}
    start = continued(
        Train(out=str(arguments.out), start=(arguments.checkpoint,), **shared | own), arguments.checkpoint
    )
    if "watermark" in start.checkpoint.training:
        raise BadInput(f"{arguments.checkpoint} carries a watermark already. Name the checkpoint that it was made from")
    return start


def identity(start: Start, arguments: Watermark) -> dict[str, Any]:
    """The fields that the finished checkpoint has."""
    found = start.identity()
    return found | {"training": found["training"] | {"watermark": asdict(arguments.settings)}}


def embed(start: Start, arguments: Watermark) -> Checkpoint:
    """Set the bits, train the other weights, and return the network with what it took."""
    settings, plan, device = arguments.settings, start.plan, resolve_device(arguments.device)
    splits = make_splits(start.dataset, plan.validation, plan.split_seed, device, start.task, start.intake)
    model = copy.deepcopy(start.network).to(device)
    model.load_state_dict(start.checkpoint.state)
    masks = {name: mask.to(device) for name, mask in start.checkpoint.masks.items()}
    mark = mark_of(model, masks, settings)
    before = splits.metrics(model)
    trainer = Trainer(
        model, *splits.train, plan.recipe, epochs=plan.epochs, order_seed=plan.order_seed, task=start.task
    )
    _set(trainer, mark, masks, settings.amplitude)
    if settings.strength:
        held = torch.cat([model.get_parameter(name).detach()[place] for name, place in mark.places.items()])
        rho = settings.rho * held.norm().item()
        trainer.objective = sharpened(start.task, mark.places, rho, settings.strength)
    for _ in range(plan.epochs):
        trainer.run_epoch()
        trainer.validate(splits)
    state = state_on_cpu(model)
    metrics = splits.metrics(model) | {"watermark": {"wrong": mark.wrong(dict(model.named_parameters()))}}
    stored = identity(start, arguments)["training"]
    return replace(start.checkpoint, state=state, weights_at={}, training=stored, metrics=metrics | {"before": before})


def _set(trainer: Trainer, mark: Mark, masks: dict[str, Tensor], amplitude: float) -> None:
    """Put the bits into the weights, and hold them and what is removed where they are."""
    weights = dict(trainer.model.named_parameters())
    values = mark.values(weights, masks, amplitude)
    whole = {name: torch.ones_like(weights[name], dtype=torch.bool) for name in mark.places}
    moving = masks | {name: masks.get(name, whole[name]) & ~place for name, place in mark.places.items()}
    rest = {name: torch.where(mark.places[name], value, torch.zeros_like(value)) for name, value in values.items()} | {
        name: torch.zeros_like(weights[name]) for name in masks if name not in mark.places
    }
    trainer.set_masks(moving, rest)
