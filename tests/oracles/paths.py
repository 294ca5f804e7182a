"""All paths of a tiny network, walked one by one over a graph that is written down by hand-made loops."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

Node = tuple
Edge = tuple[Node, Node, tuple | None]
"""from, to, and the (weight's name, index) that stands on it: None where nothing does"""


def linear(name: str, sources: list[Node], targets: list[Node]) -> Iterator[Edge]:
    """Every source to every target."""
    for row, target in enumerate(targets):
        for column, source in enumerate(sources):
            yield source, target, (name, (row, column))


def convolution(name: str, made: str, read: str, channels: tuple[int, int], side: int, padding: int) -> Iterator[Edge]:
    """A 3x3 convolution of stride 1 from the pixels (read, channel, y, x) to (made, ...)."""
    outputs, inputs = channels
    out_side = side + 2 * padding - 2
    for out in range(outputs):
        for y in range(out_side):
            for x in range(out_side):
                for channel in range(inputs):
                    for i in range(3):
                        for j in range(3):
                            source = y + i - padding, x + j - padding
                            if all(0 <= place < side for place in source):
                                yield (read, channel, *source), (made, out, y, x), (name, (out, channel, i, j))


def walked(edges: Iterable[Edge], kept: set, inputs: set[Node], outputs: set[Node]) -> tuple[set, set[Node]]:
    """(weights, nodes) on the paths over kept edges from an input to an output, found by walking every single path."""
    onward = defaultdict(list)
    for source, target, weight in edges:
        if weight is None or weight in kept:
            onward[source].append((target, weight))
    used, seen = set(), set()
    stack = [(node, (), (node,)) for node in inputs]
    while stack:
        node, weights, nodes = stack.pop()
        if node in outputs:
            used.update(weights)
            seen.update(nodes)
            continue
        stack += [(to, weights + ((weight,) if weight else ()), (*nodes, to)) for to, weight in onward[node]]
    return used, seen
