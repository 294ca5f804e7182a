"""Loss, gradient and curvature matrices of a small network, dense and in float64: what landscape/ is compared with."""

import copy

import torch
from torch.func import functional_call, hessian, jacrev
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

    def outputs(self, w):
        parts = w.split([p.numel() for p in self.named.values()])
        parameters = {name: part.view_as(p) for part, (name, p) in zip(parts, self.named.items(), strict=True)}
        return functional_call(self.model, parameters, (self.x,))

    def loss(self, w):
        return self.criterion(self.outputs(w), self.y).mean()

    def index(self, subspace):
        return self.kept.nonzero().squeeze(1) if subspace == "survivors" else torch.arange(len(self.w))

    def hessian(self, subspace="survivors"):
        index = self.index(subspace)
        return hessian(self.loss)(self.w)[index][:, index]

    def ggn(self, subspace="survivors"):
        """1/N sum_i J_i^T H_i J_i, one example at a time."""
        jacobians = jacrev(self.outputs)(self.w)[..., self.index(subspace)]  # (N, C, d)
        outputs = self.outputs(self.w)
        total = 0
        for i, jacobian in enumerate(jacobians):
            inner = hessian(lambda row, i=i: self.criterion(row[None], self.y[i : i + 1]).mean())(outputs[i])
            total = total + jacobian.T @ inner @ jacobian
        return total / len(self.y)

    def gradients(self, y=None, subspace="survivors"):
        """Each example's own gradient (N, d), at its label or at another."""
        labels = self.y if y is None else y
        rows = range(len(labels))

        def losses(w):
            outputs = self.outputs(w)
            return torch.stack([self.criterion(outputs[i : i + 1], labels[i : i + 1]).mean() for i in rows])

        return jacrev(losses)(self.w)[:, self.index(subspace)]

    def fisher(self, y=None, subspace="survivors"):
        """1/N sum_i g_i g_i^T."""
        gradients = self.gradients(y, subspace)
        return gradients.T @ gradients / len(gradients)

    def gradient(self, subspace="survivors"):
        return torch.func.grad(self.loss)(self.w)[self.index(subspace)]

    def point(self, subspace="survivors"):
        return self.w[self.index(subspace)]
