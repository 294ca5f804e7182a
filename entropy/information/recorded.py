"""How large the results file of a network becomes, known from its neurons before one state is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from entropy.information.joint import MATRIX
from entropy.information.site import Site

if TYPE_CHECKING:
    from entropy.information.request import Request

NUMBER = 8
"""bytes of a number in the file"""
OF_A_NEURON = 5
"""its label, two entropies, the class information and that normalised"""
OF_A_CELL = 2
"""of every class and neuron: counts and frequency of ON"""
OF_A_LAYER = 2**14
"""bytes of names, attributes and labels"""


@dataclass(frozen=True)
class Recorded:
    """Bytes that one network's layers take in the results file."""

    neurons: int
    """all that has a number for each neuron, or pair of a small layer"""
    tables: int
    """what has a number for each class and neuron"""


def recorded_bytes(sites: Sequence[Site], classes: int, request: Request) -> Recorded:
    """The bytes that a network takes in the results file, for layers at these sites, of whose classes so many occur.

    >>> from entropy.information.request import FIRST_ORDER
    >>> recorded_bytes([Site("conv1", 1000, 1, 4000)], 10, FIRST_ORDER)
    Recorded(neurons=56384, tables=160000)
    """
    each = NUMBER * (OF_A_NEURON + request.selectivity + (request.permutations > 0))
    cell = NUMBER * (OF_A_CELL + request.selectivity)
    pairs = [site.neurons for site in sites if request.together.order == 2 and site.neurons <= MATRIX]
    neurons = sum(OF_A_LAYER + each * site.neurons for site in sites) + NUMBER * sum(n * (n + 1) for n in pairs)
    return Recorded(neurons, sum(cell * classes * site.neurons for site in sites))
