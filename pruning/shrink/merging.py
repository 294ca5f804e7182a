"""Linear layers with nothing but an identity between them, found and made one."""

from __future__ import annotations

import copy
from typing import Any, Literal

from torch import nn
from torch.nn.modules.module import register_module_forward_hook

from minima.zoo.anatomy.costs.listing import costs_of
from minima.zoo.anatomy.costs.of_units import Cost
from minima.zoo.anatomy.following import followed
from minima.zoo.anatomy.narrowing.merging import merge, obstacle
from minima.zoo.anatomy.tape import Listener, Operation, Value, record
from minima.zoo.examples.inputs import Inputs
from pruning.shrink.batch_norm import Looking

Merge = Literal["smaller", "all", "none"]


def merge_layers(model: nn.Module, x: Inputs, which: Merge = "smaller") -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Make pairs of layers one, in place, until there are no more: those between which an `nn.Identity` stands (where a
    rectifier was) and nothing else, nothing branching off.

    Args:
        x: (1, ...) what the network is run on.
        which: "smaller": where neither parameters nor multiply-adds become more; "all": wherever it is exact; "none".

    Returns:
        the pairs in turn; and of those that stay two, by the name of the second, why.
    """
    made: list[tuple[str, str]] = []
    stay: dict[str, str] = {}
    while which != "none":
        for first, second in [each for each in neighbours(model, x) if each[1] not in stay]:
            why = obstacle(model.get_submodule(first), model.get_submodule(second), first, second)
            why = why or (_larger(model, x, first, second) if which == "smaller" else "")
            if not why:
                why = merge(model, first, second)
                made.append((first, second))
                break
            stay[second] = why
        else:
            break
    return made, stay


def cost_of(model: nn.Module, x: Inputs) -> Cost:
    """What a network costs as it is."""
    return costs_of(followed(model, x[:1]), model, []).of({})


def neighbours(model: nn.Module, x: Inputs) -> list[tuple[str, str]]:
    """Layers by name, the second of which alone reads what the first makes, as an `nn.Identity` hands it on."""
    handed = _Handed()
    hook = register_module_forward_hook(handed)
    try:
        looking = Looking(record(model, x, handed))
    finally:
        hook.remove()
    layers = {id(module._parameters.get("weight")): name for name, module in model.named_modules()}
    return [
        (layers[one], layers[two])
        for made, one, two in looking.chains
        if looking.reads[made] == looking.uses[one] == looking.uses[two] == 1
        and {one, two} <= set(layers)
        and made in handed.values
    ]


class _Handed(Listener):
    """A hook that keeps what identities hand on, the values that were made last."""

    def __init__(self) -> None:
        self.values: set[Value] = set()
        self._made: dict[int, Value] = {}
        """by the id of a tensor"""

    def after(self, operation: Operation) -> None:
        """Remember which tensor a value is."""
        self._made |= {id(value.tensor): value for value in operation.made}

    def __call__(self, module: nn.Module, _given: Any, result: Any) -> None:
        """A module has run."""
        if type(module) is nn.Identity and id(result) in self._made:
            self.values.add(self._made[id(result)])


def _larger(model: nn.Module, x: Inputs, first: str, second: str) -> str:
    """In words by how much a network would be larger; empty where it would not be."""
    trial = copy.deepcopy(model)
    merge(trial, first, second)
    before, after = cost_of(model, x), cost_of(trial, x)
    if after.parameters <= before.parameters and after.multiply_adds <= before.multiply_adds:
        return ""
    return (
        f"one layer in place of {first} and {second} would take {after.parameters:,} parameters and "
        f"{after.multiply_adds:,} multiply-adds in the network, not {before.parameters:,} and "
        f"{before.multiply_adds:,}: --merge all"
    )
