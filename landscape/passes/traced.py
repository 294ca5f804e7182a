"""A pass of a network as a graph of tensor operations: what the weights alone decide is done once for all chunks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Graph, GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten

from landscape.passes import winograd
from landscape.passes.folding import Folding
from landscape.passes.folding_plan import Plan
from landscape.passes.fusing import writes
from landscape.passes.inputs import tensors_of
from landscape.passes.network import called

Rewrite = Callable[[Graph], None]


@dataclass(frozen=True)
class Lifted:
    """outputs = each(*once(*tensors), x), for inputs of one shape."""

    once: Callable[..., tuple[Tensor, ...]]
    each: Callable[..., Any]
    structure: TreeSpec
    """of the outputs, which `each` gives as a list"""

    def outputs(self, ready: Sequence[Tensor], x: Tensor) -> Any:
        """What the network makes of x, `ready` being what `once` gave."""
        return tree_unflatten(list(self.each(*ready, x)), self.structure)


def lifted(
    model: nn.Module,
    tensors: Mapping[str, Tensor],
    x: Any,
    plan: Plan | None = None,
    rewrites: Sequence[Rewrite] = (),
) -> Lifted:
    """The pass over inputs like x, convolutions and norms computed by `plan`, its graph then changed by `rewrites`.

    Tracing sees shapes and no numbers, so that a pass that depends on what is in its tensors raises an error here, and
    nothing is computed in tiles yet. It runs a twin that shares the module's tensors: what a pass may leave behind in a
    module stays out of the user's.
    """
    shared = {id(tensor): tensor for tensor in [*model.parameters(), *model.buffers()]}
    twin = copy.deepcopy(model, shared)
    structure: list[TreeSpec] = []
    channels_last = any(_lies_last(each) for each in tensors_of(x))

    def run(values: Sequence[Tensor], x: Any) -> list[Any]:
        named = dict(zip(tensors, values, strict=True))
        if plan is None:
            outputs = called(twin, named, x)
        else:
            with Folding(plan, named, channels_last) as folding:
                outputs = called(twin, named, x)
            folding.check(outputs)
        leaves, spec = tree_flatten(outputs)
        structure.append(spec)
        return leaves

    with torch.no_grad(), winograd.refused():
        traced = make_fx(run, tracing_mode="fake")(list(tensors.values()), x)
    for rewrite in rewrites:
        rewrite(traced.graph)
    return Lifted(*split(traced, len(tensors)), structure[-1])


def _lies_last(x: Tensor) -> bool:
    return x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last)


def split(traced: GraphModule, weights: int) -> tuple[GraphModule, GraphModule]:
    """What the first `weights` inputs alone decide, and the rest as a function of it and the last input."""
    inputs = [node for node in traced.graph.nodes if node.op == "placeholder"]
    once = _lasting(traced.graph, inputs[:weights])
    kept = [node for node in once if any(user not in once for user in node.users)]
    before, after = Graph(), Graph()
    copied: dict[Node, Node] = {}
    for node in once:
        copied[node] = before.node_copy(node, copied.__getitem__)
    before.output(tuple(copied[node] for node in kept))
    copied = {node: after.placeholder(f"ready_{index}") for index, node in enumerate(kept)}
    for node in copied:
        copied[node].meta = dict(node.meta)
    for node in traced.graph.nodes:
        if node not in once:
            copied[node] = after.node_copy(node, copied.__getitem__)
    return GraphModule(traced, before), GraphModule(traced, after)


def _lasting(graph: Graph, weights: Sequence[Node]) -> dict[Node, None]:
    """Nodes that have one value for all chunks, in order: none that a chunk's operation writes to."""
    once: dict[Node, None] = dict.fromkeys(weights)
    for node in graph.nodes:
        if node.op == "call_function" and node.all_input_nodes and all(each in once for each in node.all_input_nodes):
            once[node] = None
    written = [node.args[0] for node in graph.nodes if node not in once and writes(node)]
    while written:
        target = written.pop()
        if target in once:
            if target.op == "placeholder":
                raise NotImplementedError("the pass changes a parameter or a buffer")
            del once[target]
            written += target.all_input_nodes
    for node in list(once):
        if node.op != "placeholder" and any(each not in once for each in node.all_input_nodes):
            del once[node]
    return once
