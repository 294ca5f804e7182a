"""Flags of `python -m pruning.robustness`, and what can be refused before any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from minima.store.command import BadInput
from minima.zoo.measuring.flags import Measuring
from pruning.robustness.trial import Trial, trials

ORDER = ("input_noise", "fgsm", "pgd", "weight_noise", "further_pruning", "quantisation")
"""which trials come first: those of inputs, then those of weights"""
TRIALS_FLAG = tyro.conf.arg(
    help=f"names separated by commas: {', '.join(trials())} (default: all but "
    f"{', '.join(name for name, kind in trials().items() if not kind.default)})"
)


@dataclass(frozen=True, kw_only=True)
class Robustness(Measuring):
    """Loss and score of networks under perturbed inputs (noise, FGSM, PGD) and perturbed weights (noise, further
    pruning, quantisation), several checkpoints side by side: dense beside pruned."""

    trials: Annotated[str | None, TRIALS_FLAG] = None
    watermark: Path | None = None
    """read the bits that python -m pruning.watermark put into this checkpoint, of which those measured were made
    (default: those that a checkpoint says it carries)"""
    input_range: tuple[float, float] | None = None
    """ends that perturbed inputs are clipped to, before --mean and --std (default: as the data set says: 0 1 for images
    of the suite's own; others are not clipped, which is said)"""
    split: Literal["train", "test"] = "test"
    """of which examples; train includes what training held out for validation"""

    def chosen(self) -> list[Trial]:
        """The trials to make, each with its parameters."""
        names = None
        if self.trials is not None:
            names = [name.strip().replace("-", "_") for name in self.trials.split(",") if name.strip()]
        return chosen_trials(names, {name: getattr(self, name, None) for name in trials()})


def chosen_trials(names: Sequence[str] | None, settings: Mapping[str, Trial | None] | None = None) -> list[Trial]:
    """Trials by name, each once; the default ones where none is named.

    Args:
        settings: trials with parameters of their own, by name.

    Raises:
        BadInput: a name that is none, or parameters that mean nothing.

    >>> [trial.name for trial in chosen_trials(["pgd", "weight_noise"])]
    ['pgd', 'weight_noise']
    """
    known, own = trials(), settings or {}
    if names is None:
        names = sorted((name for name, kind in known.items() if kind.default), key=_order)
    if not names or any(name not in known for name in names):
        raise BadInput(f"--trials {','.join(map(str, names))}: known are {', '.join(sorted(known, key=_order))}")
    for name, trial in own.items():
        if trial is not None and name not in names and trial != known[name]():
            raise BadInput(f"--{trial.flag} has parameters, but --trials does not name it: add it, or leave them out")
    chosen = [own.get(name) or known[name]() for name in dict.fromkeys(names)]
    for trial in chosen:
        trial.check()
    return chosen


def _order(name: str) -> tuple[int, str]:
    return ORDER.index(name) if name in ORDER else len(ORDER), name


def flags() -> type[Robustness]:
    """`Robustness` with a group of flags for every trial, such as --pgd.steps."""
    groups = [(name, kind, field(default=kind())) for name, kind in trials().items()]
    return make_dataclass("Robustness", groups, bases=(Robustness,), frozen=True, kw_only=True)
