"""Before the work: whether the gradient is the slope of the loss, and the product the change of the gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from landscape.objective.derivatives import constants
from landscape.objective.derivatives.differences import (
    DOUBLE,
    SINGLE,
    Loss,
    Outcome,
    Precision,
    Tensors,
    compare,
    norm,
    scale,
    singly,
)
from landscape.objective.derivatives.operations import own_functions
from landscape.objective.derivatives.problem import Problem, normal
from landscape.objective.streams import stream
from landscape.passes.attention import plain_attention
from minima.store.command import BadInput, note
from minima.zoo.examples.evaluation import evaluating

NAMED = 3
"""tensors that a message names"""
FEWER_DIGITS = (torch.float32, torch.float16, torch.bfloat16)


class DerivativeCheck:
    """Done once for an objective and all that are made of it, before the first derivative is taken."""

    def __init__(self) -> None:
        self._done = False

    def before_the_first(self, problem: Callable[[], Problem]) -> None:
        """Check the derivatives now, if that was not done yet.

        Raises:
            BadInput: see `check_derivatives`.
        """
        if not self._done:
            asked = problem()
            with evaluating(asked.network.model), plain_attention():
                check_derivatives(asked)
            self._done = True


def check_derivatives(problem: Problem) -> None:
    """Compare slopes with gradients, and gradients with products, at a point beside w, along a direction.

    On a few examples, in float64, and where the network does not run in that, in float32. The direction is half the
    gradient and half random. A tensor on which the loss does not depend is named in a note.

    Raises:
        BadInput: they are not the same, with the parameter and the operation that may be at fault; or torch has no
            second derivative of an operation.
    """
    _in_its_own_data_type(problem)
    precision, why = DOUBLE, ""
    try:
        loss, at = problem.loss(torch.float64), problem.beside(torch.float64)
        if not _is_finite(loss, at):  # a mask by the least number of one type is infinite in another
            raise ArithmeticError("its loss or gradient is not finite there")
    except BadInput:
        raise
    except Exception as error:  # whatever a network does that is not made for float64
        precision, why = SINGLE, (str(error).strip().splitlines() or [type(error).__name__])[0]
        loss, at = problem.loss(), problem.beside(None)
    if not _is_finite(loss, at):
        return  # what that means is said where the loss itself is computed
    if why:
        note(f"derivatives are checked in float32, to 1e-2: the network does not run in float64 ({why[:100]})")
    outcome, direction = _outcome(problem, loss, at, precision)
    if not outcome.agrees and precision is DOUBLE and _rounds_to_single(loss, at):
        note("derivatives are checked in float32, to 1e-2: the network computes parts of it in float32")
        precision, loss, at = SINGLE, problem.loss(), problem.beside(None)
        outcome, direction = _outcome(problem, loss, at, precision)
    if not outcome.agrees:
        raise _refused(loss, at, direction, outcome, precision)


def _outcome(problem: Problem, loss: Loss, at: Tensors, precision: Precision) -> tuple[Outcome, Tensors]:
    _, gradient = loss.gradient(at)
    constants.check(problem, loss, at, gradient, precision)
    direction = _direction(problem, gradient)
    del gradient
    return compare(loss, at, direction, norm(at) or 1.0, precision), direction


def _is_finite(loss: Loss, at: Tensors) -> bool:
    value, gradient = loss.gradient(at)
    return math.isfinite(value) and math.isfinite(norm(gradient))


def _in_its_own_data_type(problem: Problem) -> None:
    """Which operations torch can differentiate twice depends on the data type."""
    at = problem.point
    problem.loss().product(at, {name: torch.ones_like(tensor) for name, tensor in at.items()})


def _direction(problem: Problem, gradient: Tensors) -> Tensors:
    """Half the gradient, half random, with an equal share for each tensor; of norm 1, and 0 where nothing moves."""
    draws, moves, size = stream(0, "derivative check", "direction"), problem.moving, norm(gradient)
    made: Tensors = {}
    for name, slope in gradient.items():
        own = normal(slope, draws).mul_(moves[name])
        own /= max(float(own.norm()), 1e-30) * len(gradient) ** 0.5
        made[name] = (own.addcmul_(slope, moves[name], value=1 / size) if size else own).to(slope)
    return scale(made, 1 / max(norm(made), 1e-30))


class _Casts(TorchFunctionMode):
    """Watches for what is made of float64 with fewer digits."""

    seen = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        given = [each.dtype for each in tree_leaves((args, kwargs)) if torch.is_tensor(each)]
        if torch.is_tensor(made) and made.dtype in FEWER_DIGITS and torch.float64 in given:
            self.seen = True
        return made


def _rounds_to_single(loss: Loss, at: Tensors) -> bool:
    with _Casts() as watch:
        loss.value(at)
    return watch.seen


def _refused(loss: Loss, at: Tensors, direction: Tensors, outcome: Outcome, precision: Precision) -> BadInput:
    """With the first tensors whose own displacement shows it, and what the network runs that torch does not know."""
    names, reach = [], norm(at) or 1.0
    for name, alone in singly(direction):
        own = compare(loss, at, alone, reach, precision)
        if own.slope if outcome.slope else own.curved:
            names.append(name)
        if len(names) == NAMED:
            break
    value, _ = loss.graph(at)
    functions = own_functions(value)
    who = ", ".join(names or outcome.curved[:NAMED]) or "the parameters together"
    if outcome.slope is not None:
        found, said = outcome.slope
        first = "the gradient that autograd gives is not the slope of the loss: along a direction of norm 1 the loss\n"
        first += f"changes by {found:.6g}, and g . v is {said:.6g}. It shows in {who}."
        usual = "a detach() or no_grad(), a straight-through estimator, weights merged in eval mode, or a backward pass"
    else:
        first = "the second derivative that autograd gives is not that of the loss: differences of gradients are not\n"
        first += f"H v in {who}."
        usual = "something that autograd does not see in a backward pass (a tensor detached before it was kept)"
    by = f"The network uses {', '.join(functions)}: look at its backward" if functions else f"Usual reasons: {usual}"
    return BadInput(f"{first}\n{by}.\nA curvature of it would be that of no loss: compute it by operations of torch")
