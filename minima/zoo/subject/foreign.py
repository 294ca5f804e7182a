"""Checkpoints that others wrote: their tensors put into the network that the command line names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from minima.store.checkpoints.checkpoint import Checkpoint
from minima.store.checkpoints.foreign import Foreign
from minima.store.command import BadInput
from minima.zoo.subject.masks import apply, masks_from_zeros, stored_masks
from minima.zoo.subject.misfit import some
from minima.zoo.subject.place_in_file import choose
from minima.zoo.subject.precision import Precision, settle
from minima.zoo.subject.renaming import renamed_by_transformers
from minima.zoo.subject.slots import Slots, slots
from minima.zoo.subject.values import check_values, values

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Zeros = Literal["mask", "keep"]


@dataclass(frozen=True, eq=False)
class Loaded:
    """What of somebody else's file went into a network."""

    state: dict[str, Tensor]
    """the state dict, under the network's names"""
    masks: dict[str, Tensor]
    """bool, True = kept, by parameter name; {} for a dense network"""
    notes: tuple[str, ...]
    """what was assumed"""
    dtypes: dict[str, torch.dtype]
    """in which the file has each of these tensors"""


def load_foreign(
    model: nn.Module,
    foreign: Foreign,
    path: Path,
    model_name: str,
    *,
    entry: str | None = None,
    precision: Precision | None = None,
    zeros: Zeros = "mask",
) -> Loaded:
    """Fill a network, in eval mode, from a file of somebody else.

    Args:
        model_name: what the network is called in messages.
        entry: where in the file it is; None looks for the place that fits.
        precision: in which dtype it will run; None for its own.
        zeros: whether exact zeros count as removed weights where the file holds no masks.

    Raises:
        BadInput: nothing in the file fits, or a tensor would change its meaning.
    """
    wanted = slots(model, model_name)
    try:
        fit, notes = choose(foreign, wanted, path, model_name, entry)
    except BadInput:
        renamed = renamed_by_transformers(model, foreign)
        if renamed is None:
            raise
        foreign = renamed
        fit, notes = choose(foreign, wanted, path, model_name, entry)
    state = _complete(values(foreign.tensors, fit, wanted, path), wanted)
    masks, of_masks = stored_masks(foreign, fit, wanted, state, path)
    of_applying = apply(masks, state, wanted, path)
    of_dtype = settle(model, state, precision, path.name, model_name)
    _fill(model, state, path)
    if not masks and zeros == "mask":
        masks, of_masks = masks_from_zeros(model, path)
    said = (*foreign.notes, *notes, *of_dtype, *of_masks, *of_applying)
    own = model.state_dict()
    dtypes = {name: value.dtype for name, value in state.items()}
    return Loaded({name: value.to(own[name].dtype) for name, value in state.items()}, masks, said, dtypes)


def _fill(model: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    try:
        model.load_state_dict(dict(state))
    except RuntimeError as error:  # of a network that loads in a way of its own
        raise BadInput(f"{path}: the network's own load_state_dict refuses its tensors: {error}") from error
    check_values(model, path)


def load_ours(model: nn.Module, stored: Checkpoint, path: Path, name: str, precision: Precision | None) -> Loaded:
    """Fill a network from a checkpoint of this suite, whose names and shapes are strictly the network's.

    Raises:
        BadInput: something is missing, left over, or of another shape.
    """
    check_shapes({key: tuple(value.shape) for key, value in model.state_dict().items()}, stored, path, name)
    notes = settle(model, stored.state, precision, path.name, name)
    _fill(model, stored.state, path)
    dtypes = {key: value.dtype for key, value in stored.state.items()}
    return Loaded(stored.state, stored.masks, tuple(notes), dtypes)


def check_shapes(own: Mapping[str, tuple[int, ...]], stored: Checkpoint, path: Path, name: str) -> None:
    """Refuse a network whose state dict has other names or shapes than the checkpoint's."""
    missing = [key for key in own if key not in stored.state]
    extra = [key for key in stored.state if key not in own]
    shapes = [
        f"{key}: {tuple(stored.state[key].shape)} in the file, {shape} in the model"
        for key, shape in own.items()
        if key in stored.state and tuple(stored.state[key].shape) != shape
    ]
    if missing or extra or shapes:
        problems = [f"missing in the file: {some(missing)}"] * bool(missing)
        problems += [f"not in the model: {some(extra)}"] * bool(extra) + [some(shapes, "; ")] * bool(shapes)
        lines = ".\n".join(problems)
        raise BadInput(f"{path} does not fit the model {name}: {lines}.\nName the right one with --model")


def _complete(state: Mapping[str, Tensor], wanted: Slots) -> dict[str, Tensor]:
    """The state under every name of the network: what is tied has one value, a counter that was left out its own."""
    whole = dict(state)
    for name, own in wanted.tensors.items():
        if name not in whole:
            twin = next((twin for twin in wanted.twins(name) if twin in state), None)
            whole[name] = own.detach().clone() if twin is None else state[twin]
    return whole
