"""Whether a faster form of a pass has the numbers of the plain one: of every chunk of examples that comes by."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from landscape.passes.inputs import fingerprint
from minima.store.command import BadInput

AGREEMENT = {torch.float64: 1e-9, torch.float32: 2e-4}
"""of the largest output: a pass that differs by more than such rounding is not used"""
COARSE = 2e-2
"""the same in half precision"""
COUPLED = 5
"""times that, from which it is no rounding either that an example's output depends on which share its chunk"""
PAIR = 2
"""examples of a chunk that are compared"""

Plain = Callable[[Any], Any]


class Disagreement(Exception):
    """The numbers are others than those of a plain pass."""


class Checks:
    """Which chunks were compared already. Of each there are two examples, chosen at random, of a new `way` all."""

    def __init__(self) -> None:
        self._chunks: set[int] = set()
        self._ways: set[Hashable] = set()

    def due(self, inputs: Any, way: Hashable) -> bool:
        """Whether this chunk was not compared yet in any way, and is to be."""
        return way not in self._ways or fingerprint(inputs) not in self._chunks

    def compare(self, inputs: Any, outputs: Any, way: Hashable, plain: Plain) -> None:
        """Compare the outputs for a chunk with what `plain` makes of it, without a graph.

        `way`: what else decides the numbers, such as the shape of the inputs and which weights were used. A chunk that
        agrees is not compared again.

        Raises:
            Disagreement: they differ.
            BadInput: they do not, but those of the plain pass depend on which examples share a chunk.
        """
        chunk = fingerprint(inputs)
        if way in self._ways and chunk in self._chunks:
            return
        with torch.no_grad():
            if way in self._ways:
                self._some(inputs, outputs, plain, random.Random(chunk))
            elif not agree(outputs, plain(inputs)):
                raise Disagreement
        self._ways.add(way)
        self._chunks.add(chunk)

    def _some(self, inputs: Any, outputs: Any, plain: Plain, drawn: random.Random) -> None:
        size = len(inputs)
        some = sorted(drawn.sample(range(size), min(PAIR, size)))
        alone, together = plain(inputs[some]), rows_of(outputs, size, some)
        if together is not None and agree(together, alone):
            return
        whole = plain(inputs)
        if not agree(outputs, whole):
            raise Disagreement
        apart = rows_of(whole, size, some)
        if apart is not None and _alike_in_shape(apart, alone) and not agree(apart, alone, COUPLED):
            raise BadInput(
                f"the network's outputs for an example depend on which others share its chunk: for examples {some} of\n"
                f"a chunk of {size} they are not what they are for these alone. It sees a batch as a whole, so that\n"
                "its mean loss is no mean over examples: look for statistics, sums or decisions over the batch"
            )


def rows_of(outputs: Any, size: int, examples: list[int]) -> list[Tensor] | None:
    """The rows of some of `size` examples in all tensors that are outputs; None where one has no row for each."""
    leaves = [leaf for leaf in tree_leaves(outputs) if torch.is_tensor(leaf)]
    if not all(leaf.ndim and len(leaf) == size for leaf in leaves):
        return None
    return [leaf[examples] for leaf in leaves]


def agree(found: Any, plain: Any, rounding: float = 1) -> bool:
    """Whether outputs are the same but for rounding; what is not finite plainly agrees with anything.

    >>> agree(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.00001])), agree(torch.ones(2), torch.zeros(2))
    (True, False)
    """
    if not _alike_in_shape(found, plain):
        return False
    return all(
        bool((a - b).abs().max() <= rounding * AGREEMENT.get(b.dtype, COARSE) * b.abs().max()) or not b.isfinite().all()
        for a, b in zip(_tensors(found), _tensors(plain), strict=True)
        if b.numel() and (b.is_floating_point() or b.is_complex())
    )


def _alike_in_shape(found: Any, plain: Any) -> bool:
    one, other = _tensors(found), _tensors(plain)
    return [each.shape for each in one] == [each.shape for each in other]


def _tensors(outputs: Any) -> list[Tensor]:
    return [leaf.detach() for leaf in tree_leaves(outputs) if torch.is_tensor(leaf)]
