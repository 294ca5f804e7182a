"""Networks with units masked at random: what the tests of shrinking begin with."""

import numpy as np
import torch

from minima.zoo.anatomy.removable import removable


def unsettle(model, seed=1):
    """Biases, scales, shifts and running statistics as training leaves them: none is 0 or 1."""
    draws = torch.Generator().manual_seed(seed)
    running = [(name, value) for name, value in model.named_buffers() if ".running_" in f".{name}"]
    for name, tensor in (*model.named_parameters(), *running):
        if name.endswith("running_var"):
            tensor.copy_(torch.rand(tensor.shape, generator=draws) + 0.5)
        elif tensor.ndim == 1 and tensor.is_floating_point():
            tensor.data.add_(0.3 * torch.randn(tensor.shape, generator=draws))
    return model.eval()


def mask_units(model, x, share=0.5, weights_only=False, seed=0):
    """Set a share of the units of each group to zero, in place: all that makes them, or their weights alone, so that
    biases and norms still make a constant of them. Query heads of zeros look at all alike: what reads them goes."""
    draws, parameters = np.random.default_rng(seed), dict(model.named_parameters())
    for group in removable(model, x[:1]).groups:
        units = draws.permutation(group.size)[: int(group.size * share)]
        sides = (group.made, group.read) if group.kind == "query head" else (group.made,)
        for (name, axis), places in (place for side in sides for place in side.items()):
            if name in parameters and (parameters[name].ndim > 1 or not weights_only):
                parameters[name].data.movedim(axis, 0)[torch.from_numpy(places[units].ravel())] = 0
    return model


def same_outputs(one, other, x, atol=1e-10):
    """Whether both return the same in float64, for inputs x."""
    with torch.no_grad():
        first, second = one.double()(x.double()), other.double()(x.double())
    return torch.allclose(first, second, rtol=0, atol=atol * max(1.0, float(first.abs().max())))
