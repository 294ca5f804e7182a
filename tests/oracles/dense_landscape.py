"""Loss, gradient and Hessian of a small network, dense and in float64: what landscape/ is compared with."""

import copy

import torch
from torch.func import functional_call, hessian
from torch.nn.functional import cross_entropy


class Dense:
    """L as a function of one flat vector of all trainable parameters, and the indices of the survivors."""

    def __init__(self, model, x, y, masks=None, loss=cross_entropy):
        self.model = copy.deepcopy(model).double().eval()
        self.x, self.y, self.criterion = (x.double() if x.is_floating_point() else x), y, loss
        self.named = {name: p.detach() for name, p in self.model.named_parameters() if p.requires_grad}
        masks = masks or {}
        kept = [masks.get(name, torch.ones_like(p)).bool().flatten() for name, p in self.named.items()]
        self.kept = torch.cat(kept)
        self.w = torch.cat([p.flatten() for p in self.named.values()]) * self.kept

    def loss(self, w):
        parts = w.split([p.numel() for p in self.named.values()])
        parameters = {name: part.view_as(p) for part, (name, p) in zip(parts, self.named.items(), strict=True)}
        return self.criterion(functional_call(self.model, parameters, (self.x,)), self.y)

    def index(self, subspace):
        return self.kept.nonzero().squeeze(1) if subspace == "survivors" else torch.arange(len(self.w))

    def hessian(self, subspace="survivors"):
        index = self.index(subspace)
        return hessian(self.loss)(self.w)[index][:, index]

    def gradient(self, subspace="survivors"):
        return torch.func.grad(self.loss)(self.w)[self.index(subspace)]

    def point(self, subspace="survivors"):
        return self.w[self.index(subspace)]
