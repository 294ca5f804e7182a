"""Multiply-adds of networks whose units are not all followed: against torch's own counter, and by hand."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.parametrizations import weight_norm
from torch.utils.flop_counter import FlopCounterMode

from minima.zoo.anatomy.removable import removable
from pruning import prune, shrink_network
from pruning.methods.filters import Filters
from pruning.shrink.merging import cost_of


class Between(nn.Module):
    """Two followed layers, an operation on what they make, and a layer that reads it."""

    def __init__(self, part, wide, apply=None):
        super().__init__()
        self.a, self.b, self.part, self.o = nn.Linear(4, 6), nn.Linear(6, 8), part, nn.Linear(wide, 3)
        self.apply_part = apply or (lambda part, h: part(h))

    def forward(self, x):
        return self.o(self.apply_part(self.part, self.b(torch.relu(self.a(x)))))


class Weight(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.w = nn.Parameter(torch.randn(*shape))


def einsum(equation):
    return lambda part, h: torch.einsum(equation, h, part.w)


STEPS = 5
AROUND = STEPS * (4 * 6 + 6 * 8)
"""what the layers before take"""
COUNTED = {
    "GRU": (nn.GRU(8, 16, batch_first=True), 16, lambda part, h: part(h)[0]),
    "two-way RNN": (nn.RNN(8, 16, 2, batch_first=True, bidirectional=True), 32, lambda part, h: part(h)[0]),
    "GRU cell": (nn.GRUCell(8, 16), 16, lambda part, h: part(h[:, 0])),
    "weight norm": (weight_norm(nn.Linear(8, 16)), 16, None),
    "einsum": (Weight(16, 8), 16, einsum("ntc,oc->nto")),
    "einsum, ellipsis": (Weight(16, 8), 16, einsum("...c,oc->...o")),
    "einsum, implicit": (Weight(8, 16), 16, einsum("abc,cd")),
    "einsum of positions": (Weight(7, 5), 8, einsum("ntc,st->nsc")),
    "tensordot": (Weight(8, 16), 16, lambda part, h: torch.tensordot(h, part.w, 1)),
    "matmul from the left": (Weight(7, 5), 8, lambda part, h: part.w @ h),
    "baddbmm": (Weight(1, 8, 16), 16, lambda part, h: torch.baddbmm(part.w[:, :1], h, part.w.expand(len(h), 8, 16))),
    "addmm": (Weight(16, 8), 16, lambda part, h: torch.addmm(part.w[:, 0], h.flatten(0, 1), part.w.t())),
    "transposed convolution": (nn.ConvTranspose1d(5, 4, 3, stride=2), 17, None),
    "of groups": (nn.ConvTranspose1d(5, 10, 3, groups=5), 10, None),
    "attention": (
        nn.Linear(8, 8),
        8,
        lambda part, h: nn.functional.scaled_dot_product_attention(part(h), h.cumsum(1), h),
    ),
}


@pytest.mark.parametrize("name", COUNTED)
def test_multiply_adds_are_those_that_torch_counts(name):
    torch.manual_seed(0)
    model, x = Between(*COUNTED[name]).eval(), torch.randn(1, STEPS, 4)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(x)
    assert cost_of(model, x).multiply_adds == counter.get_total_flops() // 2
    assert removable(model, x).cost().multiply_adds == counter.get_total_flops() // 2
    assert not cost_of(model, x).uncounted


BY_HAND = {
    "LSTM": (nn.LSTM(8, 16, batch_first=True), 16, lambda part, h: part(h)[0], STEPS * (64 * (8 + 16) + 16 * 3)),
    "projected LSTM": (
        nn.LSTM(8, 16, proj_size=2, batch_first=True),
        2,
        lambda part, h: part(h)[0],
        STEPS * (64 * (8 + 2) + 2 * 16 + 2 * 3),
    ),
    "bilinear": (nn.Bilinear(8, 8, 7), 7, lambda part, h: part(h, h), STEPS * (7 * 8 * 8 + 7 * 3)),
    "attention of a part": (
        nn.MultiheadAttention(8, 2, batch_first=True),
        8,
        lambda part, h: part(h[:, :2], h, h)[0],
        8 * 8 * (2 + STEPS + STEPS + 2) + 2 * 2 * STEPS * 8 + 2 * 8 * 3,
    ),
    "attention with a zero": (
        nn.MultiheadAttention(8, 2, batch_first=True, add_zero_attn=True),
        8,
        lambda part, h: part(h, h, h)[0],
        8 * 8 * 4 * STEPS + 2 * STEPS * (STEPS + 1) * 8 + STEPS * 8 * 3,
    ),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", BY_HAND)
def test_what_torch_does_not_count_is_counted_by_hand(name):
    *parts, rest = BY_HAND[name]
    model, x = Between(*parts).eval(), torch.randn(1, STEPS, 4)
    assert cost_of(model, x).multiply_adds == AROUND + rest
    assert removable(model, x).cost().multiply_adds == AROUND + rest


def test_a_share_of_multiply_adds_is_one_of_all():
    torch.manual_seed(0)
    model, x = Between(*COUNTED["GRU"]).eval(), torch.randn(8, STEPS, 4)
    data = x, torch.randint(0, 3, (8, STEPS))

    def loss(outputs, targets):
        return cross_entropy(outputs.flatten(0, 1), targets.flatten())

    def counted(network):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(x[:1])
        return counter.get_total_flops()

    found = prune(model, data, loss, method=Filters(), sparsity=0.02, measure="flops")
    small = shrink_network(found.model, x, dict(found.masks))
    left = small.after.multiply_adds / small.before.multiply_adds
    assert left == counted(small.model) / counted(model) <= 0.98


def test_an_operation_that_cannot_be_counted_is_named():
    torch.manual_seed(0)
    model = Between(Weight(7, 8), 7, lambda part, h: torch.cdist(h, part.w)).double().eval()
    x = torch.randn(8, 4).double()
    data = x, torch.randint(0, 3, (8,))
    found = prune(model, data, method=Filters(), sparsity=0.5, measure="units")
    said = "multiply-adds are counted without these, whose number is not known: cdist in the network"
    assert said in found.notes
    assert said in shrink_network(found.model, x, dict(found.masks)).notes
