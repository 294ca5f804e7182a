"""Tensors on which the loss does not depend: constants, unless the network keeps something that was made of them."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection, Iterable

import torch
from torch import nn

from landscape.objective.derivatives.differences import Loss, Precision, Tensors, compare, norm, scale
from landscape.objective.derivatives.problem import Problem
from landscape.passes.checks import agree
from minima.store.command import BadInput, note

ROUNDING = 64
"""times the last digit of a loss: no change"""
MERGED = 0.05
"""of what passes may differ by: no change"""
NAMED = 4
"""constants that a note names"""


def check(problem: Problem, loss: Loss, at: Tensors, gradient: Tensors, precision: Precision) -> None:
    """Name the constants among the tensors without a gradient in a note; `at`: where it was taken.

    Raises:
        BadInput: the loss changes with one of them, or would if the network did not keep what it made of it.
    """
    moves = problem.moving
    suspects = [name for name, slope in gradient.items() if not slope.any() and moves[name].any()]
    if not suspects:
        return
    change = {name: each.to(at[name]) for name, each in problem.displacement().items()}
    for name in _with_a_say(loss, at, change, suspects):
        suspects.remove(name)
        _without_slope(loss, at, {name: change[name]}, precision)
    if suspects:
        native = {name: change[name].to(tensor) for name, tensor in problem.point.items()}
        with_a_say = _with_a_say(problem.further.loss(), problem.point, native, suspects)
        constants = [name for name in suspects if name not in with_a_say]
        _not_merged(problem, native, constants)
        if constants:
            some = ", ".join(constants[:NAMED]) + (f" and {len(constants) - NAMED} more" if constants[NAMED:] else "")
            note(
                f"the loss does not depend on {some}, as far as its numbers tell: constants, or outputs so far apart "
                "that it is saturated; no slope and no curvature along them"
            )


def _with_a_say(loss: Loss, at: Tensors, change: Tensors, names: Collection[str]) -> list[str]:
    """Those of the tensors whose change changes the loss."""
    before = loss.value(at)

    def changes(chosen: Iterable[str]) -> bool:
        chosen = set(chosen)
        after = loss.value({name: each + change[name] if name in chosen else each for name, each in at.items()})
        last = max(torch.finfo(each.dtype).eps for each in at.values())
        return not math.isclose(after, before, rel_tol=ROUNDING * last, abs_tol=ROUNDING * last)

    return [name for name in names if changes([name])] if names and changes(names) else []


def _without_slope(loss: Loss, at: Tensors, change: Tensors, precision: Precision) -> None:
    """Refuse one whose gradient is zero where the loss has a slope along it."""
    ((name, own),) = change.items()
    along = {each: own.clone() if each == name else torch.zeros_like(tensor) for each, tensor in at.items()}
    outcome = compare(loss, at, scale(along, 1 / norm(along)), norm(at), precision)
    if outcome.slope is not None:
        raise BadInput(
            f"the loss changes with {name}, by {outcome.slope[0]:.6g} along a direction of norm 1, but the gradient\n"
            "that autograd gives is zero there: the network uses it behind a detach() or no_grad(), or merged into\n"
            "other weights in eval mode, or its outputs are so large that gradients vanish (try --dtype float64).\n"
            "Let the gradient through, or measure the others: --parameters NAMES"
        )


def _not_merged(problem: Problem, change: Tensors, names: Collection[str]) -> None:
    """Refuse one that the network merges into others when it goes into eval mode, and then does not use."""
    for name in names if _merges(problem, change, names) else ():
        if _merges(problem, change, [name]):
            raise BadInput(
                f"{name} is merged into other weights when the network goes into eval mode, and its derivatives are\n"
                "lost with that. Measure the network unmerged (an option of the adapter's, such as merge_weights=False)"
            )


def _merges(problem: Problem, change: Tensors, names: Collection[str]) -> bool:
    """Whether a change of the tensors tells in eval mode only once it is entered anew: tried on a copy."""
    try:
        twin: nn.Module = copy.deepcopy(problem.network.model)
        x, _ = problem.few
        parameters = dict(twin.named_parameters())
        with torch.no_grad():
            twin.load_state_dict(problem.network.tensors(problem.point), strict=False)
            twin.train().eval()
            for name in names:
                parameters[name].add_(change[name])
            at_once = problem.network.of(twin, x)  # with other outputs than the measured one, which may well change
            return not agree(problem.network.of(twin.train().eval(), x), at_once, MERGED)
    except Exception:  # whatever a network does that is not made to be copied
        return False
