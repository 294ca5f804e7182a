"""What a study of so many pairs can find: `python -m figures.statistics.power --pairs 8 --members 6`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from minima.store.command import Command, Report, render_table, run

LEVEL, STUDIES, SEED = 0.05, 40_000, 0


@dataclass(frozen=True, kw_only=True)
class Power(Command):
    """The smallest effect that an exact Wilcoxon test of pairs finds, in standard deviations of the differences."""

    pairs: tuple[int, ...] = (6, 8, 12)
    """seeds"""
    members: tuple[int, ...] = (1, 2, 6)
    """tests in the family, by Holm's adjustment: what is said holds for the first that is rejected"""
    power: float = 0.8
    """share of such studies that find it"""


def critical(pairs: int, members: int) -> float:
    """The largest two-sided exact p of `pairs` untied differences that is below 0.05 / members; 0 where there is none.

    >>> critical(8, 6), critical(8, 7)
    (0.0078125, 0.0)
    """
    p = np.minimum(1, 2 * np.cumsum(_null(pairs)))
    return float(max(p[p < LEVEL / members], default=0.0))


def power(effect: float, pairs: int, members: int = 1) -> float:
    """The chance to find a mean difference of `effect` standard deviations in normal differences, by simulation.

    Of 40,000 studies, the same at every call, so that its standard error is at most 0.0025.
    """
    highest = _sums(pairs)
    largest = int(np.searchsorted(np.cumsum(_null(pairs)) * 2, critical(pairs, members) * (1 + 1e-9), side="right")) - 1
    if largest < 0:
        return 0.0
    noise = _noise(pairs) + effect
    ranks = np.abs(noise).argsort(axis=1).argsort(axis=1) + 1
    positive = np.where(noise > 0, ranks, 0).sum(axis=1)
    return float(np.mean(np.minimum(positive, highest - positive) <= largest))


@cache
def detectable(pairs: int, members: int = 1, share: float = 0.8) -> float:
    """The effect that this share of studies finds, in standard deviations of the differences; NaN where none can be.

    >>> round(detectable(8, 6), 1)
    1.9
    """
    if pairs < 2 or not critical(pairs, members):
        return float("nan")
    low, high = 0.0, 50.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle, pairs, members) >= share else (middle, high)
    return high


def _sums(pairs: int) -> int:
    return pairs * (pairs + 1) // 2


@cache
def _null(pairs: int) -> np.ndarray:
    """Chances of each sum of the ranks of positive differences, where every pattern of signs is as likely."""
    chance = np.ones(1)
    for rank in range(1, pairs + 1):
        chance = np.convolve(chance, np.concatenate([[0.5], np.zeros(rank - 1), [0.5]]))
    return chance


@cache
def _noise(pairs: int) -> np.ndarray:
    return np.random.default_rng(SEED).standard_normal((STUDIES, pairs))


def main(arguments: Power) -> Report:
    """A row for each number of pairs, a column for each size of the family."""
    found = {
        f"{pairs} pairs": [detectable(pairs, each, arguments.power) for each in arguments.members]
        for pairs in arguments.pairs
    }
    headers = ["", *(f"family of {each}" for each in arguments.members)]
    text = render_table(headers, [[name, *effects] for name, effects in found.items()])
    share = f"{100 * arguments.power:g} %"
    closing = f"standard deviations of the differences that {share} of studies find; none where no p is small enough"
    return Report(
        {"power": arguments.power, "members": list(arguments.members), "effects": found}, f"{text}\n\n{closing}"
    )


if __name__ == "__main__":
    run(Power, main, prog="python -m figures.statistics.power")
