"""Convolution, bias, sum and ReLU as one operation of oneDNN, on kernels that lie in memory as it wants them.

PyTorch reorders the kernel at every call and goes over the images again for each of the others. The reordered kernel is
a function of the weights, so that a traced pass makes it once for all chunks (see `traced`).
"""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import Graph, Node

aten = torch.ops.aten
pointwise, pointwise_into = torch.ops.mkldnn._convolution_pointwise, torch.ops.mkldnn._convolution_pointwise_
"""with what follows a convolution; and a sum that takes the place of its other term"""
ANEW = (pointwise.default, pointwise.binary, pointwise_into.binary, aten.relu.default)
"""operations that keep no view of what they are given"""
RELUS = (aten.relu.default, aten.relu_.default)
SUMS = (aten.add.Tensor, aten.add_.Tensor)


def fusible(x: torch.Tensor) -> bool:
    """Whether oneDNN takes such inputs here: images of single precision on a CPU."""
    return torch.backends.mkldnn.is_available() and (x.device.type, x.dtype, x.ndim) == ("cpu", torch.float32, 4)


def fuse(graph: Graph) -> None:
    """Replace the convolutions of a traced pass, with what follows them directly."""
    for node in list(graph.nodes):
        if node.target is aten.convolution.default:
            _convolution(graph, node)
    for node in list(graph.nodes):
        if node.target in SUMS:
            _sum(graph, node)
        elif node.target is aten.view.default:
            node.target = aten.reshape.default  # oneDNN decides how images lie in memory


def overwrite(graph: Graph) -> None:
    """Let sums take the place of their other term in memory: of what a convolution made, where they use it last."""
    order = {each: place for place, each in enumerate(graph.nodes)}
    for node in list(graph.nodes):
        if node.target is pointwise.binary:
            x, other, *rest = node.args
            unseen = all(each.target in ANEW for each in [other, *other.users])
            if x is not other and unseen and node is max(other.users, key=order.__getitem__):
                with graph.inserting_before(node):
                    made = graph.call_function(pointwise_into.binary, (other, x, *rest))
                order[made] = order[node]
                _replace(graph, node, node, made)


def _convolution(graph: Graph, node: Node) -> None:
    arguments: tuple[Any, ...] = node.args
    x, weight, bias, stride, padding, dilation, transposed, _, groups = arguments
    if transposed or x.meta["val"].dtype is not torch.float32 or len(stride) != 2:
        return
    last = _then(node, RELUS)
    with graph.inserting_before(node):
        where = (padding, stride, dilation, groups)
        kernel = graph.call_function(
            torch.ops.mkldnn._reorder_convolution_weight.default, (weight, *where, list(x.meta["val"].shape))
        )
        unary = "none" if last is node else "relu"
        made = graph.call_function(pointwise.default, (x, kernel, bias, *where, unary, [], ""))
    _replace(graph, node, last, made)


def _sum(graph: Graph, node: Node) -> None:
    """convolution + other, where nobody else wants the convolution and nothing is written to between it and the sum.

    Then it may as well be computed where the sum is: behind the other, such as a shortcut that comes after it.
    """
    order = {each: place for place, each in enumerate(graph.nodes)}
    convolutions = [each for each in node.all_input_nodes if _plain_convolution(each)]
    if len(node.all_input_nodes) != 2 or node.kwargs or not convolutions:
        return
    convolution = max(convolutions, key=order.__getitem__)
    other = next(each for each in node.all_input_nodes if each is not convolution)
    alike = other.meta["val"].shape == convolution.meta["val"].shape
    overwritten = node.target is aten.add_.Tensor and node.args[0] is other
    between = [each for each in graph.nodes if order[convolution] < order[each] < order[node]]
    if not alike or overwritten or any(writes(each) for each in between):
        return
    last = _then(node, RELUS)
    arguments: tuple[Any, ...] = convolution.args[:7]
    x, kernel, bias, *where = arguments
    with graph.inserting_before(node):
        unary = None if last is node else "relu"
        made = graph.call_function(pointwise.binary, (x, other, kernel, bias, *where, "add", 1.0, unary, [], ""))
    _replace(graph, node, last, made)
    graph.erase_node(convolution)


def writes(node: Node) -> bool:
    """Whether an operation changes one of its arguments in place."""
    schema = getattr(node.target, "_schema", None)
    return schema is not None and schema.is_mutable


def _plain_convolution(node: Node) -> bool:
    return node.target is pointwise.default and node.args[7] == "none" and len(node.users) == 1


def _then(node: Node, targets: tuple[object, ...]) -> Node:
    """The one operation of these that follows, or the node itself."""
    following = list(node.users)
    return following[0] if len(following) == 1 and following[0].target in targets else node


def _replace(graph: Graph, node: Node, last: Node, made: Node) -> None:
    """`made` for all from `node` to `last`."""
    made.meta = dict(node.meta)
    last.replace_all_uses_with(made)
    if last is not node:
        graph.erase_node(last)
    graph.erase_node(node)
