"""What is asked of the neurons' states beside the first order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor

from minima.store.command import BadInput
from minima.zoo.examples.outputs import pick

if TYPE_CHECKING:
    from entropy.information.site import Site

TUPLES = 2000
"""tuples of a sample"""
LARGEST_ORDER = 8
PUBLISHED_CLAMP = 1e-4


@dataclass(frozen=True)
class Together:
    """How many neurons are looked at together, and which of the many tuples if not all pairs."""

    order: int = 1
    tuples: int = TUPLES
    """in a sample: of a layer with too many pairs, and always from order 3 on"""
    seed: int = 0
    """of the sample"""
    pairs: Literal["auto", "all", "sampled"] = "auto"
    """whether all pairs of a layer are looked at, or a sample; auto: all where that takes seconds"""

    def __post_init__(self) -> None:
        if self.order not in range(1, LARGEST_ORDER + 1):
            raise BadInput(f"--order {self.order}: expected 1 to {LARGEST_ORDER} neurons looked at together")
        if self.tuples < 2:
            raise BadInput(f"--tuples {self.tuples}: expected at least 2")


@dataclass(frozen=True)
class Request:
    """What to measure beside the first order, which comes with every pass."""

    together: Together = Together()
    clamp: float = 0.0
    """how far frequencies are kept from 0 and 1: 1e-4 in the published code, 0 by the definition"""
    permutations: int = 0
    """random permutations of the labels to compare the class information with"""
    selectivity: bool = False
    """whether to gather mean activations too"""
    ties: bool = False
    """whether to count the potentials that are zero to rounding"""
    memory: float = math.inf
    """GiB that it may take beside the network and its data"""
    output: Callable[[Tensor, Tensor], None] | None = None
    """who is shown what the network returned for each batch, and which examples (rows of x) it is of"""
    picked: Callable[[Any], Any] = pick
    """which of several outputs is the network's"""
    results: Callable[[Sequence[Site], int], int] = lambda *_: 0
    """bytes of the file of results in memory, from the sites and how many classes occur, asked before any counting"""


FIRST_ORDER = Request()
