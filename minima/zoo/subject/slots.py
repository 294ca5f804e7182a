"""What a network wants to be filled: the tensors of its state dict, which of them are one, and which may be missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from minima.store.command import BadInput
from minima.zoo.subject.names import COUNTERS, last

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Slots:
    """The tensors of a network's state dict, and what is known of them."""

    tensors: dict[str, Tensor]
    """by name: the network's own parameters and persistent buffers"""
    volatile: dict[str, Tensor]
    """buffers that the state dict leaves out, by name: the network makes them itself"""
    parameters: frozenset[str]
    """the names that are parameters"""
    ties: list[list[str]] = field(default_factory=list)
    """names that are one tensor, together"""

    def twins(self, name: str) -> list[str]:
        """All names of a tensor that the network holds under several, its own among them."""
        return next((tie for tie in self.ties if name in tie), [name])

    def below(self, prefix: str) -> dict[str, str]:
        """The names that begin with the prefix, which ends in a dot or is empty: without it -> whole."""
        return {name.removeprefix(prefix): name for name in self.tensors if name.startswith(prefix)}

    def prefixes(self) -> list[str]:
        """The prefixes under which a copy of every tensor lies that must be in a file; "" first."""
        wanted = {tuple(self.twins(name)) for name in self.tensors if last(name) not in COUNTERS}
        found, prefix = [""], ""
        for part in next(iter(self.tensors), "").split(".")[:-1]:
            prefix += f"{part}."
            if any(not any(name.startswith(prefix) for name in tie) for tie in wanted):
                break
            found.append(prefix)
        return found


def slots(model: nn.Module, name: str) -> Slots:
    """The tensors that a network's state dict wants to be filled, and which of them are one.

    Raises:
        BadInput: it has none, or keeps something that is no tensor in it.
    """
    import torch

    own = model.state_dict(keep_vars=True)
    others = [key for key, value in own.items() if not torch.is_tensor(value)]
    if others:
        raise BadInput(
            f"the model {name} keeps {others[0]} in its state dict: a {type(own[others[0]]).__name__}, no tensor.\n"
            "Make it a buffer, or leave it out of the state dict"
        )
    parameters = {key for key, _ in model.named_parameters(remove_duplicate=False)}
    if not parameters:
        raise BadInput(f"the model {name} has no parameters: there is nothing to measure")
    same: dict[int, list[str]] = {}
    for key, value in own.items():
        same.setdefault(id(value), []).append(key)
    volatile = {key: value for key, value in model.named_buffers() if key not in own}
    ties = [names for names in same.values() if len(names) > 1]
    return Slots(dict(own), volatile, frozenset(parameters & own.keys()), ties)
