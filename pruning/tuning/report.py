"""Which settings of a search are best, which are as good, and the line that runs them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields

from minima.store.command import Command, render_table
from minima.zoo.subject.flags import Loading
from pruning.tuning.flags import Tuning
from pruning.tuning.search import GRID, Point, Trial, objective

OWN = "the method's own settings"


@dataclass(frozen=True)
class Choice:
    """The best of the method's own settings (place 0) and the points tried (from 1 on)."""

    best: int
    tied: tuple[int, ...]
    """other places whose objective is the same"""
    alike: tuple[int, ...]
    """those of them whose scores have fallen as far as well, so that nothing tells them from the best"""


def choose(reference: Trial, tried: Sequence[Trial], least: float) -> Choice:
    """The place of the least objective; of equal ones that whose score has risen most; of equal ones still the first,
    the method's own settings before all.

    >>> own = Trial({}, 40, -0.02)
    >>> choose(own, [Trial({}, 40, 0.01), Trial({}, 40, -0.02)], 0.01)
    Choice(best=0, tied=(2,), alike=(2,))
    >>> choose(own, [Trial({}, 40, -0.01), Trial({}, 40, -0.03), Trial({}, 40, -0.03)], 0.01)
    Choice(best=2, tied=(0, 1, 3), alike=(3,))
    """
    every = [reference, *tried]
    keys = [(objective(each, reference, least), each.fall) for each in every]
    best = keys.index(min(keys))
    tied = tuple(place for place, key in enumerate(keys) if key[0] == keys[best][0] and place != best)
    return Choice(best, tied, tuple(place for place in tied if keys[place] == keys[best]))


def text(arguments: Tuning, reference: Trial, tried: Sequence[Trial], held_out: int) -> str:
    """What a person reads: a line for each run, which is best and how far to trust that, and what to type."""
    least = 1 / held_out
    rows = []
    for place, each in enumerate((reference, *tried)):
        settings = [each.point.get(name) for name in GRID]
        rows.append([str(place or "own"), *settings, each.steps, each.fall, objective(each, reference, least)])
    found = choose(reference, tried, least)
    lines = [render_table(["trial", *GRID, "steps", "score fallen by", "objective"], rows), ""]
    lines.append(f"one of the {held_out:,} examples of the validation part is worth {100 * least:.3g} points of score")
    lines += [verdict(found, len(tried)), "", command(arguments, tried[found.best - 1].point if found.best else {})]
    return "\n".join(lines)


def verdict(found: Choice, trials: int) -> str:
    """Which settings are best, and which others are as good, in words."""
    best = f"trial {found.best} is best" if found.best else f"none of the {trials} is better than {OWN}"
    if not found.tied:
        return best
    lines = [f"{best}; of the same objective: {_named(found.tied)}"]
    if len(found.alike) < len(found.tied):
        lines.append("of these the score has risen most, or fallen least, with " + (_named((found.best, *found.alike))))
    if found.alike:
        lines.append(f"{_named((found.best, *found.alike))} came to the same: the first is taken")
    return "\n".join(lines)


def _named(places: Sequence[int]) -> str:
    numbers = [str(place) for place in sorted(places) if place]
    trials = [f"trial{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"] if numbers else []
    return " and ".join([*([OWN] if 0 in places else []), *trials])


def command(arguments: Tuning, point: Point) -> str:
    """The line that prunes the whole network with these settings, as the search ran them."""
    common = {each.name for each in fields(Command)}
    words = ["python", "-m", "pruning", arguments.method, str(arguments.checkpoint)]
    for each in fields(Loading):
        value = getattr(arguments, each.name)
        if each.name not in common and value != each.default:
            flag = f"--{each.name.replace('_', '-')}"
            words += [flag] if value is True else [flag, str(value)]
    words += [] if arguments.validation is None else ["--validation", f"{arguments.validation:g}"]
    words += [word for name, value in point.items() for word in (f"--{name}", f"{value:g}")]
    words += [f"--{arguments.measure}", repr(arguments.amount), "--epochs", str(arguments.epochs)]
    return shlex.join([*words, "-o", str(arguments.checkpoint.with_suffix(f".{arguments.method}.pt"))])
