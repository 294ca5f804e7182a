"""Flags of `python -m pruning.criteria`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass

from minima.store.command import BadInput
from minima.zoo.measuring.flags import Measuring


@dataclass(frozen=True, kw_only=True)
class Criteria(Measuring):
    """Criteria for filters and neurons compared in each layer (Huang et al. 2021): rank correlations, the spread of the
    scores, tests of whether the weights are those of a Gaussian, and the same of networks redrawn from one."""

    criteria: tuple[str, ...] = ()
    """names as `python -m pruning list` and --criterion know them (default: those of weights alone, l1 l2 largest fpgm
    fermat, and batch-norm where there is one); taylor, gate, apoz and others look at the examples"""
    surrogate: bool = False
    """compare the network with surrogates as well, in which each layer's weights are redrawn from a Gaussian of
    its mean and standard deviation"""
    draws: int = 10
    """how many surrogates"""


def check(arguments: Criteria) -> None:
    """Refuse what no network is needed for."""
    if arguments.draws < 1:
        raise BadInput(f"--draws {arguments.draws}: expected at least 1 surrogate")
    if len(arguments.criteria) == 1:
        raise BadInput(
            f"--criteria {arguments.criteria[0]}: expected two or more to compare, such as --criteria l1 fpgm"
        )
    twice = [name for name in dict.fromkeys(arguments.criteria) if arguments.criteria.count(name) > 1]
    if twice:
        raise BadInput(f"--criteria: {twice[0]} is named twice")
