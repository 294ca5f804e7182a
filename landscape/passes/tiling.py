"""Traced passes whose 3x3 convolutions, with the bias, sum and ReLU behind them, are computed in tiles (`winograd`)."""

from __future__ import annotations

from typing import Any

from torch.fx import Graph, Node

from landscape.passes import winograd
from landscape.passes.fusing import pointwise


def tile(graph: Graph) -> None:
    """Replace those of a fused pass's convolutions that are faster in tiles.

    Raises:
        ValueError: none is.
    """
    for node in list(graph.nodes):
        if node.target is pointwise.default:
            x, kernel, bias, *geometry, after, _, _ = node.args
            _replace(graph, node, (x, kernel, bias, None, after), geometry)
        elif node.target is pointwise.binary:
            x, other, kernel, bias, *geometry, _, _, after, _, _ = node.args
            _replace(graph, node, (x, kernel, bias, other, after), geometry)
    if not any(node.target is winograd.convolve for node in graph.nodes):
        raise ValueError("no convolution is faster in tiles")


def _replace(graph: Graph, node: Node, operands: tuple[Any, ...], geometry: list[Any]) -> None:
    x, kernel, bias, other, after = operands
    weight = kernel.args[0]
    padding, stride, dilation, groups = geometry
    if not winograd.fits(x.meta["val"], weight.meta["val"], stride, padding, dilation, groups):
        return
    with graph.inserting_before(node):
        points = graph.call_function(winograd.kernel_points, (weight,))
        filters = weight.meta["val"].shape[0]
        made = graph.call_function(winograd.convolve, (x, points, filters, bias, other, after == "relu"))
    made.meta = dict(node.meta)
    node.replace_all_uses_with(made)
    graph.erase_node(node)
    if not kernel.users:
        graph.erase_node(kernel)
