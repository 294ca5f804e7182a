"""Networks whose weights are computed from others before every pass."""

from torch import nn
from torch.nn.utils import parametrizations


def build(first, second):
    return nn.Sequential(first(nn.Linear(20, 12)), nn.ReLU(), second(nn.Linear(12, 12)), nn.ReLU(), nn.Linear(12, 3))


def spectral():
    return build(parametrizations.spectral_norm, parametrizations.spectral_norm)


def weight():
    return build(parametrizations.weight_norm, parametrizations.weight_norm)


def orthogonal():
    return build(parametrizations.weight_norm, parametrizations.orthogonal)


def old_weight():
    return build(nn.utils.weight_norm, nn.utils.weight_norm)


def old_spectral():
    return build(nn.utils.spectral_norm, nn.utils.spectral_norm)
