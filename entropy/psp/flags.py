"""Flags of `python -m entropy.psp`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from minima.zoo.measuring.flags import Measuring

NO_GROUPS = Path("none")
"""of --group-by: nothing to hold the states against"""


@dataclass(frozen=True, kw_only=True)
class Counting:
    """What of the neurons' states is looked at."""

    order: int = 1
    """neurons whose states are looked at jointly: 1, 2 (all pairs of a layer), or n (sampled tuples)"""
    tuples: int = 2000
    """tuples in a sample: at --order 3 and above, and of layers with too many pairs"""
    pairs: Literal["auto", "all", "sampled"] = "auto"
    """at --order 2, whether to look at all pairs of a layer or a sample; auto: all where that takes seconds"""
    neurons: Literal["position", "channel"] = "position"
    """in feature maps, whether each position is a neuron (as published) or each channel, its positions pooled"""
    positions: Literal["as-examples"] | None = None
    """as-examples: each position (pixel, token) of an example counts for its own class, in the layers that have the
    labels' positions; channels are then the neurons"""
    compat: Literal["published"] | None = None
    """published: keep frequencies within 1e-4 and 1 - 1e-4, as the authors' code does"""
    permutations: int = 0
    """random permutations of the labels, to test whether the states tell anything of them"""
    selectivity: bool = False
    """also the selectivity index of each neuron, from its mean activation per class (Morcos et al. 2018)"""
    ties: bool = False
    """also count the potentials that are zero to rounding, whose states another machine may find otherwise"""


@dataclass(frozen=True, kw_only=True)
class Psp(Counting, Measuring):
    """How class-specific a network's neurons are: PSP-entropy, in bits, with its error."""

    as_before: ClassVar[tuple[str, ...]] = ("tables",)
    split: Literal["train", "test"] = "test"
    """which examples; train includes what training held out for validation"""
    tables: Literal["auto", "all", "none"] = "auto"
    """whether the file also holds what there is for every class and neuron (counts, p_on and, with --selectivity,
    mean_activation); auto: where that takes 1 GiB or less, of all checkpoints together"""
    group_by: Path | None = None
    """an .npy with a group for each example of the split, to be held against the states instead of the class; none:
    nothing, the entropy of the states by itself"""
