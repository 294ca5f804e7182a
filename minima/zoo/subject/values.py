"""The values that go into a network, tensor by tensor, and what they must not be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from minima.store.command import BadInput
from minima.zoo.subject.meaning import changed, dense, loses
from minima.zoo.subject.misfit import some
from minima.zoo.subject.names import COUNTERS, last

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.subject.comparing import Comparison
    from minima.zoo.subject.slots import Slots


def values(tensors: Mapping[str, Tensor], fit: Comparison, slots: Slots, path: Path) -> dict[str, Tensor]:
    """The file's tensors under the network's names, dense, with what a pair's mask removes at 0.

    Raises:
        BadInput: one would change its meaning, names of one tensor hold two, or a buffer that the network makes
            itself is another in the file.
    """
    faults = [changed(source[0], tensors[source[0]], slots.tensors[name]) for name, source in fit.sources.items()]
    _refuse(path, [fault for fault in faults if fault])
    found = {}
    for name, source in fit.sources.items():
        value = dense(tensors[source[0]])
        found[name] = value * dense(tensors[source[1]]).to(value.dtype) if len(source) > 1 else value
    lossy = [name for name, value in found.items() if last(name) not in COUNTERS and loses(value, slots.tensors[name])]
    _refuse(path, [_lossy(fit.sources[name][0], found[name], slots.tensors[name]) for name in lossy])
    for tie in slots.ties:
        _check_tie([name for name in tie if name in found], found, path)
    for name, place in fit.volatile.items():
        _check_volatile(name, dense(tensors[place]), slots.volatile[name], path)
    return found


def _refuse(path: Path, faults: list[str]) -> None:
    if faults:
        more = f"\n{len(faults) - 1} more tensors are like it" if len(faults) > 1 else ""
        raise BadInput(f"{path}: {faults[0]}{more}")


def _lossy(name: str, found: Tensor, own: Tensor) -> str:
    return f"{name} holds {str(found.dtype)[6:]} values that {str(own.dtype)[6:]}, the network's dtype, cannot hold"


def _check_tie(names: list[str], found: Mapping[str, Tensor], path: Path) -> None:
    import torch

    for other in names[1:]:
        if not torch.equal(found[names[0]], found[other]):
            raise BadInput(
                f"{path}: {names[0]} and {other} are one tensor in the network, but two different ones in the file.\n"
                "Name a network with --model that does not tie them, or leave one of them out of the file"
            )


def _check_volatile(name: str, found: Tensor, own: Tensor, path: Path) -> None:
    """Older versions of a network stored what it makes itself; the same values, up to half precision, may be left."""
    import torch

    same = found.shape == own.shape and torch.allclose(found.double(), own.double(), rtol=1e-2, equal_nan=True)
    if not same:
        raise BadInput(
            f"{path}: {name} is a buffer that the network makes itself (persistent=False), and the file's is another.\n"
            "Make it persistent in the network, so that the file's is used, or leave it out of the file"
        )


def check_values(model: nn.Module, path: Path) -> None:
    """Raise a BadInput that names values of a filled network with which nothing can be computed."""
    parameters = dict(model.named_parameters())
    broken = [name for name, value in parameters.items() if not value.isfinite().all()]
    for name, value in model.named_buffers():
        if value.is_floating_point() and (value.isnan().any() or (_statistic(name) and value.isinf().any())):
            broken.append(name)  # an infinity may be meant elsewhere, as in the mask of an attention
    if broken:
        raise BadInput(f"{path}: {some(broken)} contains NaN or infinity: there is nothing to measure at such a point")
    for name, value in model.named_buffers():
        if last(name) == "running_var" and value.numel() and float(value.min()) < 0:
            raise BadInput(
                f"{path}: {name} holds {float(value.min()):g}, expected variances, which are 0 or more.\n"
                "Take the buffers of the training, or estimate them anew by passes in training mode"
            )


def _statistic(name: str) -> bool:
    return last(name) in ("running_mean", "running_var")
