"""Flags of `python -m pruning.tuning`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from minima.zoo.device import DeviceName
from minima.zoo.subject.flags import Loading


@dataclass(frozen=True, kw_only=True)
class Tuning(Loading):
    """Search settings of ICE-Pruning (Hu et al. 2025) by whole runs on a share of the training examples: of the 216
    points of its grid of --threshold, --freeze, --lr, --centre, --steepness and --drop so many are drawn and tried.

    The published objective, t / max(t, d) + d / max(t, d) with t in seconds and d the fall of accuracy in points, is
    1 + d / t where t is the larger, and so rewards slow runs. Here it is t / t0 + d / d0: steps of training and fall of
    accuracy, each over that of a run with the method's own settings. The least is best; of equal ones that whose score
    has risen most, and the method's own settings before others that came to the same. d below 0, a rise, counts as 0;
    d0 counts as one example of the validation part at least, so that where the own run loses nothing each lost example
    adds 1. Nothing is written.
    """

    checkpoint: tyro.conf.Positional[Path]
    """checkpoint of the trained network; a file of somebody else with --model and --data"""
    amount: float = 0.5
    """share that runs remove"""
    measure: Literal["sparsity", "units", "flops", "parameters"] = "units"
    """of what it is a share; with --method ice, which removes single weights, sparsity"""
    method: Literal["ice", "ice-filters"] = "ice-filters"
    """which method is tuned"""
    trials: int = 6
    """points of the grid that are tried (published: 6, of ImageNet 7)"""
    share: float = 0.02
    """of the training examples, on which runs train (published: 0.02 of CIFAR, 0.001 of ImageNet)"""
    epochs: int = 20
    """of each run at most"""
    validation: float | None = None
    """fraction of the training examples that is held out to judge by (default: as in the parent's training; a file of
    somebody else needs it, for example 0.1)"""
    seed: int = 0
    """of which points are tried, and on which examples"""
    device: DeviceName = "auto"
    """where to compute"""
