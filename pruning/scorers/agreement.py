"""How far a score that is estimated says the same twice: of its ranks, and of the weights a cut keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from minima.zoo.seeds import derive

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context
    from pruning.context.sample import Sample

    Tensors = dict[str, Tensor]

NOISE = 0.1
"""rank correlation of two estimates below which a cut by them is refused: less than a fifth of the variance of the
ranks of both together, 2 r / (1 + r), is then the score's own. GraSP's ten examples of each class give 0.1 to 0.8"""
CLEAR = 0.9
"""above which, as a rank correlation and as a share of the weights kept, nothing is said"""


@dataclass(frozen=True)
class Estimate:
    """Scores, and the same from two draws that tell how far to trust them."""

    scores: Tensors
    pair: tuple[Tensors, Tensors] | None = None
    """None: nothing was drawn, the scores are exact"""
    drawn: str = ""
    """what the two are, in words: `two halves of the 64 probes`"""
    remedy: str = ""
    """what to type for a better estimate"""


@runtime_checkable
class Estimated(Protocol):
    """A scorer that draws probes or takes a part of the examples."""

    def score(self, context: Context) -> Tensors:
        """The scores that the cut is made by, as in `Scorer`."""

    def estimate(self, context: Context) -> Estimate:
        """The scores of `score` with two estimates of them from separate draws, whose agreement tells their noise."""


@dataclass(frozen=True)
class Agreement:
    """How far two estimates of the scores of the same weights agree."""

    spearman: float
    """rank correlation over the weights that were left before the cut; NaN where all ranks are equal"""
    common: float
    """part of the weights kept by a cut on one estimate that a cut on the other keeps as well"""
    chance: float
    """the same of two cuts at random: kept / left"""
    error: float
    """median over these weights of half the difference of both scores, in units of the size of their mean"""

    @property
    def noise(self) -> bool:
        """Whether the ranks agree so little that a choice by them is one by chance."""
        return self.spearman < NOISE

    @property
    def clear(self) -> bool:
        """Whether the estimate's error hardly matters."""
        return self.spearman >= CLEAR and self.common >= CLEAR

    def words(self, drawn: str) -> str:
        """A sentence that says how far the estimates agree."""
        return (
            f"{drawn} agree on the ranks of the weights at Spearman {self.spearman:.2f}; cuts by each keep "
            f"{self.common:.0%} of their weights in common (at random: {self.chance:.0%}). "
            f"The standard error of a score is {self.error:.2g} times its size (median)"
        )


def agreement(
    pair: tuple[Tensors, Tensors], alive: Mapping[str, Tensor], cut: Callable[[Tensors], Mapping[str, Tensor]]
) -> Agreement:
    """Compare two estimates among the weights `alive`; `cut` makes masks of scores.

    >>> import torch
    >>> first, second = {"w": torch.tensor([1.0, 2, 3, 4])}, {"w": torch.tensor([1.0, 2, 4, 3])}
    >>> found = agreement((first, second), {"w": torch.ones(4) > 0}, lambda scores: {"w": scores["w"] > 3.5})
    >>> round(found.spearman, 3), found.common, found.chance
    (0.8, 0.0, 0.25)
    """
    import torch

    one, other = (torch.cat([scores[name][alive[name]].double().cpu() for name in alive]) for scores in pair)
    masks = [torch.cat([mask.flatten().cpu() for mask in cut(scores).values()]) for scores in pair]
    kept = [int(mask.sum()) for mask in masks]
    both, most = int((masks[0] & masks[1]).sum()), max(kept)
    size = ((one + other) / 2).abs()
    relative = (((one - other) / 2).abs() / size)[size > 0]
    return Agreement(
        spearman=spearman(one, other),
        common=both / most if most else 1.0,
        chance=most / len(one) if len(one) else 1.0,
        error=float(relative.median()) if len(relative) else 0.0,
    )


def spearman(one: Tensor, other: Tensor) -> float:
    """Rank correlation, equal values sharing the mean of their ranks; NaN where all values of one are equal.

    >>> import torch
    >>> spearman(torch.tensor([1.0, 2, 3]), torch.tensor([9.0, 5, 1]))
    -1.0
    """
    from entropy.transfer.ranks import COEFFICIENTS

    return round(COEFFICIENTS["spearman"](one.numpy(), other.numpy()), 12)


def another_draw(scorer: Estimated, sample: Sample, context: Context) -> Estimate:
    """The scores of a sample, and as a pair those and the ones of as many examples that another seed draws."""
    from dataclasses import replace

    scores, examples = scorer.score(context), sample.size(context)
    if examples == len(context.x):
        return Estimate(scores)
    again = scorer.score(replace(context, seed=derive(context.seed, "another draw")))
    return Estimate(scores, (scores, again), f"two draws of {examples} examples", sample.remedy())
