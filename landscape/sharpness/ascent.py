"""The largest loss in neighbourhoods of the weights: an ascent in each, scouted on some of the examples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from landscape.objective.differentiable import Differentiable
from landscape.sharpness.neighbourhoods import Neighbourhood


@dataclass(frozen=True)
class Patience:
    """When a climb ends: when so many gradients `over` have not gained the share `gain` of its rise.

    `gain` is also what a step must promise to be tried again.
    """

    gain: float
    over: int


SETTLED, SCOUTED = Patience(1e-3, 3), Patience(1e-2, 2)
"""of the climb that counts, and of those that look for another hill"""
HARDLY = 0.25
"""of that improvement: what a step must promise by the slope where it begins to be tried at all"""
SMALLEST_REACH = 1e-3
LONGER, SHORTER = 3.0, 0.25
"""times its length, at most and at least: the next step"""
AHEAD = 1e-2
"""relative: by how much a hill must be higher, on some of the examples, to be climbed on all"""


@dataclass(frozen=True)
class Highest:
    """The largest L(w + delta) - L(w) found, >= 0 since delta = 0 belongs to the set, and how it was come by."""

    rise: float
    displacement: Tensor
    """(d,) where it was found"""
    course: tuple[float, ...]
    """the best rise after 0, 1, ... steps over all examples"""
    converged: bool
    """whether the climb that found it ended before its steps did"""
    seed_stderr: float | None
    """how much it rests on one climb: the jackknife over climbs of the largest rise; None of a single one"""


def highest(
    function: Differentiable,
    neighbourhoods: Sequence[Neighbourhood],
    *,
    restarts: int,
    steps: int,
    generator: torch.Generator,
    some: Differentiable | None = None,
    origin: tuple[float, Tensor] | None = None,
) -> list[Highest]:
    """Maximise L(w + delta) - L(w) over delta in each of several sets of one shape.

    In each set a climb begins where it is furthest along the gradient at 0, one each at the best end in the next
    smaller set, moved outward, and in the next larger, moved inward, and `restarts` at random points of the rim. A
    step has the length at which the secant of the slopes at both ends of the one before is zero (Barzilai and
    Borwein 1988); after one that does not rise, the same way is tried at the length at which a parabola through its
    slopes is highest if that promises 1e-3 of the rise, else the set's next way. A climb ends when no way is left,
    when gradients gained too little of the rise and nothing more is promised (less than 1e-3 by three, on some of the
    examples 1e-2 by two), or after `steps` gradients.

    Args:
        some: the same loss over some of the examples. All climbs are made on these, at their price; what follows over
            all examples is one climb, from the end in the next smaller set (in the smallest from the gradient's end)
            or, where another start found a hill that is higher by more than 1 %, from there. How much the maximum rests
            on one start is then told by the climbs on some.
        origin: L(w) and its gradient (d,), where they are known.
    """
    order = sorted(range(len(neighbourhoods)), key=lambda each: neighbourhoods[each].width)
    ascending = [neighbourhoods[each] for each in order]
    patience = SETTLED if some is None else SCOUTED
    known = origin or function.loss_and_gradient()
    centre = _Point(torch.zeros_like(known[1]), *known)
    looked = centre if some is None else _evaluated(some, None)
    scouts = _scouted(some or function, looked, ascending, restarts, steps, generator, patience)
    found = [each.highest for each in scouts]
    if some is not None:
        found = _followed(function, centre, ascending, scouts, steps)
    return [found[order.index(each)] for each in range(len(neighbourhoods))]


@dataclass(frozen=True)
class _Point:
    """A displacement with what was evaluated there."""

    at: Tensor
    loss: float
    gradient: Tensor


@dataclass(frozen=True)
class _Climb:
    rises: list[float]
    """after each gradient, the largest so far"""
    end: _Point
    settled: bool
    """whether it ended by itself"""


@dataclass(frozen=True)
class _Scout:
    """What all climbs of a set came to."""

    highest: Highest
    other: Tensor | None
    """(d,) the end of a start that came higher than the first by more than `AHEAD`"""
    reliance: float | None
    """the jackknife's error over the largest rise"""


def _scouted(
    function: Differentiable,
    origin: _Point,
    ascending: Sequence[Neighbourhood],
    restarts: int,
    steps: int,
    generator: torch.Generator,
    patience: Patience,
) -> list[_Scout]:
    """All climbs, in each set."""

    def climb(place: Neighbourhood, start: Tensor) -> _Climb:
        return _climb(function, place, _evaluated(function, start), origin.loss, steps, patience)

    fresh: list[list[_Climb]] = []
    carried: list[list[_Climb]] = []
    for index, place in enumerate(ascending):
        drawn = [function.normal(generator) for _ in range(restarts)]
        fresh.append([climb(place, place.furthest(way)) for way in (origin.gradient, *drawn)])
        inner = [] if not index else [_outward(_best(fresh[-2] + carried[-1]).end.at, ascending[index - 1], place)]
        carried.append([climb(place, start) for start in inner])
    for index in reversed(range(len(ascending) - 1)):
        place, wider = ascending[index : index + 2]
        carried[index].append(climb(place, _outward(_best(fresh[index + 1] + carried[index + 1]).end.at, wider, place)))
    firsts = [(carried if index else fresh)[index][0] for index in range(len(ascending))]
    return [_summary(*climbs, origin.at, steps) for climbs in zip(firsts, fresh, carried, strict=True)]


def _best(climbs: Sequence[_Climb]) -> _Climb:
    return max(climbs, key=lambda climb: climb.rises[-1])


def _outward(end: Tensor, place: Neighbourhood, other: Neighbourhood) -> Tensor:
    """A point of one set, as far out in another."""
    return other.project(end * (other.width / place.width))


def _summary(first: _Climb, fresh: Sequence[_Climb], carried: Sequence[_Climb], origin: Tensor, steps: int) -> _Scout:
    """Of climbs from the gradient's end and at random, and of those that came from other sets.

    `first`: of all of them the one from where the climb over all examples would begin.

    What came from another set is a copy of what was found there, and does not count as a start that found it again.
    """
    climbs = [*fresh, *carried]
    best, found = _best(climbs), [climb.rises[-1] for climb in fresh]
    padded = [_padded(climb.rises, steps) for climb in climbs]
    course = tuple(max(0.0, *rises) for rises in zip(*padded, strict=True))
    top = best.rises[-1]
    error = None if len(fresh) < 2 else _reliance(found if top <= max(found) else [*found, top])
    ahead = best is not first and top > (1 + AHEAD) * max(first.rises[-1], 0.0)
    highest = Highest(course[-1], best.end.at if course[-1] > 0 else origin, course, best.settled, error)
    reliance = None if error is None else error / course[-1] if course[-1] > 0 else 0.0
    return _Scout(highest, best.end.at if ahead else None, reliance)


def _followed(
    function: Differentiable, origin: _Point, ascending: Sequence[Neighbourhood], scouts: Sequence[_Scout], steps: int
) -> list[Highest]:
    """One climb in each set, from the best of what is known."""
    found: list[Highest] = []
    before: tuple[Neighbourhood, Tensor] | None = None
    for place, scout in zip(ascending, scouts, strict=True):
        start = place.furthest(origin.gradient)
        if before is not None:
            start = _outward(before[1], before[0], place)
        starts = [start] if scout.other is None else [start, scout.other]
        point = max((_evaluated(function, each) for each in starts), key=lambda each: each.loss)
        climb = _climb(function, place, point, origin.loss, steps)
        before = place, climb.end.at
        course = tuple(max(0.0, rise) for rise in _padded(climb.rises, steps))
        end = climb.end.at if course[-1] > 0 else torch.zeros_like(climb.end.at)
        error = None if scout.reliance is None else scout.reliance * course[-1]
        found.append(Highest(course[-1], end, course, climb.settled, error))
    return found


def _evaluated(function: Differentiable, at: Tensor | None) -> _Point:
    loss, gradient = function.loss_and_gradient(at)
    return _Point(torch.zeros_like(gradient) if at is None else at, loss, gradient)


def _climb(
    function: Differentiable, place: Neighbourhood, start: _Point, base: float, steps: int, patience: Patience = SETTLED
) -> _Climb:
    """Uphill from a point of the set."""
    here, way, reach, left, over = start, 0, 1.0, place.ways, patience.over
    rises = [here.loss - base]
    while len(rises) <= steps and left:
        candidate = place.candidate(here.at, here.gradient, way, reach)
        if _slope(place, here, candidate) <= HARDLY * patience.gain * max(here.loss - base, 0.0):
            way, reach, left = (way + 1) % place.ways, 1.0, left - 1
            continue
        there = _evaluated(function, candidate)
        begin, end = place.slopes(here.at, candidate, here.gradient, there.gradient)
        best = begin / (begin - end) if begin > end else math.inf
        if there.loss > here.loss:
            here, left, promising = there, place.ways, False
            reach = min(reach * min(max(best, SHORTER), LONGER), place.longest[way])
        else:
            promising = begin * min(best, 0.5) / 2 > patience.gain * abs(here.loss - base) and reach > SMALLEST_REACH
            reach *= min(max(best, SHORTER), 0.5)
            if not promising:
                way, reach, left = (way + 1) % place.ways, 1.0, left - 1
        rises.append(here.loss - base)
        if len(rises) > over and not promising and rises[-1] - rises[-1 - over] <= patience.gain * abs(rises[-1]):
            break
    return _Climb(rises, here, settled=len(rises) <= steps or not left)


def _slope(place: Neighbourhood, here: _Point, candidate: Tensor) -> float:
    return place.slopes(here.at, candidate, here.gradient, here.gradient)[0]


def _padded(rises: list[float], steps: int) -> list[float]:
    return rises + rises[-1:] * (steps + 1 - len(rises))


def _reliance(rises: list[float]) -> float | None:
    """The jackknife's standard error of the maximum (at least 0) of k climbs: (k - 1) / k x (best - second best).

    >>> _reliance([3.0, 1.0, 2.0])
    0.6666666666666666
    """
    if len(rises) < 2:
        return None
    second, best = (max(0.0, rise) for rise in sorted(rises)[-2:])
    return (len(rises) - 1) / len(rises) * (best - second)
