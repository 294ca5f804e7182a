"""A network and its data as a program holds them, made ready to measure like those that a command reads from files."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from minima.store.checkpoints.checkpoint import Checkpoint
from minima.store.command import BadInput, note
from minima.store.messages import brief
from minima.zoo.data.dataset import Dataset
from minima.zoo.data.examples import as_examples
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import floats_to
from minima.zoo.examples.needs import affordable_batch
from minima.zoo.examples.task import Task
from minima.zoo.losses.loss import Loss
from minima.zoo.losses.own import OwnLoss
from minima.zoo.losses.spec import parse_loss
from minima.zoo.subject.fitting import fit_together
from minima.zoo.subject.masks import masks_from_zeros
from minima.zoo.subject.precision import inputs_dtype, settle
from minima.zoo.subject.ready import ready, unwrapped_module
from minima.zoo.subject.subject import Subject

if TYPE_CHECKING:
    from torch import Tensor, nn

LossLike = str | Loss | Callable[[Any, Any], Any] | None
"""a loss by name ("mse", "cross-entropy:label_smoothing=0.1"), of minima.zoo.losses, or a function of outputs and y"""
Masks = Mapping[str, "Tensor"] | Literal["zeros"] | None
"""by parameter name (True = kept); "zeros": exact zeros are removed weights; None: those of torch's pruning, if any"""


def as_named_loss(loss: LossLike) -> Loss | None:
    """The loss that is meant; None leaves it to the network's outputs: cross-entropy, of one logit the binary one.

    >>> as_named_loss("bce:outputs=probabilities").outputs
    'probabilities'
    """
    if loss is None or isinstance(loss, Loss):
        return loss
    if isinstance(loss, str):
        return parse_loss(loss)
    if callable(loss):
        return OwnLoss(loss, getattr(loss, "__qualname__", type(loss).__qualname__))
    raise BadInput(
        f"loss is a {type(loss).__name__}: expected a name such as 'mse', a Loss, or a function of outputs and targets"
    )


def subject_of(
    model: nn.Module,
    data: Any,
    loss: LossLike = None,
    *,
    masks: Masks = None,
    output: str | None = None,
    batch_size: int | None = None,
    split: Literal["train", "test"] = "train",
    name: str = "the network",
) -> Subject:
    """A network and its examples, ready to measure; the model stays as it is.

    What a command would change of a checkpoint's network (torch's pruning made permanent, half precision widened) is
    changed on a copy.

    Args:
        model: any module; the device of its parameters is where it is measured.
        data: whatever `as_examples` reads.
        loss: a name with its parameters, a `Loss`, or a function of outputs and targets.
        masks: bool, True = kept, by parameter name; "zeros" for exact zeros.
        output: which of several outputs: a name, or a place counted from 0.
        batch_size: examples at once; results depend on it by rounding only.
        name: what the network is called in messages.

    Raises:
        BadInput: model, data and loss do not fit together.

    >>> import torch
    >>> subject = subject_of(torch.nn.Linear(2, 1), (torch.ones(4, 2), torch.zeros(4, 1)), "mse")
    >>> len(subject.x), subject.task.loss.name, subject.classes
    (4, 'mse', None)
    """
    import torch

    if batch_size is not None and batch_size < 1:
        raise BadInput(f"batch_size {batch_size}: expected at least 1")
    network, of_torch, notes = as_network(model, name)
    if next(network.parameters(), None) is None:
        raise BadInput(f"{name} has no parameters: there is nothing to measure")
    zeros = masks == "zeros"
    kept, said = masks_from_zeros(network, Path(name)) if zeros else (_given(network, masks, of_torch), [])
    examples, device = (
        as_examples(data, split),
        next((each.device for each in network.parameters()), torch.device("cpu")),
    )
    x = floats_to(examples.x.to(device), inputs_dtype(network))
    y = None if examples.y is None else examples.y.to(device)
    chosen = as_named_loss(loss)
    asked = Task(chosen, output) if chosen is not None else None if output is None else Task(output=output)
    with evaluating(network):
        fitted = fit_together(network, x, y, asked, name)
    for each in (*said, *notes, *fitted.notes):
        note(each)
    return Subject(
        path=Path(name),
        step=None,
        checkpoint=Checkpoint(model={"name": type(network).__qualname__}, data={}, state={}, masks=kept),
        model=network,
        masks={key: mask.to(device) for key, mask in kept.items() if not mask.all()},
        x=fitted.x,
        y=fitted.y,
        rows=torch.arange(len(x)),
        available=len(x),
        dataset=Dataset(fitted.x, fitted.y, None, None, examples.classes),
        classes=examples.classes,
        task=fitted.task,
        split=split,
        device=device,
        batch_size=affordable_batch(network, fitted.x, batch_size),
        notes=(*said, *notes, *fitted.notes),
    )


