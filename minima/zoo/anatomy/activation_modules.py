"""Activations that are modules of their own, so that they can be put out of a network's module tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from torch import nn

from minima.zoo.anatomy.sites import Sites
from minima.zoo.examples.inputs import Inputs
from minima.zoo.examples.outputs import pick

HOMES = ("torch.nn.modules.activation", "transformers.activations")


def is_activation_module(module: nn.Module) -> bool:
    """Whether it is an activation of torch or transformers without parameters of its own, such as `nn.ReLU`."""
    return type(module).__module__ in HOMES and not any(True for _ in module.parameters())


def activation_modules(
    model: nn.Module, x: Inputs, picked: Callable[[Any], Any] = pick
) -> tuple[dict[str, str], dict[str, str]]:
    """For each activation's site, in a pass of `model`, in eval mode already, over x (1, ...): the module that applies
    it, or why none can be put out.

    >>> import torch
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> activation_modules(net, torch.zeros(1, 2))
    ({'0': '1'}, {})
    """
    sites = Sites(model, picked=picked)
    sites.run(x)
    places = {name: site.operation.caller.path for name, site in sites.found.items() if site.operation}
    uses = Counter(places.values())
    found, others = {}, {}
    for site, path in places.items():
        if not path or not is_activation_module(model.get_submodule(path)):
            others[site] = f"its activation is a call in the code of {path or type(model).__name__}, not a module"
        elif uses[path] > 1:
            others[site] = f"its activation {path} is used {uses[path]} times"
        else:
            found[site] = path
    return found, others
