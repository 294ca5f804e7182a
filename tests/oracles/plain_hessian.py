"""The dense Hessian of a module as it is, by plain autograd, row by row in float64: no functional calls."""

import copy
import sys
from unittest.mock import patch

import torch
from torch.nn.functional import cross_entropy


def plain_hessian(model, x, y, masks=None, loss=cross_entropy):
    """The loss, and the Hessian over the trainable parameters, or over those of them that `masks` (by name) keep."""
    with torch.no_grad():
        model.eval()(x)  # the old weight norm keeps the weight of its last pass, with its graph, which has no copy
    model = copy.deepcopy(model).double()
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    old = sys.modules["torch.nn.utils.weight_norm"]
    with patch.object(torch, "_weight_norm", _weight_norm), patch.object(old, "_weight_norm", _weight_norm):
        value = loss(model(x.double() if x.is_floating_point() else x), y)
    gradient = _flat(torch.autograd.grad(value, parameters.values(), create_graph=True), parameters)
    rows = [
        _flat(torch.autograd.grad(element, parameters.values(), retain_graph=True, allow_unused=True), parameters)
        if element.requires_grad
        else torch.zeros_like(gradient)
        for element in gradient
    ]
    kept = torch.cat([(masks or {}).get(name, torch.ones_like(p)).flatten().bool() for name, p in parameters.items()])
    return float(value.detach()), torch.stack(rows).detach()[kept][:, kept]


def _weight_norm(v, g, dim):
    """g v / ||v||, written out: the backward pass of torch's own is not differentiated right (finite differences of its
    gradient disagree with its second derivative between v and g, and of v)."""
    axes = [axis for axis in range(v.ndim) if axis != dim]
    return g * v / v.square().sum(axes, keepdim=True).sqrt()


def _flat(gradients, parameters):
    pairs = zip(gradients, parameters.values(), strict=True)
    return torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for g, p in pairs])


def fitted(model, x, y, steps=60, lr=0.02, loss=cross_entropy):
    """The model after a few steps on all examples, in eval mode."""
    model.train()
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=lr)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(model(x), y).backward()
        optimiser.step()
    return model.eval()
