"""Which numbers there are of a training that left neurons out of its backward passes, with their meaning."""

from __future__ import annotations

from minima.store.hdf5.record import Number

LAYERS = (
    Number("updated", "1", "share of the layer's neurons that trained", ("epoch", "layer")),
    Number("neurons", "1", "neurons of the layer", ("layer",)),
)
COSTS = (
    Number(
        "backward_multiply_adds",
        "1",
        "multiply-adds of the backward passes of an epoch: of convolutions and linear layers, without the gradients of "
        "frozen neurons' weights, as if no weight were removed",
        ("epoch",),
        kind=float,
    ),
    Number("full_backward_multiply_adds", "1", "the same with every neuron trained", ("epoch",), kind=float),
)