def _given(model: nn.Module, masks: Any, of_torch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Masks that fit the network's parameters."""
    import torch

    if masks is None:
        return of_torch
    if not isinstance(masks, Mapping):
        raise BadInput(f"masks is {masks!r}: expected a dict of bool tensors by parameter name, 'zeros', or None")
    parameters = dict(model.named_parameters())
    found = {name: torch.as_tensor(mask).detach().bool() for name, mask in masks.items()}
    for name, mask in found.items():
        if name not in parameters:
            raise BadInput(f"masks: there is no parameter {name}. There are {', '.join(parameters)}")
        if tuple(mask.shape) != tuple(parameters[name].shape):
            raise BadInput(
                f"masks: {name} has shape {tuple(parameters[name].shape)}, its mask {tuple(mask.shape)}: expected one "
                "value for each weight, True where it is kept"
            )
    return found


def as_network(model: nn.Module, name: str) -> tuple[nn.Module, dict[str, Tensor], list[str]]:
    """The network itself, the masks that torch's pruning put into it, and what was decided of its dtype.

    It is the very module that was handed over, unless that has to be changed to be measured.
    """
    inner = unwrapped_module(model)
    masks = _masks_of_pruning(inner)
    half = any(each.is_floating_point() and each.dtype.itemsize < 4 for each in inner.parameters())
    if not half and not any(_is_rewritten(module) for module in inner.modules()):
        return inner, {}, []
    leaves = {
        id(value): value.detach().clone()
        for module in inner.modules()
        for value in vars(module).values()
        if _is_derived(value)
    }
    network = ready(copied(inner, leaves))
    notes = settle(network, network.state_dict(), None, name, type(network).__qualname__) if half else []
    return network, masks, notes


def copied(model: nn.Module, known: dict[int, Any] | None = None) -> nn.Module:
    """A copy of a network; `known`: copies of some of what it holds, by the id of the original.

    Raises:
        BadInput: something that it holds cannot be copied.
    """
    try:
        return copy.deepcopy(model, known)
    except Exception as error:  # whatever the user's classes hold
        raise BadInput(
            f"the network cannot be copied, and what changes weights works on a copy: {type(error).__name__}: "
            f"{brief(error)}.\nGive the class that holds it a __deepcopy__, or make it outside of the network"
        ) from error


def _is_rewritten(module: nn.Module) -> bool:
    """Whether a hook computes one of its weights anew before each pass, which `ready` undoes."""
    from torch.nn.utils import prune
    from torch.nn.utils.spectral_norm import SpectralNorm
    from torch.nn.utils.weight_norm import WeightNorm

    hooks = module._forward_pre_hooks.values()
    return any(isinstance(hook, prune.BasePruningMethod | SpectralNorm | WeightNorm) for hook in hooks)


def _is_derived(value: Any) -> bool:
    """Whether a tensor is the result of a computation that is differentiated: `deepcopy` refuses it."""
    import torch

    return torch.is_tensor(value) and value.grad_fn is not None


def _masks_of_pruning(model: nn.Module) -> dict[str, Tensor]:
    """True = kept, by the name that the parameter has without torch's pruning."""
    from torch.nn.utils import prune

    found = {}
    for prefix, module in model.named_modules():
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, prune.BasePruningMethod):
                mask = getattr(module, f"{hook._tensor_name}_mask")
                found[f"{prefix}.{hook._tensor_name}".lstrip(".")] = mask.detach().bool().clone()
    return found
